//! Steps 2 to 6 in one session.

use std::collections::HashSet;
use std::num::NonZeroU8;
use std::sync::Arc;

use secrecy::SecretString;

use super::Run;
use crate::cache::{DoubtReason, MessageKey, Snapshot};
use crate::maildrop::Maildrop;
use crate::policy::{Action, Memory, Plan, Trouble};
use crate::pop3::Capabilities;
use crate::session::Session;
use crate::store::Readers;
use crate::sync::broke::Broke;
use crate::sync::decide::{self, Basis, Decided, Inspection, lost_state};
use crate::sync::transfer::{Further, Landing, Order, Retrieval, Retrieved};
use crate::sync::visit::{Listed, Visit};
use crate::sync::{Error, Event, Summary, imported, large, record};

impl Run<'_> {
    /// Steps 2 to 6 in one session. `trying` is the message for which this session is made, because
    /// earlier ones broke at it.
    pub(super) async fn session(
        &mut self,
        password: &SecretString,
        trying: Option<&[u8]>,
        summary: &mut Summary,
    ) -> Result<(), Broke> {
        let request = self.request;
        let stop = self.stop.clone();
        let (listed, snapshot, inspection) = self.list(password, summary).await?;
        let Listed {
            mut session,
            maildrop,
            shown,
            nameless,
            ..
        } = listed;
        self.refuse_familiar(&mut session, &maildrop, &snapshot)
            .await?;
        if let Some(refusal) = nameless {
            let nameless = self.without_unique_ids(session, maildrop, refusal, summary);
            return nameless.await;
        }
        let maildrop = Arc::new(maildrop);
        self.listed = Some(Arc::clone(&maildrop));
        let trouble = self.trouble_but(trying);
        self.note_breakers(&maildrop);

        // Step 4.
        let basis = Basis {
            request,
            stop: &stop,
            ledger: &mut self.ledger,
            store: Arc::clone(&self.store) as Arc<dyn Readers>,
            brakes: &mut self.brakes,
            trouble: &trouble,
            untoppable: &self.untoppable,
            taken: (summary.retrieved, summary.octets),
        };
        let deciding = decide::decide(basis, &mut session, &maildrop, shown, snapshot, inspection);
        let decided = deciding.await?;
        self.tally.clock_doubted |= decided.is_clock_doubted;
        if self.tally.listings == 1 {
            decided.warn(request, &maildrop, summary);
            decide::report(request, &maildrop, &decided.plan);
        }
        summary.skipped = decide::skipped(&decided.plan);
        record::findings(&mut self.ledger, request, &maildrop, &decided).await?;

        // Step 5.
        self.find_imported(&mut session, &maildrop, &decided.snapshot, &trouble)
            .await?;
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
        let further = self
            .connections(&maildrop, trying)
            .map(|connections| Further {
                password,
                connections,
                is_fenced: order.has_doubtful() || deletes_what_it_retrieves(&decided.plan),
            });
        let retrieved = self
            .retrieve(&mut session, &order, HashSet::new(), further, summary)
            .await?;
        record::landings(&mut self.ledger, &order, &retrieved).await?;
        let ended = match self.after_retrieval(&order, retrieved).await {
            // Step 6.
            Ok(landings) => {
                self.leave(session, &maildrop, &order, decided, landings, summary)
                    .await
            }
            Err(broke) => Err(broke),
        };
        if let Err(broke) = &ended {
            self.number(&maildrop, |id| broke.unique_ids.iter().any(|at| at == id));
        }
        ended
    }

    /// The number of connections for the retrieval. None for the one that there is.
    fn connections(&self, maildrop: &Maildrop, trying: Option<&[u8]>) -> Option<NonZeroU8> {
        let is_better_alone = self.is_best_alone
            || self.is_one_by_one
            || trying.is_some()
            || self.past.login_delay().is_some()
            // Messages are told apart by sizes, too.
            || !maildrop.has_sizes()
            || maildrop.is_doubtful();
        let connections = self.request.account.limits.connections?;
        (!is_better_alone && connections.get() > 1).then_some(connections)
    }

    /// Looks for the copies of imported messages in the store. It comes before the retrieval: a
    /// session that breaks here makes no retrieved message doubtful.
    async fn find_imported(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
        trouble: &Trouble,
    ) -> Result<(), Broke> {
        let search = imported::Search {
            request: self.request,
            stop: &self.stop,
            ledger: &mut self.ledger,
            brakes: &mut self.brakes,
            trouble,
            untoppable: &self.untoppable,
        };
        search.run(session, maildrop, snapshot).await
    }

    /// The trouble of earlier sessions, but for that with the message which is tried once more.
    fn trouble_but(&self, trying: Option<&[u8]>) -> Trouble {
        let mut trouble = self.trouble.clone();
        if let Some(trying) = trying {
            trouble.breaks.remove(trying);
        }
        trouble
    }

    /// Steps 2 and 3: a login and the listings, and what is known of the messages listed.
    async fn list(
        &mut self,
        password: &SecretString,
        summary: &mut Summary,
    ) -> Result<(Listed, Snapshot, Option<Inspection>), Broke> {
        let request = self.request;
        let stop = self.stop.clone();
        self.listed = None;
        // Steps 2 and 3; the cache is read meanwhile.
        let essence = self.past.essence();
        let mut past = std::mem::replace(&mut self.past, essence);
        let visiting = Visit::begin(request, &stop, password, &past);
        let readers = Arc::clone(&self.store) as Arc<dyn Readers>;
        let recalling = decide::recall(request, &mut self.ledger, &self.brakes, &readers);
        let (visit, recalled) = tokio::join!(visiting, recalling);
        // Records the server's current capabilities. If they could not be asked for, the older ones
        // are dropped, since they may have been the obstacle.
        self.tally.capabilities = match &visit {
            Ok(visit) => visit.session.capabilities().clone(),
            Err(_) => Capabilities::default(),
        };
        let (visit, (snapshot, inspection)) = (visit?, recalled?);
        for past in [&mut self.past, &mut past] {
            past.note_login(visit.session.capabilities());
        }
        let completing = visit.complete(request, &stop, password, &snapshot, &past);
        let mut listed = completing.await?;
        if listed.list_broke == Some(true) {
            past = past.without_sizes();
        }
        self.tally.list_broke = self.tally.list_broke.max(listed.list_broke);
        self.past = past;
        self.tally.listings += 1;
        summary.on_server = listed.maildrop.len() as u64;
        self.tally.most_listed = self.tally.most_listed.max(summary.on_server);
        if self.is_one_by_one {
            listed.session.ask_one_by_one();
        }
        Ok((listed, snapshot, inspection))
    }

    /// Hands the retrieved messages on to the deletions, if the retrieval was complete.
    pub(super) async fn after_retrieval(
        &mut self,
        order: &Order,
        retrieved: Retrieved,
    ) -> Result<Vec<Landing>, Broke> {
        if retrieved.is_out_of_step {
            self.is_one_by_one = true;
            record::doubt(&mut self.ledger, &retrieved.landings).await?;
        }
        // They are not tried again in this run, and were reported.
        self.given_up.extend(retrieved.endless.iter().cloned());
        let Err(error) = retrieved.result else {
            // In a further session they would only fail again.
            self.trouble.refused.extend(retrieved.failed_ids);
            return Ok(retrieved.landings);
        };
        tracing::debug!(messages = order.len(), "the retrieval came to no end");
        Err(match (&error, retrieved.hung_up_after.is_empty()) {
            (_, false) => Broke::after_refusal(error, retrieved.hung_up_after),
            (Error::EndlessMessage { .. } | Error::LargerThanMaxSize | Error::NoRoom, _) => {
                Broke::after_refusal(error, retrieved.failed_ids)
            }
            _ => {
                self.trouble.refused.extend(retrieved.endless);
                Broke::at_retr(error, retrieved.suspects)
            }
        })
    }

    /// Step 5.
    pub(super) async fn retrieve(
        &mut self,
        session: &mut Session,
        order: &Arc<Order>,
        taken: HashSet<MessageKey>,
        further: Option<Further<'_>>,
        summary: &mut Summary,
    ) -> Result<Retrieved, Error> {
        if order.is_empty() {
            return Ok(Retrieved::nothing());
        }
        let sizes = self
            .ledger
            .with(|cache, account| {
                // Before the first file bears the account's tag.
                cache.wait_for_disk()?;
                cache.sizes_so_far(account)
            })
            .await?;
        let retrieval = Retrieval {
            account: self.request.account,
            account_id: self.ledger.account(),
            store: Arc::clone(&self.store),
            cache: self.ledger.lend()?,
            order: Arc::clone(order),
            reporter: self.request.reporter,
            clock: self.request.clock,
            not_before: self.brakes.trusted_at.unwrap_or(i64::MIN),
            stop: self.stop.clone(),
            exactness: sizes.into(),
            taken,
            further,
        };
        let (cache, retrieved) = retrieval.run(session).await?;
        self.ledger.give_back(cache);
        self.tally.all_published &= retrieved.all_published;
        self.tally.is_too_large |= retrieved.is_too_large;
        self.is_best_alone |= retrieved.is_best_alone;
        summary.retrieved += retrieved.messages;
        summary.octets += retrieved.octets;
        summary.failed += retrieved.failed;
        let doubtful = retrieved.landings.iter();
        let doubtful = doubtful.filter(|landing| landing.doubt == Some(DoubtReason::Short));
        for landing in doubtful {
            let message = order.message(landing.slot);
            self.trouble.short.insert(message.unique_id.to_vec());
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

    /// Refuses to store messages that the store already has.
    pub(super) async fn refuse_familiar(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
    ) -> Result<(), Broke> {
        let Some(header_index) = &mut self.header_index else {
            return Ok(());
        };
        // There is nothing to compare the store with; the next run asks again.
        if maildrop.is_empty() {
            return Ok(());
        }
        let account = self.request.account;
        lost_state::refuse_known_store(
            session,
            &self.stop,
            maildrop,
            snapshot,
            account,
            header_index,
            &self.untoppable,
        )
        .await?;
        // Only now: if the session broke, the next one must ask.
        self.header_index = None;
        let mut brakes = self.brakes.clone();
        self.brakes = self
            .ledger
            .with(move |cache, account| {
                brakes.remember(cache, account)?;
                Ok::<_, crate::cache::Error>(brakes)
            })
            .await?;
        Ok(())
    }

    /// Records STAT's octets if the recorded sizes agree with them, and no message is still to
    /// come: it may be another one under a known unique-id.
    pub(super) fn learn_octets(&mut self, maildrop: &Maildrop, decided: &Decided, landed: usize) {
        let octets = maildrop.stat().and_then(|stat| stat.octets);
        let mut wanted = 0;
        let mut is_put_off = false;
        for (message, decision) in maildrop.iter().zip(&decided.plan.decisions) {
            wanted += usize::from(decision.action.retrieves());
            is_put_off |= decision.action == Action::Skip
                && decided.snapshot.recall(message.unique_id).is_some();
        }
        let is_all_known = decided.shown.unknown() == decided.findings.renamed.len();
        let is_all_here = self.tally.listed_breakers.is_empty() && landed == wanted && !is_put_off;
        let octets = octets.filter(|_| is_all_here && (maildrop.has_sizes() || is_all_known));
        self.brakes.learn_octets(octets);
    }
}

/// True if the plan deletes messages that it retrieves.
fn deletes_what_it_retrieves(plan: &Plan) -> bool {
    let mut actions = plan.decisions.iter().map(|decision| decision.action);
    actions.any(|action| action.retrieves() && action.deletes())
}
