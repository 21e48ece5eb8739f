//! `popsync log`: the recorded runs, the newest first.

use crate::cache::{Cache, PastRun};
use crate::exit::Exit;
use crate::sync::system_clock;

use super::args::{Global, Log};
use super::output::Output;
use super::target::Error;
use super::{accounts_if_any, options, state_dir};

/// Shows the runs of the named accounts; of all if none is named.
pub(super) fn log(global: &Global, arguments: &Log) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match runs(global, arguments) {
        Ok(runs) => {
            output.history(&runs);
            Exit::Success
        }
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

fn runs(global: &Global, arguments: &Log) -> Result<Vec<PastRun>, Error> {
    let names = &arguments.accounts;
    let configured = accounts_if_any(global)?;
    let state_dir = state_dir(global)?;
    let cache = Cache::open_read_only(&state_dir)?;
    let known = match &cache {
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
    let Some(cache) = cache else {
        return Ok(Vec::new());
    };
    let wanted = known
        .iter()
        .filter(|account| names.is_empty() || names.contains(&account.name));
    let wanted: Vec<_> = wanted.map(|account| account.id).collect();
    Ok(cache.history(&wanted, arguments.number.get())?)
}
