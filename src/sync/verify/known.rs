//! The records and the files, read before they are compared.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::super::visit::{Past, Premises, Purpose};
use super::super::{Error, Request};
use crate::account::StoreSettings;
use crate::cache::{AccountRow, Cache, Lock, Loss, MessageKey, Snapshot, Stored};
use crate::maildrop::Maildrop;
use crate::policy::Memory;
use crate::store::{Extent, Maildir};

/// All records of an account.
pub(in crate::sync) struct Known {
    /// Keeps runs away. None if there was no run yet.
    _lock: Option<Lock>,
    pub(super) row: Option<AccountRow>,
    /// The messages, in the order in which they were stored.
    pub(in crate::sync) stored: Vec<Stored>,
    /// Their places, if the store is one file.
    pub(super) extents: HashMap<MessageKey, Extent>,
    /// The names of all files that the account has, or had, also of stubs.
    pub(super) recorded: HashSet<String>,
    /// The tags of other accounts.
    pub(super) other_tags: HashSet<String>,
    /// The number of verifications that have read only a part.
    pub(super) parts_read: u64,
    /// The missing messages that runs have noticed.
    pub(super) loss: Option<Loss>,
    /// All records of the mailbox.
    snapshot: Snapshot,
    pub(super) past: Past,
}

impl Known {
    /// Reads the records. A verification holds the account's lock from then on; a rehearsal does
    /// not.
    ///
    /// # Errors
    /// Those of the state.
    pub(in crate::sync) async fn read(
        request: &Request<'_>,
        purpose: Purpose,
    ) -> Result<Self, Error> {
        let account = request.account.clone();
        let Premises {
            lock,
            mut ledger,
            row,
            past,
        } = Premises::enter(request, purpose).await?;
        let reading = ledger.with(move |cache, id| {
            if matches!(account.store, StoreSettings::Exec { .. }) {
                return Err(Error::NotLookedAt);
            }
            cache.check()?;
            let mut other_tags = cache.tags()?;
            if let Some(row) = &row {
                other_tags.remove(&row.tag);
            }
            let extents = cache.extents(id)?.into_iter();
            let extents = extents.map(|(key, extent)| (MessageKey::new(key), extent));
            Ok(Self {
                _lock: lock,
                row,
                stored: cache.stored(id)?,
                extents: extents.collect(),
                recorded: cache.file_names(id)?,
                other_tags,
                parts_read: cache.verified_parts(id)?,
                loss: cache.loss(id)?.filter(|loss| loss.missing > 0),
                snapshot: cache.snapshot(id)?,
                past,
            })
        });
        reading.await
    }

    /// Asserts that the store is there.
    ///
    /// # Errors
    /// There is no Maildir, and there should be one: perhaps a volume is not mounted. Then no message
    /// is missing.
    pub(in crate::sync) fn has_store(&self, request: &Request<'_>) -> Result<(), Error> {
        if let Some(maildir) = request.account.store.maildir()
            && !self.stored.is_empty()
            && !Maildir::is_there(maildir)?
        {
            return Err(Error::StoreMissing {
                kind: "Maildir",
                path: maildir.to_owned(),
            });
        }
        Ok(())
    }

    /// The number of listed messages without any record.
    pub(super) fn unknown(&self, maildrop: &Maildrop) -> u64 {
        let unknown = maildrop.iter().filter(|message| {
            self.snapshot.recall(message.unique_id).is_none()
                && self.snapshot.recall_header(message.unique_id).is_none()
        });
        unknown.count() as u64
    }

    /// Records findings.
    pub(super) fn record(
        &self,
        state_dir: &Path,
        act: impl FnOnce(&mut Cache, &AccountRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(row) = &self.row else { return Ok(()) };
        act(&mut Cache::open(state_dir)?, row)
    }
}
