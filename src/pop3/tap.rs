//! The server's octets as sent, before they are read with tolerance.
//!
//! [`Event`](super::Event)s hold the meaning of what the server sent. To check its form against the
//! rules, give the connection a [`Tap`]; [`Form`] reads the lines that the tap gets.

use std::fmt;

use super::Keyword;

/// Gets everything that the server sends, as sent, except the challenges of SASL: a salt and a
/// nonce beside the response to them would allow guesses at the password.
pub trait Tap: fmt::Debug + Send + Sync {
    /// A line, without its CRLF. `of` is the command it belongs to, none for the greeting.
    fn line(&self, of: Option<Keyword>, place: Place, line: &[u8]);

    /// Octets of a message, with byte-stuffing and termination octet.
    fn message(&self, of: Keyword, octets: &[u8]);

    /// The connection is given up, and this line never ended. `octets` is the part that came.
    fn unfinished(&self, octets: &[u8]);
}

/// The place of a line in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first line, with the status indicator.
    Status,
    /// A line of a listing.
    Row,
    /// The line that ends a listing.
    End,
}

/// The form of a line, apart from its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form<'a> {
    /// True if fields are separated by one space each, and there are no other spaces.
    pub single_spaces: bool,
    /// The text after the fields.
    pub extra: &'a [u8],
}

impl<'a> Form<'a> {
    /// Reads a line with this many fields.
    pub fn of(line: &'a [u8], fields: usize) -> Self {
        let is_blank = |octet: &u8| *octet == b' ' || *octet == b'\t';
        let mut single_spaces = true;
        let mut rest = line;
        for index in 0..fields {
            let start = rest.iter().position(|octet| !is_blank(octet));
            let (blanks, field) = rest.split_at(start.unwrap_or(rest.len()));
            let due: &[u8] = match index {
                0 => b"",
                _ if field.is_empty() => b"",
                _ => b" ",
            };
            single_spaces &= blanks == due;
            let end = field.iter().position(is_blank).unwrap_or(field.len());
            rest = &field[end..];
        }
        let extra = rest.trim_ascii();
        let due: &[u8] = if extra.is_empty() { b"" } else { b" " };
        single_spaces &= &rest[..rest.len() - rest.trim_ascii_start().len()] == due;
        Self {
            single_spaces,
            extra,
        }
    }

    /// The status indicator of a first line: `+OK` or `-ERR` if the server follows RFC 1939.
    pub fn status_indicator(line: &[u8]) -> &[u8] {
        let end = line
            .iter()
            .position(|&octet| octet == b' ' || octet == b'\t')
            .unwrap_or(line.len());
        &line[..end]
    }

    /// True if there is a CR or LF inside a line, which does not end it (`OPOP3:C0005`).
    pub fn has_bare_line_end(line: &[u8]) -> bool {
        memchr::memchr2(b'\r', b'\n', line).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_extra_words_are_told_apart() {
        for (line, fields, single_spaces, extra) in [
            ("1 120", 2, true, ""),
            ("1 120 flags=x y", 2, true, "flags=x y"),
            ("1  120", 2, false, ""),
            ("1\t120", 2, false, ""),
            (" 1 120", 2, false, ""),
            ("1 120 ", 2, false, ""),
            ("1 120  x", 2, false, "x"),
            ("1 120\tx", 2, false, "x"),
            ("+OK 2 320", 3, true, ""),
            ("+OK ready \t now", 1, true, "ready \t now"),
            ("+OK", 1, true, ""),
            ("1", 2, true, ""),
            ("1 ", 2, false, ""),
            ("", 2, true, ""),
        ] {
            let form = Form::of(line.as_bytes(), fields);
            assert_eq!(form.single_spaces, single_spaces, "{line:?}");
            assert_eq!(form.extra, extra.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn the_status_indicator_is_everything_up_to_a_blank() {
        for (line, indicator) in [
            ("+OK ready", "+OK"),
            ("-Err", "-Err"),
            ("+\tx", "+"),
            (" +OK", ""),
        ] {
            let found = Form::status_indicator(line.as_bytes());
            assert_eq!(found, indicator.as_bytes(), "{line:?}");
        }
    }
}
