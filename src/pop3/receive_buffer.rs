//! Reads lines from a stream that may be cut anywhere.

use super::Error;

/// The longest status or listing line, without its CRLF. RFC 2449 §4 allows 512 octets, but there
/// are servers with unique-ids of thousands of octets. Lines of messages have no such limit.
pub(crate) const MAX_LINE: usize = 8 * 1024;

/// Collects one line at a time. A line that is complete in the input is borrowed from there; only a
/// line that is cut is copied. Nothing is searched twice.
#[derive(Debug, Default)]
pub(super) struct ReceiveBuffer {
    partial: Vec<u8>,
    /// True if `partial` was lent out as a complete line, and is emptied at the next call.
    lent: bool,
}

impl ReceiveBuffer {
    /// Takes the next line from `input`, without its CRLF. Returns `None` if it has not ended yet;
    /// all of `input` is consumed then.
    ///
    /// # Errors
    /// [`Error::LineTooLong`] as soon as the line is longer than [`MAX_LINE`].
    pub(super) fn line<'e, 'i: 'e>(
        &'e mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<&'e [u8]>, Error> {
        if self.lent {
            self.partial.clear();
            self.lent = false;
        }
        let Some(end) = self.find_line_end(input) else {
            if self.partial.len() + input.len() > MAX_LINE + 1 {
                return Err(Error::LineTooLong { limit: MAX_LINE });
            }
            self.partial.extend_from_slice(input);
            *input = &[];
            return Ok(None);
        };
        let (line, rest) = input.split_at(end);
        *input = rest;
        if self.partial.len() + line.len() > MAX_LINE + 2 {
            return Err(Error::LineTooLong { limit: MAX_LINE });
        }
        if self.partial.is_empty() {
            return Ok(Some(&line[..line.len() - 2]));
        }
        self.partial.extend_from_slice(line);
        self.lent = true;
        Ok(Some(&self.partial[..self.partial.len() - 2]))
    }

    /// The index in `input` after the first CRLF, whose CR may be in `partial`.
    fn find_line_end(&self, input: &[u8]) -> Option<usize> {
        memchr::memchr_iter(b'\n', input).find_map(|lf| {
            let before = match lf.checked_sub(1) {
                Some(previous) => input.get(previous),
                None => self.partial.last(),
            };
            // OPOP3:C0005: only CRLF ends a line; a bare LF is part of it.
            (before == Some(&b'\r')).then_some(lf + 1)
        })
    }

    /// True if no unfinished line is held.
    pub(super) fn is_empty(&self) -> bool {
        self.unfinished().is_empty()
    }

    /// The part of a line that has not ended.
    pub(super) fn unfinished(&self) -> &[u8] {
        if self.lent { &[] } else { &self.partial }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines of `stream`, fed in pieces of `size` octets.
    fn lines(stream: &[u8], size: usize) -> Result<Vec<Vec<u8>>, Error> {
        let mut buffer = ReceiveBuffer::default();
        let mut found = Vec::new();
        for mut piece in stream.chunks(size) {
            while let Some(line) = buffer.line(&mut piece)? {
                found.push(line.to_vec());
            }
        }
        Ok(found)
    }

    #[test]
    fn lines_are_the_same_however_the_stream_is_cut() {
        let stream = b"+OK\r\n\r\nbare\nLF and \r CR\r\r\nlast\r\nunfinished\r";
        let expected: [&[u8]; 4] = [b"+OK", b"", b"bare\nLF and \r CR\r", b"last"];
        for size in 1..=stream.len() {
            assert_eq!(lines(stream, size).unwrap(), expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_line_of_the_limit_passes_and_one_octet_more_does_not() {
        let mut stream = vec![b'x'; MAX_LINE];
        stream.extend_from_slice(b"\r\n");
        for size in [1, 7, 4096, stream.len()] {
            assert_eq!(lines(&stream, size).unwrap()[0].len(), MAX_LINE);
        }
        stream.insert(0, b'x');
        for size in [1, 7, 4096, stream.len()] {
            assert_eq!(
                lines(&stream, size),
                Err(Error::LineTooLong { limit: MAX_LINE })
            );
        }
    }

    #[test]
    fn an_endless_line_costs_no_memory() {
        let mut buffer = ReceiveBuffer::default();
        let megabyte = vec![b'x'; 1 << 20];
        assert!(buffer.line(&mut &megabyte[..]).is_err());
        assert!(buffer.partial.capacity() <= MAX_LINE + 2);
    }
}
