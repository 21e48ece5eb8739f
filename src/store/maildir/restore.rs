//! Putting messages back where they were: those that are damaged, and those that are gone.
//!
//! A message that was retrieved again is written like a new one, and takes the place of the old
//! one by a single rename. So at any instant there is the damaged one or the good one, never
//! both, and what a crash leaves in `tmp` is removed by the next run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::{Maildir, open_folder, sync_folder};
use crate::store::{Error, Name, Store};

/// A written message and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What it was written as.
    pub draft: Name,
    /// The name that is recorded for it.
    pub name: Name,
    /// The damaged file that it replaces; none where there is none.
    pub replaces: Option<PathBuf>,
}

impl Maildir {
    /// Makes these messages durable, and puts each in its place. Gives how many: a damaged file
    /// that was moved or deleted meanwhile is not replaced, and what was written for it is
    /// removed.
    ///
    /// # Errors
    /// [`Error::Io`]. Those before the one that failed are in their places.
    pub fn restore(&self, messages: &[Restored]) -> Result<u64, Error> {
        let drafts: Vec<Name> = messages.iter().map(|one| one.draft.clone()).collect();
        self.settle(&drafts)?;
        let inner = &self.inner;
        let mut folders = BTreeSet::new();
        let mut restored = 0;
        for one in messages {
            let target = one
                .replaces
                .clone()
                .unwrap_or_else(|| inner.path_of("new", &one.name));
            let is_there = std::fs::symlink_metadata(&target).is_ok();
            if is_there != one.replaces.is_some() {
                self.discard(std::slice::from_ref(&one.draft));
                continue;
            }
            rustix::fs::renameat(&inner.tmp, one.draft.as_str(), rustix::fs::CWD, &target)
                .map_err(|error| Error::io("renaming to", &target, error))?;
            restored += 1;
            if let Some(folder) = target.parent() {
                folders.insert(folder.to_owned());
            }
        }
        for folder in folders {
            sync(&folder)?;
        }
        Ok(restored)
    }
}

fn sync(folder: &Path) -> Result<(), Error> {
    open_folder(folder, OFlags::empty())
        .map_err(std::io::Error::from)
        .and_then(sync_folder)
        .map_err(|error| Error::io("syncing", folder, error))
}

/// Opens a stored message, and nothing that stands in for one.
///
/// # Errors
/// Those of the system.
pub fn open_message(path: &Path) -> std::io::Result<std::fs::File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file: std::fs::File = rustix::fs::open(path, flags, Mode::empty())?.into();
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(std::io::ErrorKind::InvalidInput.into())
    }
}
