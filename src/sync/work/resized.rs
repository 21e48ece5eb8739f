//! Known messages to which the listing gives other sizes than before. A server that gave the
//! unique-id to another message must not keep that from being stored (`OPOP3:C0040`).

use std::collections::HashSet;

use super::Work;
use crate::cache::Snapshot;
use crate::maildrop::Maildrop;
use crate::session::Session;
use crate::sync::planning::Plan;
use crate::sync::{Error, migration};

impl Work<'_> {
    /// Still step 4: looks at the headers of messages whose sizes have changed. One whose header
    /// is another is retrieved, and one whose header the server does not show as well: gives
    /// their places. The new sizes of the others are remembered.
    pub(super) async fn look_at_resized(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
        plan: &mut Plan,
    ) -> Result<HashSet<usize>, Error> {
        let resized = plan.resized(maildrop, snapshot);
        if resized.places.is_empty() {
            return Ok(HashSet::new());
        }
        let mut changed = HashSet::new();
        if resized.are_doubtful {
            let mut places: Vec<usize> = resized.places.iter().copied().collect();
            places.sort_unstable();
            let recorded = self.recorded_headers(maildrop, &places).await?;
            let looking = migration::headers(session, maildrop, &places);
            let headers = self.stop.clone().unless_stopped(looking).await??;
            for ((place, recorded), header) in places.into_iter().zip(&recorded).zip(&headers) {
                if !header
                    .as_ref()
                    .is_some_and(|header| recorded.contains(&header.sha256))
                {
                    changed.insert(place);
                }
            }
            let (request, retention) = (self.request, self.request.account.retention);
            plan.change(&changed, retention, (request.clock)());
        }
        let others = resized.places.difference(&changed);
        self.remember_sizes(maildrop, others.copied()).await?;
        Ok(changed)
    }

    /// Remembers the sizes that the messages in these places have now.
    pub(super) async fn remember_sizes(
        &mut self,
        maildrop: &Maildrop,
        places: impl Iterator<Item = usize>,
    ) -> Result<(), Error> {
        let sizes = places.filter_map(|place| {
            let message = maildrop.get(place)?;
            Some((message.unique_id.to_vec(), message.octets?))
        });
        let sizes: Vec<(Vec<u8>, u64)> = sizes.collect();
        if sizes.is_empty() {
            return Ok(());
        }
        let account = self.row.id;
        self.with_cache(move |cache| cache.resized(account, &sizes))
            .await
    }
}
