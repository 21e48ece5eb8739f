//! `popsync log`: the recorded runs, the newest first.

use crate::cache::{self, Cache, PastRun};
use crate::config;
use crate::exit::Exit;
use crate::sync::system_clock;

use super::args::{Global, Log};
use super::output::Output;
use super::target::Failure;
use super::{accounts_if_any, options, state_dir};

/// Shows the runs of the named accounts; of all if none is named.
pub(super) fn log(global: &Global, arguments: &Log) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match runs(global, arguments) {
        Ok(runs) => {
            output.history(&runs);
            Exit::Success
        }
        Err((name, failure)) => failure.tell(&output, &name),
    };
    exit.merge(output.finish())
}

/// The runs; or the reason why there are none, with the name of the unknown account.
fn runs(global: &Global, arguments: &Log) -> Result<Vec<PastRun>, (String, Failure)> {
    let names = &arguments.accounts;
    let configured = accounts_if_any(global).map_err(of_config)?;
    let state_dir = state_dir(global).map_err(of_config)?;
    let cache = Cache::open_read_only(&state_dir).map_err(of_cache)?;
    let known = match &cache {
        Some(cache) => cache.overview(system_clock()).map_err(of_cache)?,
        None => Vec::new(),
    };
    for name in names {
        let is_known = known.iter().any(|account| account.name == *name)
            || configured.iter().any(|account| account.name == *name);
        if !is_known {
            return Err((name.clone(), Failure::Unknown));
        }
    }
    let Some(cache) = cache else {
        return Ok(Vec::new());
    };
    let wanted = known
        .iter()
        .filter(|account| names.is_empty() || names.contains(&account.name));
    let wanted: Vec<_> = wanted.map(|account| account.id).collect();
    cache
        .history(&wanted, arguments.number.get())
        .map_err(of_cache)
}

fn of_config(error: config::Error) -> (String, Failure) {
    (String::new(), error.into())
}

fn of_cache(error: cache::Error) -> (String, Failure) {
    (String::new(), error.into())
}
