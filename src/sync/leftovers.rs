//! Files that a whole message has taken the place of: the store's step 7.
//!
//! A stub stood for a message whose header alone was here; a stump is what came of a message that
//! was cut short. Both go once the whole message is where readers look. A crash in between leaves
//! the record, by which the next run does it.

use std::sync::Arc;

use super::ledger::Ledger;
use super::verify::local::{self, Content};
use super::{Error, Request, Warning, large};
use crate::account::StoreSettings;
use crate::cache::{AccountId, Cache, Stump};
use crate::store::{self, Name, Store, locate};

/// Takes away what this run, or one before it, has stored whole.
pub(super) async fn clear(ledger: &mut Ledger, request: &Request<'_>, store: &Arc<dyn Store>) {
    let settings = request.account.store.clone();
    let store = Arc::clone(store);
    let clearing = ledger.with(move |cache, account| {
        large::drop_stubs(cache, account, &*store, settings.maildir())?;
        drop_stumps(cache, account, &settings)
    });
    if let Err(error) = clearing.await {
        request.warn(Warning::LeftoverStays { error: &error });
    }
}

/// A stump that somebody has changed is no stump any more, and stays. In an mbox all stay.
fn drop_stumps(cache: &mut Cache, account: AccountId, store: &StoreSettings) -> Result<(), Error> {
    let stumps = cache.stumps(account)?;
    if stumps.is_empty() {
        return Ok(());
    }
    if let Some(maildir) = store.maildir() {
        let paths = locate(maildir, stumps.iter().map(|stump| &stump.name));
        let untouched = |stump: &&Stump| {
            let path = paths.get(stump.name.as_str());
            path.is_some_and(|path| {
                let compared = local::compare_digest(path, &stump.sha256, store.line_endings());
                matches!(compared, Ok(Content::Intact))
            })
        };
        let untouched = stumps.iter().filter(untouched);
        let pairs: Vec<(Name, Option<Name>)> = untouched
            .map(|stump| (stump.name.clone(), Some(stump.whole.clone())))
            .collect();
        store::replace(maildir, &pairs)?;
    }
    cache.forget_stumps(&stumps)?;
    Ok(())
}
