//! Runs accounts in parallel, and merges their exit statuses.

use std::collections::HashMap;
use std::io;
use std::num::{NonZeroU8, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
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

mod crew;
mod queue;

use crew::Crew;
use queue::{Ending, Queue, Seat, Turn};

/// So many accounts that were not tried are recorded at the same time. SQLite has one writer, and none of
/// them waits for the disk.
const RECORDED_AT_ONCE: usize = 2;

/// The longest time that a run spends on nothing but waits for second turns. A run that a timer starts is
/// soon followed by another, and a person at a terminal waits for the end of this one; what needs longer
/// is left to the next run.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The settings of a run over accounts.
pub(super) struct Orders {
    pub(super) at_once: AtOnce,
    /// The time that may be spent on nothing but waits for second turns.
    pub(super) longest_wait: Duration,
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
    /// The connections to one server.
    pub(super) per_host: NonZeroUsize,
}

impl AtOnce {
    /// For a single account.
    pub(super) const ONE: Self = Self {
        jobs: 1,
        per_host: NonZeroUsize::MAX,
    };
}

/// Syncs the accounts, and reports those that cannot be synced.
pub(super) fn run(chosen: Chosen, orders: &Orders, output: &Arc<Output>) -> Exit {
    if let Err(exit) = have_room(orders.at_once.jobs, &chosen.accounts, output) {
        return exit;
    }
    let unsound = output.not_run(&chosen.unsound);
    // The accounts have threads of their own.
    let synced = runtime::within(output, 1, async |stop| {
        once(chosen.accounts, orders, stop, output).await
    });
    unsound.merge(synced)
}

/// Refuses a run that has too few file descriptors for this many of the accounts at once.
pub(super) fn have_room(jobs: usize, accounts: &[Account], output: &Output) -> Result<(), Exit> {
    let connections = accounts.iter().filter_map(|one| one.limits.connections);
    let connections = connections.max().map_or(1, NonZeroU8::get);
    match descriptors::too_few_for(jobs, connections) {
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
        let are_several = accounts.len() > 1;
        let kept = are_several.then(KeepOpen::new);
        self.output.begin_accounts(accounts.len());
        let Orders {
            at_once,
            longest_wait,
            ..
        } = *self.orders;
        let mut running = match Running::begin() {
            Ok(running) => running,
            Err(error) => return self.output.failure(None, &StartError::Runtime(error)),
        };
        let mut queue = Queue::new(accounts, at_once.per_host, longest_wait);
        let mut exit = Exit::Success;
        loop {
            let mut wake = None;
            if self.stop.asked().is_none() {
                while running.have_room(at_once.jobs)
                    && let Some(turn) = queue.next(Instant::now())
                {
                    let place = (turn.account.name.clone(), turn.seat);
                    if let Err((name, seat)) = running.start(place, self.sync(turn, are_several)) {
                        let lost = Ended::by_panic(&name, &self.output);
                        exit = exit.merge(lost.exit);
                        queue.ended(seat, lost.ending, Instant::now());
                    }
                }
                wake = queue.wake(Instant::now());
            }
            let is_idle = running.places.is_empty();
            match wake {
                None if is_idle => break,
                Some(wake) if is_idle => self.output.waits(wake - Instant::now()),
                _ => {}
            }
            let ended = tokio::select! {
                Some(ended) = running.crew.next(), if !is_idle => ended,
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => continue,
                _ = self.stop.wait(), if is_idle => continue,
            };
            if let Some((seat, ended)) = running.of(ended, &self.output) {
                exit = exit.merge(ended.exit);
                queue.ended(seat, ended.ending, Instant::now());
            }
        }
        exit = exit.merge(self.leave(queue.left(Instant::now())).await);
        if let Some(Err(error)) = kept.map(KeepOpen::close) {
            exit = exit.merge(self.output.failure(None, &error));
        }
        self.output.total();
        exit
    }

    /// Reports the accounts whose turn did not come: the user stopped popsync, their server does not
    /// answer, or the second turn is too far away.
    async fn leave(&self, turns: Vec<(Turn, bool)>) -> Exit {
        let mut exit = Exit::Success;
        let mut accounts = Vec::new();
        let mut too_late = 0;
        for (turn, is_later) in turns {
            let Some(first) = turn.first else {
                accounts.push(turn.account);
                continue;
            };
            let complaint = complaint(&turn.account.alerts, &first, sync::system_clock());
            let is_told = is_later && complaint != Complaint::PutOff;
            too_late += u64::from(is_told);
            exit = exit.merge(self.report(&turn.account, &first, complaint).await);
            if let Some(signal) = self.stop.asked() {
                exit = exit.merge(signal.exit());
            }
        }
        if self.stop.asked().is_none() {
            self.output
                .left_to_next_run(too_late, self.orders.longest_wait);
        }
        exit.merge(self.leave_untried(accounts).await)
    }

    /// Reports an account whose second turn does not come.
    async fn report(&self, account: &Account, first: &Outcome, complaint: Complaint) -> Exit {
        let Account { name, alerts, .. } = account;
        let exit = self.output.outcome(name, first, complaint);
        if !self.orders.dry_run {
            hooks::run(name, alerts, first, complaint, &self.stop, &self.output).await;
        }
        exit
    }

    async fn leave_untried(&self, accounts: Vec<Account>) -> Exit {
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

    /// Syncs one account. Returns after the report. If the account may have a second turn, nothing is
    /// reported before that.
    fn sync(&self, turn: Turn, has_second: bool) -> impl Future<Output = Ended> + Send + use<> {
        let Turn { account, first, .. } = turn;
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
            let request = Request {
                account: &account,
                state_dir: &state_dir,
                prompt: &remembering,
                reporter: &remembering,
                dry_run,
                allow,
                same_as: same_as.as_deref(),
                stop: stop.clone(),
                clock: sync::system_clock,
            };
            let outcome = match &first {
                None => sync::run(request).await,
                Some(first) => sync::run_again(request, first).await,
            };
            // A person who typed a password is not asked for it twice.
            let has_second = has_second && first.is_none() && !remembering.has_asked();
            let typed = remembering.taken().filter(|_| remember);
            // The reporter has a last line, which comes first.
            drop(reporter);
            let ending = Ending {
                answered: !outcome.found_nobody(),
                is_throttled: outcome.is_throttled(),
                again: None,
            };
            let after = outcome.again_after().filter(|_| has_second);
            if let Some(after) = after {
                output.put_off(&account.name, &outcome, after);
                let again = Some((account, outcome, after));
                return Ended {
                    exit: Exit::Success,
                    ending: Ending { again, ..ending },
                };
            }
            let Account { name, alerts, .. } = &account;
            let complaint = complaint(alerts, &outcome, sync::system_clock());
            let exit = output.outcome(name, &outcome, complaint);
            if let Some(password) = typed {
                remember::keep(&account, &password, &output).await;
            }
            if !dry_run {
                hooks::run(name, alerts, &outcome, complaint, &stop, &output).await;
            }
            Ended { exit, ending }
        };
        run.instrument(span)
    }
}

/// The accounts at work.
struct Running {
    crew: Crew<Ended>,
    places: HashMap<usize, (String, Seat)>,
}

impl Running {
    /// # Errors
    /// The system's, if it cannot start a thread or its runtime.
    fn begin() -> io::Result<Self> {
        Ok(Self {
            crew: Crew::begin()?,
            places: HashMap::new(),
        })
    }

    /// True if fewer than `most` are at work and another one may begin.
    fn have_room(&mut self, most: usize) -> bool {
        self.places.len() < most && self.crew.has_room()
    }

    /// Gives `place` back if the work cannot begin.
    fn start(
        &mut self,
        place: (String, Seat),
        work: impl Future<Output = Ended> + Send + 'static,
    ) -> Result<(), (String, Seat)> {
        match self.crew.start(work) {
            Some(hand) => {
                self.places.insert(hand, place);
                Ok(())
            }
            None => Err(place),
        }
    }

    /// How a turn ended, and whose it was.
    fn of(
        &mut self,
        (hand, ended): (usize, Option<Ended>),
        output: &Output,
    ) -> Option<(Seat, Ended)> {
        let (name, seat) = self.places.remove(&hand)?;
        Some((
            seat,
            ended.unwrap_or_else(|| Ended::by_panic(&name, output)),
        ))
    }
}

/// How a turn of an account ended.
struct Ended {
    /// Success as long as it has another one.
    exit: Exit,
    ending: Ending,
}

impl Ended {
    /// Reports that the account of this name was stopped by an internal error.
    fn by_panic(name: &str, output: &Output) -> Self {
        Self {
            exit: output.panicked(name),
            ending: Ending {
                answered: true,
                is_throttled: false,
                again: None,
            },
        }
    }
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
