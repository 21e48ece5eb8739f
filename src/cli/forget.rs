//! `popsync forget`: removes the records of a mailbox that is no longer in the configuration.

use std::path::Path;

use crate::cache::{self, AccountOverview, Cache, Lock};
use crate::exit::Exit;
use crate::sync::system_clock;

use super::args::Global;
use super::output::Output;
use super::target::Failure;
use super::{accounts_if_any, options, state_dir};

/// Removes the records of the mailbox of this name.
pub(super) fn forget(global: &Global, name: &str) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match forgotten(global, name, &output) {
        Ok(exit) => exit,
        Err(failure) => failure.tell(&output, name),
    };
    exit.merge(output.finish())
}

fn forgotten(global: &Global, name: &str, output: &Output) -> Result<Exit, Failure> {
    let configured = accounts_if_any(global)?;
    let state_dir = state_dir(global)?;
    let known = match Cache::open_read_only(&state_dir)? {
        Some(cache) => cache.overview(system_clock())?,
        None => Vec::new(),
    };
    let is_meant = |account: &&AccountOverview| {
        account.name == name
            || account.key == name
            || format!("{}@{}", account.user, account.host) == name
    };
    let is_configured = |account: &&AccountOverview| {
        let identity = account.identity();
        configured.iter().any(|one| one.identity == identity)
    };
    let meant: Vec<_> = known.iter().filter(is_meant).collect();
    let left: Vec<_> = meant
        .iter()
        .copied()
        .filter(|account| !is_configured(account))
        .collect();
    match left[..] {
        [account] => {
            remove(&state_dir, account)?;
            output.forgotten(account);
            Ok(Exit::Success)
        }
        [] if meant.is_empty() && !configured.iter().any(|one| one.name == name) => {
            Err(Failure::Unknown)
        }
        [] => {
            output.problem(None, &format!("`{name}` is in the configuration"));
            output.hint(Some(&format!(
                "a mailbox that is synced is not forgotten; `popsync account remove {name}` takes \
                 it out of the configuration first"
            )));
            Ok(Exit::Usage)
        }
        _ => {
            let stores = left.iter().map(|account| account.key.as_str());
            let stores = stores.collect::<Vec<_>>().join(", ");
            output.problem(None, &format!("`{name}` may be any of several mailboxes"));
            output.hint(Some(&format!("say which one: {stores}")));
            Ok(Exit::Usage)
        }
    }
}

/// Removes the records. No run may use them now, or begin meanwhile.
fn remove(state_dir: &Path, account: &AccountOverview) -> Result<(), cache::Error> {
    let _lock = Lock::acquire(state_dir, &account.identity())?;
    Cache::open(state_dir)?.forget(account.id)
}
