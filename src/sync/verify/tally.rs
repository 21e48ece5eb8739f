//! The scope of a verification, and its findings.

use std::num::NonZeroU64;
use std::path::Path;

use crate::cache::MessageKey;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::sync::Error;

/// The scope of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scope {
    /// Compare with the server's list.
    pub server: bool,
    /// Download messages that are stored and on the server, and compare.
    pub deep: bool,
    /// Retrieve missing or damaged messages again.
    pub repair: bool,
    /// Record that missing messages are meant to be missing.
    pub accept_deletions: bool,
    /// Read one of this many parts of the messages. None reads all.
    pub parts: Option<NonZeroU64>,
}

/// Its result.
#[derive(Debug)]
pub struct Verification {
    /// The findings so far.
    pub tally: Tally,
    /// The error, if it was not complete.
    pub(crate) result: Result<(), Error>,
}

/// Messages, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Recorded messages.
    pub messages: u64,
    /// Stored as they were sent.
    pub intact: u64,
    /// Messages stored in a form that no digest proves.
    pub unproven: u64,
    /// Messages in the store that were not read, since only a part was to be read.
    pub unread: u64,
    /// Messages in no folder of the store.
    pub missing: u64,
    /// Messages that are not in the store, which a person has accepted.
    pub accepted: u64,
    /// Stored messages that differ from what was sent.
    pub damaged: u64,
    /// Messages filed under another name, with their headers, and changed otherwise.
    pub altered: u64,
    /// The missing and damaged ones that were put in their places again.
    pub repaired: u64,
    /// The intact ones in another folder than that of new mail.
    pub moved: u64,
    /// The intact ones that a mail program has filed under another name.
    pub filed: u64,
    /// Further copies of messages.
    pub duplicates: u64,
    /// Files in the store that popsync stored, without a record.
    pub unrecorded: u64,
    /// Messages that a run left when it was cut short, and that are not yet in their places.
    pub unfinished: u64,
    /// Messages in the store from other programs.
    pub foreign: u64,
    /// Downloaded messages that differ from the record of their unique-ids.
    pub differing: u64,
    /// Messages on the server. None if it was not asked.
    pub on_server: Option<u64>,
    /// The number of these that are neither stored nor otherwise known.
    pub new: u64,
}

/// One message with a problem, or in an unexpected place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding<'a> {
    /// Its unique-id. None if it is not recorded.
    pub unique_id: Option<&'a [u8]>,
    /// The recorded name, or that of its file.
    pub name: &'a str,
    /// Its file, where there is one.
    pub path: Option<&'a Path>,
    /// The offset in the file, if that holds many messages.
    pub at: Option<u64>,
    /// The path that keeps its damaged file, once it is replaced.
    pub kept: Option<&'a Path>,
    /// Its damage, or the odd thing about it.
    pub condition: Condition,
}

/// The condition of a message: something is wrong with it, or odd about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is missing, and a person has now accepted that.
    Accepted,
    /// A mail program has filed it under another name, with its header, and changed something else.
    Altered,
    /// It is compressed in a form that popsync cannot read.
    Compressed,
    /// Its file is not the stored message.
    Damaged,
    /// The server's message under its unique-id is another one.
    Differs,
    /// It is one more copy of a message.
    Duplicate,
    /// A mail program has filed it under another name. Nothing is wrong with it.
    Filed,
    /// Another program has put it there. Nothing is wrong with it.
    Foreign,
    /// It has no file.
    Missing,
    /// It is in another folder of the store. Nothing is wrong with it.
    Moved,
    /// It was missing or damaged, and could not be put in its place: another file is there.
    NotRepaired,
    /// It was missing or damaged, and is in its place again.
    Repaired,
    /// popsync stored it, and has no record of it.
    Unrecorded,
    /// Its file cannot be read.
    Unreadable,
}

impl Condition {
    /// True if a person may have meant it.
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
    /// The error, if it was not complete.
    pub fn error(&self) -> Option<&impl Failure> {
        self.result.as_ref().err()
    }

    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        failure::status(&self.result, self.tally.bad())
    }
}

impl Tally {
    /// Messages that were read and compared with their records.
    pub(super) fn compared(&self) -> u64 {
        self.intact + self.unproven + self.damaged + self.altered
    }

    /// Messages that are not as they should be.
    fn bad(&self) -> u64 {
        let unrepaired = (self.missing + self.damaged).abs_diff(self.repaired);
        unrepaired + self.differing + self.unrecorded + self.altered + self.unfinished
    }
}

/// The part of the messages to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    parts: u64,
    turn: u64,
}

impl Part {
    /// The next part, when this many parts were read before.
    pub(super) fn new(parts: Option<NonZeroU64>, read_before: u64) -> Self {
        let parts = parts.map_or(1, NonZeroU64::get);
        Self {
            parts,
            turn: read_before % parts,
        }
    }

    /// True if the message is in the part. This does not change when other messages come, so as
    /// many turns as there are parts read all messages.
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
