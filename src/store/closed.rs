//! A store that is not opened for delivery: it is read, and left as it is.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Error, Gap, Inventory, Maildir, Mbox, Readers, Viewer};

/// The kind and path of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A Maildir.
    Maildir(PathBuf),
    /// An mbox.
    Mbox(PathBuf),
    /// Another program has the messages.
    Elsewhere,
}

/// The readers' side of the store at this place. It creates nothing if there is no store.
pub(crate) fn closed(place: Place) -> Arc<dyn Readers> {
    Arc::new(place)
}

impl Readers for Place {
    fn inventory(&self) -> Result<Option<Inventory>, Error> {
        match self {
            Self::Maildir(path) if Maildir::is_there(path)? => Maildir::look(path).map(Some),
            Self::Maildir(_) => Ok(Some(Inventory::default())),
            Self::Mbox(path) => Mbox::look(path).map(Some),
            Self::Elsewhere => Ok(None),
        }
    }

    fn strangers(
        &self,
        known: &dyn Fn(&str) -> bool,
        viewer: &mut dyn Viewer,
    ) -> Result<Option<Gap>, Error> {
        match self {
            Self::Maildir(path) if Maildir::is_there(path)? => {
                Maildir::strangers_at(path, known, viewer)
            }
            _ => Ok(None),
        }
    }
}
