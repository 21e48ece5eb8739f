//! Marks by which a message in an mbox is found again, even if another program rewrote the file.
//!
//! Mail programs that rewrite an mbox add and change fields of the header, such as `Status`, and
//! may add blank lines at the end of a message. They leave the body alone.

use memchr::memchr;

use super::separator::message_id;
use crate::store::Body;

/// At most this much of a header is kept to look for fields in.
pub(super) const KEPT: usize = 64 << 10;

/// The marks of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Marks {
    /// The digest of its body, quoted, without CRs and without blank lines at its end. None if it
    /// has no body.
    pub body: Option<[u8; 32]>,
    /// The digest of its Message-ID.
    pub message_id: Option<[u8; 32]>,
}

impl Marks {
    /// True if there is any mark.
    pub(super) fn tell(&self) -> bool {
        self.body.is_some() || self.message_id.is_some()
    }

    /// The marks as parts of a name: `bHEX` for the body, `mHEX` for the Message-ID. Half of a
    /// digest is enough: if two are equal, a missing message seems present.
    pub(super) fn parts(&self) -> impl Iterator<Item = String> {
        let part = |letter: char, digest: &[u8; 32]| {
            let hex = digest[..16].iter().map(|octet| format!("{octet:02x}"));
            std::iter::once(letter.to_string()).chain(hex).collect()
        };
        let body = self.body.as_ref().map(|digest| part('b', digest));
        let message_id = self.message_id.as_ref().map(|digest| part('m', digest));
        body.into_iter().chain(message_id)
    }
}

/// Collects the marks of a message as it streams by, in its form in the file, without the line in
/// front of it.
#[derive(Debug, Default)]
pub(super) struct Anatomy {
    header: Vec<u8>,
    nul_in_separator: bool,
    in_body: bool,
    /// True if the current line of the header is blank so far.
    line_begun: bool,
    body: Body,
    octets: u64,
}

impl Anatomy {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn take(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        let mut rest = octets;
        while !self.in_body {
            let Some(end) = memchr(b'\n', rest) else {
                self.line_begun |= rest.iter().any(|&octet| octet != b'\r');
                self.keep(rest);
                return;
            };
            let (line, behind) = rest.split_at(end + 1);
            self.line_begun |= line.iter().any(|octet| !matches!(octet, b'\r' | b'\n'));
            self.keep(line);
            self.in_body = !std::mem::take(&mut self.line_begun);
            rest = behind;
        }
        self.body.take(rest);
    }

    /// Takes octets of the line in front of the message.
    pub(super) fn take_separator(&mut self, octets: &[u8]) {
        self.nul_in_separator |= octets.contains(&0);
    }

    /// The header in its form in the file, or the beginning of a long one.
    pub(super) fn header(&self) -> &[u8] {
        &self.header
    }

    /// True if there is a NUL in the header, or in the line in front of it.
    pub(super) fn has_nul_before_body(&self) -> bool {
        self.nul_in_separator || self.header.contains(&0)
    }

    /// The size of the message in its form in the file.
    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    pub(super) fn finish(self) -> Marks {
        Marks {
            body: self.body.finish(),
            message_id: message_id(&self.header),
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        let room = KEPT.saturating_sub(self.header.len());
        self.header
            .extend_from_slice(&octets[..octets.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(message: &[u8], size: usize) -> Marks {
        let mut anatomy = Anatomy::new();
        for piece in message.chunks(size) {
            anatomy.take(piece);
        }
        anatomy.finish()
    }

    #[test]
    fn what_other_programs_change_does_not_change_the_marks() {
        let sent = b"Subject: x\nMessage-ID: <1@x>\n\none\n\ntwo\n";
        let expected = marks(sent, 7);
        assert!(expected.body.is_some() && expected.message_id.is_some());
        for same in [
            &b"Subject: x\nMessage-ID: <1@x>\nStatus: RO\nX-Status: A\n\none\n\ntwo\n\n\n"[..],
            b"Content-Length: 9\nMessage-ID: <1@x>\n\none\n\ntwo",
            b"Message-ID: <1@x>\r\n\r\none\r\n\r\ntwo\r\n",
        ] {
            for size in 1..=same.len() {
                assert_eq!(marks(same, size), expected);
            }
        }
        for other in [
            &b"Message-ID: <1@x>\n\none\ntwo\n"[..],
            b"Message-ID: <1@x>\n\n\none\n\ntwo\n",
            b"Message-ID: <1@x>\n\none\n\ntwo!\n",
            b"Message-ID: <1@x>\n\n",
            b"Message-ID: <2@x>\n\none\n\ntwo\n",
        ] {
            assert_ne!(marks(other, 3), expected);
        }
    }

    #[test]
    fn a_message_without_body_or_name_has_no_marks() {
        for message in [&b""[..], b"Subject: x\n", b"Subject: x\n\n", b"\n\n\n"] {
            assert!(!marks(message, 2).tell(), "{message:?}");
        }
        assert!(marks(b"\nbody", 1).tell());
    }
}
