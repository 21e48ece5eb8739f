//! Puts messages that were retrieved again in their places.
//!
//! In a Maildir each message gets its old place, under the recorded name; the records do not
//! change. To an mbox they are appended, in the order and with the records of a sync; damaged
//! messages stay where they are, since nothing is ever rewritten there.

use std::sync::Arc;

use super::super::progress::Progress;
use super::super::transfer::Arrived;
use super::super::{Error, Request, storage};
use super::Wrong;
use super::known::Known;
use crate::account::StoreSettings;
use crate::cache::{AccountRow, Cache, Staged, Stored, Takes};
use crate::store::{Maildir, Name, Put, Restored, Store, stop_point};

/// The store, opened for repairs.
pub(super) struct Mender<'a> {
    store: Arc<dyn Store>,
    way: Way,
    pub(super) progress: Progress<'a>,
}

enum Way {
    /// Each goes to its place.
    Places(Maildir),
    /// Each is appended.
    Append {
        cache: Box<Cache>,
        row: AccountRow,
        now: i64,
    },
}

/// A message that was retrieved again and written.
pub(super) struct Mended<'a> {
    pub(super) draft: Name,
    pub(super) arrived: Arrived,
    pub(super) stored: &'a Stored,
    pub(super) wrong: &'a Wrong,
}

impl<'a> Mender<'a> {
    /// Opens the store to mend these messages.
    pub(super) fn open(
        request: &'a Request<'_>,
        known: &Known,
        wrong: &[Wrong],
    ) -> Result<Self, Error> {
        let octets = wrong.iter().map(|wrong| known.stored[wrong.place].octets);
        let messages = wrong.len() as u64;
        let progress = Progress::begin(request.reporter, "repairing", messages, octets.sum());
        let (settings, row) = (&request.account.store, known.row.clone());
        match (settings, row) {
            (StoreSettings::Maildir { path, .. }, Some(row)) => {
                let maildir = Maildir::open(path, &row.tag)?;
                Ok(Self {
                    store: Arc::new(maildir.clone()),
                    way: Way::Places(maildir),
                    progress,
                })
            }
            (StoreSettings::Mbox { .. }, Some(row)) => {
                let mut cache = Cache::open(request.state_dir)?;
                let (store, _) = storage::open(settings, request.state_dir, &mut cache, &row)?;
                let way = Way::Append {
                    cache: Box::new(cache),
                    row,
                    now: (request.clock)(),
                };
                Ok(Self {
                    store,
                    way,
                    progress,
                })
            }
            _ => Err(Error::NotLookedAt),
        }
    }

    /// The store in which drafts are begun.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Makes them durable in their places, and returns the result for each.
    pub(super) fn mend(&mut self, messages: &[Mended<'_>]) -> Result<Vec<Put>, Error> {
        match &mut self.way {
            Way::Places(maildir) => {
                let messages = messages.iter().map(|one| Restored {
                    draft: one.draft.clone(),
                    name: one.stored.name.clone(),
                    replaces: one.wrong.path.clone(),
                });
                Ok(maildir.restore(&messages.collect::<Vec<_>>())?)
            }
            Way::Append { cache, row, now } => append(&*self.store, cache, row, *now, messages),
        }
    }
}

/// Steps 2 to 6 of the store's order.
fn append(
    store: &dyn Store,
    cache: &mut Cache,
    row: &AccountRow,
    now: i64,
    messages: &[Mended<'_>],
) -> Result<Vec<Put>, Error> {
    let names: Vec<Name> = messages.iter().map(|one| one.draft.clone()).collect();
    let extents = store
        .settle(&names)
        .inspect_err(|_| store.discard(&names))?;
    let rows = messages.iter().zip(extents).map(|(one, extent)| Staged {
        unique_id: one.stored.unique_id.clone(),
        name: one.draft.clone(),
        octets: one.arrived.octets,
        sha256: one.arrived.sha256,
        stored_sha256: one.arrived.stored_sha256,
        header_sha256: one.arrived.header_sha256,
        listed_octets: None,
        line_ends: one.arrived.line_ends,
        extent,
        doubt: None,
        takes: Takes::Lost(one.stored.key),
    });
    let rows: Vec<Staged> = rows.collect();
    let staged = cache.stage(row.id, &rows, now);
    staged.inspect_err(|error| {
        if !error.is_recorded() {
            store.discard(&names);
        }
    })?;
    stop_point(3);
    store.publish(&names)?;
    cache.clear_staged(row.id)?;
    // The damaged message stays in the file.
    let put = messages.iter().map(|one| Put::There {
        kept: one.wrong.path.clone(),
    });
    Ok(put.collect())
}
