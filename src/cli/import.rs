//! `popsync import`: takes over what was downloaded before popsync came.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::account::Account;
use crate::cache::{self, Cache, Had, Lock, Taken};
use crate::config::{self, Base, Config};
use crate::exit::Exit;
use crate::import::{self, Format, Mailbox};
use crate::sync::{self, Request, system_clock};

use super::args::{Global, Import};
use super::output::{self, Output, Watcher};
use super::prompt::Terminal;
use super::{config_path, options, run, signals, state_dir};

/// Why nothing was taken over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error(transparent)]
    Import(#[from] import::Error),
    #[error(transparent)]
    Sync(#[from] sync::Error),
}

impl Error {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Cache(error) => error.exit(),
            Self::Import(error) => error.exit(),
            Self::Sync(error) => error.exit(),
        }
    }

    pub(super) fn advice(&self) -> Option<String> {
        match self {
            Self::Cache(error) => error.advice(),
            Self::Import(error) => error.advice(),
            Self::Sync(error) => error.advice(),
        }
    }
}

/// Takes over what the arguments name.
pub(super) fn import(global: &Global, arguments: &Import) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let exit = match prepare(global, arguments) {
        Ok((account, state_dir, source)) => take_over(&account, &state_dir, &source, &output),
        Err(error) => output.config_error(&error),
    };
    exit.merge(output.finish())
}

/// Where it is taken from.
enum Source {
    /// The list of another program.
    List {
        format: Format,
        file: PathBuf,
        mailbox: Mailbox,
    },
    /// The server.
    Seed,
}

fn prepare(
    global: &Global,
    arguments: &Import,
) -> Result<(Account, PathBuf, Source), config::Error> {
    let names = [arguments.account.clone()];
    let mut accounts = Config::load(&config_path(global)?)?.select(&names)?;
    // `select` gives an account for every name.
    let account = accounts.swap_remove(0);
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
        _ => Source::Seed,
    };
    Ok((account, state_dir, source))
}

fn take_over(account: &Account, state_dir: &Path, source: &Source, output: &Arc<Output>) -> Exit {
    let (name, taken) = match source {
        Source::List {
            format,
            file,
            mailbox,
        } => (
            format.name(),
            list(account, state_dir, *format, file, mailbox.clone()),
        ),
        Source::Seed => match seed(account, state_dir, output) {
            Ok(taken) => ("server", taken),
            Err(exit) => return exit,
        },
    };
    match taken {
        Ok(taken) => {
            output.imported(&account.name, name, taken);
            Exit::Success
        }
        Err(error) => output.import_failed(&account.name, &error),
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
            copies: 1,
            without_slashes: entry.without_slashes,
        })
    });
    cache.take_over(row.id, had, now)
}

/// Asks the server; the error is that nothing can be asked.
fn seed(
    account: &Account,
    state_dir: &Path,
    output: &Arc<Output>,
) -> Result<Result<Taken, Error>, Exit> {
    let started = signals::listen(output).and_then(|stop| Ok((stop, run::runtime(1)?)));
    let (stop, runtime) = started.map_err(|error| {
        output.problem(None, &format!("cannot start: {error}"));
        Exit::IoError
    })?;
    run::tell_panics(output);
    let prompt = Terminal::new(Arc::clone(output), stop.clone());
    let reporter = Watcher::new(Arc::clone(output), &account.name);
    let taken = runtime.block_on(sync::seed(&Request {
        account,
        state_dir,
        prompt: &prompt,
        reporter: &reporter,
        dry_run: false,
        allow: sync::Allow::default(),
        clock: system_clock,
        stop,
    }));
    runtime.shutdown_timeout(run::PATIENCE);
    Ok(taken.map_err(Error::from))
}
