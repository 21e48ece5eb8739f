//! Collects the facts about a message while it streams by: size, digests, line ends.

use memchr::{memchr, memchr_iter};
use sha2::{Digest as _, Sha256};

use crate::account::LineEndings;
use crate::cache::{Digest, LineEnds};

/// A message that is being received. It reads octets as sent, and returns them in the form to be
/// stored. Its memory does not grow with the message.
pub(in crate::sync) struct Arrival {
    octets: u64,
    /// The digest of all octets, except a CR that came last: the next octet decides about it.
    whole: Sha256,
    /// The digest of the stored form with CRLF for every LF. It exists from the first piece in
    /// which that form differs from the sent one. Until then `whole` is the digest of both, so that
    /// only messages with a bare CR or LF are digested twice.
    stored: Option<Sha256>,
    header: HeaderEnd,
    line_endings: LineEndings,
    bare: bool,
    /// True if the last octet was a CR; the next octet shows if it is bare.
    after_cr: bool,
}

/// A message that arrived complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Arrived {
    /// Its size as sent, un-stuffed.
    pub(in crate::sync) octets: u64,
    pub(in crate::sync) sha256: Digest,
    /// Digest of the stored form with CRLF for every LF. None if `sha256` proves that form.
    pub(in crate::sync) stored_sha256: Option<Digest>,
    pub(in crate::sync) header_sha256: Digest,
    pub(in crate::sync) line_ends: LineEnds,
}

/// The part of the CRLF CRLF after the header that has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeaderEnd {
    Nothing,
    Cr,
    /// Also at the start of a message: an empty header is followed by one CRLF.
    CrLf,
    CrLfCr,
    Found(Digest),
}

impl Arrival {
    pub(in crate::sync) fn new(line_endings: LineEndings) -> Self {
        Self {
            octets: 0,
            whole: Sha256::new(),
            stored: None,
            header: HeaderEnd::CrLf,
            line_endings,
            bare: false,
            after_cr: false,
        }
    }

    /// The number of octets so far.
    pub(in crate::sync) fn octets(&self) -> u64 {
        self.octets
    }

    /// Takes octets as sent, and appends the octets to store to `out`.
    pub(in crate::sync) fn take(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        if piece.is_empty() {
            return;
        }
        self.octets += piece.len() as u64;
        let before = self.whole.clone();
        self.digest(piece);
        match self.line_endings {
            LineEndings::Lf => {
                let from = out.len();
                self.convert(piece, |octets| out.extend_from_slice(octets));
                if self.bare {
                    let stored = self.stored.get_or_insert(before);
                    update_with_crlf(stored, &out[from..]);
                }
            }
            LineEndings::Crlf => {
                out.extend_from_slice(piece);
                self.convert(piece, |_| ());
            }
        }
    }

    /// Ends the message.
    pub(in crate::sync) fn finish(mut self, out: &mut Vec<u8>) -> Arrived {
        if self.after_cr {
            self.bare = true;
            if self.line_endings == LineEndings::Lf {
                out.push(b'\r');
                let stored = self.stored.get_or_insert_with(|| self.whole.clone());
                stored.update(b"\r");
            }
            self.whole.update(b"\r");
        }
        let sha256 = self.whole.finalize().into();
        Arrived {
            octets: self.octets,
            sha256,
            stored_sha256: self.stored.map(|stored| stored.finalize().into()),
            header_sha256: match self.header {
                HeaderEnd::Found(digest) => digest,
                // The whole message is header.
                _ => sha256,
            },
            line_ends: LineEnds {
                stored: self.line_endings,
                bare: self.bare,
            },
        }
    }

    fn digest(&mut self, piece: &[u8]) {
        let ends_header = self.header == HeaderEnd::CrLfCr && piece[0] == b'\n';
        if self.after_cr && !ends_header {
            // It was held back, and does not belong to the empty line.
            self.whole.update(b"\r");
        }
        let held = piece.strip_suffix(b"\r").unwrap_or(piece);
        if matches!(self.header, HeaderEnd::Found(_)) {
            self.whole.update(held);
            return;
        }
        match self.find_header_end(piece) {
            // The empty line's CR was in the piece before, and was held back.
            Some(0) => {
                self.header = HeaderEnd::Found(self.whole.clone().finalize().into());
                self.whole.update(b"\r");
                self.whole.update(held);
            }
            Some(lf) => {
                let (header, rest) = held.split_at(lf - 1);
                self.whole.update(header);
                self.header = HeaderEnd::Found(self.whole.clone().finalize().into());
                self.whole.update(rest);
            }
            None => self.whole.update(held),
        }
    }

    /// The index in this piece of the LF of the empty line.
    fn find_header_end(&mut self, piece: &[u8]) -> Option<usize> {
        piece.iter().position(|&octet| {
            let (next, found) = match (self.header, octet) {
                (HeaderEnd::CrLfCr, b'\n') => (self.header, true),
                (HeaderEnd::CrLf, b'\r') => (HeaderEnd::CrLfCr, false),
                (HeaderEnd::Cr, b'\n') => (HeaderEnd::CrLf, false),
                (_, b'\r') => (HeaderEnd::Cr, false),
                _ => (HeaderEnd::Nothing, false),
            };
            self.header = next;
            found
        })
    }

    /// Calls `put` with the octets, with LF for every CRLF, and notes bare CRs and LFs.
    fn convert(&mut self, piece: &[u8], mut put: impl FnMut(&[u8])) {
        let mut rest = piece;
        let mut line_ends = 0;
        if self.after_cr {
            self.after_cr = false;
            if rest[0] == b'\n' {
                line_ends += 1;
            } else {
                put(b"\r");
                self.bare = true;
            }
        }
        while let Some(cr) = memchr(b'\r', rest) {
            put(&rest[..cr]);
            match rest.get(cr + 1) {
                Some(b'\n') => {
                    line_ends += 1;
                    put(b"\n");
                    rest = &rest[cr + 2..];
                }
                Some(_) => {
                    self.bare = true;
                    put(b"\r");
                    rest = &rest[cr + 1..];
                }
                None => {
                    self.after_cr = true;
                    rest = &[];
                }
            }
        }
        put(rest);
        self.bare = self.bare || memchr_iter(b'\n', piece).count() != line_ends;
    }
}

/// Digests a stored form with CRLF for every LF.
pub(in crate::sync) fn update_with_crlf(digest: &mut Sha256, stored: &[u8]) {
    let mut rest = stored;
    while let Some(lf) = memchr(b'\n', rest) {
        digest.update(&rest[..lf]);
        digest.update(b"\r\n");
        rest = &rest[lf + 1..];
    }
    digest.update(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arrive(message: &[u8], size: usize, line_endings: LineEndings) -> (Vec<u8>, Arrived) {
        let mut arrival = Arrival::new(line_endings);
        let mut out = Vec::new();
        for piece in message.chunks(size) {
            arrival.take(piece, &mut out);
        }
        let arrived = arrival.finish(&mut out);
        (out, arrived)
    }

    fn sha256(octets: &[u8]) -> Digest {
        Sha256::digest(octets).into()
    }

    #[test]
    fn messages_by_table_in_pieces_of_every_size() {
        for (message, header, stored, bare) in [
            (
                &b"A: b\r\n\r\nbody\r\n"[..],
                &b"A: b\r\n"[..],
                &b"A: b\n\nbody\n"[..],
                false,
            ),
            (
                b"A: b\r\nC: d\r\n",
                b"A: b\r\nC: d\r\n",
                b"A: b\nC: d\n",
                false,
            ),
            (b"\r\nbody\r\n", b"", b"\nbody\n", false),
            (b"A\r\n\r\n\r\n\r\n", b"A\r\n", b"A\n\n\n\n", false),
            (b"A\r\n\rB\r\n\r\nC", b"A\r\n\rB\r\n", b"A\n\rB\n\nC", true),
            (b"A\r\n\r\r\n\r\nC", b"A\r\n\r\r\n", b"A\n\r\n\nC", true),
            (b"A\n\nB\r\n", b"A\n\nB\r\n", b"A\n\nB\n", true),
            (b"A\r\n\r\nB\rC\r\n", b"A\r\n", b"A\n\nB\rC\n", true),
            (b"A\r\n\r", b"A\r\n\r", b"A\n\r", true),
            (b"\r", b"\r", b"\r", true),
            (b"", b"", b"", false),
        ] {
            for size in 1..=message.len().max(1) {
                let (out, arrived) = arrive(message, size, LineEndings::Lf);
                let name = format!("{:?} by {size}", String::from_utf8_lossy(message));
                assert_eq!(out, stored, "{name}");
                assert_eq!(arrived.sha256, sha256(message), "{name}");
                assert_eq!(arrived.header_sha256, sha256(header), "{name}");
                assert_eq!(arrived.line_ends.bare, bare, "{name}");
                assert_eq!(arrived.octets, message.len() as u64);
                let (out, again) = arrive(message, size, LineEndings::Crlf);
                assert_eq!(out, message, "{name}");
                assert_eq!(again.sha256, arrived.sha256);
                assert_eq!(again.line_ends.bare, bare, "{name}");
            }
        }
    }

    proptest! {
        /// Without bare line ends, the sent form can be restored from the stored one.
        #[test]
        fn what_has_no_bare_line_ends_can_be_given_back(
            message in proptest::collection::vec(
                prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'x')], 0..60,
            ),
            size in 1_usize..10,
        ) {
            let (out, arrived) = arrive(&message, size, LineEndings::Lf);
            prop_assert_eq!(arrived.sha256, sha256(&message));
            let mut with_crlf = Sha256::new();
            update_with_crlf(&mut with_crlf, &out);
            let with_crlf: Digest = with_crlf.finalize().into();
            prop_assert_eq!(arrived.stored_sha256.unwrap_or(arrived.sha256), with_crlf);
            prop_assert_eq!(arrived.stored_sha256.is_some(), arrived.line_ends.bare);
            let mut back = Vec::new();
            for &octet in &out {
                if octet == b'\n' {
                    back.push(b'\r');
                }
                back.push(octet);
            }
            prop_assert_eq!(back == message && !out.contains(&b'\r'), !arrived.line_ends.bare);
        }
    }
}
