//! What may still speak against a deletion on the server, once it is planned.
//!
//! A file that is gone may only have another name, a program may be moving it, a brake may hold,
//! and a unique-id may have become another message's. Each is looked into before step 6, and in
//! doubt the message stays.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Work, ids};
use crate::cache::{Digest, Snapshot};
use crate::maildrop::Maildrop;
use crate::policy::{self, Action, Brake, Memory};
use crate::session::Session;
use crate::store::Name;
use crate::sync::guarding::Look;
use crate::sync::planning::Plan;
use crate::sync::refiled::Strangers;
use crate::sync::{Error, Event, migration};

impl Work<'_> {
    /// Says why it cannot be told which messages were deleted from the store.
    pub(super) fn warn_of_look(&self, look: Option<&Look>) {
        let Some(worry) = look.and_then(Look::worry) else {
            return;
        };
        // Nothing was stored yet that could be deleted.
        if self.guarding.is_new() {
            return;
        }
        let message = format!("nothing is deleted on the server for being deleted here: {worry}");
        self.request
            .reporter
            .report(Event::Warning { message: &message });
    }

    /// Still step 4: what is thought deleted from the store may only have another name there.
    pub(super) async fn strangers(
        &mut self,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
        plan: &mut Plan,
    ) -> Result<Strangers, Error> {
        let missed = messages(maildrop, snapshot, plan.missed());
        if missed.is_empty() {
            return Ok(Strangers::default());
        }
        let (account, store) = (self.row.id, Arc::clone(&self.store));
        let reading = self.with_cache(move |cache| {
            let recorded = cache.recorded_names(account)?;
            let strangers = Strangers::read(&*store, &recorded);
            let mut found = Vec::new();
            if let Ok(strangers) = &strangers {
                for message in missed {
                    let headers = cache.headers(account, &message.unique_id)?;
                    if let Some(name) = strangers.with_header(&headers) {
                        cache.refiled(account, &message.unique_id, name)?;
                        found.push(message);
                    }
                }
            }
            Ok((strangers, found))
        });
        let (strangers, found) = reading.await?;
        for message in found {
            plan.keep(
                message.place,
                self.request.account.retention,
                message.stored_at,
            );
        }
        match strangers {
            Ok(strangers) => Ok(strangers),
            Err(error) => {
                plan.keep_missed();
                self.warn_of_look(Some(&Look::Failed(error)));
                Ok(Strangers::default())
            }
        }
    }

    /// Still step 4: holds all deletions back where a brake says so. Gives how many messages that
    /// concerns.
    pub(super) async fn brake(
        &mut self,
        maildrop: &Maildrop,
        plan: &mut Plan,
        look: Option<Look>,
    ) -> Result<u64, Error> {
        let request = self.request;
        let now = (request.clock)();
        let clock = policy::clock(now, self.guarding.trusted_at);
        // Whatever is stored meanwhile must not seem to be of that time later.
        self.clock_doubted =
            matches!(clock, Some(Brake::ClockBack { .. })) && !request.allow.mass_delete;
        if plan.places(|action| action == Action::Delete).is_empty() {
            return Ok(0);
        }
        let (account, store) = (self.row.id, Arc::clone(&self.store));
        let mut guarding = self.guarding.clone();
        let looking = self.with_cache(move |cache| {
            let look = look.unwrap_or_else(|| Look::at(&*store));
            let state = guarding.store_state(cache, account, &look)?;
            guarding.remember_state(cache, account)?;
            Ok((state, guarding))
        });
        let (state, guarding) = looking.await?;
        self.guarding = guarding;
        let circumstances = self.guarding.circumstances(request, maildrop, state);
        let brakes = plan.brakes(&circumstances);
        if brakes.is_empty() {
            return Ok(0);
        }
        self.clock_doubted |= clock.is_some();
        Ok(plan.apply(request, &brakes))
    }

    /// Still step 4: a second look at what is to be deleted by its remembered unique-id alone. A
    /// server that gave the id to another message must not lose that (`OPOP3:C0040`). Gives the
    /// places of the messages whose content has to tell which they are.
    pub(super) async fn look_twice(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
        strangers: &Strangers,
        plan: &mut Plan,
    ) -> Result<HashSet<usize>, Error> {
        let places = plan.places(|action| action == Action::Delete);
        if places.is_empty() {
            return Ok(HashSet::new());
        }
        let account = self.row.id;
        let recorded = self.recorded_headers(maildrop, &places).await?;
        let looking = migration::headers(session, maildrop, &places);
        let headers = self.stop.clone().unless_stopped(looking).await??;
        let (mut changed, mut unseen, mut refiled) =
            (HashSet::new(), HashSet::new(), HashMap::new());
        for ((&place, recorded), header) in places.iter().zip(&recorded).zip(&headers) {
            match header {
                None => {
                    unseen.insert(place);
                }
                Some(header) if !recorded.contains(&header.sha256) => {
                    changed.insert(place);
                }
                Some(header) => {
                    if let Some(name) = strangers.with_message_id(header) {
                        refiled.insert(place, name.clone());
                    }
                }
            }
        }
        let (request, retention) = (self.request, self.request.account.retention);
        plan.look_into(&unseen);
        plan.change(&changed, retention, (request.clock)());
        let missed = messages(maildrop, snapshot, plan.missed());
        let refiled: Vec<(Missed, Name)> = missed
            .into_iter()
            .filter_map(|message| Some((refiled.remove(&message.place)?, message)))
            .map(|(name, message)| (message, name))
            .collect();
        for (message, _) in &refiled {
            plan.keep(message.place, retention, message.stored_at);
        }
        if !refiled.is_empty() {
            self.with_cache(move |cache| {
                let mut each = refiled.iter();
                each.try_for_each(|(message, name)| {
                    cache.refiled(account, &message.unique_id, name)
                })
            })
            .await?;
        }
        changed.extend(unseen);
        Ok(changed)
    }

    /// The headers that are recorded of the messages in these places.
    pub(super) async fn recorded_headers(
        &mut self,
        maildrop: &Maildrop,
        places: &[usize],
    ) -> Result<Vec<Vec<Digest>>, Error> {
        let listed = places.iter().filter_map(|&place| maildrop.get(place));
        let unique_ids: Vec<Vec<u8>> = listed.map(|message| message.unique_id.to_vec()).collect();
        let account = self.row.id;
        self.with_cache(move |cache| {
            let recorded = ids(&unique_ids).map(|id| cache.headers(account, id));
            recorded.collect()
        })
        .await
    }

    /// Right before step 6: which of the messages that were deleted from the store are still not
    /// there. A mail program may have been moving them.
    pub(super) async fn still_missed(
        &mut self,
        maildrop: &Maildrop,
        plan: &Plan,
    ) -> Result<HashSet<usize>, Error> {
        if plan.missed().is_empty() {
            return Ok(HashSet::new());
        }
        let missed = plan.missed().iter().filter_map(|&place| {
            let message = maildrop.get(place)?;
            Some((place, message.unique_id.to_vec()))
        });
        let missed: Vec<(usize, Vec<u8>)> = missed.collect();
        let (account, store) = (self.row.id, Arc::clone(&self.store));
        let looking = self.with_cache(move |cache| {
            let look = Look::at(&*store);
            let mut still = HashSet::new();
            for (place, unique_id) in missed {
                let names = cache.names(account, &unique_id)?;
                if names.iter().all(|name| look.lacks(name)) {
                    still.insert(place);
                }
            }
            Ok(still)
        });
        looking.await
    }
}

/// A message whose file is thought to be gone.
struct Missed {
    place: usize,
    unique_id: Vec<u8>,
    stored_at: i64,
}

fn messages(maildrop: &Maildrop, snapshot: &Snapshot, places: &[usize]) -> Vec<Missed> {
    let missed = places.iter().filter_map(|&place| {
        let message = maildrop.get(place)?;
        let known = snapshot.recall(message.unique_id)?;
        Some(Missed {
            place,
            unique_id: message.unique_id.to_vec(),
            stored_at: known.stored_at,
        })
    });
    missed.collect()
}
