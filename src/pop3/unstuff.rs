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
mod tests;
