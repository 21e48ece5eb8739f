//! The messages of a store, by their headers, whoever stored them.

use std::collections::HashSet;

use super::likeness::{Index, Kind, Likeness, Reading};
use crate::account::StoreSettings;
use crate::cache::Digest;
use crate::store::{self, Maildir, Mbox, Name, Viewer};

/// The messages of a store, each to be taken once.
#[derive(Debug, Default)]
pub(super) struct HeaderIndex {
    messages: Vec<Message>,
    index: Index,
}

#[derive(Debug)]
struct Message {
    name: Option<Name>,
    header: Option<Digest>,
    taken: bool,
}

/// A message of the store that the server also has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its file, if it has one.
    pub(super) name: Option<Name>,
    /// The same, if its header equals the server's, octet for octet.
    pub(super) same: Option<Name>,
}

impl HeaderIndex {
    /// Reads the headers of all messages, whoever named their files; in a Maildir also those in
    /// folders beside it that bear its name. Stubs are left out. It is empty for a delivery agent.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) fn read(store: &StoreSettings) -> Result<Self, store::Error> {
        let mut shelving = Shelving::default();
        match store {
            StoreSettings::Maildir { path, .. } if Maildir::is_there(path)? => {
                // A file that cannot be read counts as other mail; the message is then retrieved.
                Maildir::show(path, &mut shelving)?;
            }
            StoreSettings::Mbox { path, .. } => {
                Mbox::headers(path, &mut |octets, _| {
                    shelving
                        .header_index
                        .put(None, &Likeness::of_stored(octets));
                })?;
            }
            StoreSettings::Maildir { .. } | StoreSettings::Exec { .. } => {}
        }
        let mut header_index = shelving.header_index;
        header_index.index.sort();
        Ok(header_index)
    }

    /// True if there are no messages.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn put(&mut self, name: Option<Name>, header: &Likeness) {
        if header.is_stub {
            return;
        }
        // Nobody has so many messages.
        let Ok(place) = u32::try_from(self.messages.len()) else {
            return;
        };
        self.index.put_header(header, place);
        for form in &header.behind_front {
            self.index.put(Kind::Plain, Some(form), place);
        }
        self.messages.push(Message {
            name,
            header: header.as_sent,
            taken: false,
        });
    }

    /// Takes all messages with a file of one of these names.
    pub(super) fn take_files(&mut self, names: &HashSet<String>) {
        for message in &mut self.messages {
            let name = message.name.as_ref();
            message.taken |= name.is_some_and(|name| names.contains(name.as_str()));
        }
    }

    /// Takes a message with the server's header. One with an identical header comes before any
    /// other.
    pub(super) fn take(&mut self, header: &Likeness) -> Option<Found> {
        let is_same =
            |message: &Message| header.as_sent.is_some() && message.header == header.as_sent;
        let free = |kind, digest: Option<&Digest>| {
            let places = self.index.places(kind, digest);
            places.filter(|&at| !self.messages[at].taken)
        };
        let place = free(Kind::Header, header.as_sent.as_ref())
            .find(|&at| is_same(&self.messages[at]))
            .or_else(|| free(Kind::Header, header.as_sent.as_ref()).next())
            .or_else(|| free(Kind::Header, header.without_added.as_ref()).next())
            .or_else(|| free(Kind::Plain, header.plain.as_ref()).next())?;
        let same = is_same(&self.messages[place]);
        let message = &mut self.messages[place];
        message.taken = true;
        Some(Found {
            name: message.name.clone(),
            same: message.name.clone().filter(|_| same),
        })
    }
}

/// Reads one header after another.
#[derive(Default)]
struct Shelving {
    header_index: HeaderIndex,
    reading: Reading,
}

impl Viewer for Shelving {
    fn content(&mut self, octets: &[u8]) -> bool {
        !self.reading.take(octets)
    }

    fn end(&mut self, name: &str) {
        let header = std::mem::take(&mut self.reading).header();
        self.header_index.put(Some(Name(name.to_owned())), &header);
    }

    fn abandon(&mut self) {
        self.reading = Reading::default();
    }
}

#[cfg(test)]
mod tests;
