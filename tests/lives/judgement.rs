//! The promises that a life can break.

/// Which promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// The last copy of a message is gone.
    Lost,
    /// The last copy is gone: a person deleted the one here, and the policy was not to follow.
    LostAfterDeletion,
    /// A run took a message out of the store.
    TakenFromStore,
    /// A message is in the store more often than the server ever held it at once.
    StoredTwice,
    /// A run that came to its end left a listed message out, as every run before it.
    NeverStored,
    /// A message at which the server breaks kept others from being stored.
    OneStopsOthers,
    /// Deleted on the server although the policy says otherwise.
    AgainstPolicy,
    /// A dry run announced something else than what the sync then did.
    DryRunDiffers,
    /// A dry run changed something.
    DryRunActs,
    /// With a server that behaves and every allowance, a run still fails.
    StaysBroken,
    /// The program panicked or hung.
    Breaks,
}

/// A broken promise.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) kind: Kind,
    pub(crate) words: String,
}

pub(crate) type Judged = Result<(), Violation>;

pub(crate) fn violation(kind: Kind, words: impl Into<String>) -> Judged {
    let words = words.into();
    Err(Violation { kind, words })
}
