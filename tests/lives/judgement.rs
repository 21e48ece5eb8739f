//! The promises that a life can break.

/// The broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// The last copy of a message is gone.
    Lost,
    /// The last copy is gone: a person deleted the one here, and the policy must not follow that.
    LostAfterDeletion,
    /// A run removed a message from the store.
    TakenFromStore,
    /// The store has more copies of a message than the server ever had at once.
    StoredTwice,
    /// A complete run left a listed message out, as every run before it.
    NeverStored,
    /// A message at which the server breaks kept others from being stored.
    OneStopsOthers,
    /// Deleted on the server although the policy says otherwise.
    AgainstPolicy,
    /// A dry run announced something else than the sync did.
    DryRunDiffers,
    /// A dry run changed something.
    DryRunActs,
    /// With a server that behaves and all permissions, a run still fails.
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
