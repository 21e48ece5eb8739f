//! Step 1, of what an account keeps on this machine: its store, and what is remembered of it.

use std::sync::Arc;

use crate::cache::AccountRow;
use crate::store::{Notice, Store};
use crate::sync::decide::{Guarding, familiar};
use crate::sync::ledger::Ledger;
use crate::sync::shelf::Shelf;
use crate::sync::{Error, Request, Warning, record, storage};

/// A store that is ready to take messages.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    /// How it had to be mended.
    notices: Vec<Notice>,
    /// How many messages it lacks since it was cut short.
    missing: Option<u64>,
    /// Mail in a store of which nothing is recorded, until it is known whose it is.
    pub(super) shelf: Option<Shelf>,
    /// What the brakes on deletion know.
    pub(super) guarding: Guarding,
}

impl Opened {
    /// Tells a person what was found.
    pub(super) fn warn(&self, request: &Request<'_>) {
        let store = &request.account.store;
        for notice in &self.notices {
            request.warn(Warning::StoreMended { notice, store });
        }
        if let Some(messages) = self.missing {
            request.warn(Warning::StoreCut { messages, store });
        }
    }
}

/// Opens the store, and looks whether it is the one that was there before.
pub(super) async fn open(
    request: &Request<'_>,
    ledger: &mut Ledger,
    row: AccountRow,
    now: i64,
) -> Result<Opened, Error> {
    let state_dir = request.state_dir.to_owned();
    let account = request.account.clone();
    let allow = request.allow;
    let opening = ledger.with(move |cache, id| {
        familiar::doubt_maildir(cache, Some(&row), &account)?;
        let shelf = familiar::shelf(cache, Some(&row), &account, allow)?;
        let mut guarding = match Guarding::inspect(cache, &row, &account, allow) {
            Ok(guarding) => guarding,
            Err(error) => {
                cache.finish_run(id, record::unbegun(now, &error, &error.to_string()))?;
                return Err(error);
            }
        };
        let (store, notices) = storage::open(&account.store, &state_dir, cache, &row)?;
        let missing = guarding.notice_cut(cache, &row, &*store)?;
        if shelf.is_none() {
            guarding.settle(cache, &row, &account, &*store)?;
        }
        Ok::<_, Error>(Opened {
            store,
            notices,
            missing,
            shelf,
            guarding,
        })
    });
    opening.await
}
