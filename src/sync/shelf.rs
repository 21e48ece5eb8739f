//! What a store holds, whoever put it there, known by headers.
//!
//! Other programs put fields of their own in front of a header, such as `Received`, and mail
//! programs add some, such as `Status`. So a message is known by its header as it is, without what
//! mail programs add, and without the first fields.

use std::collections::HashMap;

use super::migration;
use super::refiled::as_sent;
use crate::account::StoreSettings;
use crate::cache::Digest;
use crate::store::{self, Maildir, Mbox, Name};

/// So many fields may another program have put in front.
const MOST_IN_FRONT: usize = 12;

/// What mail programs add, in lower case.
const ADDED: [&str; 12] = [
    "content-length",
    "lines",
    "status",
    "x-imap",
    "x-imapbase",
    "x-keywords",
    "x-mozilla-keys",
    "x-mozilla-status",
    "x-mozilla-status2",
    "x-mutt-references",
    "x-status",
    "x-uid",
];

/// The messages of a store, each to be taken once.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    messages: Vec<Message>,
    /// Places among the messages.
    by_header: HashMap<Digest, Vec<usize>>,
}

#[derive(Debug)]
struct Message {
    name: Option<Name>,
    header: Digest,
    taken: bool,
}

/// A message of the store that is one of the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its file, where it has one and its header is the server's, octet for octet.
    pub(super) same: Option<Name>,
}

impl Shelf {
    /// Reads the headers of all messages. Of what a delivery agent stored nothing is known.
    pub(super) fn read(store: &StoreSettings) -> Result<Self, store::Error> {
        let mut shelf = Self::default();
        match store {
            StoreSettings::Maildir { path, .. } if Maildir::is_there(path)? => {
                Maildir::headers(path, &mut |name, octets| {
                    shelf.put(Some(Name(name.to_owned())), octets);
                })?;
            }
            StoreSettings::Mbox { path, .. } => {
                Mbox::headers(path, &mut |octets| shelf.put(None, octets))?;
            }
            StoreSettings::Maildir { .. } | StoreSettings::Exec { .. } => {}
        }
        Ok(shelf)
    }

    /// Whether there are no messages.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn put(&mut self, name: Option<Name>, octets: &[u8]) {
        let sent = as_sent(octets);
        let place = self.messages.len();
        for header in forms(&sent) {
            let places = self.by_header.entry(header).or_default();
            if !places.contains(&place) {
                places.push(place);
            }
        }
        self.messages.push(Message {
            name,
            header: migration::digest(&sent),
            taken: false,
        });
    }

    /// Takes a message with this header; one that has it as it is before any other.
    pub(super) fn take(&mut self, header: &Digest) -> Option<Found> {
        let places = self.by_header.get(header)?.iter().copied();
        let free: Vec<usize> = places.filter(|&at| !self.messages[at].taken).collect();
        let is_same = |at: &usize| self.messages[*at].header == *header;
        let place = free
            .iter()
            .copied()
            .find(is_same)
            .or_else(|| free.first().copied())?;
        let message = &mut self.messages[place];
        message.taken = true;
        let name = message.name.clone();
        Some(Found {
            same: name.filter(|_| message.header == *header),
        })
    }
}

/// The headers that this one may have been, by their digests.
fn forms(header: &[u8]) -> Vec<Digest> {
    let fields = fields(header);
    let sent: Vec<&[u8]> = fields
        .iter()
        .copied()
        .filter(|field| !ADDED.iter().any(|name| is_named(field, name)))
        .collect();
    let mut forms = vec![migration::digest(header), migration::digest(&sent.concat())];
    for front in 1..=MOST_IN_FRONT {
        let Some(rest) = sent.get(front..) else { break };
        // Without a name of its own, what is left may be many a message's.
        if !rest.iter().any(|field| is_named(field, "message-id")) {
            break;
        }
        forms.push(migration::digest(&rest.concat()));
    }
    forms
}

/// The fields of a header, each with the lines that go on with it.
fn fields(header: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    for line in header.split_inclusive(|&octet| octet == b'\n') {
        if line == b"\r\n" {
            break;
        }
        if at > begin && !matches!(line.first(), Some(b' ' | b'\t')) {
            fields.push(&header[begin..at]);
            begin = at;
        }
        at += line.len();
    }
    if at > begin {
        fields.push(&header[begin..at]);
    }
    fields
}

fn is_named(field: &[u8], name: &str) -> bool {
    field
        .split(|&octet| octet == b':')
        .next()
        .is_some_and(|found| found.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &[u8] = b"Received: from a\r\n\tby b\r\nMessage-ID: <1@x>\r\nSubject: s\r\n\r\n";

    fn shelf(stored: &[u8]) -> Shelf {
        let mut shelf = Shelf::default();
        shelf.put(Some(Name("1.a".to_owned())), stored);
        shelf
    }

    #[test]
    fn a_message_is_known_whatever_other_programs_have_added_to_its_header() {
        let wanted = migration::digest(SENT);
        for (stored, same) in [
            (
                &b"Received: from a\n\tby b\nMessage-ID: <1@x>\nSubject: s\n\nbody\n"[..],
                true,
            ),
            (SENT, true),
            (
                b"Return-Path: <a@x>\nDelivered-To: b\nReceived: from a\n\tby b\nMessage-ID: \
                  <1@x>\nSubject: s\nStatus: RO\nX-UID: 7\n\nbody",
                false,
            ),
        ] {
            let mut shelf = shelf(stored);
            let found = shelf.take(&wanted).unwrap();
            assert_eq!(found.same.is_some(), same);
            assert_eq!(shelf.take(&wanted), None, "each is taken once");
        }
        for other in [
            &b"Received: from a\nMessage-ID: <1@x>\nSubject: s\n\n"[..],
            b"Received: from a\n\tby b\nMessage-ID: <1@x>\nSubject: t\n\n",
            b"X: y\nReceived: from a\n\tby b\nSubject: s\n\n",
            b"",
        ] {
            assert_eq!(shelf(other).take(&wanted), None);
        }
    }
}
