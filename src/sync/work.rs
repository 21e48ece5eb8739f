//! A sync of one account in progress: the steps, in order.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::task::spawn_blocking;

use super::guarding::{Guarding, Look};
use super::listing::{Opened, Past};
use super::planning::Plan;
use super::retrieval::{Order, Retrieval, Retrieved};
use super::shelf::Shelf;
use super::{Error, Event, Request, Stop, Summary, deletion, listing, migration, storage};
use crate::auth::source;
use crate::cache::{self, AccountRow, Cache, Digest, Lock, Run, Snapshot};
use crate::exit::Exit;
use crate::maildrop::Maildrop;
use crate::policy::Action;
use crate::pop3::Capabilities;
use crate::session::Session;
use crate::store::Store;

mod doubts;
pub(super) mod familiar;
mod large;
mod nameless;
mod resized;

/// How many sessions a run may take with a server that hangs up after refusals.
const MAX_SESSIONS: usize = 10;

/// A sync in progress.
pub(super) struct Work<'a> {
    request: &'a Request<'a>,
    stop: Stop,
    /// Keeps other runs away from the account.
    _lock: Lock,
    row: AccountRow,
    store: Arc<dyn Store>,
    /// Not here while another thread has it.
    cache: Option<Cache>,
    past: Past,
    /// Mail in a store of which nothing is recorded, until it is known whose it is.
    shelf: Option<Shelf>,
    /// What the brakes on deletion know.
    guarding: Guarding,
    /// The clock was found wrong when it mattered.
    clock_doubted: bool,
    /// How often the maildrop was listed in this run.
    listings: u64,
    /// No batch has failed: whatever is staged is where readers look.
    all_published: bool,
    /// What the server can do, as far as this run got to know.
    capabilities: Capabilities,
}

impl<'a> Work<'a> {
    /// Step 1: locks the account and takes up what a crash left.
    pub(super) async fn prepare(request: &'a Request<'a>, now: i64) -> Result<Self, Error> {
        let state_dir = request.state_dir.to_owned();
        let account = request.account.clone();
        let allow = request.allow;
        let prepared = spawn_blocking(move || {
            let lock = Lock::acquire(&state_dir, &account.identity)?;
            let mut cache = Cache::open(&state_dir)?;
            familiar::doubt_maildir(Some(&cache), &account)?;
            let shelf = familiar::shelf(&cache, &account, allow)?;
            let row = cache.account(&account, now)?;
            let inspected = Guarding::inspect(&cache, &row, &account, allow);
            let mut guarding = match inspected {
                Ok(guarding) => guarding,
                Err(error) => {
                    cache.finish_run(row.id, unbegun(now, &error, &error.to_string()))?;
                    return Err(error);
                }
            };
            let (store, mut warnings) =
                storage::open(&account.store, &state_dir, &mut cache, &row)?;
            warnings.extend(guarding.notice_cut(&cache, &row, &account, &*store)?);
            if shelf.is_none() {
                guarding.settle(&mut cache, &row, &account)?;
            }
            let past = Past::read(&cache, row.id)?;
            let known = (past, shelf, guarding);
            Ok::<_, Error>((lock, cache, row, store, warnings, known))
        });
        let (lock, cache, row, store, warnings, (past, shelf, guarding)) =
            prepared.await.map_err(Error::panicked)??;
        for message in &warnings {
            request.reporter.report(Event::Warning { message });
        }
        Ok(Self {
            request,
            stop: Stop(request.stop.clone()),
            _lock: lock,
            row,
            store,
            cache: Some(cache),
            past,
            shelf,
            guarding,
            clock_doubted: false,
            listings: 0,
            all_published: true,
            capabilities: Capabilities::default(),
        })
    }

    /// Steps 2 to 6, in as many sessions as the account allows.
    pub(super) async fn steps(&mut self, summary: &mut Summary) -> Result<(), Error> {
        // Still step 1, and before the dialling: Exchange closes a session that does not log in
        // within a minute (XPOP3:V0002).
        let request = self.request;
        let asking = source::password(request.account, request.prompt);
        let password = self.stop.unless_stopped(asking).await??;
        let result = self.sessions(&password, summary).await;
        if matches!(&result, Err(Error::Session(error)) if error.exit() == Exit::NoPermission) {
            source::refused(request.account, &password).await;
        }
        result
    }

    /// The same with the password.
    async fn sessions(
        &mut self,
        password: &SecretString,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let request = self.request;
        let mut refused = HashSet::new();
        let limits = request.account.limits;
        let most = limits.sessions.map_or(1, NonZeroU64::get);
        // Some servers show a part of the mailbox at a time, and the next one when that was had.
        for number in 1..=most {
            let (before, listings) = (summary.retrieved, self.listings);
            match self.rounds(password, &mut refused, summary).await {
                // Nobody promised another session, and what was had is safe.
                Err(error)
                    if number > 1
                        && listings == self.listings
                        && error.exit() == Exit::TemporaryFailure =>
                {
                    let message = format!("the server takes no further session now: {error}");
                    request
                        .reporter
                        .report(Event::Warning { message: &message });
                    return Ok(());
                }
                result => result?,
            }
            let left = limits.left(summary.retrieved, summary.octets);
            if summary.retrieved == before || left.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Steps 2 to 6; in several sessions where the server hangs up after it refused a message,
    /// which it may (XPOP3:C0005).
    async fn rounds(
        &mut self,
        password: &SecretString,
        refused: &mut HashSet<Vec<u8>>,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let limits = self.request.account.limits;
        for _ in 1..MAX_SESSIONS {
            let before = refused.len();
            match self.session(password, refused, summary).await {
                Err(error) if refused.len() > before => {
                    tracing::debug!(%error, "the server hung up after a refusal, trying the rest");
                    if limits.left(summary.retrieved, summary.octets).is_none() {
                        return Ok(());
                    }
                }
                result => return result,
            }
        }
        self.session(password, refused, summary).await
    }

    /// Steps 2 to 6 in one session. Where the server hung up right after it refused messages,
    /// these are added to `refused`.
    async fn session(
        &mut self,
        password: &SecretString,
        refused: &mut HashSet<Vec<u8>>,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let request = self.request;
        // Steps 2 and 3, and the cache is read meanwhile.
        let stop = self.stop.clone();
        let past = std::mem::take(&mut self.past);
        let opening = stop.unless_stopped(listing::open(request, password, &past));
        let account = self.row.id;
        let retention = request.account.retention;
        let follow = retention.remove_when_deleted_locally && retention.leave_on_server;
        let store = follow.then(|| Arc::clone(&self.store));
        let guarding = self.guarding.clone();
        let reading = self.with_cache(move |cache| {
            let look = store.map(|store| Look::at(&*store));
            let snapshot = guarding.snapshot(cache, account, look.as_ref())?;
            Ok((snapshot, look))
        });
        let (opened, read) = tokio::join!(opening, reading);
        // What the server can do now is for `record` to write down; where it could not be asked,
        // what is known may be what stood in the way.
        self.capabilities = opened
            .as_ref()
            .ok()
            .and_then(|opened| opened.as_ref().ok())
            .map(|opened| opened.session.capabilities().clone())
            .unwrap_or_default();
        let (opened, (snapshot, mut look)) = (opened??, read?);
        let Opened {
            mut session,
            builder,
            nameless,
        } = opened;
        let completing = listing::complete(request, &mut session, builder, &snapshot);
        let maildrop = stop.unless_stopped(completing).await??;
        self.listings += 1;
        summary.on_server = maildrop.len() as u64;
        if let Some(refusal) = nameless {
            return self
                .without_unique_ids(session, maildrop, &snapshot, refusal, summary)
                .await;
        }
        let mut session = self.doubt_mbox(session, &maildrop).await?;

        let (snapshot, mut lost) = if snapshot.looks_renamed(&maildrop) {
            self.recognise(&mut session, &maildrop, &snapshot, &mut look)
                .await?
        } else {
            (snapshot, HashMap::new())
        };
        for (content, id) in self.elsewhere(&maildrop, &snapshot).await? {
            let ids: &mut Vec<i64> = lost.entry(content).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let in_doubt = self
            .with_cache(move |cache| cache.in_doubt(account))
            .await?;
        for (id, content) in in_doubt {
            lost.entry(content).or_insert_with(Vec::new).push(id);
        }

        // Step 4.
        let taken = (summary.retrieved, summary.octets);
        let mut plan = Plan::new(request, &maildrop, &snapshot, taken, refused);
        self.warn_of_look(look.as_ref());
        let strangers = self.strangers(&maildrop, &snapshot, &mut plan).await?;
        summary.failed += self.brake(&maildrop, &mut plan, look).await?;
        let mut changed = self
            .look_twice(&mut session, &maildrop, &snapshot, &strangers, &mut plan)
            .await?;
        let resized = self
            .look_at_resized(&mut session, &maildrop, &snapshot, &mut plan)
            .await?;
        changed.extend(&resized);
        if self.listings == 1 {
            summary.failed += plan.warn(request, &maildrop, &snapshot);
        }
        summary.skipped = plan.skipped();
        plan.report(request, &maildrop);
        let (vanished, back) = snapshot.changes(&maildrop);
        let (vanished, mut back) = (owned(vanished), owned(back));
        let doubtful = plan.doubtful(&maildrop, &snapshot);
        let maildrop = Arc::new(maildrop);

        // Step 5.
        self.note_headers(&maildrop, snapshot.has_headers()).await?;
        self.headers(&mut session, &maildrop, &plan, summary)
            .await?;
        let wanted = plan.places(Action::retrieves);
        let order = Arc::new(Order::new(
            Arc::clone(&maildrop),
            wanted,
            &snapshot,
            &changed,
        ));
        drop(snapshot);
        let retrieved = self.retrieve(&mut session, &order, lost, summary).await?;
        let accounted_for: HashMap<Vec<u8>, u32> = if retrieved.in_doubt || maildrop.is_doubtful() {
            order.in_doubt(&retrieved.safe).collect()
        } else {
            order.accounted_for(&retrieved.safe).collect()
        };
        // As long as nobody looked into what is back under an old name, it is not back.
        let looked_into = |id: &Vec<u8>| accounted_for.get(id).is_some_and(|&copies| copies > 0);
        back.retain(|id| !doubtful.contains(id) || looked_into(id));
        self.note_listing(vanished, back, accounted_for).await?;
        let places = retrieved.safe.iter().map(|&slot| order.place(slot));
        self.remember_sizes(&maildrop, places.filter(|place| resized.contains(place)))
            .await?;
        refused.extend(retrieved.hung_up_after);
        retrieved.result?;
        // In a further session they would only fail once more.
        refused.extend(retrieved.failed_ids);

        // Step 6.
        let still_missed = self.still_missed(&maildrop, &plan).await?;
        let mut deletable = plan.places(|action| action == Action::Delete);
        let stored_now = retrieved.safe.iter().filter(|slot| {
            let place = order.place(**slot);
            plan.action(place) == Action::RetrieveThenDelete
                && (!plan.goes_only_if_known(place, retention) || retrieved.known.contains(*slot))
        });
        deletable.extend(stored_now.map(|&slot| order.place(slot)));
        deletable.retain(|place| !plan.missed().contains(place) || still_missed.contains(place));
        deletable.sort_unstable();
        self.delete(session, &maildrop, &deletable, summary).await
    }

    /// Still step 3: where the server seems to have renamed its messages, finds out which ones
    /// are known. Gives what is known now, and the contents of those that were not found yet.
    async fn recognise(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
        look: &mut Option<Look>,
    ) -> Result<(Snapshot, HashMap<Digest, Vec<i64>>), Error> {
        let account = self.row.id;
        let listed: HashSet<Vec<u8>> = maildrop
            .iter()
            .map(|message| message.unique_id.to_vec())
            .collect();
        let finding = self.with_cache(move |cache| cache.absent(account, |id| listed.contains(id)));
        let mut absent = finding.await?;
        let unknown = migration::unknown(maildrop, snapshot);
        let recognising = migration::recognise(session, maildrop, &unknown, &absent);
        let renamed = self.stop.clone().unless_stopped(recognising).await??;
        // A server that shows another part of the mailbox has renamed nothing.
        if !renamed.is_empty() {
            let message = format!(
                "the server has renamed its messages: {} of {} unknown ones are known by their headers",
                renamed.len(),
                unknown.len()
            );
            self.request
                .reporter
                .report(Event::Warning { message: &message });
        }
        let found: HashSet<i64> = renamed.iter().map(|message| message.id).collect();
        absent.retain(|message| !found.contains(&message.id));
        let mut contents: HashMap<Digest, Vec<i64>> = HashMap::new();
        for message in absent {
            contents.entry(message.sha256).or_default().push(message.id);
        }
        let (taken, guarding) = (look.take(), self.guarding.clone());
        let reading = self.with_cache(move |cache| {
            cache.rename(&renamed)?;
            let snapshot = guarding.snapshot(cache, account, taken.as_ref())?;
            Ok((snapshot, taken))
        });
        let (snapshot, taken) = reading.await?;
        *look = taken;
        Ok((snapshot, contents))
    }

    /// Still step 3: the contents of stored messages that the listing does not show. However few
    /// they are, what is retrieved under an unknown unique-id may be one of them.
    async fn elsewhere(
        &mut self,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
    ) -> Result<Vec<(Digest, i64)>, Error> {
        if migration::unknown(maildrop, snapshot).is_empty() {
            return Ok(Vec::new());
        }
        let elsewhere = owned(snapshot.elsewhere(maildrop));
        let account = self.row.id;
        self.with_cache(move |cache| cache.contents(account, ids(&elsewhere)))
            .await
    }

    /// Step 5.
    async fn retrieve(
        &mut self,
        session: &mut Session,
        order: &Arc<Order>,
        absent: HashMap<Digest, Vec<i64>>,
        summary: &mut Summary,
    ) -> Result<Retrieved, Error> {
        if order.is_empty() {
            return Ok(Retrieved::nothing());
        }
        let retrieval = Retrieval {
            account: self.request.account,
            account_id: self.row.id,
            store: Arc::clone(&self.store),
            cache: self.take_cache()?,
            order: Arc::clone(order),
            absent,
            reporter: self.request.reporter,
            clock: self.request.clock,
            not_before: self.guarding.trusted_at.unwrap_or(i64::MIN),
            stop: self.stop.clone(),
        };
        let (cache, retrieved) = retrieval.run(session).await?;
        self.cache = Some(cache);
        self.all_published &= retrieved.all_published;
        summary.retrieved += retrieved.messages;
        summary.octets += retrieved.octets;
        summary.failed += retrieved.failed;
        Ok(retrieved)
    }

    /// Records what the listing showed of known messages.
    async fn note_listing(
        &mut self,
        vanished: Vec<Vec<u8>>,
        back: Vec<Vec<u8>>,
        accounted_for: HashMap<Vec<u8>, u32>,
    ) -> Result<(), Error> {
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
        mut session: Session,
        maildrop: &Maildrop,
        places: &[usize],
        summary: &mut Summary,
    ) -> Result<(), Error> {
        if places.is_empty() {
            deletion::leave(session).await;
            return Ok(());
        }
        let stop = self.stop.clone();
        let deleting = deletion::delete(&mut session, maildrop, places, self.request.reporter);
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
    pub(super) async fn record(
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
        let on_server = (self.listings > 0).then_some(summary.on_server);
        let (summary, all_published) = (*summary, self.all_published);
        let clock_doubted = self.clock_doubted;
        let capabilities = std::mem::take(&mut self.capabilities);
        self.with_cache(move |cache| {
            cache.remember_capabilities(account, &capabilities, finished_at)?;
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
                    all_published,
                    clock_doubted,
                    error: error.as_deref(),
                },
            )
        })
        .await?;
        if all_published && let Err(error) = self.drop_stubs().await {
            let message = format!("a stub of a message that is stored now is left: {error}");
            self.request
                .reporter
                .report(Event::Warning { message: &message });
        }
        Ok(())
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

/// The record of a run that did not get past its first step.
fn unbegun<'a>(now: i64, error: &Error, text: &'a str) -> Run<'a> {
    Run {
        started_at: now,
        finished_at: now,
        exit: error.exit(),
        retrieved: 0,
        octets: 0,
        deleted: 0,
        skipped: 0,
        failed: 0,
        on_server: None,
        // Whatever a crash left staged stays so.
        all_published: false,
        // No more was looked at.
        clock_doubted: true,
        error: Some(text),
    }
}

fn owned(unique_ids: Vec<&[u8]>) -> Vec<Vec<u8>> {
    unique_ids.into_iter().map(<[u8]>::to_vec).collect()
}

fn ids(unique_ids: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    unique_ids.iter().map(Vec::as_slice)
}
