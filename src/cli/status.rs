//! `popsync status`: shows the records, without asking a server.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;

use crate::account::{Account, Identity, Retention};
use crate::cache::{self, AccountOverview, Cache, Lock};
use crate::config::{Chosen, Unsound};
use crate::exit::Exit;
use crate::sync::system_clock;

use super::args::{Global, Merge, Status};
use super::output::{self, AccountStatus, Output};
use super::states::States;
use super::{chosen_if_any, options, page_file, target};

const DAY: i64 = 24 * 60 * 60;

/// Shows or checks the records of the chosen accounts, or writes them as metrics.
pub(super) fn status(global: &Global, arguments: &Status) -> ExitCode {
    let output = Output::standard(options(global, false));
    let Status {
        accounts,
        all,
        merge,
        ..
    } = arguments;
    let statuses = statuses(global, accounts, *all, merge).map_err(page_file::Error::Target);
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
    let shown = statuses.and_then(|statuses| {
        print(&output, arguments, &statuses.shown)?;
        let unsound = output.mistakes(&statuses.unsound);
        Ok(unsound.merge(statuses.states.report(&output)))
    });
    let exit = shown.unwrap_or_else(|error: page_file::Error| output.failure(None, &error));
    exit.merge(output.finish()).into()
}

/// The line for a monitoring system. Nobody can tell how an account with mistakes is, or one whose state
/// cannot be read.
fn check(output: &Output, arguments: &Status, statuses: &Statuses) -> output::Level {
    if let Some(mistake) = statuses.unsound.mistakes().next() {
        return output.unknown(&output::chain(mistake));
    }
    if let Some(left_out) = statuses.states.left_out().first() {
        return output.unknown(&output::chain(left_out));
    }
    if statuses.shown.is_empty() {
        return output.unknown("no account is configured, and none was ever fetched");
    }
    let shown: Vec<_> = statuses.shown.iter().map(|(status, _)| status).collect();
    let max_age = arguments.max_age.as_secs().cast_signed();
    output.check(&shown, system_clock(), max_age)
}

fn print(
    output: &Output,
    arguments: &Status,
    statuses: &[(AccountStatus, Option<usize>)],
) -> Result<(), page_file::Error> {
    let shown: Vec<_> = statuses.iter().map(|(status, _)| status).collect();
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
    /// Each with the number of the state that it is in, if it is in one.
    pub(super) shown: Vec<(AccountStatus, Option<usize>)>,
    /// The accounts that have mistakes in the configuration.
    pub(super) unsound: Unsound,
    pub(super) states: States,
}

/// The records of the chosen accounts: the named ones, all if `is_all`, otherwise those of the
/// configuration. Without a configuration, those that `popsync fetch` left. An account that is in several
/// states is taken from the one with its newest records.
pub(super) fn statuses(
    global: &Global,
    names: &[String],
    is_all: bool,
    merge: &Merge,
) -> Result<Statuses, target::Error> {
    let Chosen { accounts, unsound } = chosen_if_any(global)?;
    let is_all = is_all || accounts.is_empty() || !names.is_empty();
    let mut states = States::open(global, merge)?;
    let now = system_clock();
    let retentions = accounts.iter();
    let retentions: HashMap<&Identity, Retention> = retentions
        .map(|account| (&account.identity, account.retention))
        .collect();
    let wanted: HashSet<&str> = names.iter().map(String::as_str).collect();
    let is_chosen = |name: &str| wanted.is_empty() || wanted.contains(name);
    let read = states.each(|state, cache| {
        let overviews = cache.overview(now)?.into_iter();
        let statuses = overviews.map(|overview| {
            let identity = overview.identity();
            let retention = retentions.get(&identity).copied();
            if !is_chosen(&overview.name) {
                return Ok((identity, undetailed(overview)));
            }
            let mut status = of_account(Some(cache), overview, retention, now)?;
            status.running = Lock::holder(&state.dir, &identity)?;
            Ok((identity, status))
        });
        statuses.collect::<Result<Vec<_>, cache::Error>>()
    })?;
    let mut known: HashMap<Identity, (AccountStatus, usize)> = HashMap::new();
    for (number, statuses) in read {
        for (identity, mut status) in statuses {
            status.state_dir = states.shown_dir(number).map(Path::to_owned);
            match known.entry(identity) {
                Entry::Vacant(place) => {
                    place.insert((status, number));
                }
                Entry::Occupied(mut older) => {
                    if newness(&status) > newness(&older.get().0) {
                        older.insert((status, number));
                    }
                }
            }
        }
    }
    let mut statuses = Vec::new();
    for account in &accounts {
        let found = known.remove(&account.identity);
        statuses.push(match found {
            Some((status, number)) => (status, Some(number)),
            None => (blank(account, &states, now)?, None),
        });
    }
    // The records of an account with mistakes stay where its row was.
    let names_of_unsound = unsound.accounts.iter().map(|one| one.name.as_str());
    let names_of_unsound: HashSet<&str> = names_of_unsound.collect();
    let mut rest: Vec<_> = known.into_values().collect();
    rest.retain(|(status, _)| is_all || names_of_unsound.contains(status.overview.key.as_str()));
    rest.sort_by(|(one, _), (other, _)| {
        let (one, other) = (&one.overview, &other.overview);
        (&one.name, &one.key).cmp(&(&other.name, &other.key))
    });
    statuses.extend(
        rest.into_iter()
            .map(|(status, number)| (status, Some(number))),
    );
    let shown = statuses
        .iter()
        .map(|(known, _)| known.overview.name.as_str());
    let all: HashSet<&str> = shown.chain(names_of_unsound.iter().copied()).collect();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name.as_str())) {
        let name = unknown.clone();
        return Err(target::Error::Unknown { name });
    }
    statuses.retain(|(known, _)| is_chosen(&known.overview.name));
    let mut unsound = unsound;
    unsound.accounts.retain(|one| is_chosen(&one.name));
    Ok(Statuses {
        shown: statuses,
        unsound,
        states,
    })
}

/// By how new the records of an account are: those of a run at work are the newest.
fn newness(status: &AccountStatus) -> (bool, Option<i64>, Option<i64>) {
    let AccountOverview {
        last_run,
        last_verification,
        ..
    } = &status.overview;
    (
        status.running.is_some(),
        last_run.as_ref().map(|run| run.finished_at),
        last_verification.as_ref().map(|last| last.finished_at),
    )
}

/// An account of the configuration that was never synced. Its first run may be at work.
fn blank(account: &Account, states: &States, now: i64) -> Result<AccountStatus, cache::Error> {
    let Account {
        name,
        identity,
        store,
        ..
    } = account;
    let overview = AccountOverview::blank(name, identity, store.to_string());
    let mut status = of_account(None, overview, Some(account.retention), now)?;
    for state in states.all() {
        status.running = Lock::holder(&state.dir, identity)?;
        if status.running.is_some() {
            break;
        }
    }
    Ok(status)
}

/// An account that is not to be shown.
fn undetailed(overview: AccountOverview) -> AccountStatus {
    AccountStatus {
        overview,
        is_configured: false,
        due: None,
        next_due: None,
        listed: None,
        is_held: false,
        running: None,
        state_dir: None,
    }
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
    // Nearly always the last run has listed them.
    let listed = overview.last_run.as_ref().and_then(|run| run.on_server);
    let (listed, brakes) = match cache {
        Some(cache) if listed.is_some() => (listed, cache.brakes(overview.id)?),
        Some(cache) => (cache.listed_last(overview.id)?, cache.brakes(overview.id)?),
        None => (None, None),
    };
    Ok(AccountStatus {
        is_configured: retention.is_some(),
        due,
        next_due,
        listed,
        is_held: brakes.is_some_and(|brakes| brakes.held),
        ..undetailed(overview)
    })
}
