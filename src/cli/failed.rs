//! `popsync sync --failed`: the accounts whose last run did not end well, and those that never had one.

use std::path::Path;

use crate::account::Identity;
use crate::cache::{self, Cache, Lock};
use crate::config::Chosen;

/// Those of the accounts. If the state cannot be read, all: their runs will say what is wrong with it.
/// Accounts with mistakes in the configuration stay, since they fail each time.
pub(super) fn failed(chosen: Chosen, state_dir: &Path) -> Chosen {
    let read = || -> Result<_, cache::Error> {
        Ok(match Cache::open_read_only(state_dir)? {
            Some(cache) => Some((cache.succeeded_last()?, cache.in_the_midst()?)),
            None => None,
        })
    };
    let Ok(Some((succeeded, in_the_midst))) = read() else {
        return chosen;
    };
    // A run that was killed has recorded no end, and the record before it may be of a success. A power cut
    // may take the mark in the lock, but not the record of messages that were on their way.
    let is_at_work = |identity: &Identity| {
        let holder = Lock::holder(state_dir, identity);
        holder.is_ok_and(|holder| holder.is_some())
    };
    let was_killed = |identity: &Identity| {
        Lock::is_cut_short(state_dir, identity)
            || (in_the_midst.contains(identity) && !is_at_work(identity))
    };
    chosen.sound(|account| !succeeded.contains(&account.identity) || was_killed(&account.identity))
}
