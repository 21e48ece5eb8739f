//! Messages as they come over the wire.

use crate::pop3::MessageNumber;

/// The maximum number of octets of a header that are kept.
const HEADER_LIMIT: usize = 64 * 1024;

/// A message that was examined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Its number.
    pub number: MessageNumber,
    /// Its size in the scan listing.
    pub listed: Option<u64>,
    /// The octets that TOP sent of it, with no line of the body.
    pub top: Option<Transfer>,
    /// The octets that RETR sent of it.
    pub retr: Option<Transfer>,
}

/// The octets of one RETR or TOP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Transfer {
    /// Octets on the wire, byte-stuffing and termination octet included.
    wire: u64,
    /// Lines whose leading dot was doubled.
    pub stuffed: u64,
    /// Lines that begin with a single dot and go on: the reader treats the dot as stuffing.
    pub unstuffed: u64,
    /// CR or LF alone.
    pub bare_line_ends: u64,
    /// The header, with its last CRLF and without the blank line. Cut if it is endless.
    pub header: Vec<u8>,
    /// True if a blank line follows the header.
    pub blank_line: bool,
    /// Octets after the blank line, byte-stuffing and termination octet included.
    behind: u64,
    at: At,
}

/// The kind of the last octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    #[default]
    LineStart,
    Dot,
    DotCr,
    Text,
    Cr,
    End,
}

/// `.` CRLF.
const TERMINATION: u64 = 3;

impl Transfer {
    /// Takes octets as sent.
    pub(super) fn take(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.wire += 1;
            self.header(octet);
            self.at = self.next(octet);
            if self.is_complete() && !self.blank_line {
                // A header without a body ends at the end of the message.
                let own = self.header.strip_suffix(b".\r\n").map(<[u8]>::len);
                self.header.truncate(own.unwrap_or(HEADER_LIMIT));
            }
        }
    }

    fn header(&mut self, octet: u8) {
        if self.blank_line {
            self.behind += 1;
        } else if self.header.len() < HEADER_LIMIT {
            self.header.push(octet);
            if self.header == b"\r\n" || self.header.ends_with(b"\r\n\r\n") {
                self.blank_line = true;
                self.header.truncate(self.header.len() - 2);
            }
        }
    }

    fn next(&mut self, octet: u8) -> At {
        match (self.at, octet) {
            (At::LineStart, b'.') => At::Dot,
            (At::Dot, b'\r') => At::DotCr,
            (At::DotCr, b'\n') => At::End,
            (At::Cr, b'\n') => At::LineStart,
            (at, _) => {
                match (at, octet) {
                    (At::Dot, b'.') => self.stuffed += 1,
                    (At::Dot | At::DotCr, _) => self.unstuffed += 1,
                    _ => {}
                }
                let bare_cr = matches!(at, At::Cr | At::DotCr);
                self.bare_line_ends += u64::from(bare_cr) + u64::from(octet == b'\n');
                if octet == b'\r' { At::Cr } else { At::Text }
            }
        }
    }

    /// True if the termination octet came.
    pub(crate) fn is_complete(&self) -> bool {
        self.at == At::End
    }

    /// The octets of the message itself.
    pub(crate) fn octets(&self) -> u64 {
        let end = if self.is_complete() { TERMINATION } else { 0 };
        self.wire - self.stuffed - self.unstuffed - end
    }

    /// The octets of the body.
    pub(crate) fn body(&self) -> u64 {
        self.behind.saturating_sub(TERMINATION)
    }

    /// The first line of the header that is neither a field nor part of one (RFC 5322 §2.2).
    pub(crate) fn odd_field(&self) -> Option<&[u8]> {
        let lines = self.header.split(|&octet| octet == b'\n');
        let mut lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut first = true;
        lines.find(|line| {
            let continued = !first && matches!(line.first(), Some(b' ' | b'\t'));
            first = false;
            let name = line.split(|&octet| octet == b':').next();
            let is_field = name.is_some_and(|name| {
                let name = name.trim_ascii_end();
                name.len() < line.len() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
            });
            !(line.is_empty() || continued || is_field)
        })
    }
}

#[cfg(test)]
mod tests;
