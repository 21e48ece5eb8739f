//! A sync of one account in progress: the steps, in order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use secrecy::SecretString;
use tokio::task::spawn_blocking;

use super::listing::Past;
use super::planning::Plan;
use super::retrieval::{Order, Retrieval, Retrieved};
use super::{Error, Event, Request, Stop, Summary, deletion, listing, migration, storage};
use crate::auth::source;
use crate::cache::{self, AccountRow, Cache, Digest, Lock, Run, Snapshot};
use crate::exit::Exit;
use crate::maildrop::Maildrop;
use crate::policy::Action;
use crate::pop3::Capabilities;
use crate::session::Session;
use crate::store::Store;

mod large;

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
    /// Whether the maildrop was listed in this run.
    listed: bool,
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
        let prepared = spawn_blocking(move || {
            let lock = Lock::acquire(&state_dir, &account.identity)?;
            let mut cache = Cache::open(&state_dir)?;
            let row = cache.account(&account, now)?;
            let (store, warnings) = storage::open(&account.store, &state_dir, &mut cache, &row)?;
            let past = Past::read(&cache, row.id)?;
            Ok::<_, Error>((lock, cache, row, store, warnings, past))
        });
        let (lock, cache, row, store, warnings, past) =
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
            listed: false,
            all_published: true,
            capabilities: Capabilities::default(),
        })
    }

    /// Steps 2 to 6; in several sessions where the server hangs up after it refused a message,
    /// which it may (XPOP3:C0005).
    pub(super) async fn steps(&mut self, summary: &mut Summary) -> Result<(), Error> {
        // Still step 1, and before the dialling: Exchange closes a session that does not log in
        // within a minute (XPOP3:V0002).
        let request = self.request;
        let asking = source::password(request.account, request.prompt);
        let password = self.stop.unless_stopped(asking).await??;
        let mut refused = HashSet::new();
        for _ in 1..MAX_SESSIONS {
            let before = refused.len();
            match self.session(&password, &mut refused, summary).await {
                Err(error) if refused.len() > before => {
                    tracing::debug!(%error, "the server hung up after a refusal, trying the rest");
                }
                result => return result,
            }
        }
        self.session(&password, &mut refused, summary).await
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
        let reading = self.with_cache(move |cache| cache.snapshot(account));
        let (opened, snapshot) = tokio::join!(opening, reading);
        // What the server can do now is for `record` to write down; where it could not be asked,
        // what is known may be what stood in the way.
        self.capabilities = opened
            .as_ref()
            .ok()
            .and_then(|opened| opened.as_ref().ok())
            .map(|(session, _)| session.capabilities().clone())
            .unwrap_or_default();
        let ((mut session, builder), snapshot) = (opened??, snapshot?);
        let completing = listing::complete(request, &mut session, builder, &snapshot);
        let maildrop = stop.unless_stopped(completing).await??;
        self.listed = true;
        summary.on_server = maildrop.len() as u64;

        let (snapshot, mut lost) = if snapshot.looks_renamed(&maildrop) {
            self.recognise(&mut session, &maildrop, &snapshot).await?
        } else {
            (snapshot, HashMap::new())
        };
        let in_doubt = self
            .with_cache(move |cache| cache.in_doubt(account))
            .await?;
        for (id, content) in in_doubt {
            lost.entry(content).or_insert_with(Vec::new).push(id);
        }

        // Step 4.
        let mut plan = Plan::new(request, &maildrop, &snapshot, refused);
        let changed = self.changed(&mut session, &maildrop, &plan).await?;
        plan.change(&changed, request.account.retention);
        if refused.is_empty() {
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
        refused.extend(retrieved.hung_up_after);
        retrieved.result?;

        // Step 6.
        let mut deletable = plan.places(|action| action == Action::Delete);
        let stored_now = retrieved.safe.iter().map(|&slot| order.place(slot));
        deletable
            .extend(stored_now.filter(|&place| plan.action(place) == Action::RetrieveThenDelete));
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
        let message = format!(
            "the server has renamed its messages: {} of {} unknown ones are known by their headers",
            renamed.len(),
            unknown.len()
        );
        self.request
            .reporter
            .report(Event::Warning { message: &message });
        let found: HashSet<i64> = renamed.iter().map(|message| message.id).collect();
        absent.retain(|message| !found.contains(&message.id));
        let mut contents: HashMap<Digest, Vec<i64>> = HashMap::new();
        for message in absent {
            contents.entry(message.sha256).or_default().push(message.id);
        }
        let reading = self.with_cache(move |cache| {
            cache.rename(&renamed)?;
            cache.snapshot(account)
        });
        Ok((reading.await?, contents))
    }

    /// Still step 4: a second look at what is to be deleted by its remembered unique-id alone. A
    /// server that gave the id to another message must not lose that (`OPOP3:C0040`).
    async fn changed(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        plan: &Plan,
    ) -> Result<HashSet<usize>, Error> {
        let places = plan.places(|action| action == Action::Delete);
        if places.is_empty() {
            return Ok(HashSet::new());
        }
        let messages = places.iter().filter_map(|&place| maildrop.get(place));
        let unique_ids: Vec<Vec<u8>> = messages.map(|message| message.unique_id.to_vec()).collect();
        let account = self.row.id;
        let reading = self.with_cache(move |cache| {
            let recorded = ids(&unique_ids).map(|id| cache.headers(account, id));
            recorded.collect::<Result<Vec<_>, _>>()
        });
        let recorded = reading.await?;
        let looking = migration::changed(session, maildrop, &places, &recorded);
        Ok(self.stop.clone().unless_stopped(looking).await??)
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
        let on_server = self.listed.then_some(summary.on_server);
        let (summary, all_published) = (*summary, self.all_published);
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

fn owned(unique_ids: Vec<&[u8]>) -> Vec<Vec<u8>> {
    unique_ids.into_iter().map(<[u8]>::to_vec).collect()
}

fn ids(unique_ids: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    unique_ids.iter().map(Vec::as_slice)
}
