//! `popsync log`: the recorded runs, or verifications, the newest first.

use std::cmp::Reverse;

use crate::cache::{AccountOverview, Cache, PastVerification};
use crate::exit::Exit;
use crate::sync::system_clock;

use super::args::{Global, Log};
use super::output::Output;
use super::target::Error;
use super::{accounts_if_any, options, state_dir};

/// Shows the runs of the named accounts; of all if none is named.
pub(super) fn log(global: &Global, arguments: &Log) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match show(global, arguments, &output) {
        Ok(()) => Exit::Success,
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

fn show(global: &Global, arguments: &Log, output: &Output) -> Result<(), Error> {
    let names = &arguments.accounts;
    let configured = accounts_if_any(global)?;
    let state_dir = state_dir(global)?;
    let cache = Cache::open_read_only(&state_dir)?;
    let mut known = match &cache {
        Some(cache) => cache.overview(system_clock())?,
        None => Vec::new(),
    };
    for name in names {
        let is_known = known.iter().any(|account| account.name == *name)
            || configured.iter().any(|account| account.name == *name);
        if !is_known {
            return Err(Error::Unknown { name: name.clone() });
        }
    }
    known.retain(|account| names.is_empty() || names.contains(&account.name));
    let most = arguments.number.get();
    if arguments.verifications {
        output.verifications(&verifications(cache.as_ref(), &known, most)?);
        return Ok(());
    }
    let runs = match cache {
        Some(cache) => {
            let wanted: Vec<_> = known.iter().map(|account| account.id).collect();
            cache.history(&wanted, most)?
        }
        None => Vec::new(),
    };
    output.history(&runs);
    Ok(())
}

/// The last verifications of these accounts, with the names of these.
fn verifications(
    cache: Option<&Cache>,
    accounts: &[AccountOverview],
    most: usize,
) -> Result<Vec<(String, PastVerification)>, Error> {
    let Some(cache) = cache else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for account in accounts {
        let last = cache.verifications(account.id, most)?.into_iter();
        all.extend(last.map(|one| (account.name.clone(), one)));
    }
    // Those of one account stay in the order in which they are recorded.
    all.sort_by_key(|(_, one)| Reverse(one.started_at));
    all.truncate(most);
    Ok(all)
}
