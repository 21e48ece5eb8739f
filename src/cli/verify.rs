//! `popsync verify`: compares the local copies, and the server's, with the records.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::account::Account;
use crate::config::{self, Chosen};
use crate::exit::Exit;
use crate::stop::Stop;
use crate::sync::{self, Allow, Request, Scope};

use super::args::{Global, Verify};
use super::output::{self, Output, Panicked, Watcher};
use super::prompt::Terminal;
use super::{config_path, options, run, runtime, state_dir};

/// Verifies the accounts of these names; all if there are none.
pub(super) fn verify(global: &Global, arguments: &Verify) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let chosen = || -> Result<_, config::Error> {
        let chosen = Chosen::load(&config_path(global)?, &arguments.accounts)?;
        Ok((chosen, state_dir(global)?))
    };
    let exit = match chosen() {
        Ok((chosen, state_dir)) => {
            let order = Order {
                scope: scope(arguments),
                names_all: global.verbose > 0 || global.json,
                jobs: arguments.jobs.get(),
            };
            let unsound = output.mistakes(&chosen.unsound);
            unsound.merge(all(chosen.accounts, &state_dir, order, &output))
        }
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

/// The work for each account.
#[derive(Debug, Clone, Copy)]
struct Order {
    scope: Scope,
    /// True if harmless findings are named, too.
    names_all: bool,
    /// The number of accounts that are verified at the same time.
    jobs: usize,
}

fn scope(arguments: &Verify) -> Scope {
    Scope {
        server: arguments.server,
        deep: arguments.deep,
        repair: arguments.repair,
        accept_deletions: arguments.accept_deletions,
        parts: arguments.read_data_subset,
    }
}

/// Verifies the accounts, some of them at the same time.
fn all(accounts: Vec<Account>, state_dir: &Path, order: Order, output: &Arc<Output>) -> Exit {
    let jobs = order.jobs.min(accounts.len()).max(1);
    if let Err(exit) = run::have_room(jobs, &accounts, output) {
        return exit;
    }
    runtime::within(output, jobs, async |stop| {
        let mut waiting = accounts.into_iter();
        let mut names = HashMap::new();
        let mut tasks = JoinSet::new();
        let mut exit = Exit::Success;
        loop {
            while tasks.len() < jobs
                && stop.asked().is_none()
                && let Some(account) = waiting.next()
            {
                let name = account.name.clone();
                let state_dir = state_dir.to_owned();
                let (output, stop) = (Arc::clone(output), stop.clone());
                // It reads the store without a pause: the runtime's threads are for servers.
                let runtime = Handle::current();
                let task = tasks.spawn_blocking(move || {
                    runtime.block_on(one(account, state_dir, order, output, stop))
                });
                names.insert(task.id(), name);
            }
            match tasks.join_next_with_id().await {
                None => break,
                Some(Ok((_, of_account))) => exit = exit.merge(of_account),
                // The panic hook has told of it. The others go on.
                Some(Err(panic)) => {
                    let name = names.remove(&panic.id());
                    exit = exit.merge(output.failure(name.as_deref(), &Panicked));
                }
            }
        }
        match stop.asked() {
            Some(signal) if waiting.next().is_some() => exit.merge(signal.exit()),
            _ => exit,
        }
    })
}

/// Verifies one account, and reports the result.
async fn one(
    account: Account,
    state_dir: PathBuf,
    order: Order,
    output: Arc<Output>,
    stop: Stop,
) -> Exit {
    let prompt = Terminal::new(Arc::clone(&output), stop.clone());
    let reporter = Watcher::new(Arc::clone(&output), &account.name);
    let request = Request {
        account: &account,
        state_dir: &state_dir,
        prompt: &prompt,
        reporter: &reporter,
        dry_run: false,
        allow: Allow::default(),
        same_as: None,
        clock: sync::system_clock,
        stop,
    };
    let mut tell = |finding: sync::Finding<'_>| {
        if order.names_all || !finding.condition.is_harmless() {
            output.finding(&account.name, &finding);
        }
    };
    let verification = sync::verify(&request, order.scope, &mut tell).await;
    output.verified(&account.name, &verification)
}
