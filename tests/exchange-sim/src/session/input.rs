//! The input of a session: lines with a limit.

use memchr::memchr;

/// The client's input that the session has not read. It remembers how far it searched.
#[derive(Default)]
pub(super) struct Input {
    octets: Vec<u8>,
    start: usize,
    searched: usize,
}

/// The next line of input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line with its line end.
    Complete(Vec<u8>),
    /// Not yet.
    Partial,
    /// More octets than the limit allows, or as many without LF; all input is thrown away.
    TooLong(Vec<u8>),
}

impl Input {
    pub(super) fn push(&mut self, octets: &[u8]) {
        if self.start > 64 * 1024 {
            self.octets.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.octets.len()
    }

    /// Throws everything away and gives its length.
    pub(super) fn clear(&mut self) -> usize {
        let len = self.octets.len() - self.start;
        *self = Self::default();
        len
    }

    /// Takes a line of at most `max` octets, line end included.
    pub(super) fn line(&mut self, max: usize) -> Line {
        let lf = memchr(b'\n', &self.octets[self.searched..]).map(|at| self.searched + at + 1);
        let end = lf.unwrap_or(self.octets.len());
        self.searched = end;
        let len = end - self.start;
        if len > max || (lf.is_none() && len == max) {
            let line = self.octets[self.start..self.start + max.min(len)].to_vec();
            self.clear();
            return Line::TooLong(line);
        }
        if lf.is_none() {
            return Line::Partial;
        }
        let line = self.octets[self.start..end].to_vec();
        self.start = end;
        if self.is_empty() {
            self.clear();
        }
        Line::Complete(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_counts_the_line_end_and_holds_without_one() {
        for (octets, line) in [
            (&b"1234567\r\n"[..], Line::TooLong(b"1234567\r".to_vec())),
            (b"123456\r\n", Line::Complete(b"123456\r\n".to_vec())),
            (b"1234567", Line::Partial),
            (b"12345678", Line::TooLong(b"12345678".to_vec())),
        ] {
            let mut input = Input::default();
            input.push(octets);
            assert_eq!(input.line(8), line, "{octets:?}");
        }
    }

    #[test]
    fn lines_come_out_alike_however_they_come_in() {
        let sent = b"NOOP\r\nUIDL\nSTAT\r\n";
        for step in 1..=sent.len() {
            let mut input = Input::default();
            let mut lines = Vec::new();
            for piece in sent.chunks(step) {
                input.push(piece);
                while let Line::Complete(line) = input.line(20) {
                    lines.push(line);
                }
            }
            assert_eq!(
                lines,
                [&b"NOOP\r\n"[..], b"UIDL\n", b"STAT\r\n"].map(<[u8]>::to_vec)
            );
            assert!(input.is_empty());
        }
    }
}
