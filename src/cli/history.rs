//! `popsync log`: the recorded runs, or verifications, the newest first.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::cache::{self, AccountOverview, Cache, PastRun, PastVerification};
use crate::exit::Exit;
use crate::sync::system_clock;

use super::args::{Global, Log};
use super::output::Output;
use super::states::States;
use super::target::Error;
use super::{accounts_if_any, options};

/// Shows the runs of the named accounts; of all if none is named.
pub(super) fn log(global: &Global, arguments: &Log) -> Exit {
    let output = Output::standard(options(global, false));
    let shown = show(global, arguments, &output);
    let exit = shown.unwrap_or_else(|error| output.failure(None, &error));
    exit.merge(output.finish())
}

fn show(global: &Global, arguments: &Log, output: &Output) -> Result<Exit, Error> {
    let names = &arguments.accounts;
    let configured = accounts_if_any(global)?;
    let mut states = States::open(global, &arguments.merge)?;
    let most = arguments.number.get();
    let mut known: HashSet<String> = configured.into_iter().map(|account| account.name).collect();
    let read = states.each(|_, cache| {
        let mut accounts = cache.overview(system_clock())?;
        known.extend(accounts.iter().map(|account| account.name.clone()));
        accounts.retain(|account| names.is_empty() || names.contains(&account.name));
        Recorded::read(cache, &accounts, most, arguments.verifications)
    })?;
    if let Some(unknown) = names.iter().find(|name| !known.contains(*name)) {
        let name = unknown.clone();
        return Err(Error::Unknown { name });
    }
    let are_several = read.len() > 1;
    let mut all = Recorded::default();
    for (_, of_state) in read {
        all.runs.extend(of_state.runs);
        all.verifications.extend(of_state.verifications);
    }
    // Within a state the order is that of the records, whatever its clock said.
    if are_several {
        all.runs.sort_by_key(|run| Reverse(run.started_at));
        all.runs.truncate(most);
    }
    if arguments.verifications {
        // Those of one account stay in the order in which they are recorded.
        all.verifications
            .sort_by_key(|(_, one)| Reverse(one.started_at));
        all.verifications.truncate(most);
        output.verifications(&all.verifications);
    } else {
        output.history(&all.runs);
    }
    Ok(states.report(output))
}

/// The records of a state that are to be shown.
#[derive(Default)]
struct Recorded {
    runs: Vec<PastRun>,
    /// With the names of their accounts.
    verifications: Vec<(String, PastVerification)>,
}

impl Recorded {
    /// The last ones of these accounts, at most `most` of them, or of each.
    fn read(
        cache: &Cache,
        accounts: &[AccountOverview],
        most: usize,
        verifications: bool,
    ) -> Result<Self, cache::Error> {
        let mut read = Self::default();
        if !verifications {
            let wanted: Vec<_> = accounts.iter().map(|account| account.id).collect();
            read.runs = cache.history(&wanted, most)?;
            return Ok(read);
        }
        for account in accounts {
            let last = cache.verifications(account.id, most)?.into_iter();
            let named = last.map(|one| (account.name.clone(), one));
            read.verifications.extend(named);
        }
        Ok(read)
    }
}
