//! `popsync import`: records what was downloaded before popsync was used.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::account::Account;
use crate::cache::{self, Cache, Had, Lock, Taken};
use crate::config::{self, Base};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::import::{self, Format, Mailbox};
use crate::sync::{self, system_clock};

use super::args::{Global, Import};
use super::output::{self, Output};
use super::{configured, options, runtime, state_dir};

/// The reason why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error(transparent)]
    Import(#[from] import::Error),
    #[error(transparent)]
    Sync(#[from] sync::Error),
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Cache(error) => error.exit(),
            Self::Import(error) => error.exit(),
            Self::Sync(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Cache(error) => error.hint(),
            Self::Import(error) => error.hint(),
            Self::Sync(error) => error.hint(),
        }
    }
}

/// Imports from the source in the arguments.
pub(super) fn import(global: &Global, arguments: &Import) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let exit = match prepare(global, arguments) {
        Ok((account, state_dir, source)) => take_over(&account, &state_dir, &source, &output),
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

/// The source of an import.
enum Source {
    /// The list of another program.
    List {
        format: Format,
        file: PathBuf,
        mailbox: Mailbox,
    },
    /// The server.
    Seed,
    /// The messages of the server that the store already has.
    Store,
}

fn prepare(
    global: &Global,
    arguments: &Import,
) -> Result<(Account, PathBuf, Source), config::Error> {
    let account = configured(global, &arguments.account)?;
    let state_dir = state_dir(global)?;
    let source = match (arguments.from, &arguments.file) {
        (Some(format), Some(file)) => Source::List {
            format,
            file: Base::current()
                .expand(file)
                .map_err(|error| config::Error::argument("FILE", "file", error))?,
            mailbox: arguments.mailbox.clone().unwrap_or_else(|| Mailbox {
                host: account.server.host.clone(),
                user: account.user.clone(),
            }),
        },
        _ if arguments.from_store => Source::Store,
        _ => Source::Seed,
    };
    Ok((account, state_dir, source))
}

fn take_over(account: &Account, state_dir: &Path, source: &Source, output: &Arc<Output>) -> Exit {
    match source {
        Source::List {
            format,
            file,
            mailbox,
        } => {
            let taken = list(account, state_dir, *format, file, mailbox.clone());
            tell(account, format.name(), taken, output)
        }
        Source::Seed => runtime::within(output, 1, async |stop| {
            let taken = runtime::look(account, state_dir, output, stop, sync::seed).await;
            tell(account, "server", taken.map_err(Error::from), output)
        }),
        Source::Store => runtime::within(output, 1, async |stop| {
            let taken = runtime::look(account, state_dir, output, stop, sync::from_store).await;
            tell(account, "store", taken.map_err(Error::from), output)
        }),
    }
}

fn tell(account: &Account, source: &str, taken: Result<Taken, Error>, output: &Output) -> Exit {
    match taken {
        Ok(taken) => {
            let are_sought = account.retention.remove_imported;
            output.imported(&account.name, source, taken, are_sought);
            Exit::Success
        }
        Err(error) => output.failure(Some(&account.name), &error),
    }
}

fn list(
    account: &Account,
    state_dir: &Path,
    format: Format,
    file: &Path,
    mailbox: Mailbox,
) -> Result<Taken, Error> {
    let entries = import::open(format, file, mailbox)?;
    let _lock = Lock::acquire(state_dir, &account.identity)?;
    let mut cache = Cache::open(state_dir)?;
    let now = system_clock();
    let row = cache.account(account, now)?;
    let had = entries.map(|entry| {
        let entry = entry?;
        Ok::<_, Error>(Had {
            unique_id: entry.unique_id,
            copies: entry.copies,
            without_slashes: entry.without_slashes,
        })
    });
    cache.take_over(row.id, had, now)
}
