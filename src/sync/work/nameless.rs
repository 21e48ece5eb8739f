//! A session with a server that has no unique-ids.

use std::sync::Arc;

use super::Work;
use crate::cache::Snapshot;
use crate::maildrop::Maildrop;
use crate::policy::Action;
use crate::session::{self, Refusal, Session};
use crate::sync::retrieval::Order;
use crate::sync::{Error, Summary, deletion, nameless};

impl Work<'_> {
    /// Steps 4 and 5, by headers; there is no step 6. `refusal` is the server's word to UIDL.
    pub(super) async fn without_unique_ids(
        &mut self,
        mut session: Session,
        maildrop: Maildrop,
        snapshot: &Snapshot,
        refusal: Refusal,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let request = self.request;
        let account = self.row.id;
        let recorded = self
            .with_cache(move |cache| cache.recorded(account))
            .await?;
        let looking = nameless::look(&mut session, &maildrop, &recorded);
        let Some(seen) = self.stop.clone().unless_stopped(looking).await?? else {
            deletion::leave(session).await;
            return Err(session::Error::Refused(refusal).into());
        };
        // Step 4.
        nameless::warn(request, recorded.is_empty());
        let taken = (summary.retrieved, summary.octets);
        let plan = nameless::plan(request, &maildrop, taken, &seen);
        summary.failed += plan.warn(request, &maildrop, snapshot);
        summary.skipped = plan.skipped();
        plan.report(request, &maildrop);
        // Step 5.
        let wanted = plan.places(Action::retrieves);
        let order = Arc::new(Order::by_content(Arc::new(maildrop), wanted));
        let retrieved = self
            .retrieve(&mut session, &order, seen.others, summary)
            .await?;
        retrieved.result?;
        deletion::leave(session).await;
        Ok(())
    }
}
