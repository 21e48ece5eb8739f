//! The pure plan: for every message of the maildrop one action, and why.

use std::fmt;

/// What is to be done with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Delete it on the server; it was stored before.
    Delete,
    /// Do nothing: it is stored, and it stays.
    Keep,
    /// Retrieve it, and leave it on the server.
    Retrieve,
    /// Retrieve it, and delete it on the server once it is safely stored.
    RetrieveThenDelete,
    /// Leave it aside although it is not stored.
    Skip,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The server was asked to delete it before and still lists it.
    AskedBefore,
    /// It is larger than `max-size`.
    LargerThanMaxSize,
    /// It is not in the cache.
    New,
    /// The listing gives it no unique-id, so it could not be told apart later.
    NoUniqueId,
    /// The policy deletes what is stored, and it is.
    NotLeftOnServer,
    /// `remove-after-days` have passed since it was stored.
    OlderThanRemoveAfter,
    /// The run's `max-messages` or `max-octets` is used up.
    RunLimit,
    /// It is stored, and the policy leaves it on the server.
    Stored,
    /// Several messages of the listing share this unique-id.
    UniqueIdRepeated,
    /// The listing contradicts itself, so nothing known is deleted in this session.
    ListingContradictsItself,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delete => "delete",
            Self::Keep => "keep",
            Self::Retrieve => "retrieve",
            Self::RetrieveThenDelete => "retrieve, then delete",
            Self::Skip => "skip",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AskedBefore => "deletion asked before, still listed",
            Self::LargerThanMaxSize => "larger than max-size",
            Self::New => "new",
            Self::NoUniqueId => "no unique-id",
            Self::NotLeftOnServer => "stored, and not left on the server",
            Self::OlderThanRemoveAfter => "stored longer ago than remove-after-days",
            Self::RunLimit => "over this run's max-messages or max-octets",
            Self::Stored => "stored",
            Self::UniqueIdRepeated => "several messages share this unique-id",
            Self::ListingContradictsItself => "the listing contradicts itself",
        })
    }
}
