//! The end of a session: step 6, if anything is deleted, and QUIT.

use std::sync::Arc;

use super::Run;
use crate::maildrop::{Maildrop, Place};
use crate::policy::Action;
use crate::session::{self, Session};
use crate::store::Readers;
use crate::sync::broke::Broke;
use crate::sync::decide::Decided;
use crate::sync::delete::{self, Asked, Deletable, Fence};
use crate::sync::quit;
use crate::sync::transfer::{Landing, Order};
use crate::sync::{Error, Summary, Warning, record};

impl Run<'_> {
    /// Step 6: deletes the messages that the plan deletes and that are proved, and ends the
    /// session.
    pub(super) async fn leave(
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
        if !deletable.is_empty() {
            // Their proof was perhaps only written.
            self.ledger.with(|cache, _| cache.wait_for_disk()).await?;
        }
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
                let deleting = self.delete(
                    &mut session,
                    fence,
                    maildrop,
                    (&deletable, &landings),
                    summary,
                );
                Some(deleting.await?)
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
        self.learn_octets(maildrop, &decided, landings.len());
        let end = match asked {
            Some(asked) => asked.end,
            None if landings.is_empty() => {
                quit::leave(session).await;
                Ok(())
            }
            None => quit::leave_at_the_end(session).await,
        };
        // The messages before the fence are complete, whatever comes now.
        if let Err(error) = end {
            if fence.is_none() {
                record::doubt(&mut self.ledger, &landings).await?;
                let last = landings.last();
                let last = last.map(|landing| order.message(landing.slot).unique_id.to_vec());
                return Err(Broke::at_retr(error.into(), last.into_iter().collect()));
            }
            self.request.warn(Warning::BehindQuit { error: &error });
        }
        Ok(())
    }

    /// Sends DELE for these, and QUIT.
    async fn delete(
        &mut self,
        session: &mut Session,
        fence: Fence,
        maildrop: &Maildrop,
        (deletable, landings): (&[Deletable], &[Landing]),
        summary: &mut Summary,
    ) -> Result<Asked, Broke> {
        let deleting = delete::delete(
            session,
            fence,
            maildrop,
            deletable,
            self.request.reporter,
            &mut summary.may_have_deleted,
        );
        let asked = self.stop.unless_stopped(deleting).await?;
        // A message that knew the count may have forged the fence's answer.
        if let Err(broke) = &asked
            && matches!(&broke.error, Error::Session(error) if session.is_out_of_step(error))
        {
            record::doubt(&mut self.ledger, landings).await?;
        }
        asked
    }

    /// Asks STAT once more, before the first DELE: anything that a broken server still has in the
    /// pipe comes before its answer. None if the answer differs; then nothing is deleted.
    pub(super) async fn fence(
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
            // If a broken server ends a message at a dot, the next line of it can look like any
            // answer.
            Ok(None) => {
                record::doubt(&mut self.ledger, landings).await?;
                summary.failed += due as u64;
                self.request.warn(Warning::ListingChanged { messages: due });
                Ok(None)
            }
            Err(error)
                if matches!(error, session::Error::Refused(_))
                    || session.is_out_of_step(&error) =>
            {
                record::doubt(&mut self.ledger, landings).await?;
                let last = landings.last();
                let last = last.map(|landing| order.message(landing.slot).unique_id.to_vec());
                Err(Broke::out_of_step(error.into(), last.into_iter().collect()))
            }
            Err(error) => Err(Error::from(error).into()),
        }
    }

    /// The messages that the plan deletes, if there is proof.
    pub(super) async fn deletable(
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
                let action = decided.plan.at(place).action;
                Deletable::landed(place, action, landing)
            })
            .collect();
        let places: Vec<(Place, Vec<u8>)> = decided
            .plan
            .places()
            .filter(|(_, decision)| decision.action == Action::Delete)
            .filter_map(|(place, _)| Some((place, maildrop.get(place)?.unique_id.to_vec())))
            .collect();
        if !places.is_empty()
            && let Some(inspection) = &decided.inspection
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
            let proved = delete::proofs(found, follows, inspection, &*store);
            deletable.extend(proved);
        }
        deletable.sort_unstable_by_key(Deletable::place);
        Ok(deletable)
    }
}
