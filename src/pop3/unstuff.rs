//! Undoes byte-stuffing, as a stream (RFC 1939 §3, `OPOP3:V0002`).

use memchr::memmem::Finder;

/// A part of a message, or its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Octets of the message.
    Content(&'a [u8]),
    /// CRLF `.` CRLF was read. The CRLF in front of the dot is content.
    End,
    /// The message began with a dot that was not stuffed, but counts as stuffed by RFC 1939 §3.
    /// Dovecot 2.3 sends this if the very first octet of a message is a dot. The message has one
    /// octet fewer than the server's size.
    LoneDot,
}

/// Undoes the byte-stuffing of one message after the other.
///
/// Only CRLF ends a line: a dot after a bare LF is content, and LF `.` LF ends nothing. The input
/// may be cut anywhere. Content is borrowed from the input; only a dot and the CR after it are held
/// back.
#[derive(Debug, Clone)]
pub struct Unstuffer {
    at: At,
    line_start_dot: Finder<'static>,
}

/// The kind of the last octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing of the message.
    Start,
    /// A dot at the start of the message, held back.
    FirstDot,
    /// CRLF.
    LineStart,
    /// Something else.
    Text,
    /// CR, already returned.
    Cr,
    /// A dot at the start of a line, held back.
    Dot,
    /// A dot at the start of a line and CR, both held back.
    DotCr,
}

impl Default for Unstuffer {
    fn default() -> Self {
        Self {
            at: At::Start,
            line_start_dot: Finder::new(b"\r\n."),
        }
    }
}

impl Unstuffer {
    /// Takes the next piece from `input`. Returns `None` when more is needed. After [`Piece::End`]
    /// the rest of `input` belongs to the next reply, and the next call begins a new message.
    pub fn next_piece<'a>(&mut self, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        loop {
            let &first = input.first()?;
            match (self.at, first) {
                (At::LineStart, b'.') => {
                    self.at = At::Dot;
                    *input = &input[1..];
                }
                (At::Start, b'.') => {
                    self.at = At::FirstDot;
                    *input = &input[1..];
                }
                (At::FirstDot, b'.') => self.at = At::Dot,
                (At::Dot | At::FirstDot, b'\r') => {
                    self.at = At::DotCr;
                    *input = &input[1..];
                }
                (At::FirstDot, _) => {
                    self.at = At::Dot;
                    return Some(Piece::LoneDot);
                }
                (At::DotCr, b'\n') => {
                    self.at = At::Start;
                    *input = &input[1..];
                    return Some(Piece::End);
                }
                (At::DotCr, _) => {
                    // The dot was stuffed after all; the CR after it is content.
                    self.at = At::Cr;
                    return Some(Piece::Content(b"\r"));
                }
                (At::Cr, b'\n') => {
                    self.at = At::LineStart;
                    let (lf, rest) = input.split_at(1);
                    *input = rest;
                    return Some(Piece::Content(lf));
                }
                (At::Start | At::LineStart | At::Text | At::Cr | At::Dot, _) => {
                    return Some(Piece::Content(self.text(input)));
                }
            }
        }
    }

    /// Takes everything up to the next line that begins with a dot.
    fn text<'a>(&mut self, input: &mut &'a [u8]) -> &'a [u8] {
        if let Some(at) = self.line_start_dot.find(input) {
            let content = &input[..at + 2];
            *input = &input[at + 3..];
            self.at = At::Dot;
            return content;
        }
        let content = *input;
        *input = &[];
        self.at = match content {
            [.., b'\r', b'\n'] => At::LineStart,
            [.., b'\r'] => At::Cr,
            _ => At::Text,
        };
        content
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The octets that a server sends for `message`, which ends in CRLF or is empty.
    fn stuffed(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut line_start = true;
        for (index, &octet) in message.iter().enumerate() {
            if line_start && octet == b'.' {
                out.push(b'.');
            }
            out.push(octet);
            line_start = octet == b'\n' && index > 0 && message[index - 1] == b'\r';
        }
        out.extend_from_slice(b".\r\n");
        out
    }

    /// The message in `wire`, fed in pieces of `size` octets, and the octets after its end.
    fn unstuffed(wire: &[u8], size: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut unstuffer = Unstuffer::default();
        let mut message = Vec::new();
        let mut rest = wire;
        while !rest.is_empty() {
            let (mut piece, tail) = rest.split_at(size.min(rest.len()));
            rest = tail;
            while let Some(part) = unstuffer.next_piece(&mut piece) {
                match part {
                    Piece::Content(octets) => message.extend_from_slice(octets),
                    Piece::LoneDot => {}
                    Piece::End => return Some((message, [piece, rest].concat())),
                }
            }
        }
        None
    }

    #[test]
    fn messages_by_table_in_pieces_of_every_size() {
        for (wire, message) in [
            (&b".\r\n"[..], Some(&b""[..])),
            (b"\r\n.\r\n", Some(b"\r\n")),
            (b"a\r\n.\r\n", Some(b"a\r\n")),
            (b"..\r\n.\r\n", Some(b".\r\n")),
            (b"...\r\n.\r\n", Some(b"..\r\n")),
            (b".done\r\n.\r\n", Some(b"done\r\n")),
            (b"a\r\n..b\r\n.c\r\n.\r\n", Some(b"a\r\n.b\r\nc\r\n")),
            // A bare LF or CR ends no line.
            (b"a\n.\nb\r\n.\r\n", Some(b"a\n.\nb\r\n")),
            (b"a\n.\r\nb\r\n.\r\n", Some(b"a\n.\r\nb\r\n")),
            (b"a\r.\rb\r\n.\r\n", Some(b"a\r.\rb\r\n")),
            (b"a\r\n.\nb\r\n.\r\n", Some(b"a\r\n\nb\r\n")),
            (b"a\r\n.\rb\r\n.\r\n", Some(b"a\r\n\rb\r\n")),
            (b"a\r\n.\r\r\n.\r\n", Some(b"a\r\n\r\r\n")),
            (b"a\r\r\n.\r\n", Some(b"a\r\r\n")),
            (b"\r\r\n\n\r\n.\r\n", Some(b"\r\r\n\n\r\n")),
            // No end.
            (b"text.\r\n", None),
            (b"text\r\n.\r", None),
            (b"text\r\n.", None),
        ] {
            for size in 1..=wire.len() {
                let found = unstuffed(wire, size);
                assert_eq!(
                    found.as_ref().map(|(message, _)| message.as_slice()),
                    message,
                    "{:?} in pieces of {size}",
                    String::from_utf8_lossy(wire)
                );
            }
        }
    }

    #[test]
    fn what_follows_the_end_is_left_alone() {
        let (message, rest) = unstuffed(b"a\r\n.\r\n+OK next\r\n", 100).unwrap();
        assert_eq!(
            (message.as_slice(), rest.as_slice()),
            (&b"a\r\n"[..], &b"+OK next\r\n"[..])
        );
    }

    /// Octets that matter to the codec, often enough to occur side by side.
    fn hostile_octets() -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![
            3 => Just(b'\r'), 3 => Just(b'\n'), 3 => Just(b'.'), 2 => any::<u8>()
        ];
        proptest::collection::vec(octet, 0..200)
    }

    #[test]
    fn a_first_dot_that_stands_alone_is_told() {
        for (wire, lone) in [
            (&b".signature\r\n.\r\n"[..], true),
            (b"..signature\r\n.\r\n", false),
            (b".\r\n", false),
            (b".\rx\r\n.\r\n", false),
            (b"x\r\n.y\r\n.\r\n", false),
        ] {
            for size in 1..=wire.len() {
                let mut unstuffer = Unstuffer::default();
                let mut found = false;
                for mut part in wire.chunks(size) {
                    while let Some(piece) = unstuffer.next_piece(&mut part) {
                        found |= piece == Piece::LoneDot;
                    }
                }
                assert_eq!(found, lone, "{wire:?} by {size}");
            }
        }
    }

    proptest! {
        #[test]
        fn unstuffing_inverts_stuffing(mut message in hostile_octets(), size in 1_usize..64) {
            if !message.is_empty() && !message.ends_with(b"\r\n") {
                message.extend_from_slice(b"\r\n");
            }
            let mut wire = stuffed(&message);
            wire.extend_from_slice(b"+OK rest");
            let (found, rest) = unstuffed(&wire, size).unwrap();
            prop_assert_eq!(found, message);
            prop_assert_eq!(rest, b"+OK rest");
        }

        #[test]
        fn any_cut_of_any_input_gives_the_same(wire in hostile_octets(), size in 1_usize..16) {
            prop_assert_eq!(unstuffed(&wire, size), unstuffed(&wire, wire.len().max(1)));
        }
    }
}
