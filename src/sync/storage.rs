//! Step 1 of a sync, for the store: opens it, and recovers what an interrupted run left in it.

use std::path::Path;
use std::sync::Arc;

use super::Error;
use crate::account::StoreSettings;
use crate::cache::{AccountRow, Cache};
use crate::store::{Exec, Maildir, Mbox, Name, Notice, Record, Store, stop_point};

/// The folder in the state folder for messages on their way into stores other than a Maildir.
const SPOOL: &str = "spool";

/// Opens the store of an account. Also returns warnings for the user.
pub(super) fn open(
    settings: &StoreSettings,
    state_dir: &Path,
    cache: &mut Cache,
    row: &AccountRow,
) -> Result<(Arc<dyn Store>, Vec<Notice>), Error> {
    let store: Arc<dyn Store> = match settings {
        StoreSettings::Maildir { path, .. } => Arc::new(Maildir::open(path, &row.tag)?),
        StoreSettings::Mbox { path, .. } => {
            Arc::new(Mbox::open(path, &state_dir.join(SPOOL), &row.tag)?)
        }
        StoreSettings::Exec {
            command, timeout, ..
        } => {
            let spool = state_dir.join(SPOOL);
            Arc::new(Exec::new(command, *timeout, &spool, &row.tag)?)
        }
    };
    let last = cache.last_extent(row.id)?;
    let mut staged = cache.staged(row.id)?;
    let stubs = cache.staged_stubs(row.id)?.into_iter();
    staged.extend(stubs.map(|name| Record { name, extent: None }));
    if !staged.is_empty() {
        cache.wait_for_disk()?;
    }
    let recovered = store.recover(&staged, last.as_ref())?;
    if staged.is_empty() {
        return Ok((store, recovered.notices));
    }
    cache.recovered(row.id, &recovered)?;
    cache.settle_stubs(row.id, &recovered.lost)?;
    if !recovered.again.is_empty() {
        stop_point(3);
        let again = recovered.again.into_iter().map(|record| record.name);
        store.publish(&again.collect::<Vec<Name>>())?;
        cache.clear_staged(row.id)?;
    }
    Ok((store, recovered.notices))
}
