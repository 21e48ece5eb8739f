//! The run of one account: its steps, session by session.
//!
//! One message must not stop the others. Where a session breaks at a message, the run remembers
//! that, goes on with the others in a new session, and takes it last, in a session of its own.

use std::collections::HashSet;
use std::num::NonZeroU64;
use std::sync::Arc;

use secrecy::SecretString;

use super::broke::{self, Broke, Untoppable};
use super::decide::{self, Basis, Decided, Guarding, familiar};
use super::delete::{self, Deletable, Fence};
use super::ledger::Ledger;
use super::shelf::Shelf;
use super::transfer::{Landing, Order, Retrieval, Retrieved};
use super::visit::{self, Past, Premises, Purpose, Visit};
use super::{Error, Event, Request, Stop, Summary, large, leftovers, record, storage};
use crate::auth::source;
use crate::cache::{AccountRow, Lock, MessageKey};
use crate::exit::Exit;
use crate::maildrop::Maildrop;
use crate::policy::{Action, Trouble};
use crate::pop3::Capabilities;
use crate::session::Session;
use crate::store::{Readers, Store};

mod nameless;

/// How many sessions a run may take with a server that ends them before their time.
const MAX_SESSIONS: usize = 12;

/// How many sessions in a row may bring nothing.
const MAX_GAINLESS: usize = 3;

/// How many messages at which sessions break are tried in one run, each in a session of its own.
const MAX_TRIALS: usize = 4;

/// A run in progress.
pub(super) struct Run<'a> {
    request: &'a Request<'a>,
    stop: Stop,
    /// Keeps other runs away from the account.
    _lock: Option<Lock>,
    ledger: Ledger,
    store: Arc<dyn Store>,
    past: Past,
    /// Mail in a store of which nothing is recorded, until it is known whose it is.
    shelf: Option<Shelf>,
    /// What the brakes on deletion know.
    guarding: Guarding,
    trouble: Trouble,
    untoppable: Untoppable,
    /// Messages at which sessions broke, and that were tried again in vain.
    given_up: HashSet<Vec<u8>>,
    /// Why the last of them could not be had.
    last_break: Option<Error>,
    /// The maildrop of the session that is going on, or was last.
    listed: Option<Arc<Maildrop>>,
    /// How much of this run is to be recorded.
    pub(super) tally: record::Tally,
}

impl<'a> Run<'a> {
    /// Step 1: locks the account and takes up what a crash left.
    pub(super) async fn prepare(request: &'a Request<'a>, now: i64) -> Result<Self, Error> {
        let Premises {
            lock,
            mut ledger,
            row,
            past,
        } = Premises::enter(request, Purpose::Record).await?;
        let row = row.ok_or_else(|| Error::Panicked {
            message: "an account was not recorded".to_owned(),
        })?;
        let (store, warnings, shelf, guarding) = open(request, &mut ledger, row, now).await?;
        for message in &warnings {
            request.reporter.report(Event::Warning { message });
        }
        let breaks = ledger
            .with(|cache, account| cache.breakers(account))
            .await?;
        Ok(Self {
            request,
            stop: Stop(request.stop.clone()),
            _lock: lock,
            ledger,
            store,
            past,
            shelf,
            guarding,
            trouble: Trouble {
                breaks,
                ..Trouble::default()
            },
            untoppable: Untoppable::default(),
            given_up: HashSet::new(),
            last_break: None,
            listed: None,
            tally: record::Tally::default(),
        })
    }

    /// Steps 2 to 6, in as many sessions as the account allows.
    pub(super) async fn steps(&mut self, summary: &mut Summary) -> Result<(), Error> {
        // Still step 1, and before the dialling.
        let password = visit::password(self.request, &self.stop).await?;
        let result = self.sessions(&password, summary).await;
        if matches!(&result, Err(Error::Session(error)) if error.exit() == Exit::NoPermission) {
            source::refused(self.request.account, &password).await;
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
        let limits = request.account.limits;
        let most = limits.sessions.map_or(1, NonZeroU64::get);
        // Some servers show a part of the mailbox at a time, and the next one when that was had.
        for number in 1..=most {
            let (before, listings) = (summary.retrieved, self.tally.listings);
            match self.rounds(password, summary).await {
                // Nobody promised another session, and what was had is safe.
                Err(error)
                    if number > 1
                        && listings == self.tally.listings
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

    /// Steps 2 to 6; in several sessions where the server ends them before their time: it hangs
    /// up after it refused a message, which it may (`XPOP3:C0005`), or breaks at one.
    async fn rounds(
        &mut self,
        password: &SecretString,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let limits = self.request.account.limits;
        let mut gainless = 0;
        let mut first: Option<Error> = None;
        let mut trials = self.trouble.breaks.len().min(MAX_TRIALS);
        for _ in 0..MAX_SESSIONS {
            let (retrieved, listings) = (summary.retrieved, self.tally.listings);
            let ended = self.session(password, None, summary).await;
            let Err(broke) = ended else {
                first = None;
                break;
            };
            let has_listed = self.tally.listings > listings;
            let is_news = self.note(&broke);
            // Where no session begins any more, the reason is the one that ended the last.
            if !has_listed || !is_news {
                let error = match first {
                    Some(first) if !has_listed => first,
                    _ => broke.error,
                };
                self.name_breakers(summary);
                return Err(error);
            }
            tracing::debug!(error = %broke.error, "the session broke, trying the others");
            trials = MAX_TRIALS;
            gainless = match summary.retrieved > retrieved {
                true => 0,
                false => gainless + 1,
            };
            if gainless == MAX_GAINLESS {
                self.name_breakers(summary);
                return Err(broke.error);
            }
            first = Some(broke.error);
            if limits.left(summary.retrieved, summary.octets).is_none() {
                return Ok(());
            }
        }
        if let Some(error) = first {
            self.name_breakers(summary);
            return Err(error);
        }
        self.last_ones(password, trials, summary).await
    }

    /// The messages at which sessions broke, each in a session of its own.
    async fn last_ones(
        &mut self,
        password: &SecretString,
        trials: usize,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let mut candidates: Vec<Vec<u8>> = self.trouble.breaks.iter().cloned().collect();
        candidates.sort_unstable();
        for unique_id in candidates.into_iter().take(trials) {
            if !self.tally.listed_breakers.contains(&unique_id) {
                // It is not there any more, or not wanted.
                self.trouble.breaks.remove(&unique_id);
                continue;
            }
            let listings = self.tally.listings;
            match self.session(password, Some(&unique_id), summary).await {
                Ok(()) => {
                    self.trouble.breaks.remove(&unique_id);
                }
                Err(broke) if matches!(broke.error, Error::Interrupted) => {
                    return Err(broke.error);
                }
                Err(broke) => {
                    self.note(&broke);
                    self.fail(&unique_id, &broke.error.to_string(), summary);
                    self.last_break = Some(broke.error);
                    if self.tally.listings == listings {
                        break;
                    }
                }
            }
        }
        self.name_breakers(summary);
        // Where the server breaks at every message that it has, it is not the messages.
        let is_all = self.given_up.len() as u64 >= summary.on_server;
        match self.last_break.take() {
            Some(error) if is_all => Err(error),
            _ => Ok(()),
        }
    }

    /// Remembers what a session broke at; whether that was not known.
    fn note(&mut self, broke: &Broke) -> bool {
        if let Some(maildrop) = self.listed.take() {
            self.note_numbers(&maildrop, |id| broke.unique_ids.iter().any(|at| at == id));
        }
        let ids = broke.unique_ids.iter().cloned();
        match broke.during {
            broke::During::Dele => {
                let before = self.trouble.undeletable.len();
                self.trouble.undeletable.extend(ids);
                self.trouble.undeletable.len() > before
            }
            broke::During::Refusal => {
                let before = self.trouble.refused.len();
                self.trouble.refused.extend(ids);
                self.trouble.refused.len() > before
            }
            broke::During::Retr => {
                let before = self.trouble.breaks.len();
                self.tally.listed_breakers.extend(ids.clone());
                self.trouble.breaks.extend(ids);
                self.trouble.breaks.len() > before
            }
            broke::During::Top => self.untoppable.note(ids),
            broke::During::Other => false,
        }
    }

    /// Names the messages at which sessions broke, and that could not be had.
    fn name_breakers(&mut self, summary: &mut Summary) {
        let listed = &self.tally.listed_breakers;
        let wanted = self.trouble.breaks.iter().filter(|id| listed.contains(*id));
        let mut left: Vec<Vec<u8>> = wanted
            .filter(|id| !self.given_up.contains(*id))
            .cloned()
            .collect();
        left.sort_unstable();
        for unique_id in left {
            self.fail(&unique_id, "the session broke at it", summary);
        }
        let mut undeletable: Vec<Vec<u8>> = self
            .trouble
            .undeletable
            .difference(&self.given_up)
            .cloned()
            .collect();
        undeletable.sort_unstable();
        for unique_id in undeletable {
            self.fail(&unique_id, "the session broke at its deletion", summary);
        }
    }

    fn fail(&mut self, unique_id: &[u8], reason: &str, summary: &mut Summary) {
        if !self.given_up.insert(unique_id.to_vec()) {
            return;
        }
        summary.failed += 1;
        let number = self.tally.numbers.get(unique_id).copied().unwrap_or(0);
        self.request.reporter.report(Event::MessageFailed {
            number,
            unique_id,
            reason,
        });
    }

    /// Steps 2 to 6 in one session. `trying` is the message at which sessions broke that this one
    /// is for.
    async fn session(
        &mut self,
        password: &SecretString,
        trying: Option<&[u8]>,
        summary: &mut Summary,
    ) -> Result<(), Broke> {
        let request = self.request;
        let stop = self.stop.clone();
        self.listed = None;
        // Steps 2 and 3, and the cache is read meanwhile.
        let past = std::mem::take(&mut self.past);
        let visiting = Visit::begin(request, &stop, password, &past);
        let readers = Arc::clone(&self.store) as Arc<dyn Readers>;
        let recalling = decide::recall(request, &mut self.ledger, &self.guarding, &readers);
        let (visit, recalled) = tokio::join!(visiting, recalling);
        // What the server can do now is to be recorded; where it could not be asked, what is known
        // may be what stood in the way.
        self.tally.capabilities = match &visit {
            Ok(visit) => visit.session.capabilities().clone(),
            Err(_) => Capabilities::default(),
        };
        let (visit, (snapshot, look)) = (visit?, recalled?);
        let mut session = visit.session;
        let completing = visit::complete(request, &mut session, visit.builder, &snapshot, &past);
        let maildrop = stop.unless_stopped(completing).await??;
        self.past = past;
        self.tally.listings += 1;
        summary.on_server = maildrop.len() as u64;
        if let Some(refusal) = visit.nameless {
            let nameless = self.without_unique_ids(session, maildrop, refusal, summary);
            return nameless.await;
        }
        let maildrop = Arc::new(maildrop);
        self.listed = Some(Arc::clone(&maildrop));
        self.refuse_familiar(&mut session, &maildrop).await?;
        let mut trouble = self.trouble.clone();
        if let Some(trying) = trying {
            trouble.breaks.remove(trying);
        }
        self.note_breakers(&maildrop);

        // Step 4.
        let basis = Basis {
            request,
            stop: &stop,
            ledger: &mut self.ledger,
            store: Arc::clone(&self.store) as Arc<dyn Readers>,
            guarding: &mut self.guarding,
            trouble: &trouble,
            untoppable: &self.untoppable,
            taken: (summary.retrieved, summary.octets),
        };
        let decided = decide::decide(basis, &mut session, &maildrop, snapshot, look).await?;
        self.tally.clock_doubted |= decided.is_clock_doubted;
        if self.tally.listings == 1 {
            summary.failed += decided.warn(request, &maildrop);
            decide::report(request, &maildrop, &decided.plan);
        }
        summary.skipped = decide::skipped(&decided.plan);
        record::findings(&mut self.ledger, request, &maildrop, &decided).await?;

        // Step 5.
        let headers = large::Headers {
            request,
            stop: &stop,
            ledger: &mut self.ledger,
            store: &self.store,
            untoppable: &self.untoppable,
        };
        headers
            .retrieve(&mut session, &maildrop, &decided.plan, summary)
            .await?;
        let order = Order::new(Arc::clone(&maildrop), &decided.plan, &decided.snapshot);
        let order = Arc::new(order);
        let retrieved = self
            .retrieve(&mut session, &order, HashSet::new(), summary)
            .await?;
        record::landings(&mut self.ledger, &order, &retrieved).await?;
        let landings = self.after_retrieval(&order, retrieved).await?;

        // Step 6.
        self.leave(session, &maildrop, &order, decided, landings, summary)
            .await
    }

    /// What a retrieval leaves for the deletions, where it came to its end.
    async fn after_retrieval(
        &mut self,
        order: &Order,
        retrieved: Retrieved,
    ) -> Result<Vec<Landing>, Broke> {
        if retrieved.is_out_of_step {
            record::doubt(&mut self.ledger, &retrieved.landings).await?;
        }
        let Err(error) = retrieved.result else {
            // In a further session they would only fail once more.
            self.trouble.refused.extend(retrieved.failed_ids);
            return Ok(retrieved.landings);
        };
        tracing::debug!(messages = order.len(), "the retrieval came to no end");
        Err(match (&error, retrieved.hung_up_after.is_empty()) {
            (_, false) => Broke::after_refusal(error, retrieved.hung_up_after),
            (Error::EndlessMessage { .. }, _) => Broke::after_refusal(error, retrieved.failed_ids),
            _ => Broke::at_retr(error, retrieved.suspects),
        })
    }

    /// Step 6: deletes what the plan deletes and there is proof for, and ends the session.
    async fn leave(
        &mut self,
        mut session: Session,
        maildrop: &Maildrop,
        order: &Order,
        decided: Decided,
        landings: Vec<Landing>,
        summary: &mut Summary,
    ) -> Result<(), Broke> {
        let deletable = self.deletable(maildrop, order, &decided, &landings).await?;
        let settles = landings
            .iter()
            .any(|landing| order.is_doubtful(landing.slot));
        let mut fence = None;
        if !deletable.is_empty() || settles {
            fence = self
                .fence(
                    &mut session,
                    maildrop,
                    order,
                    &landings,
                    deletable.len(),
                    summary,
                )
                .await?;
        }
        if fence.is_some() {
            record::settle(&mut self.ledger, order, &landings).await?;
        }
        let asked = match fence.filter(|_| !deletable.is_empty()) {
            Some(fence) => {
                let deleting = delete::delete(
                    &mut session,
                    fence,
                    maildrop,
                    &deletable,
                    self.request.reporter,
                );
                let stop = self.stop.clone();
                Some(stop.unless_stopped(deleting).await??)
            }
            None => None,
        };
        let deleted = asked.as_ref().map_or(0, |asked| asked.places.len() as u64);
        if let Some(asked) = &asked {
            summary.failed += asked.failed;
            summary.deleted += deleted;
            summary.on_server -= deleted;
            record::asked(&mut self.ledger, self.request, maildrop, &asked.places).await?;
        }
        self.learn_octets(maildrop, &decided);
        let end = match asked {
            Some(asked) => asked.end,
            None if landings.is_empty() => {
                delete::leave(session).await;
                Ok(())
            }
            None => delete::leave_at_the_end(session).await,
        };
        // What came before the fence is whole, whatever comes now.
        if let Err(error) = end {
            if fence.is_none() {
                record::doubt(&mut self.ledger, &landings).await?;
                let last = landings.last();
                let last = last.map(|landing| order.message(landing.slot).unique_id.to_vec());
                return Err(Broke::at_retr(error.into(), last.into_iter().collect()));
            }
            let message = format!("behind the answer to QUIT, {error}");
            self.request
                .reporter
                .report(Event::Warning { message: &message });
        }
        Ok(())
    }

    /// Asks STAT once more, before the first DELE: whatever a broken server still has in the pipe
    /// comes before its answer. None where the answer is not what it was: then nothing is deleted.
    async fn fence(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        order: &Order,
        landings: &[Landing],
        due: usize,
        summary: &mut Summary,
    ) -> Result<Option<Fence>, Broke> {
        let asking = delete::fence(session, maildrop);
        match self.stop.unless_stopped(asking).await? {
            Ok(Some(fence)) => Ok(Some(fence)),
            Ok(None) => {
                summary.failed += due as u64;
                let message = format!(
                    "STAT counts other messages than at the beginning of the session, so nothing \
                     is deleted on the server now, where {due} messages were to be"
                );
                self.request
                    .reporter
                    .report(Event::Warning { message: &message });
                Ok(None)
            }
            Err(error) if session.is_out_of_step(&error) => {
                record::doubt(&mut self.ledger, landings).await?;
                let last = landings.last();
                let last = last.map(|landing| order.message(landing.slot).unique_id.to_vec());
                Err(Broke::at_retr(error.into(), last.into_iter().collect()))
            }
            Err(error) => Err(Error::from(error).into()),
        }
    }

    /// The messages that the plan deletes, as far as there is proof.
    async fn deletable(
        &mut self,
        maildrop: &Maildrop,
        order: &Order,
        decided: &Decided,
        landings: &[Landing],
    ) -> Result<Vec<Deletable>, Error> {
        let mut deletable: Vec<Deletable> = landings
            .iter()
            .filter_map(|landing| {
                let place = order.place(landing.slot);
                let action = decided.plan.decisions[place].action;
                Deletable::landed(place, action, landing)
            })
            .collect();
        let places: Vec<(usize, Vec<u8>)> = decided
            .plan
            .decisions
            .iter()
            .enumerate()
            .filter(|(_, decision)| decision.action == Action::Delete)
            .filter_map(|(place, _)| Some((place, maildrop.get(place)?.unique_id.to_vec())))
            .collect();
        if !places.is_empty()
            && let Some(look) = &decided.look
        {
            let store: Arc<dyn Readers> = Arc::clone(&self.store) as Arc<dyn Readers>;
            let found = self
                .ledger
                .with(move |cache, account| {
                    let named = places
                        .into_iter()
                        .map(|(place, unique_id)| Ok((place, cache.names(account, &unique_id)?)));
                    named.collect::<Result<Vec<_>, crate::cache::Error>>()
                })
                .await?;
            let follows = self.request.account.retention.remove_when_deleted_locally;
            let proved = delete::proofs(found, follows, look, &*store);
            deletable.extend(proved);
        }
        deletable.sort_unstable_by_key(Deletable::place);
        Ok(deletable)
    }

    /// Step 5.
    async fn retrieve(
        &mut self,
        session: &mut Session,
        order: &Arc<Order>,
        taken: HashSet<MessageKey>,
        summary: &mut Summary,
    ) -> Result<Retrieved, Error> {
        if order.is_empty() {
            return Ok(Retrieved::nothing());
        }
        let sizes = self
            .ledger
            .with(|cache, account| cache.sizes_so_far(account))
            .await?;
        let retrieval = Retrieval {
            account: self.request.account,
            account_id: self.ledger.account(),
            store: Arc::clone(&self.store),
            cache: self.ledger.lend()?,
            order: Arc::clone(order),
            reporter: self.request.reporter,
            clock: self.request.clock,
            not_before: self.guarding.trusted_at.unwrap_or(i64::MIN),
            stop: self.stop.clone(),
            exactness: sizes.into(),
            taken,
        };
        let (cache, retrieved) = retrieval.run(session).await?;
        self.ledger.give_back(cache);
        self.tally.all_published &= retrieved.all_published;
        summary.retrieved += retrieved.messages;
        summary.octets += retrieved.octets;
        summary.failed += retrieved.failed;
        let doubtful = retrieved.landings.iter();
        let doubtful = doubtful.filter(|landing| landing.doubt.is_some());
        for landing in doubtful {
            let message = order.message(landing.slot);
            summary.failed += 1;
            self.request.reporter.report(Event::MessageFailed {
                number: message.number.as_u32(),
                unique_id: message.unique_id,
                reason: "it came shorter than the server had said; it stays there and is asked \
                         for again",
            });
        }
        Ok(retrieved)
    }

    /// Refuses to store what is in the store already.
    async fn refuse_familiar(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
    ) -> Result<(), Broke> {
        let Some(shelf) = self.shelf.take() else {
            return Ok(());
        };
        let account = self.request.account;
        familiar::doubt(
            session,
            &self.stop,
            maildrop,
            account,
            shelf,
            &self.untoppable,
        )
        .await?;
        let mut guarding = self.guarding.clone();
        self.guarding = self
            .ledger
            .with(move |cache, account| {
                guarding.remember(cache, account)?;
                Ok::<_, crate::cache::Error>(guarding)
            })
            .await?;
        Ok(())
    }

    /// Notes which of the messages at which sessions break are listed.
    fn note_breakers(&mut self, maildrop: &Maildrop) {
        let breaks = &self.trouble.breaks;
        let listed = maildrop.iter().map(|message| message.unique_id);
        let listed = listed.filter(|id| breaks.contains(*id)).map(<[u8]>::to_vec);
        self.tally.listed_breakers.extend(listed);
        let trouble = self.trouble.clone();
        self.note_numbers(maildrop, |id| {
            trouble.breaks.contains(id) || trouble.undeletable.contains(id)
        });
    }

    /// Notes which numbers these messages have in this session.
    fn note_numbers(&mut self, maildrop: &Maildrop, is_one: impl Fn(&[u8]) -> bool) {
        for message in maildrop.iter().filter(|message| is_one(message.unique_id)) {
            let id = message.unique_id.to_vec();
            self.tally.numbers.insert(id, message.number.as_u32());
        }
    }

    /// STAT's octets are worth remembering where the recorded sizes agree with them.
    fn learn_octets(&mut self, maildrop: &Maildrop, decided: &Decided) {
        let octets = maildrop.stat().and_then(|stat| stat.octets);
        let is_all_known = decide::renamed::unknown(maildrop, &decided.snapshot).is_empty();
        let octets = octets.filter(|_| maildrop.has_sizes() || is_all_known);
        self.guarding.learn_octets(octets);
    }

    /// Step 7.
    pub(super) async fn record(
        mut self,
        started_at: i64,
        summary: &Summary,
        result: &Result<(), Error>,
    ) -> Result<(), Error> {
        let breaks: HashSet<Vec<u8>> = self.trouble.breaks.clone();
        let recorded = record::run(
            &mut self.ledger,
            self.request,
            &self.tally,
            self.guarding.clone(),
            breaks,
            started_at,
            summary,
            result,
        );
        recorded.await?;
        if self.tally.all_published {
            leftovers::clear(&mut self.ledger, self.request, &self.store).await;
        }
        Ok(())
    }
}

/// Opens the store, and looks whether it is the one that was there before.
async fn open(
    request: &Request<'_>,
    ledger: &mut Ledger,
    row: AccountRow,
    now: i64,
) -> Result<(Arc<dyn Store>, Vec<String>, Option<Shelf>, Guarding), Error> {
    let state_dir = request.state_dir.to_owned();
    let account = request.account.clone();
    let allow = request.allow;
    let opening = ledger.with(move |cache, id| {
        familiar::doubt_maildir(cache, Some(&row), &account)?;
        let shelf = familiar::shelf(cache, Some(&row), &account, allow)?;
        let mut guarding = match Guarding::inspect(cache, &row, &account, allow) {
            Ok(guarding) => guarding,
            Err(error) => {
                cache.finish_run(id, record::unbegun(now, &error, &error.to_string()))?;
                return Err(error);
            }
        };
        let (store, mut warnings) = storage::open(&account.store, &state_dir, cache, &row)?;
        warnings.extend(guarding.notice_cut(cache, &row, &account, &*store)?);
        if shelf.is_none() {
            guarding.settle(cache, &row, &account, &*store)?;
        }
        Ok::<_, Error>((store, warnings, shelf, guarding))
    });
    opening.await
}
