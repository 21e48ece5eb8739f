//! The messages of a store, by their headers, whoever stored them.

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
    /// Its file, if it has one and its header equals the server's, octet for octet.
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
                Mbox::headers(path, &mut |octets| {
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
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use super::*;
    use crate::account::LineEndings;

    const SENT: &str = "Return-Path: <a@x>\r\nDelivered-To: b\r\nReceived: from a\r\n\tby b\r\n\
        Message-ID: <1@x>\r\nSubject: s\r\n\r\n";

    fn header_index(stored: &[u8]) -> HeaderIndex {
        let mut header_index = HeaderIndex::default();
        header_index.put(Some(Name("1.a".to_owned())), &Likeness::of_stored(stored));
        header_index.index.sort();
        header_index
    }

    #[test]
    fn a_message_is_known_whatever_other_programs_have_added_to_its_header_or_moved() {
        let wanted = Likeness::of_sent(SENT.as_bytes());
        let lf = SENT.replace("\r\n", "\n");
        let own = "Message-ID: <1@x>\nSubject: s\n";
        for (stored, same) in [
            (format!("{lf}body\n"), true),
            (SENT.to_owned(), true),
            (format!("{lf}Status: RO\nX-UID: 7\n\nbody"), true),
            // fetchmail and mpop put a field in front.
            (
                format!("Received: from host by fetchmail;\n\tSat\n{lf}"),
                false,
            ),
            // getmail moves the first two, and puts one between.
            (
                format!(
                    "Return-Path: <a@x>\nDelivered-To: anna\nReceived: from host by getmail;\n\tSat\n\
                     Received: from a\n\tby b\n{own}\nbody"
                ),
                false,
            ),
            // mutt adds fields at the end, Dovecot and spam filters in front.
            (
                format!("X-Spam: no\nX-Spam-Score: 1\n{own}Status: RO\nX-UID: 7\n\nbody"),
                false,
            ),
        ] {
            let mut header_index = header_index(stored.as_bytes());
            let found = header_index.take(&wanted).unwrap();
            assert_eq!(found.same.is_some(), same, "{stored}");
            assert_eq!(header_index.take(&wanted), None, "each is taken once");
        }
        for other in [
            "Message-ID: <1@x>\nSubject: t\n\n".to_owned(),
            "Message-ID: <2@x>\nSubject: s\n\n".to_owned(),
            "X: y\nReceived: from a\n\tby b\nSubject: s\n\n".to_owned(),
            format!("X-Popsync-Stub: x\n{lf}"),
            String::new(),
        ] {
            assert_eq!(
                header_index(other.as_bytes()).take(&wanted),
                None,
                "{other}"
            );
        }
    }

    /// A message with the server's exact header comes before one that may have had it.
    #[test]
    fn the_same_header_is_taken_first() {
        let mut header_index = HeaderIndex::default();
        for (name, front) in [
            ("1.a", "Received: by c\n"),
            ("2.a", ""),
            ("3.a", "Status: RO\n"),
        ] {
            let stored = format!("{front}{}", SENT.replace("\r\n", "\n"));
            let name = Some(Name(name.to_owned()));
            header_index.put(name, &Likeness::of_stored(stored.as_bytes()));
        }
        header_index.index.sort();
        let wanted = Likeness::of_sent(SENT.as_bytes());
        let same = Some(Name("2.a".to_owned()));
        assert_eq!(header_index.take(&wanted), Some(Found { same }));
        assert_eq!(header_index.take(&wanted), Some(Found { same: None }));
        assert_eq!(header_index.take(&wanted), Some(Found { same: None }));
        assert_eq!(header_index.take(&wanted), None);
    }

    #[test]
    fn a_maildir_that_another_program_filled_is_read_with_all_its_folders() {
        let mail = tempfile::tempdir().unwrap();
        let root = mail.path().join(".work");
        let files = [
            ".work/new/1700000000.9_1.host",
            ".work/cur/1700000001.M1P2.host,S=9:2,S",
            ".work/.Archive/cur/any name at all",
            ".work/Lists/rust/new/3",
            ".work.Old/cur/4:2,",
            // Not this account's, or not shown by mail programs.
            ".home/cur/5",
            ".work/tmp/6",
            ".work/dovecot-uidlist",
        ];
        for (number, file) in files.into_iter().enumerate() {
            let path = mail.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = format!("Message-ID: <{number}@x>\nSubject: s\n\nbody\n");
            File::create(path)
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
        }
        let mut header_index = HeaderIndex::read(&StoreSettings::Maildir {
            path: root,
            line_endings: LineEndings::Lf,
        })
        .unwrap();
        assert!(!header_index.is_empty());
        let found: Vec<bool> = (0..files.len())
            .map(|number| {
                let header = format!("Message-ID: <{number}@x>\r\nSubject: s\r\n");
                header_index
                    .take(&Likeness::of_sent(header.as_bytes()))
                    .is_some()
            })
            .collect();
        assert_eq!(found, [true, true, true, true, true, false, false, false]);
    }
}
