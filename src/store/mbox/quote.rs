//! mboxrd quoting: a line of `From `, with any number of `>` in front, gets one more `>`.
//!
//! For every program that reads an mbox, a line that begins with `From ` begins the next message.
//! After quoting, no line of a message's own does. Removing one `>` from each line of `>From `,
//! with any number of `>` in front, restores the message, octet for octet.
//!
//! Some fields of the header are quoted in the same way ([`fields`]).

use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::memrchr;

use super::fields::{self, FieldQuoter};

const FROM: &[u8] = b"From ";

static FIND_FROM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(FROM));

/// Quotes octets as they stream by, in pieces of any size.
#[derive(Debug)]
pub(in crate::store) struct Quoter {
    fields: FieldQuoter,
    /// True if the line so far consists of `>` only, and of the octets held back.
    bare: bool,
    /// The number of octets of `From ` that are held back, because the next octets decide about
    /// them.
    held: usize,
}

impl Quoter {
    /// Begins a message.
    pub(in crate::store) fn new() -> Self {
        Self {
            fields: FieldQuoter::default(),
            bare: true,
            held: 0,
        }
    }

    /// Appends the quoted form of the next octets to `out`.
    pub(in crate::store) fn quote(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut header = Vec::new();
        let body = self.fields.quote(piece, &mut header);
        self.quote_from(&header, out);
        self.quote_from(body, out);
    }

    /// Ends the message.
    pub(in crate::store) fn finish(mut self, out: &mut Vec<u8>) {
        let mut header = Vec::new();
        self.fields.finish(&mut header);
        self.quote_from(&header, out);
        self.give_up(out);
    }

    fn quote_from(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        if piece.is_empty() {
            return;
        }
        let mut piece = piece;
        while self.held > 0 {
            let Some((&first, rest)) = piece.split_first() else {
                return;
            };
            if first != FROM[self.held] {
                self.give_up(out);
                break;
            }
            piece = rest;
            self.held += 1;
            if self.held == FROM.len() {
                out.push(b'>');
                self.give_up(out);
            }
        }
        let mut done = 0;
        for at in FIND_FROM.find_iter(piece) {
            if self.is_bare_before(&piece[..at]) {
                out.extend_from_slice(&piece[done..at]);
                // Its place among the `>` of the line does not matter: they are all alike.
                out.push(b'>');
                done = at;
            }
        }
        let end = self.hold_back(piece);
        out.extend_from_slice(&piece[done..end]);
    }

    fn give_up(&mut self, out: &mut Vec<u8>) {
        if self.held > 0 {
            out.extend_from_slice(&FROM[..self.held]);
            self.held = 0;
            self.bare = false;
        }
    }

    /// True if the line that continues after `before` consists of `>` only so far.
    fn is_bare_before(&self, before: &[u8]) -> bool {
        match before.iter().rposition(|&octet| octet != b'>') {
            Some(last) => before[last] == b'\n',
            None => self.bare,
        }
    }

    /// Reads the last line of the piece. Returns where the octets begin that are held back.
    fn hold_back(&mut self, piece: &[u8]) -> usize {
        let (line, bare) = match memrchr(b'\n', piece) {
            Some(end) => (end + 1, true),
            None => (0, self.bare),
        };
        let marks = piece[line..].iter().take_while(|&&octet| octet == b'>');
        let rest = line + marks.count();
        let begun = &piece[rest..];
        self.bare = bare && begun.len() < FROM.len() && FROM.starts_with(begun);
        if self.bare {
            self.held = begun.len();
            rest
        } else {
            piece.len()
        }
    }
}

/// Removes the quotes from a message, or from the beginning of one.
pub(in crate::store) fn unquote(octets: &[u8]) -> Vec<u8> {
    let mut in_header = true;
    let mut message = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|&octet| octet == b'\n') {
        in_header &= !matches!(line, b"\n" | b"\r\n");
        let quoted = is_quoted(line) || in_header && fields::is_quoted(line);
        message.extend_from_slice(&line[usize::from(quoted)..]);
    }
    message
}

/// Removes the quotes from a body as it streams by, in pieces of any size.
#[derive(Debug, Default)]
pub(in crate::store) struct Unquoter {
    /// The number of octets since the start of a line that is only `>` and the start of `From ` so
    /// far.
    marks: usize,
    matched: usize,
    within: bool,
}

impl Unquoter {
    /// Appends the next octets to `out`, without the quotes.
    pub(in crate::store) fn take(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut rest = piece;
        while let Some((&first, behind)) = rest.split_first() {
            if self.within {
                let end = memchr::memchr(b'\n', rest).map(|end| end + 1);
                let (line, behind) = rest.split_at(end.unwrap_or(rest.len()));
                out.extend_from_slice(line);
                self.within = end.is_none();
                rest = behind;
            } else if first == b'>' && self.matched == 0 {
                self.marks += 1;
                rest = behind;
            } else if first == FROM[self.matched] {
                self.matched += 1;
                rest = behind;
                if self.matched == FROM.len() {
                    self.marks = self.marks.saturating_sub(1);
                    self.put(out);
                }
            } else {
                self.put(out);
            }
        }
    }

    /// Ends the body.
    pub(in crate::store) fn finish(mut self, out: &mut Vec<u8>) {
        self.put(out);
    }

    fn put(&mut self, out: &mut Vec<u8>) {
        out.extend(std::iter::repeat_n(b'>', std::mem::take(&mut self.marks)));
        out.extend_from_slice(&FROM[..std::mem::take(&mut self.matched)]);
        self.within = true;
    }
}

/// True if a line was quoted because of its `From `.
fn is_quoted(line: &[u8]) -> bool {
    line.first() == Some(&b'>')
        && line
            .iter()
            .position(|&octet| octet != b'>')
            .is_some_and(|at| line[at..].starts_with(FROM))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quoted(message: &[u8], size: usize) -> Vec<u8> {
        let mut quoter = Quoter::new();
        let mut out = Vec::new();
        for piece in message.chunks(size) {
            quoter.quote(piece, &mut out);
        }
        quoter.finish(&mut out);
        out
    }

    #[test]
    fn lines_by_table_in_pieces_of_every_size() {
        for (message, expected) in [
            (&b"From me\n"[..], &b">From me\n"[..]),
            (b"From ", b">From "),
            (b"From", b"From"),
            (b"Fro\nFrom \n", b"Fro\n>From \n"),
            (b">From x\n>>From y\n", b">>From x\n>>>From y\n"),
            (b"a From b\n From c\n", b"a From b\n From c\n"),
            (b"FFrom x\nFrFrom x\n", b"FFrom x\nFrFrom x\n"),
            (b"From:\nfrom x\nFROM x\n", b"From:\nfrom x\nFROM x\n"),
            (b">\nFrom x", b">\n>From x"),
            (b"> From x\n", b"> From x\n"),
            // Only LF ends a line in a file.
            (b"a\rFrom x\n", b"a\rFrom x\n"),
            (b"a\r\nFrom x\r\n", b"a\r\n>From x\r\n"),
            (b"\0From x\n\nFrom y", b"\0From x\n\n>From y"),
            (b"From From x\n", b">From From x\n"),
            (b"", b""),
            // The fields in which mail programs keep their records, and similar ones.
            (
                b"Content-Length: 99\nX: y\n\nbody\n",
                b">Content-Length: 99\nX: y\n\nbody\n",
            ),
            (
                b"A: b\r\ncontent-length : 9\r\n 9\r\n\r\nStatus: x\r\n",
                b"A: b\r\n>content-length : 9\r\n 9\r\n\r\nStatus: x\r\n",
            ),
            (
                b">CONTENT-LENGTH\t:1\n>>Status:\n> Status:\n",
                b">>CONTENT-LENGTH\t:1\n>>>Status:\n> Status:\n",
            ),
            (
                b"X-IMAP: 1\nX-IMAPbase: 1\nX-IMAPx: 1\nX-UID: 1\nX-UIDL: 1\n",
                b">X-IMAP: 1\n>X-IMAPbase: 1\nX-IMAPx: 1\n>X-UID: 1\nX-UIDL: 1\n",
            ),
            (
                b"X-Status: D\nX-Keywords: a\nX-Mozilla-Status: 0008\nX-Mozilla-Status2: 0\n",
                b">X-Status: D\n>X-Keywords: a\n>X-Mozilla-Status: 0008\n\
                >X-Mozilla-Status2: 0\n",
            ),
            (
                b"Old-Status: R\nStatus\n Status: R\nStatu: R\n\rStatus: R\nStatus: R",
                b"Old-Status: R\nStatus\n Status: R\nStatu: R\n\rStatus: R\n>Status: R",
            ),
            // Few programs end the header at a line of CRs only.
            (b"A: b\n\r\r\nStatus: R\n", b"A: b\n\r\r\n>Status: R\n"),
            (b"\nStatus: R\n", b"\nStatus: R\n"),
            (b"Stat", b"Stat"),
            (
                b"X-From: y\nFrom x\nStatus:\n",
                b"X-From: y\n>From x\n>Status:\n",
            ),
        ] {
            for size in 1..=message.len().max(1) {
                let name = format!("{:?} by {size}", String::from_utf8_lossy(message));
                assert_eq!(quoted(message, size), expected, "{name}");
                assert_eq!(unquote(expected), message, "{name}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_line_begins_a_message_and_all_of_it_comes_back(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    &b"From "[..], b">", b"\n", b"Fr", b"om ", b"x", b"\r", b"Status", b":", b"x-uid ",
                ]),
                0..40,
            ),
            size in 1_usize..12,
        ) {
            let message = words.concat();
            let quoted = quoted(&message, size);
            prop_assert!(!quoted.starts_with(b"From "));
            prop_assert!(!quoted.windows(6).any(|window| window == b"\nFrom "));
            let mut lines = quoted.split(|&octet| octet == b'\n');
            let header = lines.by_ref().take_while(|line| !matches!(line, [] | [b'\r']));
            for line in header.map(<[u8]>::to_ascii_lowercase) {
                prop_assert!(!line.starts_with(b"status:") && !line.starts_with(b"x-uid "));
            }
            let mut unquoter = Unquoter::default();
            let mut body = Vec::new();
            let mut by_line = b"\n".to_vec();
            by_line.extend_from_slice(&quoted);
            by_line.chunks(size).for_each(|piece| unquoter.take(piece, &mut body));
            unquoter.finish(&mut body);
            // After a blank line there is no header.
            prop_assert_eq!(body, unquote(&by_line));
            prop_assert_eq!(unquote(&quoted), message);
        }
    }
}
