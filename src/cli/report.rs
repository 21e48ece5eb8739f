//! `popsync report`: what is recorded and stored, as one page to read.

use std::collections::HashMap;
use std::path::Path;

use jiff::tz::TimeZone;

use crate::account::{Account, Identity};
use crate::cache::{self, AccountId, Cache};
use crate::exit::Exit;
use crate::sync::{Senders, system_clock};

use super::args::{Global, Report};
use super::figures::{Figures, Moment, Runs};
use super::output::{self, AccountReport, AccountStatus, Output};
use super::states::States;
use super::status::{Statuses, kept_for, statuses};
use super::{accounts_if_any, options, page_file};

/// The number of verifications that are shown of each account.
const VERIFICATIONS: usize = 10;

/// Writes the page.
pub(super) fn report(global: &Global, arguments: &Report) -> Exit {
    let output = Output::standard(options(global, false));
    let put = page(global, arguments).and_then(|(page, states)| {
        put(&output, &arguments.html, page)?;
        Ok(states.report(&output))
    });
    let exit = put.unwrap_or_else(|error| output.failure(None, &error));
    exit.merge(output.finish())
}

fn page(global: &Global, arguments: &Report) -> Result<(String, States), page_file::Error> {
    let moment = Moment {
        zone: TimeZone::system(),
        now: system_clock(),
    };
    let accounts = accounts_if_any(global)?;
    let Report {
        accounts: names,
        merge,
        ..
    } = arguments;
    let Statuses {
        shown, mut states, ..
    } = statuses(global, names, false, merge)?;
    let of_mailbox = accounts.iter().map(|account| (&account.identity, account));
    let of_mailbox: HashMap<&Identity, &Account> = of_mailbox.collect();
    let mut reports = Vec::new();
    for (status, number) in shown {
        let account = of_mailbox.get(&status.overview.identity()).copied();
        let number = number.unwrap_or_default();
        let cache = states.get(number).and_then(|state| state.cache.as_ref());
        let report = of_account(cache, status, account, &moment);
        reports.extend(states.without(number, report)?);
    }
    let left_out: Vec<String> = states
        .left_out()
        .iter()
        .map(|one| output::chain(one))
        .collect();
    Ok((output::report(&reports, &left_out, &moment), states))
}

fn of_account(
    cache: Option<&Cache>,
    status: AccountStatus,
    account: Option<&Account>,
    moment: &Moment,
) -> Result<AccountReport, cache::Error> {
    let retention = account.map(|account| account.retention);
    let id = status.overview.id;
    let mut report = AccountReport {
        status,
        retention,
        figures: Figures::new(moment, retention.and_then(kept_for)),
        runs: Runs::new(moment),
        senders: Ok(Senders::default()),
        loss: None,
        parts: 0,
        verifications: Vec::new(),
    };
    let Some(cache) = cache.filter(|_| id != AccountId::NONE) else {
        return Ok(report);
    };
    cache.each_figure(id, &mut |message| report.figures.add(message))?;
    cache.each_run(id, &mut |run| report.runs.add(run))?;
    report.loss = cache.loss(id)?;
    report.parts = cache.verified_parts(id)?;
    report.verifications = cache.verifications(id, VERIFICATIONS)?;
    report.senders = senders(account, &cache.tag(id)?);
    Ok(report)
}

/// The authors of an account's messages, or the reason why they are not known.
fn senders(account: Option<&Account>, tag: &str) -> Result<Senders, String> {
    let Some(account) = account else {
        return Err("the account is not in the configuration".to_owned());
    };
    match Senders::of(&account.store, tag) {
        Ok(Some(senders)) => Ok(senders),
        Ok(None) => Err("the messages went to a delivery agent".to_owned()),
        Err(error) => Err(output::chain(&error)),
    }
}

fn put(output: &Output, path: &Path, page: String) -> Result<(), page_file::Error> {
    if path == Path::new("-") {
        output.data(page.trim_end().to_owned());
        return Ok(());
    }
    // It names people who write, so a new file is for its owner alone.
    page_file::replace("--html", path, &page, 0o600)
}
