//! `popsync verify`: the local copies, and the server's, held against what is recorded.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::account::Account;
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::sync::{self, Request, Scope, system_clock};

use super::args::{Global, Verify};
use super::output::{self, Output, Watcher};
use super::prompt::Terminal;
use super::{config_path, options, run, signals, state_dir};

/// Verifies the accounts of these names; all for none.
pub(super) fn verify(global: &Global, arguments: &Verify) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let accounts = || -> Result<_, config::Error> {
        let accounts = Config::load(&config_path(global)?)?.select(&arguments.accounts)?;
        Ok((accounts, state_dir(global)?))
    };
    let exit = match accounts() {
        Ok((accounts, state_dir)) => all(&accounts, &state_dir, scope(arguments), &output),
        Err(error) => output.config_error(&error),
    };
    exit.merge(output.finish())
}

fn scope(arguments: &Verify) -> Scope {
    Scope {
        server: arguments.server,
        deep: arguments.deep,
        repair: arguments.repair,
    }
}

/// One after the other: each is bound by the disk.
fn all(accounts: &[Account], state_dir: &Path, scope: Scope, output: &Arc<Output>) -> Exit {
    let started = signals::listen(output).and_then(|stop| Ok((stop, run::runtime(1)?)));
    let (stop, runtime) = match started {
        Ok(started) => started,
        Err(error) => {
            output.problem(None, &format!("cannot start: {error}"));
            return Exit::IoError;
        }
    };
    run::tell_panics(output);
    let mut exit = Exit::Success;
    for account in accounts {
        if *stop.borrow() {
            exit = exit.merge(Exit::Interrupted);
            break;
        }
        exit = exit.merge(one(account, state_dir, scope, output, &runtime, &stop));
    }
    runtime.shutdown_timeout(run::PATIENCE);
    exit
}

fn one(
    account: &Account,
    state_dir: &Path,
    scope: Scope,
    output: &Arc<Output>,
    runtime: &Runtime,
    stop: &watch::Receiver<bool>,
) -> Exit {
    let prompt = Terminal::new(Arc::clone(output), stop.clone());
    let reporter = Watcher::new(Arc::clone(output), &account.name);
    let request = Request {
        account,
        state_dir,
        prompt: &prompt,
        reporter: &reporter,
        dry_run: false,
        allow: sync::Allow::default(),
        clock: system_clock,
        stop: stop.clone(),
    };
    let mut tell = |finding: sync::Finding<'_>| output.finding(&account.name, &finding);
    let verification = runtime.block_on(sync::verify(&request, scope, &mut tell));
    output.verified(&account.name, &verification)
}
