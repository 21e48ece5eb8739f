//! `popsync sync --every`: keeps running, and syncs again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::account::Account;
use crate::config::{self, Chosen};
use crate::exit::Exit;
use crate::stop::Stop;
use crate::sync::Allow;

use super::args::Global;
use super::output::{self, Output, duration};
use super::run::{self, AtOnce, Orders};
use super::signals::Reload;
use super::{options, runtime, state_dir};

/// Syncs the accounts that `load` returns, at once and each `every`, until a signal ends it. After
/// SIGHUP `load` is called again.
pub(super) fn every(
    global: &Global,
    every: Duration,
    at_once: AtOnce,
    load: impl Fn() -> Result<Chosen, config::Error>,
) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let loaded = load().and_then(|chosen| Ok((chosen, state_dir(global)?)));
    let exit = match loaded {
        Ok((chosen, state_dir)) => {
            output.mistakes(&chosen.unsound);
            let orders = Orders {
                at_once,
                // A wait must not put off the next sync.
                longest_wait: run::LONGEST_WAIT.min(every),
                dry_run: false,
                allow: Allow::default(),
                same_as: None,
                remember: false,
                state_dir,
            };
            let rounds = Rounds {
                every,
                orders,
                load,
                output: Arc::clone(&output),
            };
            rounds.run(chosen.accounts)
        }
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

/// The syncs, one after another.
struct Rounds<L> {
    every: Duration,
    orders: Orders,
    load: L,
    output: Arc<Output>,
}

impl<L: Fn() -> Result<Chosen, config::Error>> Rounds<L> {
    fn run(&self, accounts: Vec<Account>) -> Exit {
        if let Err(exit) = run::have_room(self.orders.at_once.jobs, &accounts, &self.output) {
            return exit;
        }
        // The accounts have threads of their own.
        runtime::within_reloading(&self.output, 1, async |stop, reload| {
            self.rounds(accounts, stop, reload).await
        })
    }

    /// Returns the status of the signal that ended it, like any other command.
    async fn rounds(&self, mut accounts: Vec<Account>, stop: Stop, mut reload: Reload) -> Exit {
        let mut number: u64 = 1;
        loop {
            let began = Instant::now();
            let exit = run::once(accounts.clone(), &self.orders, stop.clone(), &self.output).await;
            if let Some(signal) = stop.asked() {
                return exit.merge(signal.exit());
            }
            tracing::debug!(
                target: output::log::STEPS,
                "run {number} ended with {}; the next one begins {} after it began",
                exit.code(),
                duration(self.every.as_secs().cast_signed())
            );
            number += 1;
            tokio::select! {
                signal = stop.wait() => return signal.exit(),
                () = sleep_until(began + self.every) => {}
                () = reload.asked() => self.reload(&mut accounts),
            }
        }
    }

    /// Applies the new configuration. If it has a mistake, reports that and keeps the old accounts.
    fn reload(&self, accounts: &mut Vec<Account>) {
        match (self.load)() {
            Ok(loaded) if !loaded.unsound.is_empty() => {
                self.output.mistakes(&loaded.unsound);
            }
            Ok(loaded) => {
                *accounts = loaded.accounts;
                tracing::debug!(target: output::log::STEPS, "the configuration was read again");
            }
            Err(error) => {
                self.output.failure(None, &error);
            }
        }
    }
}
