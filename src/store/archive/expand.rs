//! Restores a message as it was sent: CRLF for every LF.

use std::io::{self, Read};

use memchr::memchr;

/// The size of a read.
const READ_AT_ONCE: usize = 64 << 10;

/// Reads a message that was stored with LF for CRLF, as it was sent.
#[derive(Debug)]
pub(crate) struct Expand<R> {
    from: R,
    is_needed: bool,
    piece: Vec<u8>,
    text: Vec<u8>,
    given: usize,
}

impl<R: Read> Expand<R> {
    /// Expands a message that `has_lf`, and passes on any other as it is.
    pub(crate) fn new(from: R, has_lf: bool) -> Self {
        Self {
            from,
            is_needed: has_lf,
            piece: vec![0; READ_AT_ONCE],
            text: Vec::new(),
            given: 0,
        }
    }
}

/// Gives `put` the octets with CRLF for every LF.
pub(super) fn expand(octets: &[u8], mut put: impl FnMut(&[u8])) {
    let mut rest = octets;
    while let Some(lf) = memchr(b'\n', rest) {
        put(&rest[..lf]);
        put(b"\r\n");
        rest = &rest[lf + 1..];
    }
    put(rest);
}

impl<R: Read> Read for Expand<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_needed {
            return self.from.read(buffer);
        }
        if self.given == self.text.len() {
            let length = self.from.read(&mut self.piece)?;
            self.text.clear();
            self.given = 0;
            let text = &mut self.text;
            expand(&self.piece[..length], |octets| {
                text.extend_from_slice(octets)
            });
        }
        let ready = &self.text[self.given..];
        let length = ready.len().min(buffer.len());
        buffer[..length].copy_from_slice(&ready[..length]);
        self.given += length;
        Ok(length)
    }
}
