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
use super::status::{kept_for, statuses};
use super::{accounts_if_any, options, page_file, state_dir};

/// The number of verifications that are shown of each account.
const VERIFICATIONS: usize = 10;

/// Writes the page.
pub(super) fn report(global: &Global, arguments: &Report) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match page(global, arguments).and_then(|page| put(&output, &arguments.html, page)) {
        Ok(()) => Exit::Success,
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

fn page(global: &Global, arguments: &Report) -> Result<String, page_file::Error> {
    let moment = Moment {
        zone: TimeZone::system(),
        now: system_clock(),
    };
    let accounts = accounts_if_any(global)?;
    let statuses = statuses(global, &arguments.accounts, false)?.shown;
    let cache = Cache::open_read_only(&state_dir(global)?)?;
    let of_mailbox = accounts.iter().map(|account| (&account.identity, account));
    let of_mailbox: HashMap<&Identity, &Account> = of_mailbox.collect();
    let mut reports = Vec::new();
    for status in statuses {
        let account = of_mailbox.get(&status.overview.identity()).copied();
        reports.push(of_account(cache.as_ref(), status, account, &moment)?);
    }
    Ok(output::report(&reports, &moment))
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
