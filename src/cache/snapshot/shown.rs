//! Compares a listing with the recorded messages.

use super::{Fact, Row, Snapshot};
use crate::maildrop::Maildrop;

/// A listing compared with the recorded messages, once. Each unique-id of a large mailbox costs a
/// look-up in memory that is in no processor cache.
#[derive(Debug, Default)]
pub struct Shown {
    /// For each row of the snapshot at the time: true if it is listed.
    listed: Vec<bool>,
    /// Listed messages without a record, even of their header.
    unknown: usize,
    /// Listed messages of which at most the header is recorded.
    not_stored: usize,
    /// True if a listed message was missing before, or may not have come whole.
    has_question: bool,
}

impl Shown {
    /// The number of listed messages without any record.
    pub(crate) fn unknown(&self) -> usize {
        self.unknown
    }

    /// The number of listed messages that are not stored. Of some the header may be recorded.
    pub(crate) fn not_stored(&self) -> usize {
        self.not_stored
    }

    /// True if a listed message was missing before, or may not have come whole. Its size may show
    /// if it is the same message, or complete.
    pub(crate) fn has_question(&self) -> bool {
        self.has_question
    }
}

impl Snapshot {
    /// Compares this listing with the recorded messages.
    pub fn shown_by(&self, maildrop: &Maildrop) -> Shown {
        let mut shown = Shown {
            listed: vec![false; self.rows.len()],
            ..Shown::default()
        };
        for message in maildrop.iter() {
            match self.find(message.unique_id) {
                Some(index) => {
                    let row = &self.rows[index];
                    shown.listed[index] = true;
                    shown.has_question |= row.is(Fact::Gone) || row.is(Fact::Doubtful);
                }
                None => {
                    shown.not_stored += 1;
                    shown.unknown += usize::from(!self.headers.contains_key(message.unique_id));
                }
            }
        }
        shown
    }

    /// The listed sizes of the messages that a listing no longer shows. None if one of them is not
    /// known.
    pub(crate) fn vanished_octets(&self, shown: &Shown) -> Option<u64> {
        self.with(shown)
            .filter(|(row, listed)| row.is(Fact::Held) && !row.is(Fact::Gone) && !listed)
            .try_fold(0_u64, |sum, (row, _)| {
                Some(sum.saturating_add(row.octets.get()?))
            })
    }

    /// True if the server seems to have renamed its messages: more than half of its messages are
    /// gone without having been deleted, or all were gone before.
    pub(crate) fn looks_renamed(&self, shown: &Shown) -> bool {
        if shown.unknown == 0 {
            return false;
        }
        // Imported messages do not count: nothing is known by which they could be recognised.
        let kept = self
            .with(shown)
            .filter(|(row, _)| row.is(Fact::Held) && !row.is(Fact::DeletionAsked));
        let (mut listed, mut vanished, mut gone_before) = (0, 0, 0);
        for (row, is_listed) in kept {
            match (row.is(Fact::Gone), is_listed) {
                (true, _) => gone_before += 1,
                (false, true) => listed += 1,
                (false, false) => vanished += 1,
            }
        }
        vanished > listed || (listed + vanished == 0 && gone_before > 0)
    }

    /// The known unique-ids that a listing no longer shows, and those that it shows again.
    pub fn changes(&self, shown: &Shown) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let pick = |missing: bool| {
            self.with(shown)
                .enumerate()
                .filter(move |(_, (row, listed))| {
                    row.is(Fact::Held) && row.is(Fact::Gone) == missing && *listed == missing
                })
                .map(|(index, _)| self.ids.at(index))
                .collect()
        };
        (pick(false), pick(true))
    }

    /// The rows, each with true if it is listed, without those that were added since.
    fn with(&self, shown: &Shown) -> impl Iterator<Item = (&Row, bool)> {
        self.rows.iter().zip(shown.listed.iter().copied())
    }
}
