//! One sync of one account, in order: [`run()`] is where the steps begin.
//!
//! 1. Lock the account, take up what a crash left, get the password: `visit`, `storage`.
//! 2. Connect and log in: `visit`.
//! 3. List the maildrop, and read the cache meanwhile: `visit`.
//! 4. Decide, by evidence, what is to be done with each message: `decide` gathers it, and
//!    `policy` decides. Nothing changes its decisions afterwards.
//! 5. Retrieve and store, in batches, by the order that `store` lays down: `transfer`.
//! 6. Delete on the server what is to go and is proved to be safe, and QUIT: `delete`.
//! 7. Record the run: `record`.
//!
//! The module `run` goes through them, session by session. A dry run ends after the fourth step.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::account::{Account, Identity, Outage, Patience, StoreSettings};
use crate::auth::source::Prompt;
use crate::cache::{Cache, Lock, Recorded, SameAsError};
use crate::exit::Exit;
use crate::failure::{self, Failure, Hinted};
use crate::stop::Stop;
use crate::store::{self, Readers};

#[cfg(feature = "cli")]
mod again;
mod broke;
mod decide;
mod delete;
pub(crate) mod error;
mod event;
mod export;
mod filed;
pub(crate) mod from_store;
mod header_index;
mod headers;
mod imported;
mod in_step;
mod large;
mod ledger;
mod leftovers;
mod likeness;
mod loss;
mod progress;
mod quit;
mod record;
mod rehearse;
mod run;
mod seed;
#[cfg(feature = "cli")]
mod senders;
mod sent_form;
mod storage;
mod stub;
mod survey;
mod transfer;
#[cfg(feature = "cli")]
mod untried;
mod verify;
mod visit;
mod waited;
mod warning;

#[cfg(feature = "cli")]
pub(crate) use again::run_again;
pub(crate) use error::Error;
pub use event::{Event, Reporter, Summary};
pub(crate) use export::{Counts, Holdings, Selection, holdings, write};
pub(crate) use from_store::from_store;
pub(crate) use seed::seed;
#[cfg(feature = "cli")]
pub(crate) use senders::Senders;
pub(crate) use survey::{Entry, Remains, State, Survey, survey, survey_local};
#[cfg(feature = "cli")]
pub(crate) use untried::untried;
pub use verify::{Condition, Finding, Scope, Tally, Verification, verify};
pub use warning::{Obstacle, Warning, Worry};

// The types that events and warnings mention.
pub use crate::cache::KeepOpen;
pub use crate::maildrop::Contradiction;
pub use crate::policy::{Action, Brake, Reason};
pub use crate::session::{Address, Refusal};
pub use crate::store::{Gap, Notice};

use run::Run;
use waited::Waited;

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
    /// `--same-as`: the name under which the mailbox was known before.
    pub same_as: Option<&'a str>,
    /// Gives the time.
    pub clock: Clock,
    /// Tells when the run is to end as soon as what is complete is recorded.
    pub stop: Stop,
}

impl Request<'_> {
    fn warn(&self, warning: Warning<'_>) {
        self.reporter.report(Event::Warning(warning));
    }
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
    pub(crate) result: Result<(), Error>,
    /// The outage that this run was a part of; none where it failed otherwise, or did not.
    pub(crate) outage: Option<Outage>,
    /// When it began, in seconds since 1970.
    pub(crate) started_at: i64,
    /// The time between two logins that the server asked for at the last one; none where the run did
    /// not come so far.
    pub(crate) login_delay: Option<Duration>,
}

impl Outcome {
    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        failure::status(&self.result, self.summary.undone())
    }

    /// True if it is too early to complain of the failure: it is one that may pass, and has lasted
    /// less than `patience` at the time `now`, in seconds since 1970.
    pub(crate) fn is_put_off(&self, patience: Option<Patience>, now: i64) -> bool {
        let patience = patience.zip(self.outage);
        patience.is_some_and(|(patience, outage)| patience.covers(outage, now))
    }

    /// True if nobody answered at the account's server.
    #[cfg(feature = "cli")]
    pub(crate) fn found_nobody(&self) -> bool {
        matches!(&self.result, Err(Error::Session(error)) if error.is_silence())
    }

    /// The error that ended the run. Its hint says what became of the mail on the server, where the
    /// error makes one wonder.
    pub fn error(&self) -> Option<impl Failure> {
        let error = self.result.as_ref().err()?;
        let hint = error.hint();
        if !error.makes_wonder() {
            return Some(Hinted { error, hint });
        }
        let comfort = match self.summary.may_have_deleted {
            true => "what was deleted on the server was stored before",
            false => "nothing was deleted on the server",
        };
        let hint = Some(match hint {
            Some(hint) => format!("{hint}; {comfort}").into(),
            None => comfort.into(),
        });
        Some(Hinted { error, hint })
    }
}

/// Lets the mailbox `own` take over what is remembered of it under another name; gives that, or none
/// where it has done so before.
///
/// # Errors
/// Where nothing is remembered under that name, or it may be several; where something is remembered
/// of `own`; where a run is at work on either; those of the cache.
pub(crate) fn take_over(
    state_dir: &Path,
    named: &str,
    own: &Identity,
) -> Result<Option<Recorded>, SameAsError> {
    let _lock = Lock::acquire(state_dir, own)?;
    visit::take_over(&mut Cache::open(state_dir)?, state_dir, named, own)
}

/// Syncs one account.
pub async fn run(request: Request<'_>) -> Outcome {
    attempt(request, None).await
}

/// The same. `first_at` is the time when the first attempt of the run began, if this is the second.
async fn attempt(request: Request<'_>, first_at: Option<i64>) -> Outcome {
    let began = Instant::now();
    let started_at = (request.clock)();
    let waited = Waited::new(request.prompt);
    let request = Request {
        prompt: &waited,
        ..request
    };
    let mut summary = Summary::default();
    let mut facts = Facts::default();
    let result = if request.dry_run {
        rehearse::rehearse(&request, &mut summary).await
    } else {
        perform(&request, (started_at, first_at), &mut summary, &mut facts).await
    };
    summary.elapsed = began.elapsed().saturating_sub(waited.time());
    let Facts {
        outage,
        login_delay,
    } = facts;
    Outcome {
        summary,
        result,
        outage,
        started_at,
        login_delay,
    }
}

/// The parts of an [`Outcome`] that are known only on the way.
#[derive(Debug, Default)]
struct Facts {
    outage: Option<Outage>,
    login_delay: Option<Duration>,
}

/// True for the status of a failure that may be gone in the next run, without anybody doing anything.
fn is_outage(exit: Exit) -> bool {
    matches!(exit, Exit::Unavailable | Exit::TemporaryFailure)
}

/// All steps.
async fn perform(
    request: &Request<'_>,
    (started_at, first_at): (i64, Option<i64>),
    summary: &mut Summary,
    facts: &mut Facts,
) -> Result<(), Error> {
    // Step 1. What fails here has no place to be recorded in.
    let preparing = Run::prepare(request, started_at);
    let prepared = request.stop.unless_stopped(preparing).await?;
    let mut run = prepared.inspect_err(|error| facts.outage = error.outage_of_holder())?;
    run.tally.first_at = first_at;
    let result = run.steps(summary).await;
    facts.login_delay = run.login_delay();
    // Step 7.
    match run.record(started_at, summary, &result).await {
        Ok(found) => {
            facts.outage = found;
            result
        }
        Err(error) => result.and(Err(error)),
    }
}

/// The readers' side of a store that is not opened for delivery.
fn closed_store(settings: &StoreSettings) -> Arc<dyn Readers> {
    store::closed(match settings {
        StoreSettings::Maildir { path, .. } => store::Place::Maildir(path.clone()),
        StoreSettings::Mbox { path, .. } => store::Place::Mbox(path.clone()),
        StoreSettings::Exec { .. } => store::Place::Elsewhere,
    })
}
