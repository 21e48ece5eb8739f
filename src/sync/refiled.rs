//! Messages that a mail program filed under a name of its own making.
//!
//! Some programs move a message by renaming its file, others write it anew under another name. To
//! whoever knows names only, the latter is a deletion. So before a message is deleted on the
//! server because its file is gone, it is searched for by its header, and, since programs add
//! fields to headers, by its Message-ID.

use std::collections::HashMap;

use super::migration::{self, Header};
use crate::cache::Digest;
use crate::store::{self, Inventory, Name, Store};

/// The messages of a store whose names are not recorded.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    by_header: HashMap<Digest, Name>,
    by_message_id: HashMap<String, Name>,
}

impl Strangers {
    /// Reads the headers of the messages whose names are not among those recorded.
    pub(super) fn read(store: &dyn Store, recorded: &Inventory) -> Result<Self, store::Error> {
        let mut strangers = Self::default();
        let known = |name: &str| recorded.holds(&Name(name.to_owned()));
        store.strangers(&known, &mut |name, octets| {
            let Header { sha256, message_id } = migration::header(&as_sent(octets));
            let name = Name(name.to_owned());
            if let Some(message_id) = message_id {
                strangers.by_message_id.insert(message_id, name.clone());
            }
            strangers.by_header.insert(sha256, name);
        })?;
        Ok(strangers)
    }

    /// The message with one of these headers.
    pub(super) fn with_header(&self, headers: &[Digest]) -> Option<&Name> {
        headers.iter().find_map(|header| self.by_header.get(header))
    }

    /// The message with the Message-ID of this header.
    pub(super) fn with_message_id(&self, header: &Header) -> Option<&Name> {
        self.by_message_id.get(header.message_id.as_ref()?)
    }
}

/// A header as the server sent it, whatever line ends it was stored with.
pub(super) fn as_sent(octets: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(octets.len() + octets.len() / 32);
    let mut last = 0;
    for &octet in octets {
        if octet == b'\n' && last != b'\r' {
            sent.push(b'\r');
        }
        sent.push(octet);
        if sent.ends_with(b"\r\n\r\n") {
            break;
        }
        last = octet;
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_compared_as_they_were_sent() {
        for (stored, sent) in [
            (&b"A: b\nC: d\n\nbody\n"[..], &b"A: b\r\nC: d\r\n\r\n"[..]),
            (b"A: b\r\nC: d\r\n\r\nbody", b"A: b\r\nC: d\r\n\r\n"),
            (b"A: b\n", b"A: b\r\n"),
            (b"", b""),
        ] {
            assert_eq!(as_sent(stored), sent);
        }
    }
}
