//! The marks by which a message is recognised after other programs stored, filed or changed it: the
//! forms of a header, and the octets after it. The rules are only here, and apply to all
//! comparisons: with a file of the store, a header from the server, or a recorded header.
//!
//! Delivery agents put fields in front of a header or move them there, mail programs add some and
//! remove some, and programs that parse a message write its fields with other blanks. None of them
//! changes the fields that identify the message.

use sha2::{Digest as _, Sha256};

use super::headers;
use crate::cache::Digest;
use crate::store::Body;

/// The longest header that is compared: this much of a message is kept while it is read.
const MAX_HEADER: usize = 1 << 20;

/// The maximum number of fields of any name that another program may have put in front.
const MOST_IN_FRONT: usize = 12;

/// The fields that mail programs add to a message or remove from it, in lower case.
const ADDED: [&str; 22] = [
    "content-length",
    "lines",
    "old-status",
    "status",
    "x-account-key",
    "x-evolution",
    "x-evolution-source",
    "x-gmail-labels",
    "x-imap",
    "x-imapbase",
    "x-keywords",
    "x-label",
    "x-mozilla-keys",
    "x-mozilla-status",
    "x-mozilla-status2",
    "x-mutt-references",
    "x-offlineimap",
    "x-status",
    "x-tuid",
    "x-uid",
    "x-uidl",
    "x-vm-v5-data",
];

/// The fields that delivery agents add, remove or move: the trace of a message (RFC 5321 §4.4), and
/// its recipients.
const TRACE: [&str; 10] = [
    "delivered-to",
    "envelope-to",
    "received",
    "return-path",
    "x-delivered-to",
    "x-envelope-from",
    "x-envelope-to",
    "x-fetched-by",
    "x-getmail-retrieved-from-mailbox",
    "x-original-to",
];

/// The first field of a stub. A program may move it.
const STUB: &str = "x-popsync-stub";

/// The marks of a header: only digests, whatever its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Likeness {
    /// As the server sends it, without the empty line after it. None if there is no header.
    pub(super) as_sent: Option<Digest>,
    /// The same without the fields that mail programs add.
    pub(super) without_added: Option<Digest>,
    /// Its fields, with normal blanks, without those that any program adds or moves. None if
    /// nothing is left that distinguishes one message from another.
    pub(super) plain: Option<Digest>,
    /// Its Message-ID, if that is not empty.
    pub(super) message_id: Option<Digest>,
    /// Date, From and Subject, if there is a date and one of the others.
    pub(super) origin: Option<Digest>,
    /// The plain form without the first fields, which another program may have put there: each form
    /// has one field less. Without a Message-ID the rest may fit many messages, so every form has
    /// it. Only for stored messages.
    pub(super) behind_front: Vec<Digest>,
    /// True if it is a stub.
    pub(super) is_stub: bool,
}

impl Likeness {
    /// The marks of a header from the server, with or without the empty line after it.
    pub(super) fn of_sent(header: &[u8]) -> Self {
        Self::of(header, 0)
    }

    /// The marks of a stored header, whatever its line ends.
    pub(super) fn of_stored(header: &[u8]) -> Self {
        Self::of(&as_sent(header), MOST_IN_FRONT)
    }

    /// True if it has marks that distinguish the message from others even if a program has
    /// rewritten its header.
    pub(super) fn is_telling(&self) -> bool {
        self.message_id.is_some() || self.origin.is_some()
    }

    fn of(header: &[u8], most_in_front: usize) -> Self {
        let fields = Field::all(header);
        let mut own = Vec::with_capacity(fields.len());
        let mut identified_at = None;
        let (mut date, mut from, mut subject, mut message_id) = (None, None, None, None);
        for field in &fields {
            let Some(name) = &field.name else { continue };
            let first = match name.as_str() {
                "date" => Some(&mut date),
                "from" => Some(&mut from),
                "subject" => Some(&mut subject),
                "message-id" => Some(&mut message_id),
                _ => None,
            };
            if let Some(first) = first.filter(|first| first.is_none()) {
                *first = Some(field.value()).filter(|value| !value.is_empty());
            }
            if !is_among(name, &ADDED) && !is_among(name, &TRACE) && name != STUB {
                own.push(field.digest(name));
                if name == "message-id" && message_id.is_some() {
                    identified_at.get_or_insert(own.len() - 1);
                }
            }
        }
        let origin = (date.is_some() && (from.is_some() || subject.is_some()))
            .then(|| joined([date, from, subject].map(Option::unwrap_or_default)));
        let sent: Vec<&[u8]> = fields
            .iter()
            .filter(|field| !field.is_among(&ADDED))
            .map(|field| field.octets)
            .collect();
        let fronts = 1..=most_in_front.min(identified_at.unwrap_or(0));
        Self {
            as_sent: (!fields.is_empty()).then(|| headers::digest(header)),
            without_added: (!sent.is_empty()).then(|| headers::digest(&sent.concat())),
            plain: (message_id.is_some() || origin.is_some()).then(|| joined(&own)),
            message_id: message_id.map(|value| Sha256::digest(inside(&value)).into()),
            origin,
            behind_front: fronts.map(|front| joined(&own[front..])).collect(),
            is_stub: fields.iter().any(|field| field.is_among(&[STUB])),
        }
    }
}

/// The digests of the fields of a header in the form in which it was sent, each octet for octet.
pub(super) fn fields(header: &[u8]) -> Vec<Digest> {
    let fields = Field::all(header).into_iter();
    fields
        .map(|field| Sha256::digest(field.octets).into())
        .collect()
}

/// The digest of several values, each with a clear end.
fn joined(values: impl IntoIterator<Item: AsRef<[u8]>>) -> Digest {
    let mut digest = Sha256::new();
    for value in values {
        let value = value.as_ref();
        digest.update((value.len() as u64).to_be_bytes());
        digest.update(value);
    }
    digest.finalize().into()
}

/// The text between the angle brackets of a Message-ID, or all of it if there are none.
fn inside(value: &[u8]) -> &[u8] {
    let inside = value.strip_prefix(b"<").unwrap_or(value);
    let end = inside.iter().position(|&octet| octet == b'>');
    &inside[..end.unwrap_or(inside.len())]
}

/// True if mail programs add fields of this name, which is in lower case, to a message.
pub(super) fn is_added(name: &str) -> bool {
    is_among(name, &ADDED)
}

fn is_among(name: &str, names: &[&str]) -> bool {
    names.contains(&name)
}

/// A field of a header.
struct Field<'a> {
    /// With its continuation lines.
    octets: &'a [u8],
    /// In lower case. None if it is not a field, such as mbox's `>From `.
    name: Option<String>,
}

impl<'a> Field<'a> {
    fn all(header: &'a [u8]) -> Vec<Self> {
        let mut fields = Vec::new();
        let mut begin = 0;
        let mut at = 0;
        for line in header.split_inclusive(|&octet| octet == b'\n') {
            if line == b"\r\n" {
                break;
            }
            if at > begin && !matches!(line.first(), Some(b' ' | b'\t')) {
                fields.push(Self::new(&header[begin..at]));
                begin = at;
            }
            at += line.len();
        }
        if at > begin {
            fields.push(Self::new(&header[begin..at]));
        }
        fields
    }

    fn new(octets: &'a [u8]) -> Self {
        let colon = memchr::memchr(b':', octets);
        let name = colon.and_then(|colon| str::from_utf8(&octets[..colon]).ok());
        let name = name
            .map(str::trim_end)
            .filter(|name| !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic()));
        Self {
            octets,
            name: name.map(str::to_ascii_lowercase),
        }
    }

    fn is_among(&self, names: &[&str]) -> bool {
        self.name.as_ref().is_some_and(|name| is_among(name, names))
    }

    /// The text after the colon, every run of blanks as one. An empty Message-ID counts as empty
    /// even if it has brackets.
    fn value(&self) -> Vec<u8> {
        let colon = memchr::memchr(b':', self.octets).unwrap_or(0);
        let words = self.octets[colon + 1..].split(u8::is_ascii_whitespace);
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        let value = words.join(&b' ');
        if matches!(&*value, b"<>" | b"< >") {
            return Vec::new();
        }
        value
    }

    fn digest(&self, name: &str) -> Digest {
        joined([name.as_bytes(), &self.value()])
    }
}

/// A header as the server sent it, whatever line ends it was stored with, with the empty line after
/// it.
fn as_sent(octets: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(octets.len() + octets.len() / 32);
    for line in octets.split_inclusive(|&octet| octet == b'\n') {
        let text = line
            .strip_suffix(b"\n")
            .map(|text| text.strip_suffix(b"\r").unwrap_or(text));
        sent.extend_from_slice(text.unwrap_or(line));
        if text.is_some() {
            sent.extend_from_slice(b"\r\n");
        }
        if text.is_some_and(<[u8]>::is_empty) {
            break;
        }
    }
    sent
}

/// Reads a stored message as it streams by.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The header so far, and the empty line after it.
    header: Vec<u8>,
    in_body: bool,
    /// True if the current line has an octet other than CR.
    line_begun: bool,
    last: u8,
    whole: Sha256,
    body: Body,
    sent: Vec<u8>,
}

/// The marks of a stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Portrait {
    pub(super) header: Likeness,
    /// Digest of the whole message, as the server sent it.
    pub(super) whole: Digest,
    /// Digest of its body, ignoring line ends. None if it has no body.
    pub(super) body: Option<Digest>,
}

impl Reading {
    /// Takes the next octets. Returns true if the body has begun.
    pub(super) fn take(&mut self, octets: &[u8]) -> bool {
        self.take_whole(octets);
        let mut rest = octets;
        while !self.in_body {
            let Some(end) = memchr::memchr(b'\n', rest) else {
                self.line_begun |= rest.iter().any(|&octet| octet != b'\r');
                self.keep(rest);
                return false;
            };
            let (line, behind) = rest.split_at(end + 1);
            self.line_begun |= line.iter().any(|octet| !b"\r\n".contains(octet));
            self.keep(line);
            self.in_body = !std::mem::take(&mut self.line_begun);
            rest = behind;
        }
        self.body.take(rest);
        true
    }

    pub(super) fn finish(self) -> Portrait {
        Portrait {
            header: Likeness::of_stored(&self.header),
            whole: self.whole.finalize().into(),
            body: self.body.finish(),
        }
    }

    /// The marks of the header. The rest need not have been read.
    pub(super) fn header(self) -> Likeness {
        Likeness::of_stored(&self.header)
    }

    /// Digests the octets that the server sent: a single LF was a CRLF.
    fn take_whole(&mut self, octets: &[u8]) {
        self.sent.clear();
        let mut rest = octets;
        while let Some(lf) = memchr::memchr(b'\n', rest) {
            let before = if lf > 0 { rest[lf - 1] } else { self.last };
            self.sent.extend_from_slice(&rest[..lf]);
            if before != b'\r' {
                self.sent.push(b'\r');
            }
            self.sent.push(b'\n');
            self.last = b'\n';
            rest = &rest[lf + 1..];
        }
        self.sent.extend_from_slice(rest);
        self.last = rest.last().copied().unwrap_or(self.last);
        self.whole.update(&self.sent);
    }

    fn keep(&mut self, octets: &[u8]) {
        let room = MAX_HEADER.saturating_sub(self.header.len());
        self.header
            .extend_from_slice(&octets[..octets.len().min(room)]);
    }
}

/// The marks of many messages, in little memory: half of each digest, and an index.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<(Kind, [u8; 15], u32)>,
    is_sorted: bool,
}

/// The kind of a digest. Digests of different kinds never match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Body,
    Header,
    MessageId,
    Origin,
    Plain,
    Whole,
}

impl Index {
    pub(super) fn put(&mut self, kind: Kind, digest: Option<&Digest>, place: u32) {
        if let Some(digest) = digest {
            self.entries.push((kind, half(digest), place));
            self.is_sorted = false;
        }
    }

    /// Adds the forms of a stored header.
    pub(super) fn put_header(&mut self, header: &Likeness, place: u32) {
        self.put(Kind::Header, header.as_sent.as_ref(), place);
        self.put(Kind::Header, header.without_added.as_ref(), place);
        self.put(Kind::Plain, header.plain.as_ref(), place);
    }

    /// Call it once everything is added.
    pub(super) fn sort(&mut self) {
        if !self.is_sorted {
            self.entries.sort_unstable();
            self.entries.dedup();
            self.entries.shrink_to_fit();
            self.is_sorted = true;
        }
    }

    /// The indexes of the entries with this digest.
    pub(super) fn places<'a>(
        &'a self,
        kind: Kind,
        digest: Option<&Digest>,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let wanted = digest.map(|digest| (kind, half(digest)));
        let begin = self
            .entries
            .partition_point(|(kind, digest, _)| wanted.is_some_and(|at| (*kind, *digest) < at));
        self.entries[begin..]
            .iter()
            .take_while(move |(kind, digest, _)| wanted == Some((*kind, *digest)))
            .map(|(.., place)| *place as usize)
    }
}

fn half(digest: &Digest) -> [u8; 15] {
    let mut half = [0; 15];
    half.copy_from_slice(&digest[..15]);
    half
}

#[cfg(test)]
mod tests;
