//! The records and the files, read before they are compared.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::super::progress::Progress;
use super::super::visit::{Past, Premises, Purpose};
use super::super::{Error, Request, Warning, storage};
use super::Part;
use crate::account::StoreSettings;
use crate::cache::{AccountId, AccountRow, Cache, Lock, Loss, MessageKey, Stored};
use crate::maildrop::Maildrop;
use crate::policy::Memory;
use crate::store::{Extent, Maildir};

/// All records of an account.
pub(in crate::sync) struct Known {
    /// Keeps runs away. None if there was no run yet.
    lock: Option<Lock>,
    pub(super) row: Option<AccountRow>,
    /// The messages, in the order in which they were stored.
    pub(in crate::sync) stored: Vec<Stored>,
    /// Their places, if the store is one file.
    pub(super) extents: HashMap<MessageKey, Extent>,
    /// The names of files that the account has, or may have, beside the stored messages: of stubs,
    /// and of messages that a run left.
    pub(super) recorded: HashSet<String>,
    /// The tags of other accounts.
    pub(super) other_tags: HashSet<String>,
    /// The number of verifications that have read only a part.
    pub(super) parts_read: u64,
    /// The number of messages that a run left when it was cut short.
    pub(super) unfinished: u64,
    /// The missing messages that runs have noticed.
    pub(super) loss: Option<Loss>,
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
        let reading = ledger.with(move |cache, _| {
            if matches!(account.store, StoreSettings::Exec { .. }) {
                return Err(Error::NotLookedAt);
            }
            cache.check()?;
            Self::gather(cache, lock, row, past)
        });
        reading.await
    }

    fn gather(
        cache: &Cache,
        lock: Option<Lock>,
        row: Option<AccountRow>,
        past: Past,
    ) -> Result<Self, Error> {
        let id = row.as_ref().map_or(AccountId::NONE, |row| row.id);
        let mut other_tags = cache.tags()?;
        if let Some(row) = &row {
            other_tags.remove(&row.tag);
        }
        let extents = cache.extents(id)?.into_iter();
        let extents = extents.map(|(key, extent)| (MessageKey::new(key), extent));
        Ok(Self {
            lock,
            row,
            stored: cache.stored(id)?,
            extents: extents.collect(),
            recorded: cache.further_names(id)?,
            other_tags,
            parts_read: cache.verified_parts(id)?,
            unfinished: cache.staged(id)?.len() as u64,
            loss: cache.loss(id)?.filter(|loss| loss.missing > 0),
            past,
        })
    }

    /// Puts messages that a run left when it was cut short in their places, and reads the records
    /// anew.
    ///
    /// # Errors
    /// Those of the state and of the store.
    pub(super) fn recover(self, request: &Request<'_>) -> Result<Self, Error> {
        self.has_store(request)?;
        let Self {
            lock, row, past, ..
        } = self;
        let mut cache = Cache::open(request.state_dir)?;
        if let Some(row) = &row {
            let store = &request.account.store;
            let (_, notices) = storage::open(store, request.state_dir, &mut cache, row)?;
            for notice in &notices {
                request.warn(Warning::StoreMended { notice, store });
            }
        }
        Self::gather(&cache, lock, row, past)
    }

    /// Asserts that the store is there.
    ///
    /// # Errors
    /// There is no Maildir or mbox, and there should be one: perhaps a volume is not mounted. Then no
    /// message is missing.
    pub(in crate::sync) fn has_store(&self, request: &Request<'_>) -> Result<(), Error> {
        let (kind, path, is_there) = match &request.account.store {
            StoreSettings::Maildir { path, .. } => ("Maildir", path, Maildir::is_there(path)?),
            StoreSettings::Mbox { path, .. } => ("mbox", path, path.exists()),
            StoreSettings::Exec { .. } => return Ok(()),
        };
        if is_there || self.stored.is_empty() {
            return Ok(());
        }
        Err(Error::StoreMissing {
            kind,
            path: path.clone(),
        })
    }

    /// Reports that the messages of this part are now compared.
    pub(super) fn progress<'a>(&self, request: &'a Request<'_>, part: Part) -> Progress<'a> {
        let read = self.stored.iter().filter(|stored| part.holds(stored.key));
        let (messages, octets) = read.fold((0, 0), |(messages, octets), stored| {
            (messages + 1, octets + stored.octets)
        });
        Progress::begin(request.reporter, "comparing", messages, octets)
    }

    /// The number of listed messages without any record.
    ///
    /// # Errors
    /// Those of the state.
    pub(super) fn unknown(&self, state_dir: &Path, maildrop: &Maildrop) -> Result<u64, Error> {
        let snapshot = match (&self.row, Cache::open_read_only(state_dir)?) {
            (Some(row), Some(cache)) => cache.snapshot(row.id)?,
            _ => return Ok(maildrop.len() as u64),
        };
        let unknown = maildrop.iter().filter(|message| {
            snapshot.recall(message.unique_id).is_none()
                && snapshot.recall_header(message.unique_id).is_none()
        });
        Ok(unknown.count() as u64)
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
