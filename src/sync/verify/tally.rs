//! The scope of a verification, and its findings.

use std::num::NonZeroU64;
use std::path::Path;

use crate::cache::MessageKey;
use crate::exit::Exit;
use crate::sync::Error;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scope {
    /// Compare with the server's list.
    pub server: bool,
    /// Download what is stored and on the server, and compare.
    pub deep: bool,
    /// Get again what is missing or damaged.
    pub repair: bool,
    /// Record that what is missing is meant to be.
    pub accept_deletions: bool,
    /// Read one of so many parts of the messages; none reads all.
    pub parts: Option<NonZeroU64>,
}

/// Its result.
#[derive(Debug)]
pub struct Verification {
    /// The findings, as far as it came.
    pub tally: Tally,
    /// The error, where it did not come to its end.
    pub result: Result<(), Error>,
}

/// Messages, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Recorded.
    pub messages: u64,
    /// Stored as they were sent.
    pub intact: u64,
    /// Stored in a form that nothing proves.
    pub unproven: u64,
    /// In the store, and not read, since only a part was to be.
    pub unread: u64,
    /// In no folder of the store.
    pub missing: u64,
    /// Not in the store, as a person has said that it is meant.
    pub accepted: u64,
    /// Stored, and not as they were sent.
    pub damaged: u64,
    /// Filed under another name, with their headers, and changed otherwise.
    pub altered: u64,
    /// Of the missing and the damaged, put in their places again.
    pub repaired: u64,
    /// Of the intact, those that lie in another folder than that of new mail.
    pub moved: u64,
    /// Of the intact, those that a mail program has filed under another name.
    pub filed: u64,
    /// Copies of messages besides the first.
    pub duplicates: u64,
    /// In the store, put there by popsync, and not recorded.
    pub unrecorded: u64,
    /// In the store, put there by other programs.
    pub foreign: u64,
    /// Downloaded, and not what is recorded under their unique-ids.
    pub differing: u64,
    /// On the server; none where it was not asked.
    pub on_server: Option<u64>,
    /// Of these, neither stored nor known otherwise.
    pub new: u64,
}

/// One message that is not as it should be, or not where one would look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding<'a> {
    /// Its unique-id; none where it is not recorded.
    pub unique_id: Option<&'a [u8]>,
    /// The name that is recorded for it, or that its file has.
    pub name: &'a str,
    /// Its file, where there is one.
    pub path: Option<&'a Path>,
    /// Where in the file it begins, where that holds many.
    pub at: Option<u64>,
    /// Where its damaged file is kept, once it has another.
    pub kept: Option<&'a Path>,
    /// The fault.
    pub fault: Fault,
}

/// A fault of a message, or something odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is missing, and was said to be meant so now.
    Accepted,
    /// A mail program has filed it under another name, with its header, and something else of it
    /// is changed.
    Altered,
    /// It is compressed in a form that cannot be read here.
    Compressed,
    /// Its file is not what was stored.
    Damaged,
    /// What the server has under its unique-id is another message.
    Differs,
    /// It is one more copy of a message.
    Duplicate,
    /// A mail program has filed it under another name. Nothing is wrong with it.
    Filed,
    /// Another program has put it there. Nothing is wrong with it.
    Foreign,
    /// It has no file.
    Missing,
    /// It lies in another folder of the store. Nothing is wrong with it.
    Moved,
    /// It was missing or damaged, and could not be put in its place: something else is there.
    NotRepaired,
    /// It was missing or damaged, and is in its place again.
    Repaired,
    /// popsync put it there, and knows nothing of it.
    Unrecorded,
    /// Its file cannot be read.
    Unreadable,
}

impl Fault {
    /// True if a person may have meant it so.
    pub fn is_harmless(self) -> bool {
        matches!(
            self,
            Self::Accepted
                | Self::Compressed
                | Self::Duplicate
                | Self::Filed
                | Self::Foreign
                | Self::Moved
        )
    }
}

impl Verification {
    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        match &self.result {
            Err(error) => error.exit(),
            Ok(()) if self.tally.is_good() => Exit::Success,
            Ok(()) => Exit::Partial,
        }
    }
}

impl Tally {
    fn is_good(&self) -> bool {
        self.missing + self.damaged == self.repaired
            && self.differing + self.unrecorded + self.altered == 0
    }
}

/// Which messages are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    parts: u64,
    turn: u64,
}

impl Part {
    /// The one whose turn it is when so many were read before.
    pub(super) fn new(parts: Option<NonZeroU64>, read_before: u64) -> Self {
        let parts = parts.map_or(1, NonZeroU64::get);
        Self {
            parts,
            turn: read_before % parts,
        }
    }

    /// True if the message is of it. Which part a message is of does not change when others come, so
    /// that as many turns as there are parts read all of them.
    pub(super) fn holds(self, message: MessageKey) -> bool {
        message.as_i64().cast_unsigned() % self.parts == self.turn
    }

    pub(super) fn is_all(self) -> bool {
        self.parts == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_turns_as_there_are_parts_read_every_message_once() {
        for parts in [1, 2, 20, 33] {
            for first in [0, 7, u64::from(u32::MAX)] {
                let mut read = [0; 1_000];
                for turn in first..first + parts {
                    let part = Part::new(NonZeroU64::new(parts), turn);
                    for (key, times) in read.iter_mut().enumerate() {
                        *times += u32::from(part.holds(MessageKey::new(key as i64)));
                    }
                }
                assert_eq!(read, [1; 1_000], "{parts} from {first}");
            }
        }
        assert!(Part::new(None, 5).is_all());
    }
}
