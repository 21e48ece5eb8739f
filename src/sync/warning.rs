//! Warnings: nothing failed, and a person should know. The caller chooses the words.

use crate::account::StoreSettings;
use crate::failure::Failure;
use crate::maildrop::Contradiction;
use crate::policy::Brake;
use crate::session::Refusal;
use crate::store::{Gap, Notice};

/// Something a person should know although nothing failed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Warning<'a> {
    /// The server said something that makes no sense behind its answer to QUIT: what came before
    /// is whole and recorded.
    BehindQuit {
        /// The error.
        error: &'a dyn Failure,
    },
    /// The listing contradicts itself, so that nothing is deleted on the server.
    Contradiction {
        /// In which way.
        contradiction: &'a Contradiction,
    },
    /// The server could not remove all that it had accepted to delete. The next run asks again.
    DeletionsRefused {
        /// Its answer to QUIT.
        refusal: &'a Refusal,
    },
    /// Messages are due for deletion on the server, and brakes hold that back.
    DeletionsHeld {
        /// How many.
        messages: u64,
        /// All that hold.
        brakes: &'a [Brake],
    },
    /// Digests of stored messages could not be recorded, so that they are read once more.
    DigestsUnrecorded {
        /// Of how many messages.
        messages: usize,
        /// Why.
        error: &'a dyn Failure,
    },
    /// `popsync import` took over a list, and the server has no message of it.
    ImportedInVain {
        /// Entries of the list.
        messages: u64,
    },
    /// A file that a whole message has replaced could not be taken away.
    LeftoverStays {
        /// Why.
        error: &'a dyn Failure,
    },
    /// At the end of the session STAT or UIDL lists other messages than at its beginning, so that
    /// nothing is deleted on the server.
    ListingChanged {
        /// How many messages were to be deleted.
        messages: usize,
    },
    /// It is not known which messages were deleted from the store, so that none is deleted on the
    /// server for that.
    LocalDeletionsUnknown {
        /// Why.
        worry: Worry<'a>,
    },
    /// Many messages are not in the store any more.
    MessagesMissing {
        /// How many.
        messages: u64,
        /// How many were stored.
        stored: u64,
        /// The store.
        store: &'a StoreSettings,
    },
    /// It could not be counted how many messages are still in the store.
    MissingUncounted {
        /// Why.
        error: &'a dyn Failure,
    },
    /// The server takes no further session of this run now.
    NoFurtherSession {
        /// The server's answer.
        error: &'a dyn Failure,
    },
    /// No message on the server is in the store that was to be taken over.
    NoneInStore {
        /// Messages on the server.
        messages: usize,
        /// The store.
        store: &'a StoreSettings,
    },
    /// The server has no unique-ids (UIDL).
    NoUniqueIds,
    /// The server takes no second session with the maildrop, although several are configured.
    OneSession {
        /// Why.
        obstacle: Obstacle<'a>,
    },
    /// The server has given its messages other unique-ids.
    Renamed {
        /// Messages that are known by their headers.
        known: usize,
        /// Messages with unknown unique-ids.
        unknown: usize,
    },
    /// The store ends in the middle of a message: what is missing stays on the server.
    StoreCut {
        /// Messages that are missing.
        messages: u64,
        /// The store.
        store: &'a StoreSettings,
    },
    /// The store had to be mended when it was opened.
    StoreMended {
        /// How.
        notice: &'a Notice,
        /// The store.
        store: &'a StoreSettings,
    },
    /// The result of a verification could not be recorded.
    VerificationUnrecorded {
        /// Why.
        error: &'a dyn Failure,
    },
    /// The server gives no header (TOP) of large messages.
    WithoutHeader {
        /// Of how many.
        messages: u64,
    },
    /// The server gives no sizes (LIST) of messages that a limit on sizes is for.
    WithoutSize {
        /// Of how many.
        messages: usize,
    },
    /// Messages have no unique-id, and stay where they are.
    WithoutUniqueId {
        /// How many.
        messages: u64,
    },
}

/// Why it is not known which messages were deleted from the store.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Worry<'a> {
    /// A look at the store does not tell.
    Doubtful(&'a Gap),
    /// It cannot be read.
    Unreadable(&'a dyn Failure),
}

/// Why there is no second session with the maildrop.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Obstacle<'a> {
    /// It could not be opened.
    Session(&'a dyn Failure),
    /// It lists other messages than the first one, or other sizes.
    OtherListing,
}

impl Warning<'_> {
    /// A name for programs: it stays what it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BehindQuit { .. } => "behind-quit",
            Self::Contradiction { .. } => "contradiction",
            Self::DeletionsHeld { .. } => "deletions-held",
            Self::DeletionsRefused { .. } => "deletions-refused",
            Self::DigestsUnrecorded { .. } => "digests-unrecorded",
            Self::ImportedInVain { .. } => "imported-in-vain",
            Self::LeftoverStays { .. } => "leftover-stays",
            Self::ListingChanged { .. } => "listing-changed",
            Self::LocalDeletionsUnknown { .. } => "local-deletions-unknown",
            Self::MessagesMissing { .. } => "messages-missing",
            Self::MissingUncounted { .. } => "missing-uncounted",
            Self::NoFurtherSession { .. } => "no-further-session",
            Self::NoUniqueIds => "no-unique-ids",
            Self::NoneInStore { .. } => "none-in-store",
            Self::OneSession { .. } => "one-session",
            Self::Renamed { .. } => "renamed",
            Self::StoreCut { .. } => "store-cut",
            Self::StoreMended { .. } => "store-mended",
            Self::VerificationUnrecorded { .. } => "verification-unrecorded",
            Self::WithoutHeader { .. } => "without-header",
            Self::WithoutSize { .. } => "without-size",
            Self::WithoutUniqueId { .. } => "without-unique-id",
        }
    }
}
