//! How retrieved messages ended up here, and the proofs that some of them give.

use super::order::Slot;
use crate::cache::{Doubt, MessageKey, Sizes};

/// Proof that a message is on stable storage and recorded: only the committer makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Committed(());

impl Committed {
    /// Step 5 is done for the message.
    pub(super) fn after_publishing() -> Self {
        Self(())
    }
}

/// A message that was retrieved whole, as far as its session could tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Landing {
    pub(in crate::sync) slot: Slot,
    /// Its record.
    pub(in crate::sync) key: MessageKey,
    pub(in crate::sync) landed: Landed,
    /// Why it may not be whole.
    pub(in crate::sync) doubt: Option<Doubt>,
    /// How it compares with the size that LIST gave it.
    pub(in crate::sync) size: Size,
}

/// Where a retrieved message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum Landed {
    /// It was stored.
    Stored(Committed),
    /// It was stored by an earlier run, and was found in the store.
    Known(Committed),
    /// It was to go since a person had deleted it here, and proved to be another one, which is in
    /// the store.
    Another,
    /// It was stored by an earlier run, and a person deleted it here since.
    DeletedHere,
    /// The same, and the policy follows that.
    Followed,
    /// It was stored by an earlier run, and cannot be looked for everywhere.
    Unclear,
}

/// How a message's size compares with the one that LIST gave.
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

/// How exact a server's sizes have proved: those that it gave messages of earlier runs, and of
/// this one.
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

/// A server has shown nothing with fewer exact sizes than this.
const MIN_EXACT: u64 = 3;

impl Exactness {
    pub(super) fn learn(&mut self, size: Size) {
        match size {
            Size::Exact => self.exact += 1,
            Size::Longer | Size::Shorter => self.inexact += 1,
            Size::Unlisted => {}
        }
    }

    /// Whether a size of this server's says how long a message is. Exchange's estimates hit the
    /// size by chance alone (`XPOP3:N5`); of a server that counts, most sizes are exact, also
    /// when it cuts some messages short.
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
