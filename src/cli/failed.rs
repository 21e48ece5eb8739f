//! `popsync sync --failed`: the accounts whose last run did not end well, and those that never had one.

use std::path::Path;

use crate::cache::{self, Cache};
use crate::config::Chosen;

/// Those of the accounts. If the state cannot be read, all: their runs will say what is wrong with it.
/// Accounts with mistakes in the configuration stay, since they fail each time.
pub(super) fn failed(chosen: Chosen, state_dir: &Path) -> Chosen {
    let read = || -> Result<_, cache::Error> {
        Ok(match Cache::open_read_only(state_dir)? {
            Some(cache) => Some(cache.succeeded_last()?),
            None => None,
        })
    };
    match read() {
        Ok(Some(succeeded)) => chosen.sound(|account| !succeeded.contains(&account.identity)),
        Ok(None) | Err(_) => chosen,
    }
}
