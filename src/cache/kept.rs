//! Caches that stay open between the runs of several accounts. To open one takes longer than to use it
//! for a small mailbox: SQLite reads and parses the schema, and compiles each statement anew.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Cache, Error, FILE_NAME, migrate};

/// The caches that nobody uses now, as long as somebody wants them kept.
static KEPT: Mutex<Kept> = Mutex::new(Kept {
    wishes: 0,
    caches: Vec::new(),
});

#[derive(Debug)]
struct Kept {
    /// The number of [`KeepOpen`].
    wishes: usize,
    caches: Vec<Cache>,
}

/// As long as it lives, caches stay open that runs have done with.
#[derive(Debug)]
#[must_use]
pub struct KeepOpen {
    is_durable: bool,
}

impl KeepOpen {
    /// Begins to keep them.
    #[expect(clippy::new_without_default, reason = "a guard, and no value")]
    pub fn new() -> Self {
        kept().wishes += 1;
        Self { is_durable: false }
    }
}

impl KeepOpen {
    /// Makes durable what runs recorded at their end, and ends to keep their caches open. To drop it
    /// does the same, but tells nobody of a failure.
    ///
    /// # Errors
    /// [`Error::NotDurable`].
    #[cfg(feature = "cli")]
    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.is_durable = true;
        kept().wait_for_disk()
    }
}

impl Drop for KeepOpen {
    fn drop(&mut self) {
        let mut kept = kept();
        if !self.is_durable {
            let _ = kept.wait_for_disk();
        }
        kept.wishes -= 1;
        if kept.wishes == 0 {
            let caches = std::mem::take(&mut kept.caches);
            // To close the last one writes the WAL back.
            drop(kept);
            drop(caches);
        }
    }
}

impl Kept {
    /// Makes all durable that was recorded through these caches.
    fn wait_for_disk(&mut self) -> Result<(), Error> {
        let shares = |cache: &&mut Cache| cache.group.is_some();
        match self.caches.iter_mut().find(shares) {
            Some(cache) => {
                // All of them write the same WAL.
                cache.note_written();
                cache.wait_for_disk()
            }
            // Each commit has waited.
            None => Ok(()),
        }
    }
}

fn kept() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// True if caches stay open.
pub(super) fn is_wanted() -> bool {
    kept().wishes > 0
}

/// What identifies a file.
pub(super) fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

impl Cache {
    /// True if a cache was kept open.
    pub(crate) fn is_kept() -> bool {
        !kept().caches.is_empty()
    }

    /// Opens the cache in this folder, or takes one that was kept open. For one run of one account.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub(crate) fn open_or_kept(state_dir: &Path) -> Result<Self, Error> {
        match Self::kept(state_dir)? {
            Some(cache) => Ok(cache),
            None => Self::open(state_dir),
        }
    }

    /// A cache that was kept open, if the file is still the same, and as this popsync knows it.
    fn kept(state_dir: &Path) -> Result<Option<Self>, Error> {
        let path = state_dir.join(FILE_NAME);
        let Ok(found) = std::fs::metadata(&path) else {
            return Ok(None);
        };
        let is_it = |cache: &Self| cache.file == Some(identity(&found));
        let mut kept = kept();
        let place = kept.caches.iter().position(is_it);
        let cache = place.map(|place| kept.caches.swap_remove(place));
        drop(kept);
        let Some(mut cache) = cache else {
            return Ok(None);
        };
        if !migrate::is_current(&cache.connection)? {
            return Ok(None);
        }
        if cache.group.is_none() {
            return Ok(None);
        }
        // Another process may have been killed since this one opened the file, and runs of this one
        // have not waited at their end.
        cache.note_written();
        Ok(Some(cache))
    }

    /// Gives the cache back after a run. It stays open if a [`KeepOpen`] wants it.
    pub(crate) fn give_back(self) {
        let mut kept = kept();
        if kept.wishes > 0 && self.file.is_some() && self.connection.is_autocommit() {
            kept.caches.push(self);
        }
    }
}
