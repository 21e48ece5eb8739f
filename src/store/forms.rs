//! The digests that prove a stored message, also after a mail program has changed it as it may.
//!
//! Mail programs add fields to a header in which they keep their records (`Status`, `X-Status`,
//! `X-Keywords`, `Content-Length` …), and blank lines at the end. Without these, an unchanged
//! message has the recorded digest. In an mbox, such a field is quoted if it came with the message.
//! So each one that is not quoted was added.

use memchr::memchr;
use sha2::{Digest, Sha256};

use super::mbox::{Unquoter, is_record_field, unquote};

/// The longest header that is split into fields.
const LONGEST_HEADER: usize = 1 << 20;

/// At most this many line ends at the end of a message may come from a mail program.
const MOST_LINE_ENDS: usize = 8;

/// Returns true if mail programs add a field of this name, in lower case.
pub(crate) type IsAdded = fn(&str) -> bool;

/// The parts of a message that a mail program added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trim {
    /// The fields of the header.
    pub fields: Fields,
    /// The number of octets at the end.
    pub end: usize,
}

/// Fields of a header that a mail program added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fields {
    /// None.
    None,
    /// Those that an mbox can quote, if they are not quoted.
    Records,
    /// All that mail programs are known to add.
    All,
}

/// A digest that a message may have had, and what it leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proof {
    /// The digest, with CRLF for LF.
    pub digest: [u8; 32],
    /// The parts that are left out.
    pub trim: Trim,
}

/// Digests a stored message as it streams by. Its memory does not grow with the message.
#[derive(Debug)]
pub(crate) struct Forms {
    is_added: IsAdded,
    /// Removes the quotes of an mbox.
    unquoter: Option<Unquoter>,
    /// The header, until its end has come.
    header: Option<Vec<u8>>,
    /// True if the current line of the header is not blank.
    line_begun: bool,
    forms: Vec<(Fields, Form)>,
    /// Line ends that may come from a mail program: nothing else has followed them yet.
    tail: Vec<u8>,
}

/// A message, digested in two ways. Both are the same if no CRLF was stored.
#[derive(Debug, Clone, Default)]
struct Form {
    /// With CRLF for every LF.
    stored: Sha256,
    /// With CRLF for every LF that has no CR in front of it.
    sent: Option<Sha256>,
    last: u8,
}

impl Forms {
    /// Digests a message in a file of its own.
    pub(crate) fn of_file(is_added: IsAdded) -> Self {
        Self {
            is_added,
            unquoter: None,
            header: Some(Vec::new()),
            line_begun: false,
            forms: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// Digests a message in an mbox, without the line in front of it.
    pub(crate) fn of_mbox(is_added: IsAdded) -> Self {
        Self {
            unquoter: Some(Unquoter::default()),
            ..Self::of_file(is_added)
        }
    }

    /// Takes the next octets.
    pub(crate) fn take(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while let Some(header) = &mut self.header {
            let end = memchr(b'\n', rest);
            let (line, behind) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            header.extend_from_slice(line);
            self.line_begun |= line.iter().any(|octet| !b"\r\n".contains(octet));
            let is_over = end.is_some() && !std::mem::take(&mut self.line_begun);
            if is_over || header.len() > LONGEST_HEADER {
                self.end_header();
            } else if end.is_none() {
                return;
            } else {
                self.line_begun = false;
            }
            rest = behind;
        }
        match &mut self.unquoter {
            None => self.body(rest),
            Some(unquoter) => {
                let mut text = Vec::with_capacity(rest.len());
                unquoter.take(rest, &mut text);
                self.body(&text);
            }
        }
    }

    /// Ends the message. Returns the digests that it may have had, the likelier first.
    pub(crate) fn finish(mut self) -> Vec<Proof> {
        self.end_header();
        if let Some(unquoter) = self.unquoter.take() {
            let mut text = Vec::new();
            unquoter.finish(&mut text);
            self.body(&text);
        }
        let ends = self.tail.iter().enumerate().rev();
        let ends = ends.filter(|(_, octet)| **octet == b'\n');
        let mut cuts: Vec<usize> = ends.map(|(at, _)| at + 1).take(MOST_LINE_ENDS).collect();
        cuts.push(0);
        let mut proofs = Vec::new();
        for cut in cuts {
            for (fields, form) in &self.forms {
                let mut form = form.clone();
                form.take(&self.tail[..cut]);
                let trim = Trim {
                    fields: *fields,
                    end: self.tail.len() - cut,
                };
                let digests = [Some(form.stored), form.sent].into_iter().flatten();
                proofs.extend(digests.map(|digest| Proof {
                    digest: digest.finalize().into(),
                    trim,
                }));
            }
        }
        proofs
    }

    /// Begins a form for each header that the message may have had.
    fn end_header(&mut self) {
        let Some(header) = self.header.take() else {
            return;
        };
        let (header, blank) = split_blank(&header);
        let is_quoted = self.unquoter.is_some();
        let mut last = None;
        for fields in [Fields::None, Fields::Records, Fields::All] {
            let text = trimmed(header, fields, is_quoted, self.is_added);
            if last.as_ref() != Some(&text) {
                let mut form = Form::default();
                form.take(&text);
                self.forms.push((fields, form));
            }
            last = Some(text);
        }
        self.body(blank);
    }

    /// Digests octets of the body, except the line ends at its end.
    fn body(&mut self, octets: &[u8]) {
        let text = octets.iter().rposition(|octet| !b"\r\n".contains(octet));
        let held = text.map_or(0, |last| last + 1);
        if held > 0 || self.tail.len() > LONGEST_HEADER {
            for (_, form) in &mut self.forms {
                form.take(&self.tail);
                form.take(&octets[..held]);
            }
            self.tail.clear();
        }
        self.tail.extend_from_slice(&octets[held..]);
    }
}

impl Form {
    fn take(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while let Some(lf) = memchr(b'\n', rest) {
            let text = &rest[..lf];
            let is_crlf = text.last().map_or(self.last, |last| *last) == b'\r';
            self.stored.update(text);
            match &mut self.sent {
                Some(sent) => sent.update(text),
                None if is_crlf => self.sent = Some(self.stored.clone()),
                None => {}
            }
            self.stored.update(b"\r\n");
            if let Some(sent) = &mut self.sent {
                sent.update(if is_crlf { &b"\n"[..] } else { b"\r\n" });
            }
            self.last = b'\n';
            rest = &rest[lf + 1..];
        }
        self.stored.update(rest);
        if let Some(sent) = &mut self.sent {
            sent.update(rest);
        }
        self.last = rest.last().map_or(self.last, |last| *last);
    }
}

fn is_name(name: &[u8], is_added: IsAdded) -> bool {
    str::from_utf8(name).is_ok_and(|name| is_added(&name.to_ascii_lowercase()))
}

/// Splits a header from the blank line after it.
pub(super) fn split_blank(header: &[u8]) -> (&[u8], &[u8]) {
    let last = header.iter().rposition(|octet| !b"\r\n".contains(octet));
    let end = last.map_or(0, |last| {
        let line_end = memchr(b'\n', &header[last..]);
        line_end.map_or(header.len(), |end| last + end + 1)
    });
    header.split_at(end)
}

/// Removes these fields from a header, and the quotes of an mbox.
pub(super) fn trimmed(
    header: &[u8],
    fields: Fields,
    is_quoted: bool,
    is_added: IsAdded,
) -> Vec<u8> {
    let own = match fields {
        Fields::None => header.to_vec(),
        Fields::Records if !is_quoted => header.to_vec(),
        Fields::Records => without(header, is_record_field),
        Fields::All => without(header, |name| {
            is_name(name, is_added) || is_quoted && is_record_field(name)
        }),
    };
    match is_quoted {
        true => unquote(&own),
        false => own,
    }
}

/// Removes the fields of these names from a header, with their continuation lines.
fn without(header: &[u8], is_dropped: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(header.len());
    let mut drops = false;
    for line in header.split_inclusive(|&octet| octet == b'\n') {
        let goes_on = matches!(line.first(), Some(b' ' | b'\t'));
        if !goes_on {
            let colon = memchr(b':', line);
            drops = colon.is_some_and(|colon| is_dropped(line[..colon].trim_ascii_end()));
        }
        if !drops {
            kept.extend_from_slice(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(mut forms: Forms, text: &[u8], size: usize) -> Vec<Proof> {
        text.chunks(size).for_each(|piece| forms.take(piece));
        forms.finish()
    }

    fn is_added(name: &str) -> bool {
        ["lines", "status"].contains(&name)
    }

    fn proves(sent: &[u8], text: &[u8], new: fn(IsAdded) -> Forms) -> bool {
        let wanted: [u8; 32] = Sha256::digest(sent).into();
        let found = |size| {
            let proofs = digests(new(is_added), text, size);
            proofs.iter().any(|proof| proof.digest == wanted)
        };
        let whole = found(text.len().max(1));
        assert!((1..text.len()).all(|size| found(size) == whole));
        whole
    }

    #[test]
    fn what_mail_programs_may_change_in_an_mbox_is_no_damage() {
        let sent = b"A: b\r\nStatus: evil\r\n\r\nFrom me\r\n>From you\r\n\r\nend\r\n";
        let stored = "A: b\n>Status: evil\n\n>From me\n>>From you\n\nend\n\n";
        let head = "A: b\n>Status: evil\n";
        for same in [
            stored.to_owned(),
            stored.replacen(head, &format!("{head}Status: RO\nX-Status: A\n"), 1),
            stored.replacen(head, &format!("Content-Length:\n 99\n{head}X-UID: 7\n"), 1),
            stored.replacen(head, &format!("{head}Lines: 4\nX-Keywords: a  \n"), 1),
            format!("{stored}\n\n"),
            stored.trim_end().to_owned() + "\n",
        ] {
            assert!(proves(sent, same.as_bytes(), Forms::of_mbox), "{same}");
        }
        for other in [
            stored.replacen("A: b", "A: c", 1),
            stored.replacen("evil", "live", 1),
            stored.replacen(">>From you", "> >From you", 1),
            stored.replacen("end", "enD", 1),
            stored.replacen("\n\nend", "\nend", 1),
            stored.replacen(head, &format!("{head}X-Other: 4\n"), 1),
            String::new(),
        ] {
            assert!(!proves(sent, other.as_bytes(), Forms::of_mbox), "{other}");
        }
    }

    #[test]
    fn a_file_is_proved_whatever_its_line_ends_and_a_flipped_bit_is_seen() {
        let sent = b"A: b\r\nLines: 3\r\n\r\none\r\n\r\n";
        for same in [
            &b"A: b\nLines: 3\n\none\n\n"[..],
            b"A: b\r\nLines: 3\r\n\r\none\r\n\r\n",
            b"A: b\nLines: 3\n\none\n\n\n",
        ] {
            assert!(proves(sent, same, Forms::of_file));
        }
        assert!(proves(
            b"A: b\r\n\r\none\r\n",
            b"A: b\nStatus: R\nLines: 3\n\none\n",
            Forms::of_file
        ));
        assert!(proves(b"A: b\r\n", b"A: b\n\n", Forms::of_file));
        // The stored form of a message with bare line ends.
        assert!(proves(
            b"A\r\n\r\nb\rc\r\r\n",
            b"A\n\nb\rc\r\n",
            Forms::of_file
        ));
        for other in [&b"A: b\nLines: 3\n\none"[..], b"A: b\nLines: 3\n\nonE\n\n"] {
            assert!(!proves(sent, other, Forms::of_file));
        }
    }
}
