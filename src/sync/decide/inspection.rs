//! A look at the store: which messages it has, and what that proves.

use crate::store::{self, Gap, Inventory, Name, Readers};
use crate::sync::Worry;

/// Proof that a message is in the store. Only a look can make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Found(());

/// Proof that a message is in no folder of the store. Only a look that covered everything can make
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Gone(());

/// A look at the store.
#[derive(Debug)]
pub(in crate::sync) enum Inspection {
    /// It covered the store.
    Taken(Inventory),
    /// This kind of store cannot be looked at.
    Impossible,
    /// The store cannot be read.
    Failed(store::Error),
}

impl Inspection {
    /// Looks at a store.
    pub(in crate::sync) fn at(store: &dyn Readers) -> Self {
        Self::of(store.inventory())
    }

    fn of(inventory: Result<Option<Inventory>, store::Error>) -> Self {
        match inventory {
            Ok(Some(inventory)) => Self::Taken(inventory),
            Ok(None) => Self::Impossible,
            Err(error) => Self::Failed(error),
        }
    }

    /// The reason why it is unknown which messages were deleted from the store, if the user should
    /// know. A store that kept changing is no such reason: the next run looks again.
    pub(in crate::sync) fn worry(&self) -> Option<Worry<'_>> {
        match self {
            Self::Taken(inventory) => inventory
                .gap()
                .filter(|gap| **gap != Gap::Changing)
                .map(Worry::Doubtful),
            Self::Impossible => None,
            Self::Failed(error) => Some(Worry::Unreadable(error)),
        }
    }

    /// The proof that a message is in the store. None if it is not there, or if one of several with
    /// the unique-id is not. A message that another program has taken counts too: nobody can look
    /// there.
    pub(in crate::sync) fn find(&self, names: &[Name]) -> Option<Found> {
        let is_found = match self {
            Self::Taken(inventory) => {
                !names.is_empty() && names.iter().all(|name| inventory.proves(name))
            }
            Self::Impossible => true,
            Self::Failed(_) => false,
        };
        is_found.then_some(Found(()))
    }

    /// The proof that a message is in no folder of the store.
    pub(in crate::sync) fn miss(&self, names: &[Name]) -> Option<Gone> {
        let Self::Taken(inventory) = self else {
            return None;
        };
        let is_gone = inventory.gap().is_none() && !names.iter().any(|name| inventory.holds(name));
        is_gone.then_some(Gone(()))
    }
}
