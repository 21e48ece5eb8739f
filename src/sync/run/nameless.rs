//! A session with a server that has no unique-ids.

use std::sync::Arc;

use super::Run;
use crate::maildrop::Maildrop;
use crate::session::{self, Refusal, Session};
use crate::sync::broke::Broke;
use crate::sync::decide::{self, nameless};
use crate::sync::transfer::Order;
use crate::sync::{Summary, quit, record};

impl Run<'_> {
    /// Steps 4 and 5, by headers; there is no step 6. `refusal` is the server's answer to UIDL.
    pub(super) async fn without_unique_ids(
        &mut self,
        mut session: Session,
        maildrop: Maildrop,
        refusal: Refusal,
        summary: &mut Summary,
    ) -> Result<(), Broke> {
        let request = self.request;
        let recorded = self
            .ledger
            .with(|cache, account| cache.recorded(account))
            .await?;
        let looking = nameless::look(&mut session, &maildrop, &recorded, false);
        let Some(seen) = self.stop.clone().unless_stopped(looking).await?? else {
            quit::leave(session).await;
            return Err(session::Error::Refused(refusal).into());
        };
        // Step 4.
        nameless::warn(request, recorded.is_empty());
        let taken = (summary.retrieved, summary.octets);
        let plan = nameless::plan(request, &maildrop, taken, &seen);
        summary.failed += decide::warn_of_contradictions(request, &maildrop);
        summary.skipped = decide::skipped(&plan);
        decide::report(request, &maildrop, &plan);
        // Step 5.
        let snapshot = crate::cache::Snapshot::default();
        let order = Arc::new(Order::new(Arc::new(maildrop), &plan, &snapshot));
        let retrieved = self
            .retrieve(&mut session, &order, seen.taken, None, summary)
            .await?;
        if retrieved.is_out_of_step {
            record::doubt(&mut self.ledger, &retrieved.landings).await?;
        }
        retrieved.result?;
        quit::leave(session).await;
        Ok(())
    }
}
