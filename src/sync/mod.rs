//! One sync of one account, in order: [`run`] is the one place where the steps can be read.
//!
//! 1. Lock the account, take up what a crash left, get the password.
//! 2. Connect and log in.
//! 3. List the maildrop, and read the cache meanwhile.
//! 4. Plan: [`crate::policy::plan`] decides, nothing else does.
//! 5. Retrieve and store, in batches, by the order that [`crate::store`] lays down.
//! 6. Delete on the server what is safe and is to go, and QUIT.
//! 7. Record the run.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::account::{Account, Identity};
use crate::auth::source::{self, Prompt};
use crate::cache::{self, AccountRow, Cache, Snapshot};
use crate::exit::Exit;
use crate::policy::{Action, StoreState};
use crate::session;

mod arrival;
mod chunk;
mod committer;
mod deletion;
mod error;
mod event;
mod from_store;
mod guarding;
mod headers;
mod intake;
mod listing;
mod migration;
mod nameless;
mod planning;
mod refiled;
mod retrieval;
mod seed;
mod shelf;
mod storage;
mod stub;
mod survey;
mod verify;
mod work;
mod writer;

pub use error::Error;
pub use event::{Event, Reporter, Summary};
pub use from_store::from_store;
pub use seed::seed;
pub use survey::{Entry, Remains, State, Survey, survey, survey_local};
pub use verify::{Fault, Finding, Scope, Tally, Verification, verify};

use guarding::{Guarding, Look};
use listing::{Opened, Past};
use planning::Plan;
use work::Work;

/// Gives the time, in seconds since 1970.
pub type Clock = fn() -> i64;

/// The system's clock.
pub fn system_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

/// What one sync needs.
pub struct Request<'a> {
    /// The account.
    pub account: &'a Account,
    /// The folder that holds cache and locks; made where missing.
    pub state_dir: &'a Path,
    /// Asks the person for a password, where there is one.
    pub prompt: &'a dyn Prompt,
    /// Watches.
    pub reporter: &'a dyn Reporter,
    /// Say what would be retrieved and deleted, and do neither.
    pub dry_run: bool,
    /// What a person has said is meant, for this run.
    pub allow: Allow,
    /// Gives the time.
    pub clock: Clock,
    /// Becomes true when the run is to stop as soon as what is complete is recorded.
    pub stop: watch::Receiver<bool>,
}

/// What no run does unless a person says that it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allow {
    /// `--allow-mass-delete`: the brakes on deletion do not hold.
    pub mass_delete: bool,
    /// `--accept-store`: the store is the right one as it is, whatever it lacks.
    pub store_as_is: bool,
}

/// How one sync ended. What `summary` counts is true even when `result` is an error.
#[derive(Debug)]
pub struct Outcome {
    /// What was done.
    pub summary: Summary,
    /// Whether the run came to its end.
    pub result: Result<(), Error>,
}

impl Outcome {
    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        match &self.result {
            Err(error) => error.exit(),
            Ok(()) if self.summary.failed > 0 => Exit::Partial,
            Ok(()) => Exit::Success,
        }
    }
}

/// Syncs one account.
pub async fn run(request: Request<'_>) -> Outcome {
    let began = Instant::now();
    let mut summary = Summary::default();
    let result = if request.dry_run {
        rehearse(&request, &mut summary).await
    } else {
        perform(&request, &mut summary).await
    };
    summary.elapsed = began.elapsed();
    Outcome { summary, result }
}

/// All steps.
async fn perform(request: &Request<'_>, summary: &mut Summary) -> Result<(), Error> {
    let started_at = (request.clock)();
    // Step 1. What fails here has no place to be recorded in.
    let mut work = Work::prepare(request, started_at).await?;
    let result = work.steps(summary).await;
    // Step 7.
    let recorded = work.record(started_at, summary, &result).await;
    result.and(recorded)
}

/// Steps 2 to 4, told and not done; nothing is written.
async fn rehearse(request: &Request<'_>, summary: &mut Summary) -> Result<(), Error> {
    let stop = Stop(request.stop.clone());
    let asking = source::password(request.account, request.prompt);
    let password = stop.unless_stopped(asking).await??;
    let account = request.account;
    let cache = Cache::open_read_only(request.state_dir)?;
    work::familiar::doubt_maildir(cache.as_ref(), account)?;
    drop(cache);
    let known = known_so_far(request.state_dir, &account.identity)?;
    let (snapshot, past, recorded, state, guarding) = match &known {
        Some((cache, row)) => {
            let mut guarding = Guarding::inspect(cache, row, account, request.allow)?;
            let look = Look::at_account(account);
            let follow = account.retention.remove_when_deleted_locally;
            let snapshot = guarding.snapshot(cache, row.id, follow.then_some(&look))?;
            let state = guarding.store_state(cache, row.id, &look)?;
            let recorded = cache.recorded(row.id)?;
            (
                snapshot,
                Past::read(cache, row.id)?,
                recorded,
                state,
                guarding,
            )
        }
        None => (
            Snapshot::default(),
            Past::default(),
            Vec::new(),
            StoreState::Holds,
            Guarding::new(),
        ),
    };
    drop(known);
    let opening = stop.unless_stopped(listing::open(request, &password, &past));
    let Opened {
        mut session,
        builder,
        nameless: refusal,
    } = opening.await??;
    let completing = listing::complete(request, &mut session, builder, &snapshot);
    let maildrop = stop.unless_stopped(completing).await??;
    let mut plan = if let Some(refusal) = refusal {
        let looking = nameless::look(&mut session, &maildrop, &recorded);
        match stop.unless_stopped(looking).await?? {
            Some(seen) => nameless::plan(request, &maildrop, (0, 0), &seen),
            None => {
                deletion::leave(session).await;
                return Err(session::Error::Refused(refusal).into());
            }
        }
    } else {
        Plan::new(request, &maildrop, &snapshot, (0, 0), &HashSet::new())
    };
    summary.on_server = maildrop.len() as u64;
    summary.skipped = plan.skipped();
    summary.failed = plan.warn(request, &maildrop, &snapshot);
    let brakes = plan.brakes(&guarding.circumstances(request, &maildrop, state));
    if !brakes.is_empty() {
        summary.failed += plan.apply(request, &brakes);
    }
    for (message, decision) in plan.decided(&maildrop) {
        if decision.action != Action::Keep || decision.leaves_at().is_some() {
            request.reporter.report(Event::Decided {
                number: message.number.as_u32(),
                unique_id: message.unique_id,
                octets: message.octets,
                action: decision.action,
                reason: decision.reason,
                leaves_at: decision.leaves_at(),
            });
        }
    }
    plan.report(request, &maildrop);
    deletion::leave(session).await;
    Ok(())
}

/// The cache and the account's row, if there are any yet.
fn known_so_far(
    state_dir: &Path,
    identity: &Identity,
) -> Result<Option<(Cache, AccountRow)>, cache::Error> {
    let Some(cache) = Cache::open_read_only(state_dir)? else {
        return Ok(None);
    };
    let row = cache.find_account(identity)?;
    Ok(row.map(|row| (cache, row)))
}

/// Tells when the user wants the run to end.
#[derive(Clone)]
struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Whether it is to end.
    fn is_wanted(&self) -> bool {
        *self.0.borrow()
    }

    /// Does this, unless it is to stop first; what was begun is dropped then.
    async fn unless_stopped<F: Future>(&self, doing: F) -> Result<F::Output, Error> {
        let mut stop = self.0.clone();
        tokio::select! {
            done = doing => Ok(done),
            Ok(_) = stop.wait_for(|stop| *stop) => Err(Error::Interrupted),
        }
    }
}
