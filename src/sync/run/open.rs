//! Step 1, for the local part of an account: its store and its records.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cache::AccountRow;
use crate::failure::Failure;
use crate::store::{Notice, Store};
use crate::sync::decide::{Brakes, lost_state};
use crate::sync::header_index::HeaderIndex;
use crate::sync::ledger::{Amount, Ledger, Thread};
use crate::sync::{Error, Request, Warning, record, storage};

/// A store that is ready for messages.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    /// The repairs that were necessary.
    notices: Vec<Notice>,
    /// The number of messages that it lacks since it was cut short.
    missing: Option<u64>,
    /// The headers in a store without records, until it is known whose mail it is.
    pub(super) header_index: Option<HeaderIndex>,
    /// The state of the brakes on deletion.
    pub(super) brakes: Brakes,
    /// When messages at which sessions of earlier runs broke were last tried.
    pub(super) tried_at: HashMap<Vec<u8>, i64>,
}

impl Opened {
    /// Warns the user of these findings.
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

/// Opens the store, and checks that it is the same one as before.
pub(super) async fn open(
    request: &Request<'_>,
    ledger: &mut Ledger,
    row: AccountRow,
    now: i64,
) -> Result<Opened, Error> {
    let state_dir = request.state_dir.to_owned();
    let account = request.account.clone();
    let allow = request.allow;
    // A signal is heard while much is read. Nothing in a new Maildir is to be read. Of another one of which
    // nothing is recorded, each header may be; of an mbox, all of it.
    let thread = match (account.store.maildir(), ledger.amount()) {
        (Some(path), Amount::Nothing) if !path.exists() => Thread::Own,
        (Some(_), Amount::Few) => Thread::Own,
        _ => Thread::Other,
    };
    let opening = ledger.on(thread, move |cache, id| {
        lost_state::refuse_known_maildir(cache, Some(&row), &account)?;
        let header_index = lost_state::header_index(cache, Some(&row), &account, allow)?;
        let mut brakes = match Brakes::inspect(cache, &row, &account, allow) {
            Ok(brakes) => brakes,
            Err(error) => {
                cache.finish_run(id, record::unbegun(now, error.exit(), &error.to_string()))?;
                return Err(error);
            }
        };
        let (store, notices) = storage::open(&account.store, &state_dir, cache, &row)?;
        let missing = brakes.notice_cut(cache, &row, &*store)?;
        if header_index.is_none() {
            cache.in_order(|cache| brakes.settle(cache, &row, &account, &*store))?;
        }
        Ok::<_, Error>(Opened {
            store,
            notices,
            missing,
            header_index,
            brakes,
            tried_at: cache.breakers(id)?,
        })
    });
    opening.await
}
