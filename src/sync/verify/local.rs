//! Stored messages held against what is recorded of them.

use std::io::{self, Read};
use std::path::Path;

use memchr::memchr;
use sha2::{Digest as _, Sha256};

use crate::account::LineEndings;
use crate::cache::Stored;
use crate::store::open_message;

/// How much of a file is read at a time.
const PIECE: usize = 256 << 10;

/// What a file is, held against its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
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
    let mut file = open_message(path)?;
    let to_crlf = stored.line_ends.stored == LineEndings::Lf;
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
    let digest: [u8; 32] = hash.finalize().into();
    if digest == stored.sha256 {
        return Ok(Content::Intact);
    }
    // Each LF may have been a CRLF or not.
    let possible =
        to_crlf && stored.line_ends.bare && (octets..=octets + lines).contains(&stored.octets);
    Ok(if possible {
        Content::Possible
    } else {
        Content::Damaged
    })
}
