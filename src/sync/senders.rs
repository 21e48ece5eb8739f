//! The authors of stored messages, counted for a report.
//!
//! Reads the header of one message after the other. Needs little memory, however large the mailbox
//! is and however many authors it has: beyond a limit the smallest ones are left out.

use std::collections::HashMap;
use std::io::{self, Read};

use memchr::memmem;

use crate::account::StoreSettings;
use crate::envelope::Envelope;
use crate::store::{self, Maildir, Mbox, Text};

/// The maximum number of authors that are counted at the same time.
const MAX_SENDERS: usize = 10_000;

/// The longest address that is kept.
const LONGEST: usize = 254;

/// The maximum that is read of a message for its header.
const HEADER: usize = 64 << 10;

/// The size of a read.
const READ_AT_ONCE: u64 = 8 << 10;

/// The messages of one author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sender {
    /// The address, or the name if there is no address. Text from a message.
    pub(crate) address: String,
    /// The number of messages.
    pub(crate) messages: u64,
    /// Their size in the store.
    pub(crate) octets: u64,
}

/// The authors of the messages in a store.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    by_address: HashMap<String, (u64, u64)>,
    /// The number of messages whose header was read.
    pub(crate) read: u64,
    /// The number of messages that could not be read.
    pub(crate) unreadable: u64,
    /// True if there are so many authors that small ones were left out: then each author has at
    /// least what is counted.
    pub(crate) is_incomplete: bool,
}

impl Senders {
    /// Reads the headers of a store: in a Maildir those of the messages that were stored for the
    /// account with this tag, wherever they are filed; in an mbox those of all messages. None for a
    /// delivery agent, whose messages are not read again.
    ///
    /// # Errors
    /// If an mbox cannot be read.
    pub(crate) fn of(store: &StoreSettings, tag: &str) -> Result<Option<Self>, store::Error> {
        let mut senders = Self::default();
        match store {
            StoreSettings::Maildir { path, .. } => {
                Maildir::each_of(path, tag, &mut |entry| {
                    let opened = Text::open(&entry.path()).and_then(header);
                    match (opened, entry.metadata()) {
                        (Ok(header), Ok(found)) => senders.add(&header, found.len()),
                        // It was moved or deleted meanwhile, or is compressed in an unknown form.
                        _ => senders.unreadable += 1,
                    }
                });
            }
            StoreSettings::Mbox { path, .. } => {
                Mbox::headers(path, &mut |header, octets| senders.add(header, octets))?;
            }
            StoreSettings::Exec { .. } => return Ok(None),
        }
        Ok(Some(senders))
    }

    /// The authors with the most octets, the largest first.
    pub(crate) fn largest(&self, most: usize) -> Vec<Sender> {
        let mut all: Vec<_> = self.by_address.iter().collect();
        all.sort_by(|(a, (_, octets_a)), (b, (_, octets_b))| octets_b.cmp(octets_a).then(a.cmp(b)));
        let largest = all.into_iter().take(most);
        let senders = largest.map(|(address, (messages, octets))| Sender {
            address: address.clone(),
            messages: *messages,
            octets: *octets,
        });
        senders.collect()
    }

    /// Counts a message with this header.
    pub(crate) fn add(&mut self, header: &[u8], octets: u64) {
        self.read += 1;
        let author = Envelope::parse(header).from.unwrap_or_default();
        let sum = self.by_address.entry(key(&author)).or_default();
        sum.0 += 1;
        sum.1 += octets;
        if self.by_address.len() > MAX_SENDERS {
            self.thin_out();
        }
    }

    /// Leaves out the smaller half.
    fn thin_out(&mut self) {
        self.is_incomplete = true;
        let mut sizes: Vec<u64> = self
            .by_address
            .values()
            .map(|(_, octets)| *octets)
            .collect();
        let middle = sizes.len() / 2;
        let (_, median, _) = sizes.select_nth_unstable(middle);
        let median = *median;
        self.by_address.retain(|_, (_, octets)| *octets > median);
    }
}

/// The address of an author in lower case, by which messages are counted.
fn key(author: &str) -> String {
    let inside = author
        .rsplit_once('<')
        .and_then(|(_, rest)| rest.strip_suffix('>'));
    let address = inside.unwrap_or(author).trim();
    address.to_lowercase().chars().take(LONGEST).collect()
}

/// The header of a message, or the beginning of a long one.
fn header(text: Text) -> io::Result<Vec<u8>> {
    let mut text = text.take(HEADER as u64);
    let mut header = Vec::new();
    loop {
        let before = header.len();
        let read = (&mut text).take(READ_AT_ONCE).read_to_end(&mut header)?;
        let seen = &header[before.saturating_sub(3)..];
        let is_over = [&b"\n\n"[..], b"\n\r\n"]
            .iter()
            .any(|blank| memmem::find(seen, blank).is_some());
        if read == 0 || is_over {
            return Ok(header);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use super::*;
    use crate::account::LineEndings;

    #[test]
    fn authors_are_counted_by_address_wherever_their_messages_are_filed() {
        let folder = tempfile::tempdir().unwrap();
        let name = |number: u32| format!("1700000000.A0123456789abcdefR1Q{number}.popsync");
        let put = |at: &str, text: &str| {
            let path = folder.path().join(at);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path)
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
        };
        put(
            &format!("new/{}", name(1)),
            "From: Eva <EVA@example.org>\n\nhello",
        );
        put(
            &format!(".Archive/cur/{}:2,S", name(2)),
            "From: \"<x>\" <eva@example.org>\n\n",
        );
        let long = format!("X: {}\nFrom: anna@example.org\n\n", "x".repeat(20_000));
        put(&format!("cur/{}:2,", name(3)), &long);
        put(&format!("cur/{}:2,", name(4)), "no header at all");
        put("cur/of-another-program", "From: other@example.org\n\n");
        let store = StoreSettings::Maildir {
            path: folder.path().to_owned(),
            line_endings: LineEndings::Lf,
        };
        let senders = Senders::of(&store, "0123456789abcdef").unwrap().unwrap();
        assert_eq!((senders.read, senders.unreadable), (4, 0));
        let largest: Vec<_> = senders
            .largest(3)
            .into_iter()
            .map(|sender| (sender.address, sender.messages))
            .collect();
        let expected = [("anna@example.org", 1), ("eva@example.org", 2), ("", 1)];
        assert_eq!(
            largest,
            expected.map(|(address, count)| (address.to_owned(), count))
        );
    }

    #[test]
    fn many_authors_need_no_more_memory_than_the_limit() {
        let mut senders = Senders::default();
        for number in 0..3 * MAX_SENDERS as u64 {
            let header = format!("From: {number}@example.org\n\n");
            senders.add(header.as_bytes(), number);
            senders.add(b"From: large@example.org\n\n", 1_000);
            assert!(senders.by_address.len() <= MAX_SENDERS);
        }
        assert!(senders.is_incomplete);
        assert_eq!(senders.largest(1)[0].address, "large@example.org");
    }
}
