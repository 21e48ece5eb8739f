//! Runs accounts in parallel, and merges their exit statuses.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::{JoinHandle, JoinSet};
use tracing::Instrument;

use crate::account::{Account, Alerts, Server};
use crate::config::Chosen;
use crate::exit::Exit;
use crate::stop::Stop;
use crate::sync::{self, Allow, KeepOpen, Outcome, Request};

use super::output::{Complaint, Output, StartError};
use super::prompt::Terminal;
use super::remember::{self, Remembering};
use super::{descriptors, hooks, runtime};

mod queue;

use queue::Queue;

/// So many accounts that were not tried are recorded at the same time, if that many files may be open.
const RECORDED_AT_ONCE: usize = 32;

/// The settings of a run over accounts.
pub(super) struct Orders {
    pub(super) at_once: AtOnce,
    pub(super) dry_run: bool,
    pub(super) allow: Allow,
    pub(super) same_as: Option<String>,
    /// True if a typed password goes into the keyring.
    pub(super) remember: bool,
    pub(super) state_dir: PathBuf,
}

/// The number of accounts that run at the same time.
#[derive(Debug, Clone, Copy)]
pub(super) struct AtOnce {
    /// All together.
    pub(super) jobs: usize,
    /// Those of one server.
    pub(super) per_host: NonZeroUsize,
}

impl AtOnce {
    /// For a single account.
    pub(super) const ONE: Self = Self {
        jobs: 1,
        per_host: NonZeroUsize::MIN,
    };
}

/// Syncs the accounts, and reports those that cannot be synced.
pub(super) fn run(chosen: Chosen, orders: &Orders, output: &Arc<Output>) -> Exit {
    if let Err(exit) = have_room(orders.at_once.jobs, output) {
        return exit;
    }
    let unsound = output.not_run(&chosen.unsound);
    let synced = runtime::within(output, orders.at_once.jobs, async |stop| {
        once(chosen.accounts, orders, stop, output).await
    });
    unsound.merge(synced)
}

/// Refuses a run that has too few file descriptors for this many accounts at once.
pub(super) fn have_room(jobs: usize, output: &Output) -> Result<(), Exit> {
    match descriptors::too_few_for(jobs) {
        Some(limit) => Err(output.failure(None, &StartError::TooFewFiles { limit, jobs })),
        None => Ok(()),
    }
}

/// Syncs the accounts, within a runtime.
pub(super) async fn once(
    accounts: Vec<Account>,
    orders: &Orders,
    stop: Stop,
    output: &Arc<Output>,
) -> Exit {
    let workers = Workers {
        prompt: Arc::new(Terminal::new(Arc::clone(output), stop.clone())),
        output: Arc::clone(output),
        orders,
        stop,
    };
    workers.work(accounts).await
}

/// The parts that all accounts share.
struct Workers<'a> {
    prompt: Arc<Terminal>,
    output: Arc<Output>,
    orders: &'a Orders,
    stop: Stop,
}

impl Workers<'_> {
    async fn work(self, accounts: Vec<Account>) -> Exit {
        let _kept = (accounts.len() > 1).then(KeepOpen::new);
        self.output.begin_accounts(accounts.len());
        let mut queue = Queue::new(accounts, self.orders.at_once.per_host);
        let mut running = HashMap::new();
        let mut tasks = JoinSet::new();
        let mut exit = Exit::Success;
        loop {
            while tasks.len() < self.orders.at_once.jobs
                && self.stop.asked().is_none()
                && let Some(account) = queue.next()
            {
                let place = (account.name.clone(), account.server.clone());
                let task = tasks.spawn(self.sync(account));
                running.insert(task.id(), place);
            }
            let Some(ended) = tasks.join_next_with_id().await else {
                break;
            };
            let (id, ended) = match ended {
                Ok((id, ended)) => (id, Some(ended)),
                Err(error) => (error.id(), None),
            };
            let Some((name, server)) = running.remove(&id) else {
                continue;
            };
            let ended = ended.unwrap_or_else(|| Ended {
                exit: self.output.panicked(&name),
                answered: true,
            });
            queue.ended(&server, ended.answered);
            exit = exit.merge(ended.exit);
        }
        exit = exit.merge(self.leave(queue.left()).await);
        self.output.total();
        exit
    }

    /// Reports the accounts whose turn did not come: the user stopped popsync, or their server does not
    /// answer.
    async fn leave(&self, accounts: Vec<Account>) -> Exit {
        let mut exit = Exit::Success;
        let mut silent = Vec::new();
        let mut accounts = accounts.into_iter();
        let at_once = descriptors::room_for(RECORDED_AT_ONCE);
        loop {
            if let Some(signal) = self.stop.asked() {
                for account in accounts.by_ref() {
                    exit = exit.merge(self.output.not_started(&account.name, signal));
                }
            }
            let some: Vec<_> = accounts.by_ref().take(at_once).collect();
            if some.is_empty() {
                break;
            }
            // Each is recorded durably; together they wait for the disk once.
            let recording: Vec<_> = some
                .into_iter()
                .map(|one| self.record_untried(one))
                .collect();
            for recorded in recording {
                if let Ok((account, outcome)) = recorded.await {
                    exit = exit.merge(self.report_untried(&account, &outcome, &mut silent).await);
                }
            }
        }
        self.output.silent_servers(&silent);
        exit
    }

    fn record_untried(&self, account: Account) -> JoinHandle<(Account, Outcome)> {
        let state_dir = self.orders.state_dir.clone();
        let dry_run = self.orders.dry_run;
        tokio::spawn(async move {
            let outcome = sync::untried(&account, &state_dir, dry_run, sync::system_clock()).await;
            (account, outcome)
        })
    }

    /// Adds the server to `silent` if people should hear of it.
    async fn report_untried(
        &self,
        account: &Account,
        outcome: &Outcome,
        silent: &mut Vec<Server>,
    ) -> Exit {
        let Account { name, alerts, .. } = account;
        let complaint = complaint(alerts, outcome, sync::system_clock());
        let exit = self.output.untried(name, outcome);
        if complaint != Complaint::PutOff {
            silent.push(account.server.clone());
        }
        if !self.orders.dry_run {
            hooks::run(name, alerts, outcome, complaint, &self.stop, &self.output).await;
        }
        exit
    }

    /// Syncs one account, in a task of its own so that its panic ends nothing else. Returns after the
    /// report.
    fn sync(&self, account: Account) -> impl Future<Output = Ended> + Send + use<> {
        let reporter = self.output.reporter(&account.name);
        let span = reporter.span();
        let prompt = Arc::clone(&self.prompt);
        let state_dir = self.orders.state_dir.clone();
        let Orders {
            dry_run,
            allow,
            remember,
            ..
        } = *self.orders;
        let (same_as, stop) = (self.orders.same_as.clone(), self.stop.clone());
        let output = Arc::clone(&self.output);
        let run = async move {
            let remembering = Remembering::new(&*prompt, &reporter);
            let outcome = sync::run(Request {
                account: &account,
                state_dir: &state_dir,
                prompt: &remembering,
                reporter: &remembering,
                dry_run,
                allow,
                same_as: same_as.as_deref(),
                stop: stop.clone(),
                clock: sync::system_clock,
            })
            .await;
            let typed = remembering.taken().filter(|_| remember);
            // The reporter has a last line, which comes first.
            drop(reporter);
            let Account { name, alerts, .. } = &account;
            let complaint = complaint(alerts, &outcome, sync::system_clock());
            let exit = output.outcome(name, &outcome, complaint);
            if let Some(password) = typed {
                remember::keep(&account, &password, &output).await;
            }
            if !dry_run {
                hooks::run(name, alerts, &outcome, complaint, &stop, &output).await;
            }
            Ended {
                exit,
                answered: !outcome.found_nobody(),
            }
        };
        run.instrument(span)
    }
}

/// How the sync of an account ended.
struct Ended {
    exit: Exit,
    /// False if nobody answered at its server.
    answered: bool,
}

/// Decides when a failure is reported.
fn complaint(alerts: &Alerts, outcome: &Outcome, now: i64) -> Complaint {
    match (alerts.complain_after, outcome.outage) {
        (patience, _) if outcome.is_put_off(patience, now) => Complaint::PutOff,
        (Some(_), Some(outage)) => Complaint::Late {
            since: outage.since,
        },
        _ => Complaint::AtOnce,
    }
}
