//! The actions for a message and the reasons for them, in names and in words.

use std::fmt;

/// The action for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Delete it on the server; it was stored before.
    Delete,
    /// Retrieve its header, and leave it on the server.
    Headers,
    /// Do nothing: it is stored, and stays on the server.
    Keep,
    /// Retrieve it, and leave it on the server.
    Retrieve,
    /// Retrieve it, and delete it on the server once it is safely stored.
    RetrieveThenDelete,
    /// Retrieve it, and delete it on the server if it proves to be the message that is stored.
    RetrieveThenDeleteIfKnown,
    /// Do not retrieve it, although it is not stored.
    Skip,
}

/// The reason for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The server was asked to delete it before and still lists it.
    AskedBefore,
    /// Its header is here. It is large, and nobody has asked for the rest.
    HeadersOnly,
    /// It is larger than `headers-only-above`.
    LargerThanHeadersOnlyAbove,
    /// Another program downloaded it, and popsync has no copy.
    Imported,
    /// The session breaks at it: it is asked for last, in a session of its own.
    BreaksSession,
    /// It is due for removal, but its copy was deleted here, so the server's is the last one.
    CopyDeleted,
    /// It was stored, but the current store does not have it, so the server's may be the last one.
    CopyLost,
    /// It is due for removal, but its copy was not found in the store.
    CopyUnclear,
    /// No folder of the store has it any more.
    DeletedLocally,
    /// It is stored and was to be deleted at once, but that session was interrupted.
    DeletionInterrupted,
    /// It is stored, and may not have come whole.
    Doubtful,
    /// It is to be deleted, but a brake holds all deletions back.
    HeldBack,
    /// It is larger than `max-size`.
    LargerThanMaxSize,
    /// It is large, and a person has asked for all of it.
    Marked,
    /// It is not in the cache.
    New,
    /// The listing gives it no unique-id, so it could not be recognised later.
    NoUniqueId,
    /// The policy deletes stored messages, and it is stored.
    NotLeftOnServer,
    /// `remove-after-days` have passed since it was stored.
    OlderThanRemoveAfter,
    /// The server refused it earlier in this run, and hung up.
    RefusedBefore,
    /// The run's `max-messages` or `max-octets` is used up.
    RunLimit,
    /// It is stored, and the policy leaves it on the server.
    Stored,
    /// The unique-id does not identify the message: several have it, or it was missing for a while.
    UniqueIdAmbiguous,
    /// The listing contradicts itself, so no message of earlier runs is deleted in this session.
    ListingContradictsItself,
}

impl Action {
    /// True if the message is to be retrieved.
    pub fn retrieves(self) -> bool {
        matches!(
            self,
            Self::Retrieve | Self::RetrieveThenDelete | Self::RetrieveThenDeleteIfKnown
        )
    }

    /// True if the message is to leave the server in this session.
    pub fn deletes(self) -> bool {
        matches!(
            self,
            Self::Delete | Self::RetrieveThenDelete | Self::RetrieveThenDeleteIfKnown
        )
    }

    /// True if a message of an earlier run is to leave the server.
    pub fn deletes_known(self) -> bool {
        matches!(self, Self::Delete | Self::RetrieveThenDeleteIfKnown)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delete => "delete",
            Self::Headers => "headers only",
            Self::Keep => "keep",
            Self::Retrieve => "retrieve",
            Self::RetrieveThenDelete => "retrieve, then delete",
            Self::RetrieveThenDeleteIfKnown => "retrieve, then delete if it is the stored one",
            Self::Skip => "skip",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AskedBefore => "deletion asked before, still listed",
            Self::HeadersOnly => "headers only, not marked",
            Self::LargerThanHeadersOnlyAbove => "larger than headers-only-above",
            Self::Imported => "had by another program, and not stored here",
            Self::BreaksSession => "the session breaks at it, so it comes last",
            Self::CopyDeleted => "due for removal, but its copy was deleted here",
            Self::CopyLost => "stored, but missing from the store as it is now",
            Self::CopyUnclear => "due for removal, but its copy was not found",
            Self::Doubtful => "stored, but perhaps not whole",
            Self::DeletedLocally => "stored, and deleted from the store since",
            Self::DeletionInterrupted => "stored, and its deletion was interrupted",
            Self::HeldBack => "due for removal, and held back",
            Self::LargerThanMaxSize => "larger than max-size",
            Self::Marked => "marked",
            Self::New => "new",
            Self::NoUniqueId => "no unique-id",
            Self::NotLeftOnServer => "stored, and not left on the server",
            Self::OlderThanRemoveAfter => "stored longer ago than remove-after-days",
            Self::RefusedBefore => "refused by the server earlier in this run",
            Self::RunLimit => "over this run's max-messages or max-octets",
            Self::Stored => "stored",
            Self::UniqueIdAmbiguous => "the unique-id does not tell which message this is",
            Self::ListingContradictsItself => "the listing contradicts itself",
        })
    }
}
