//! `popsync status`: shows the records, without asking a server.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;

use crate::account::{Account, Identity, Retention};
use crate::cache::{self, AccountOverview, Cache, Lock};
use crate::config::{Chosen, Unsound};
use crate::exit::Exit;
use crate::sync::system_clock;

use super::args::{Global, Status};
use super::output::{self, AccountStatus, Output};
use super::{chosen_if_any, options, page_file, state_dir, target};

const DAY: i64 = 24 * 60 * 60;

/// Shows or checks the records of the chosen accounts, or writes them as metrics.
pub(super) fn status(global: &Global, arguments: &Status) -> ExitCode {
    let output = Output::standard(options(global, false));
    let statuses =
        statuses(global, &arguments.accounts, arguments.all).map_err(page_file::Error::Target);
    if arguments.check {
        let level = match statuses {
            Ok(statuses) => check(&output, arguments, &statuses),
            Err(error) => output.unknown(&output::chain(&error)),
        };
        return match output.finish() {
            Exit::Success => ExitCode::from(level.code()),
            // Nobody has read the line.
            _ => ExitCode::from(output::Level::Unknown.code()),
        };
    }
    let shown = statuses.and_then(|Statuses { shown, unsound }| {
        print(&output, arguments, &shown)?;
        Ok(output.mistakes(&unsound))
    });
    let exit = shown.unwrap_or_else(|error: page_file::Error| output.failure(None, &error));
    exit.merge(output.finish()).into()
}

/// The line for a monitoring system. Nobody can tell how an account with mistakes is.
fn check(output: &Output, arguments: &Status, statuses: &Statuses) -> output::Level {
    if let Some(mistake) = statuses.unsound.mistakes().next() {
        return output.unknown(&output::chain(mistake));
    }
    if statuses.shown.is_empty() {
        return output.unknown("no account is configured, and none was ever fetched");
    }
    let shown: Vec<_> = statuses.shown.iter().collect();
    let max_age = arguments.max_age.as_secs().cast_signed();
    output.check(&shown, system_clock(), max_age)
}

fn print(
    output: &Output,
    arguments: &Status,
    statuses: &[AccountStatus],
) -> Result<(), page_file::Error> {
    let shown: Vec<_> = statuses.iter().collect();
    match &arguments.metrics {
        Some(path) if path == Path::new("-") => output.metrics(&shown),
        Some(path) => {
            let text = output::metrics(&shown);
            // A collector may read it as another user.
            page_file::replace("--metrics", path, &text, 0o644)?;
        }
        None => output.statuses(&shown, !arguments.accounts.is_empty()),
    }
    Ok(())
}

/// The records of accounts.
pub(super) struct Statuses {
    pub(super) shown: Vec<AccountStatus>,
    /// The accounts that have mistakes in the configuration.
    pub(super) unsound: Unsound,
}

/// The records of the chosen accounts: the named ones, all if `is_all`, otherwise those of the
/// configuration. Without a configuration, those that `popsync fetch` left.
pub(super) fn statuses(
    global: &Global,
    names: &[String],
    is_all: bool,
) -> Result<Statuses, target::Error> {
    let Chosen { accounts, unsound } = chosen_if_any(global)?;
    let is_all = is_all || accounts.is_empty() || !names.is_empty();
    let state_dir = state_dir(global)?;
    let cache = Cache::open_read_only(&state_dir)?;
    let now = system_clock();
    let known = match &cache {
        Some(cache) => cache.overview(now)?,
        None => Vec::new(),
    };
    let known = known.into_iter().map(|one| (one.identity(), one));
    let mut known: HashMap<Identity, AccountOverview> = known.collect();
    let mut statuses = Vec::new();
    for account in &accounts {
        let overview = known.remove(&account.identity);
        let overview = overview.unwrap_or_else(|| blank(account));
        statuses.push((overview, Some(account.retention)));
    }
    // The records of an account with mistakes stay where its row was.
    let names_of_unsound = unsound.accounts.iter().map(|one| one.name.as_str());
    let names_of_unsound: HashSet<&str> = names_of_unsound.collect();
    let mut rest: Vec<_> = known.into_values().collect();
    rest.retain(|overview| is_all || names_of_unsound.contains(overview.key.as_str()));
    rest.sort_by(|one, other| (&one.name, &one.key).cmp(&(&other.name, &other.key)));
    statuses.extend(rest.into_iter().map(|overview| (overview, None)));
    let shown = statuses.iter().map(|(known, _)| known.name.as_str());
    let all: HashSet<&str> = shown.chain(names_of_unsound.iter().copied()).collect();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name.as_str())) {
        let name = unknown.clone();
        return Err(target::Error::Unknown { name });
    }
    let names: HashSet<&str> = names.iter().map(String::as_str).collect();
    let is_chosen = |name: &str| names.is_empty() || names.contains(name);
    statuses.retain(|(known, _)| is_chosen(&known.name));
    let shown = statuses.into_iter().map(|(overview, retention)| {
        let mut status = of_account(cache.as_ref(), overview, retention, now)?;
        let overview = &status.overview;
        status.running = Lock::holder(&state_dir, &overview.identity())?;
        Ok::<_, target::Error>(status)
    });
    let shown = shown.collect::<Result<_, _>>()?;
    let mut unsound = unsound;
    unsound.accounts.retain(|one| is_chosen(&one.name));
    Ok(Statuses { shown, unsound })
}

/// An account of the configuration that was never synced.
fn blank(account: &Account) -> AccountOverview {
    AccountOverview::blank(&account.name, &account.identity, account.store.to_string())
}

/// The seconds that a message stays on the server after it was stored. None if it stays for ever.
pub(super) fn kept_for(retention: Retention) -> Option<i64> {
    match retention {
        Retention {
            leave_on_server: false,
            ..
        } => Some(0),
        Retention {
            remove_after_days: Some(days),
            ..
        } => Some(i64::from(days) * DAY),
        _ => None,
    }
}

/// Adds the deletions that the retention makes due, and those that the brakes hold.
fn of_account(
    cache: Option<&Cache>,
    overview: AccountOverview,
    retention: Option<Retention>,
    now: i64,
) -> Result<AccountStatus, cache::Error> {
    let kept_for = retention.and_then(kept_for);
    let due = match (kept_for, cache) {
        (Some(seconds), Some(cache)) => {
            Some(cache.listed_and_stored_by(overview.id, now - seconds)?)
        }
        (kept_for, _) => kept_for.map(|_| 0),
    };
    let next_due = kept_for.and_then(|seconds| Some(overview.oldest_on_server? + seconds));
    let (listed, brakes) = match cache {
        Some(cache) => (cache.listed_last(overview.id)?, cache.brakes(overview.id)?),
        None => (None, None),
    };
    Ok(AccountStatus {
        overview,
        is_configured: retention.is_some(),
        due,
        next_due,
        listed,
        is_held: brakes.is_some_and(|brakes| brakes.held),
        running: None,
    })
}
