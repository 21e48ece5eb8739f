//! Stored messages held against what is recorded of them.

use std::io::{self, Read};
use std::path::Path;

use memchr::memchr;
use sha2::{Digest as _, Sha256};

use crate::account::LineEndings;
use crate::cache::{Digest, Stored};
use crate::store::open_message;

/// How much of a file is read at a time.
const PIECE: usize = 256 << 10;

/// What a file is, held against its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum Content {
    /// It gives the octets back that were sent.
    Intact,
    /// It has a bare CR or LF, so that what was sent cannot be told from it; its size is possible.
    Possible,
    /// It is not what was stored.
    Damaged,
}

/// Reads a file and compares it with what is recorded.
///
/// # Errors
/// Where it cannot be read to its end.
pub(super) fn compare(path: &Path, stored: &Stored) -> io::Result<Content> {
    let read = read(path, stored.line_ends.stored)?;
    if read.sha256 == stored.sha256 {
        return Ok(Content::Intact);
    }
    // Each LF may have been a CRLF or not.
    let possible = stored.line_ends.stored == LineEndings::Lf
        && stored.line_ends.bare
        && (read.octets..=read.octets + read.lines).contains(&stored.octets);
    Ok(if possible {
        Content::Possible
    } else {
        Content::Damaged
    })
}

/// Reads a file and compares it with the digest of what was sent.
///
/// # Errors
/// Where it cannot be read to its end.
pub(in crate::sync) fn compare_digest(
    path: &Path,
    sent: &Digest,
    stored: LineEndings,
) -> io::Result<Content> {
    let read = read(path, stored)?;
    Ok(match read.sha256 == *sent {
        true => Content::Intact,
        false => Content::Damaged,
    })
}

/// What a file holds, as it was sent.
struct Digested {
    /// Of the octets with CRLF for every LF, where LF was stored for it.
    sha256: Digest,
    /// Of the file.
    octets: u64,
    lines: u64,
}

fn read(path: &Path, stored: LineEndings) -> io::Result<Digested> {
    let mut file = open_message(path)?;
    let to_crlf = stored == LineEndings::Lf;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut converted = Vec::new();
    let (mut octets, mut lines) = (0_u64, 0_u64);
    loop {
        let length = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        octets += length as u64;
        let mut rest = &piece[..length];
        if !to_crlf {
            hash.update(rest);
            continue;
        }
        converted.clear();
        while let Some(lf) = memchr(b'\n', rest) {
            lines += 1;
            converted.extend_from_slice(&rest[..lf]);
            converted.extend_from_slice(b"\r\n");
            rest = &rest[lf + 1..];
        }
        converted.extend_from_slice(rest);
        hash.update(&converted);
    }
    Ok(Digested {
        sha256: hash.finalize().into(),
        octets,
        lines,
    })
}
