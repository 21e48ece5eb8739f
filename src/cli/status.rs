//! `popsync status`: what is known without asking a server.

use crate::account::Retention;
use crate::cache::{self, AccountOverview, Cache};
use crate::config;
use crate::exit::Exit;
use crate::sync::system_clock;

use super::args::Global;
use super::output::{Output, Standing};
use super::{accounts_if_any, options, state_dir};

const DAY: i64 = 24 * 60 * 60;

/// Shows the accounts of these names; all for none.
pub(super) fn show(global: &Global, names: &[String]) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match standings(global) {
        Ok(standings) => print(&output, &standings, names),
        Err(Failure::Config(error)) => output.config_error(&error),
        Err(Failure::Cache(error)) => output.cache_error(&error),
    };
    exit.merge(output.finish())
}

enum Failure {
    Cache(cache::Error),
    Config(config::Error),
}

impl From<cache::Error> for Failure {
    fn from(error: cache::Error) -> Self {
        Self::Cache(error)
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::Config(error)
    }
}

fn print(output: &Output, standings: &[Standing], names: &[String]) -> Exit {
    let known = |name: &&String| {
        standings
            .iter()
            .any(|standing| standing.overview.name == **name)
    };
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        output.problem(None, &format!("nothing is known of an account `{unknown}`"));
        output.hint(Some(
            "accounts are known from their first sync on; `popsync status` shows all",
        ));
        return Exit::Usage;
    }
    if standings.is_empty() {
        output.nothing("no account was synced yet");
    }
    let wanted = |standing: &&Standing| names.is_empty() || names.contains(&standing.overview.name);
    for standing in standings.iter().filter(wanted) {
        output.standing(standing);
    }
    Exit::Success
}

fn standings(global: &Global) -> Result<Vec<Standing>, Failure> {
    let accounts = accounts_if_any(global)?;
    let Some(cache) = Cache::open_read_only(&state_dir(global)?)? else {
        return Ok(Vec::new());
    };
    let now = system_clock();
    let mut standings = Vec::new();
    for overview in cache.overview(now)? {
        let retention = accounts
            .iter()
            .find(|account| {
                let identity = &account.identity;
                (&identity.key, &identity.host, &identity.user)
                    == (&overview.key, &overview.host, &overview.user)
            })
            .map(|account| account.retention);
        standings.push(standing(&cache, overview, retention, now)?);
    }
    Ok(standings)
}

/// Adds what the retention makes due.
fn standing(
    cache: &Cache,
    overview: AccountOverview,
    retention: Option<Retention>,
    now: i64,
) -> Result<Standing, cache::Error> {
    let kept_for = match retention {
        Some(Retention {
            leave_on_server: false,
            ..
        }) => Some(0),
        Some(Retention {
            remove_after_days: Some(days),
            ..
        }) => Some(i64::from(days) * DAY),
        _ => None,
    };
    let due = match kept_for {
        Some(seconds) => Some(cache.listed_and_stored_by(overview.id, now - seconds)?),
        None => None,
    };
    let next_due = kept_for.and_then(|seconds| Some(overview.oldest_on_server? + seconds));
    Ok(Standing {
        overview,
        due,
        next_due,
    })
}
