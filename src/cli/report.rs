//! `popsync report`: what is recorded and stored, as one page to read.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::account::Account;
use crate::cache::{self, AccountId, Cache};
use crate::config::{self, Base};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::sync::{Senders, system_clock};

use super::args::{Global, Report};
use super::figures::{Figures, Moment, Runs};
use super::output::{self, AccountReport, AccountStatus, Output};
use super::status::{is_of, kept_for, statuses};
use super::{accounts_if_any, options, state_dir, target};

/// Writes the page.
pub(super) fn report(global: &Global, arguments: &Report) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match page(global, arguments).and_then(|page| put(&output, &arguments.html, page)) {
        Ok(()) => Exit::Success,
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Target(target::Error),
    /// The file of `--html`.
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl<E: Into<target::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Target(error.into())
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Target(error) => error.exit(),
            Self::Write { .. } => Exit::IoError,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Target(error) => error.hint(),
            Self::Write { .. } => {
                Some("`--html` must name a file that you may write; `-` is standard output".into())
            }
        }
    }

    fn snippet(&self) -> Option<String> {
        match self {
            Self::Target(error) => error.snippet(),
            Self::Write { .. } => None,
        }
    }
}

fn page(global: &Global, arguments: &Report) -> Result<String, Error> {
    let moment = Moment {
        zone: TimeZone::system(),
        now: system_clock(),
    };
    let accounts = accounts_if_any(global)?;
    let statuses = statuses(global, &arguments.accounts, false)?;
    let cache = Cache::open_read_only(&state_dir(global)?)?;
    let mut reports = Vec::new();
    for status in statuses {
        let account = accounts
            .iter()
            .find(|account| is_of(&status.overview, account));
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
    };
    let Some(cache) = cache.filter(|_| id != AccountId::NONE) else {
        return Ok(report);
    };
    cache.each_figure(id, &mut |message| report.figures.add(message))?;
    cache.each_run(id, &mut |run| report.runs.add(run))?;
    report.loss = cache.loss(id)?;
    report.parts = cache.verified_parts(id)?;
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

/// Replaces the file in one step: a reader gets the old page or the new one.
fn put(output: &Output, path: &Path, page: String) -> Result<(), Error> {
    if path == Path::new("-") {
        output.data(page.trim_end().to_owned());
        return Ok(());
    }
    let written = || {
        let path = Base::current().expand(path).map_err(io::Error::other)?;
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::other("it is no file"));
        }
        // It names people who write, so a new file is for its owner alone.
        config::publish(&path, &page, 0o600)
    };
    written().map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}
