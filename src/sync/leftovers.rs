//! Files that a whole message has replaced: the store's step 7.
//!
//! A stub stands for a message of which only the header is here; a stump is a message that was cut
//! short. Both are removed once the whole message is where readers look. After a crash in between,
//! the next run does it, because the record remains.

use std::sync::Arc;

use super::ledger::Ledger;
use super::verify::local::{self, Content};
use super::{Error, Request, Warning, large};
use crate::account::StoreSettings;
use crate::cache::{AccountId, Cache, Stump};
use crate::store::{self, Name, Store, locate};

/// Removes the stubs and stumps of messages that this run, or an earlier one, has stored whole.
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

/// Removes stumps. A file that a person or program has changed is no stump any more, and stays. In
/// an mbox all stay.
fn drop_stumps(cache: &mut Cache, account: AccountId, store: &StoreSettings) -> Result<(), Error> {
    let stumps = cache.stumps(account)?;
    if stumps.is_empty() {
        return Ok(());
    }
    cache.wait_for_disk()?;
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
