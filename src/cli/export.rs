//! `popsync export`: writes the stored messages for other programs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::account::Account;
use crate::config::{self, Base, Config};
use crate::exit::Exit;
use crate::store::archive::Form;
use crate::sync::{self, Holdings, Request, Selection};

use super::args::{Export, Global};
use super::output::{self, Output, Watcher};
use super::{config_path, options, runtime, state_dir};

/// Exports the accounts of these names; all if there are none.
pub(super) fn export(global: &Global, arguments: &Export) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let Some(target) = arguments.target.given() else {
        // clap requires one.
        return Exit::Usage;
    };
    let ordered = || -> Result<_, config::Error> {
        let accounts = Config::load(&config_path(global)?)?.select(&arguments.accounts)?;
        Ok((accounts, state_dir(global)?, order(target, arguments)?))
    };
    let exit = match ordered() {
        Ok((accounts, state_dir, order)) => all(&accounts, &state_dir, &order, &output),
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

struct Order {
    to: PathBuf,
    form: Form,
    selection: Selection,
}

fn order(
    (flag, path, form): (&'static str, &Path, Form),
    arguments: &Export,
) -> Result<Order, config::Error> {
    let to = Base::current().expand(path);
    let key = flag.trim_start_matches('-');
    Ok(Order {
        to: to.map_err(|error| config::Error::argument(flag, key, error))?,
        form,
        selection: selection(arguments),
    })
}

/// Days begin and end in UTC, so that the export is the same everywhere.
fn selection(arguments: &Export) -> Selection {
    let begin = |date: Date| {
        let begin = date.to_zoned(TimeZone::UTC);
        begin.map_or(i64::MAX, |begin| begin.timestamp().as_second())
    };
    let after = |date: Date| date.tomorrow().map_or(i64::MAX, begin);
    Selection {
        since: arguments.since.map(begin),
        before: arguments.until.map(after),
        from: arguments.from.clone(),
        subject: arguments.subject.clone(),
    }
}

fn all(accounts: &[Account], state_dir: &Path, order: &Order, output: &Arc<Output>) -> Exit {
    runtime::within(output, 1, async |stop| {
        let mut exit = Exit::Success;
        let mut holdings: Vec<Holdings> = Vec::with_capacity(accounts.len());
        for account in accounts {
            let mut tell = |finding: sync::Finding<'_>| output.finding(&account.name, &finding);
            let reading = async |request: &Request<'_>| {
                sync::holdings(request, &order.selection, &mut tell).await
            };
            match runtime::look(account, state_dir, output, stop.clone(), reading).await {
                Ok(held) => holdings.push(held),
                // An archive without one of the accounts would be incomplete.
                Err(error) => return exit.merge(output.failure(Some(&account.name), &error)),
            }
        }
        let name = accounts.first().map_or("", |account| &account.name);
        let title = match accounts.len() {
            1 => name.to_owned(),
            several => format!("{several} accounts"),
        };
        let watcher = Watcher::new(Arc::clone(output), &title);
        if let Err(error) = sync::write(&holdings, &order.to, order.form, &watcher, &stop) {
            return exit.merge(output.failure(Some(name), &error));
        }
        for (account, held) in accounts.iter().zip(&holdings) {
            exit = exit.merge(output.exported(&account.name, &order.to, held.counts));
        }
        exit
    })
}
