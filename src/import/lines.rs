//! Reads lines of an untrusted file.

use std::io::{self, BufRead, Read};

/// More than any line of such a file has: a unique-id has at most 70 octets (RFC 1939 §7), and the
/// rest is a host and a user.
const MAX_LINE: u64 = 8 * 1024;

/// The reason why there is no further line.
#[derive(Debug)]
pub(super) enum Error {
    Io(io::Error),
    TooLong,
}

/// Returns lines without their ends, and counts them.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            number: 0,
        }
    }

    /// The number of the last line, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line. A CR at its end belongs to the line end: the file may come from Windows, and
    /// no unique-id has one.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        self.line.clear();
        let mut limited = self.input.by_ref().take(MAX_LINE + 1);
        let read = limited.read_until(b'\n', &mut self.line);
        if read.map_err(Error::Io)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.len() as u64 > MAX_LINE {
            return Err(Error::TooLong);
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }
}
