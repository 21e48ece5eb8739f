//! One sync of one account, in order: [`run`] is the one place where the steps can be read.
//!
//! 1. Lock the account, take up what a crash left, get the password.
//! 2. Connect and log in.
//! 3. List the maildrop, and read the cache meanwhile.
//! 4. Plan: [`crate::policy::plan`] decides, nothing else does.
//! 5. Retrieve and store, in batches, by the order that [`crate::store`] lays down.
//! 6. Delete on the server what is safe and is to go, and QUIT.
//! 7. Record the run.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::account::{Account, StoreSettings};
use crate::auth::source::{self, Prompt};
use crate::cache::{self, AccountRow, Cache, Lock, Run, Snapshot};
use crate::exit::Exit;
use crate::maildrop::{self, Maildrop};
use crate::policy::{self, Action, Decision, Memory, Reason};
use crate::session::{self, Listing, Session};
use crate::store::{Maildir, Store};

mod arrival;
mod chunk;
mod committer;
mod deletion;
mod error;
mod event;
mod intake;
mod retrieval;
mod writer;

pub use error::Error;
pub use event::{Event, Reporter, Summary};

use retrieval::{Order, Retrieval};

/// Up to this many messages at the last listing, sizes are asked for together with unique-ids:
/// one wait for the server less. Above it, listing sizes that nobody needs would cost more.
const SIZES_AT_ONCE: u64 = 5_000;

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
    /// Gives the time.
    pub clock: Clock,
    /// Becomes true when the run is to stop as soon as what is complete is recorded.
    pub stop: watch::Receiver<bool>,
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
    let password = source::password(request.account, request.prompt).await?;
    let (snapshot, listed_last) = match known_so_far(request)? {
        Some((cache, row)) => (cache.snapshot(row.id)?, cache.listed_last(row.id)?),
        None => (Snapshot::default(), None),
    };
    let opening = stop.unless_stopped(open(request, &password, listed_last));
    let (mut session, builder) = opening.await??;
    let completing = stop.unless_stopped(complete(request, &mut session, builder, &snapshot));
    let maildrop = completing.await??;
    let plan = plan(request, &maildrop, &snapshot, summary);
    for (message, decision) in maildrop.iter().zip(&plan) {
        if decision.action != Action::Keep {
            request.reporter.report(Event::Decided {
                number: message.number.as_u32(),
                unique_id: message.unique_id,
                octets: message.octets,
                action: decision.action,
                reason: decision.reason,
            });
        }
    }
    report_plan(request, &maildrop, &plan);
    deletion::leave(&mut session).await;
    Ok(())
}

/// The cache and the account's row, if there are any yet.
fn known_so_far(request: &Request<'_>) -> Result<Option<(Cache, AccountRow)>, cache::Error> {
    let Some(cache) = Cache::open_read_only(request.state_dir)? else {
        return Ok(None);
    };
    let row = cache.find_account(&request.account.identity)?;
    Ok(row.map(|row| (cache, row)))
}

/// A sync in progress.
struct Work<'a> {
    request: &'a Request<'a>,
    stop: Stop,
    /// Keeps other runs away from the account.
    _lock: Lock,
    row: AccountRow,
    store: Arc<dyn Store>,
    /// Not here while another thread has it.
    cache: Option<Cache>,
    /// Messages on the server, when they were listed last.
    listed_last: Option<u64>,
    /// Whether they were listed in this run.
    listed: bool,
}

impl<'a> Work<'a> {
    /// Step 1: locks the account and takes up what a crash left.
    async fn prepare(request: &'a Request<'a>, now: i64) -> Result<Self, Error> {
        let state_dir = request.state_dir.to_owned();
        let account = request.account.clone();
        let prepared = spawn_blocking(move || {
            let lock = Lock::acquire(&state_dir, &account.identity)?;
            let mut cache = Cache::open(&state_dir)?;
            let row = cache.account(&account, now)?;
            let StoreSettings::Maildir { path, .. } = &account.store;
            let store = Maildir::open(path, &row.tag)?;
            let lost = store.recover(&cache.staged(row.id)?)?;
            cache.forget_staged(row.id, &lost)?;
            let listed_last = cache.listed_last(row.id)?;
            Ok::<_, Error>((lock, cache, row, store, listed_last))
        });
        let (lock, cache, row, store, listed_last) = prepared.await.map_err(Error::panicked)??;
        Ok(Self {
            request,
            stop: Stop(request.stop.clone()),
            _lock: lock,
            row,
            store: Arc::new(store),
            cache: Some(cache),
            listed_last,
            listed: false,
        })
    }

    /// Steps 2 to 6.
    async fn steps(&mut self, summary: &mut Summary) -> Result<(), Error> {
        let request = self.request;
        // Still step 1, and before the dialling: Exchange closes a session that does not log in
        // within a minute (XPOP3:V0002).
        let password = source::password(request.account, request.prompt).await?;

        // Steps 2 and 3, and the cache is read meanwhile.
        let stop = self.stop.clone();
        let opening = stop.unless_stopped(open(request, &password, self.listed_last));
        let account = self.row.id;
        let reading = self.with_cache(move |cache| cache.snapshot(account));
        let (opened, snapshot) = tokio::join!(opening, reading);
        let ((mut session, builder), snapshot) = (opened??, snapshot?);
        let completing = stop.unless_stopped(complete(request, &mut session, builder, &snapshot));
        let maildrop = completing.await??;
        self.listed = true;
        summary.on_server = maildrop.len() as u64;

        // Step 4.
        let plan = plan(request, &maildrop, &snapshot, summary);
        report_plan(request, &maildrop, &plan);
        let (vanished, back) = snapshot.changes(&maildrop);
        let [vanished, back] = [vanished, back].map(owned);
        let maildrop = Arc::new(maildrop);

        // Step 5.
        let wanted = places(&plan, Action::retrieves);
        let order = Arc::new(Order::new(Arc::clone(&maildrop), wanted, &snapshot));
        drop(snapshot);
        let retrieved = self.retrieve(&mut session, &order, summary).await;
        let safe = retrieved
            .as_ref()
            .map_or_else(|_| Vec::new(), |retrieved| retrieved.0.clone());
        self.note_listing(vanished, back, &order, &safe).await?;
        retrieved?.1?;

        // Step 6.
        let mut deletable = places(&plan, |action| action == Action::Delete);
        let stored_now = safe.iter().map(|&slot| order.place(slot));
        deletable
            .extend(stored_now.filter(|&place| plan[place].action == Action::RetrieveThenDelete));
        deletable.sort_unstable();
        self.delete(&mut session, &maildrop, &deletable, summary)
            .await
    }

    /// Step 5. Gives the places of what is safe, and how the retrieval ended.
    async fn retrieve(
        &mut self,
        session: &mut Session,
        order: &Arc<Order>,
        summary: &mut Summary,
    ) -> Result<(Vec<usize>, Result<(), Error>), Error> {
        if order.is_empty() {
            return Ok((Vec::new(), Ok(())));
        }
        let retrieval = Retrieval {
            account: self.request.account,
            account_id: self.row.id,
            store: Arc::clone(&self.store),
            cache: self.take_cache()?,
            order: Arc::clone(order),
            reporter: self.request.reporter,
            clock: self.request.clock,
            stop: self.stop.clone(),
        };
        let retrieved = retrieval.run(session).await?;
        let committed = retrieved.committed;
        self.cache = Some(committed.cache);
        summary.retrieved += committed.messages;
        summary.octets += committed.octets;
        summary.failed += retrieved.failed;
        // Where the disk fails, the writer often only learns that nobody takes its batches.
        Ok((committed.safe, committed.result.and(retrieved.result)))
    }

    /// Records what the listing showed of known messages.
    async fn note_listing(
        &mut self,
        vanished: Vec<Vec<u8>>,
        back: Vec<Vec<u8>>,
        order: &Order,
        safe: &[usize],
    ) -> Result<(), Error> {
        let accounted_for: Vec<(Vec<u8>, u32)> = order
            .accounted_for(safe)
            .into_iter()
            .map(|(unique_id, copies)| (unique_id.to_vec(), copies))
            .collect();
        if vanished.is_empty() && back.is_empty() && accounted_for.is_empty() {
            return Ok(());
        }
        let (account, now) = (self.row.id, (self.request.clock)());
        self.with_cache(move |cache| {
            cache.listed(account, ids(&vanished), ids(&back), now)?;
            for (unique_id, copies) in accounted_for {
                cache.copies_accounted_for(account, &unique_id, copies)?;
            }
            Ok(())
        })
        .await
    }

    /// Step 6.
    async fn delete(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        places: &[usize],
        summary: &mut Summary,
    ) -> Result<(), Error> {
        if places.is_empty() {
            deletion::leave(session).await;
            return Ok(());
        }
        let stop = self.stop.clone();
        let deleting = deletion::delete(session, maildrop, places, self.request.reporter);
        let deleted = stop.unless_stopped(deleting).await??;
        summary.failed += deleted.failed;
        summary.deleted += deleted.places.len() as u64;
        summary.on_server -= deleted.places.len() as u64;
        let listed = deleted
            .places
            .iter()
            .filter_map(|&place| maildrop.get(place));
        let unique_ids: Vec<Vec<u8>> = listed.map(|message| message.unique_id.to_vec()).collect();
        let (account, now) = (self.row.id, (self.request.clock)());
        self.with_cache(move |cache| cache.deletion_asked(account, ids(&unique_ids), now))
            .await
    }

    /// Step 7.
    async fn record(
        &mut self,
        started_at: i64,
        summary: &Summary,
        result: &Result<(), Error>,
    ) -> Result<(), Error> {
        let exit = match result {
            Err(error) => error.exit(),
            Ok(()) if summary.failed > 0 => Exit::Partial,
            Ok(()) => Exit::Success,
        };
        let error = result.as_ref().err().map(ToString::to_string);
        let account = self.row.id;
        let finished_at = (self.request.clock)();
        let on_server = self.listed.then_some(summary.on_server);
        let summary = *summary;
        self.with_cache(move |cache| {
            cache.finish_run(
                account,
                Run {
                    started_at,
                    finished_at,
                    exit,
                    retrieved: summary.retrieved,
                    octets: summary.octets,
                    deleted: summary.deleted,
                    skipped: summary.skipped,
                    failed: summary.failed,
                    on_server,
                    error: error.as_deref(),
                },
            )
        })
        .await
    }

    fn take_cache(&mut self) -> Result<Cache, Error> {
        self.cache.take().ok_or_else(|| Error::Panicked {
            message: "the state was lost with an earlier failure".to_owned(),
        })
    }

    /// Does something with the cache on a thread that may block.
    async fn with_cache<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut Cache) -> Result<T, cache::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let mut cache = self.take_cache()?;
        let acting = spawn_blocking(move || {
            let result = act(&mut cache);
            (cache, result)
        });
        let (cache, result) = acting.await.map_err(Error::panicked)?;
        self.cache = Some(cache);
        Ok(result?)
    }
}

/// Steps 2 and 3: connects, logs in, and lists. Sizes are among what is listed where that costs
/// no wait of its own, or next to nothing.
async fn open(
    request: &Request<'_>,
    password: &SecretString,
    listed_last: Option<u64>,
) -> Result<(Session, maildrop::Builder), session::Error> {
    let (mut session, peer) = Session::open(request.account).await?;
    request.reporter.report(Event::Connected {
        address: peer.address,
        tls: peer.tls.as_deref(),
    });
    session.login(&request.account.user, password).await?;
    request.reporter.report(Event::LoggedIn);
    let mut builder = maildrop::Builder::default();
    let sizes =
        session.capabilities().pipelining() && listed_last.is_none_or(|last| last <= SIZES_AT_ONCE);
    session
        .listings(sizes, |line| enter(&mut builder, line))
        .await?;
    Ok((session, builder))
}

/// The rest of step 3: sizes, which are of use only where there is something to retrieve.
async fn complete(
    request: &Request<'_>,
    session: &mut Session,
    mut builder: maildrop::Builder,
    snapshot: &Snapshot,
) -> Result<Maildrop, session::Error> {
    let is_new = |message: maildrop::Message<'_>| snapshot.recall(message.unique_id).is_none();
    if !builder.has_sizes() && builder.maildrop().iter().any(is_new) {
        session
            .scan_listing(|line| enter(&mut builder, line))
            .await?;
    }
    let maildrop = builder.finish();
    request.reporter.report(Event::Listed {
        messages: maildrop.len() as u64,
    });
    Ok(maildrop)
}

fn enter(builder: &mut maildrop::Builder, line: Listing<'_>) {
    match line {
        Listing::Drop(listing) => builder.drop_listing(listing),
        Listing::Scan(line) => builder.scan_listing(line),
        Listing::UniqueId(line) => builder.unique_id_listing(line),
    }
}

/// Step 4. Counts, and warns of, what a person should know.
fn plan(
    request: &Request<'_>,
    maildrop: &Maildrop,
    snapshot: &Snapshot,
    summary: &mut Summary,
) -> Vec<Decision> {
    let Account {
        retention, limits, ..
    } = request.account;
    for contradiction in maildrop.contradictions() {
        summary.failed += 1;
        let message =
            format!("the listing contradicts itself, so nothing is deleted: {contradiction}");
        request
            .reporter
            .report(Event::Warning { message: &message });
    }
    let plan = policy::plan(maildrop, snapshot, *retention, *limits, (request.clock)());
    let nameless = plan
        .iter()
        .filter(|decision| decision.reason == Reason::NoUniqueId)
        .count();
    if nameless > 0 {
        summary.failed += nameless as u64;
        let message = format!(
            "the server gives {nameless} messages no unique-id: they cannot be told apart, and stay \
             where they are"
        );
        request
            .reporter
            .report(Event::Warning { message: &message });
    }
    let skipped = plan.iter().filter(|decision| {
        matches!(
            decision.reason,
            Reason::LargerThanMaxSize | Reason::RunLimit
        )
    });
    summary.skipped = skipped.count() as u64;
    plan
}

fn report_plan(request: &Request<'_>, maildrop: &Maildrop, plan: &[Decision]) {
    let count = |action: Action| {
        plan.iter()
            .filter(|decision| decision.action == action)
            .count() as u64
    };
    let retrieved = maildrop
        .iter()
        .zip(plan)
        .filter(|(_, decision)| decision.action.retrieves());
    let octets = retrieved.fold(0_u64, |sum, (message, _)| {
        sum.saturating_add(message.octets.unwrap_or(0))
    });
    request.reporter.report(Event::Planned {
        retrieve: count(Action::Retrieve) + count(Action::RetrieveThenDelete),
        octets,
        delete: count(Action::Delete),
        skip: count(Action::Skip),
    });
}

/// The places of the messages whose action is one of these.
fn places(plan: &[Decision], wanted: impl Fn(Action) -> bool) -> Vec<usize> {
    let chosen = plan
        .iter()
        .enumerate()
        .filter(|(_, decision)| wanted(decision.action));
    chosen.map(|(place, _)| place).collect()
}

fn owned(unique_ids: Vec<&[u8]>) -> Vec<Vec<u8>> {
    unique_ids.into_iter().map(<[u8]>::to_vec).collect()
}

fn ids(unique_ids: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    unique_ids.iter().map(Vec::as_slice)
}

/// Tells when the user wants the run to end.
#[derive(Clone)]
struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Does this, unless it is to stop first; what was begun is dropped then.
    async fn unless_stopped<F: Future>(&self, doing: F) -> Result<F::Output, Error> {
        let mut stop = self.0.clone();
        tokio::select! {
            done = doing => Ok(done),
            Ok(_) = stop.wait_for(|stop| *stop) => Err(Error::Interrupted),
        }
    }
}
