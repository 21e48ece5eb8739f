//! Compares stored messages with their records.

use std::io::{self, Read};
use std::path::Path;

use memchr::memchr;
use sha2::{Digest as _, Sha256};

use crate::account::LineEndings;
use crate::cache::{Digest, Stored};
use crate::store::Text;

/// The size of a read.
const PIECE: usize = 256 << 10;

/// The result of comparing a file with its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum Content {
    /// It is the stored message.
    Intact,
    /// It has a bare CR or LF, and was stored before the digest of that form was recorded. Its size
    /// is possible; this is its digest.
    Possible(Digest),
    /// It is not the stored message.
    Damaged,
    /// It is compressed in a form that popsync cannot read.
    Compressed,
}

/// Reads one file after another. Keeps its buffers: to clear new ones for each file takes longer than
/// to read most messages.
pub(in crate::sync) struct Reader {
    piece: Vec<u8>,
    converted: Vec<u8>,
}

impl Reader {
    pub(in crate::sync) fn new() -> Self {
        Self {
            piece: vec![0; PIECE],
            converted: Vec::new(),
        }
    }
}

/// Reads a file and compares it with its record.
///
/// # Errors
/// If it cannot be read to its end.
pub(super) fn compare(reader: &mut Reader, path: &Path, stored: &Stored) -> io::Result<Content> {
    let text = Text::open(path)?;
    if matches!(text, Text::Sealed) {
        return Ok(Content::Compressed);
    }
    let read = match reader.read(text, stored.line_ends.stored) {
        // gzip itself detects damaged data.
        Err(error) if is_broken_gzip(&error) => return Ok(Content::Damaged),
        read => read?,
    };
    Ok(match stored.proof() {
        Some(proof) if proof == read.sha256 => Content::Intact,
        // Each LF may have been a CRLF or not.
        None if (read.octets..=read.octets + read.lines).contains(&stored.octets) => {
            Content::Possible(read.sha256)
        }
        _ => Content::Damaged,
    })
}

fn is_broken_gzip(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    let is_of_the_system = error.raw_os_error().is_some();
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) && !is_of_the_system
}

/// Reads a file and compares it with the digest of the sent message.
///
/// # Errors
/// If it cannot be read to its end.
pub(in crate::sync) fn compare_digest(
    path: &Path,
    sent: &Digest,
    stored: LineEndings,
) -> io::Result<Content> {
    let read = Reader::new().read(Text::open(path)?, stored)?;
    Ok(match read.sha256 == *sent {
        true => Content::Intact,
        false => Content::Damaged,
    })
}

/// The digest and size of a file's content as it was sent.
struct Digested {
    /// Digest of the octets, with CRLF for every LF if it was stored with LF.
    sha256: Digest,
    /// The number of octets of the file.
    octets: u64,
    lines: u64,
}

impl Reader {
    fn read(&mut self, mut file: Text, stored: LineEndings) -> io::Result<Digested> {
        let to_crlf = stored == LineEndings::Lf;
        let mut hash = Sha256::new();
        let Self { piece, converted } = self;
        let (mut octets, mut lines) = (0_u64, 0_u64);
        loop {
            let length = match file.read(piece) {
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
            hash.update(&*converted);
        }
        Ok(Digested {
            sha256: hash.finalize().into(),
            octets,
            lines,
        })
    }
}
