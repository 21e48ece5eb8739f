//! The outcome for each retrieved message, and the proofs that some outcomes give.

use super::order::Slot;
use crate::cache::{DoubtReason, MessageKey, Sizes};

/// Proof that a message is on stable storage and recorded. Only the committer makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Committed(());

impl Committed {
    /// Call it after step 5 for the message.
    pub(super) fn after_publishing() -> Self {
        Self(())
    }
}

/// A message that was retrieved whole, as far as its session shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Landing {
    pub(in crate::sync) slot: Slot,
    /// Its record.
    pub(in crate::sync) key: MessageKey,
    pub(in crate::sync) landed: Landed,
    /// The reason why it may not be whole.
    pub(in crate::sync) doubt: Option<DoubtReason>,
    /// Its size compared with LIST's.
    pub(in crate::sync) size: Size,
}

/// The place of a retrieved message's copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum Landed {
    /// It was stored.
    Stored(Committed),
    /// It was stored by an earlier run, and is still in the store.
    Known(Committed),
    /// A person deleted it here and it was to be deleted on the server, but it proved to be another
    /// message, which is in the store.
    Another,
    /// It was stored by an earlier run, and a person has deleted it here since.
    DeletedHere,
    /// The same, and the policy deletes it on the server for that.
    Followed,
    /// It was stored by an earlier run, and not all places could be searched.
    Unclear,
}

/// A message's size compared with LIST's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum Size {
    Exact,
    Longer,
    Shorter,
    Unlisted,
}

impl Size {
    pub(super) fn of(octets: u64, listed: Option<u64>) -> Self {
        match listed.map(|listed| octets.cmp(&listed)) {
            None => Self::Unlisted,
            Some(std::cmp::Ordering::Equal) => Self::Exact,
            Some(std::cmp::Ordering::Greater) => Self::Longer,
            Some(std::cmp::Ordering::Less) => Self::Shorter,
        }
    }
}

/// The exactness of a server's sizes, for messages of earlier runs and of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::sync) struct Exactness {
    exact: u64,
    inexact: u64,
}

impl From<Sizes> for Exactness {
    fn from(sizes: Sizes) -> Self {
        Self {
            exact: sizes.exact,
            inexact: sizes.inexact,
        }
    }
}

/// With fewer exact sizes than this, nothing is proved.
const MIN_EXACT: u64 = 3;

impl Exactness {
    pub(super) fn learn(&mut self, size: Size) {
        match size {
            Size::Exact => self.exact += 1,
            Size::Longer | Size::Shorter => self.inexact += 1,
            Size::Unlisted => {}
        }
    }

    /// True if this server's sizes are the lengths of messages. Exchange's estimates are right only
    /// by chance (`XPOP3:N5`). A server that counts is right for most messages, even if it cuts
    /// some short.
    pub(in crate::sync) fn is_proved(self) -> bool {
        self.exact >= MIN_EXACT && self.exact > self.inexact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_where_most_are() {
        for (exact, inexact, proved) in [
            (0, 0, false),
            (2, 0, false),
            (3, 0, true),
            (8, 1, true),
            (6, 3, true),
            (4, 4, false),
            (3, 500, false),
        ] {
            let exactness = Exactness { exact, inexact };
            assert_eq!(exactness.is_proved(), proved, "{exact} of {inexact}");
        }
    }
}
