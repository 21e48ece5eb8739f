//! Steps 2 to 6 of the store's order, on a thread of its own.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::UnboundedSender;

use super::landing::{Committed, Exactness, Landed, Landing, Size};
use super::order::{Order, Slot};
use super::writer::{Batch, Message};
use crate::cache::{
    AccountId, Cache, Content, Digest, DoubtReason, Known, MessageKey, Renamed, Staged, Takes,
};
use crate::store::{Delivery, Extent, Inventory, Name, Store, stop_point};
use crate::sync::{Clock, Error, Stop};

/// Makes batches durable and records them. Owns the cache during a retrieval.
pub(super) struct Committer {
    pub(super) store: Arc<dyn Store>,
    pub(super) cache: Cache,
    pub(super) account: AccountId,
    pub(super) order: Arc<Order>,
    pub(super) clock: Clock,
    /// No message is recorded as stored before this time: the clock may have been set back.
    pub(super) not_before: i64,
    /// Receives every message that is stored and recorded.
    pub(super) stored: UnboundedSender<Slot>,
    pub(super) batches: Receiver<Batch>,
    /// Tells the writer that the committer has failed.
    pub(super) failed: Arc<AtomicBool>,
    /// Messages for another program are handed over one by one; after a signal only the current one
    /// is waited for.
    pub(super) stop: Stop,
    /// The exactness of the server's sizes so far.
    pub(super) exactness: Exactness,
    pub(super) results: Results,
    /// The files in the store. It is read when the first message seems to be known.
    pub(super) inventory: Option<Inventory>,
    /// True if a message under a new unique-id may be a recorded one.
    pub(super) may_be_known: bool,
    /// Files that this retrieval has published.
    pub(super) shown: HashSet<Name>,
    /// Recorded messages that are already matched with other messages of the listing.
    pub(super) taken: HashSet<MessageKey>,
}

/// The results of a committer so far.
#[derive(Default)]
pub(super) struct Results {
    /// The messages that are stored durably and recorded.
    pub(super) landings: Vec<Landing>,
    /// The number of them that were stored now, and not known before.
    pub(super) messages: u64,
    pub(super) octets: u64,
    /// The messages that another program did not take, with the reasons.
    pub(super) refused: Vec<(Slot, String)>,
}

/// The final state of a committer.
pub(super) struct Done {
    pub(super) cache: Cache,
    pub(super) exactness: Exactness,
    pub(super) results: Results,
    pub(super) result: Result<(), Error>,
}

/// A message of a batch, and the record that it gets.
struct Taking {
    message: Message,
    takes: Takes,
    doubt: Option<DoubtReason>,
}

/// A message with the same unique-id and content as another one of its batch.
struct Twin {
    message: Message,
    first: Slot,
}

impl Committer {
    /// Runs until there are no more batches, or one fails. Batches after a failed one are not
    /// recorded.
    pub(super) fn run(mut self) -> Done {
        let mut result = Ok(());
        'batches: while let Ok(batch) = self.batches.recv() {
            let mut parts = self.parts(batch).into_iter();
            while let Some(part) = parts.next() {
                let stopped = self.stop.asked().filter(|_| self.store.hands_over());
                let committed = if let Some(signal) = stopped {
                    self.discard(part.iter());
                    Err(signal.into())
                } else {
                    self.commit(part)
                };
                if let Err(error) = committed {
                    result = Err(error.or_stopped(&self.stop));
                    self.failed.store(true, Ordering::Relaxed);
                    parts.for_each(|part| self.discard(part.iter()));
                    break 'batches;
                }
            }
        }
        // Batches after a failed one are not recorded, so their files are removed.
        while let Ok(batch) = self.batches.recv() {
            self.discard(batch.messages.iter());
        }
        Done {
            cache: self.cache,
            exactness: self.exactness,
            results: self.results,
            result,
        }
    }

    /// The groups of a batch's messages that are recorded together.
    fn parts(&self, batch: Batch) -> Vec<Vec<Message>> {
        // Each is recorded before the next is delivered: after a crash the agent gets at most one
        // twice.
        if self.store.hands_over() {
            batch.messages.into_iter().map(|one| vec![one]).collect()
        } else {
            vec![batch.messages]
        }
    }

    /// Steps 2 to 5.
    fn commit(&mut self, messages: Vec<Message>) -> Result<(), Error> {
        let (taking, twins) = self.recognise(messages)?;
        let taking = self.deliver(taking)?;
        let names: Vec<Name> = taking
            .iter()
            .map(|taking| taking.message.name.clone())
            .collect();
        // Step 2.
        let extents = match self.store.settle(&names) {
            Ok(extents) => extents,
            Err(error) => {
                self.store.discard(&names);
                return Err(error.into());
            }
        };
        let rows: Vec<Staged> = taking
            .iter()
            .zip(extents)
            .map(|(taking, extent)| self.row(taking, extent))
            .collect();
        // Step 3, and step 6 of the batch before.
        let keys = match self.cache.stage(self.account, &rows, self.now()) {
            Ok(keys) => keys,
            Err(error) => {
                // A message that is recorded without a file is retrieved again.
                if !error.is_recorded() {
                    self.store.discard(&names);
                }
                return Err(error.into());
            }
        };
        stop_point(3);
        // If this fails, the messages stay staged, and the next run recovers them.
        self.store.publish(&names)?;
        // Only after step 5: the stamp claims that all messages up to this key were in the store.
        if let Some(&newest) = keys.iter().max() {
            self.store.set_stamp(newest.as_i64())?;
        }
        for (taking, key) in taking.into_iter().zip(keys) {
            let Taking { message, doubt, .. } = taking;
            self.results.messages += 1;
            self.results.octets += message.arrived.octets;
            let landed = Landed::Stored(Committed::after_publishing());
            self.land(&message, key, landed, doubt);
            if self.may_be_known || self.order.is_recorded(message.slot) {
                self.taken.insert(key);
                self.shown.insert(message.name);
            }
        }
        self.land_twins(twins);
        Ok(())
    }

    /// Reports that a message is stored and recorded.
    fn land(
        &mut self,
        message: &Message,
        key: MessageKey,
        landed: Landed,
        doubt: Option<DoubtReason>,
    ) {
        let slot = message.slot;
        self.results.landings.push(Landing {
            slot,
            key,
            landed,
            doubt,
            size: self.size(message),
        });
        // The receiver is gone if the session has ended.
        let _ = self.stored.send(slot);
    }

    fn size(&self, message: &Message) -> Size {
        let listed = self.order.message(message.slot).octets;
        Size::of(message.counted, listed)
    }

    /// Finds the messages that are already recorded. Such a message is stored again only if its
    /// file is gone, or it was incomplete: a record is not a copy.
    fn recognise(&mut self, messages: Vec<Message>) -> Result<(Vec<Taking>, Vec<Twin>), Error> {
        for message in &messages {
            let size = self.size(message);
            self.exactness.learn(size);
        }
        let mut taking: Vec<Taking> = Vec::with_capacity(messages.len());
        let mut known = Vec::new();
        // Messages of this batch that share a unique-id: each content is stored once
        // (`OPOP3:C0041`).
        let mut batch: HashMap<(Vec<u8>, Digest), Slot> = HashMap::new();
        let mut twins = Vec::new();
        for message in messages {
            let listed = self.order.message(message.slot);
            let sha256 = message.arrived.sha256;
            let is_recorded = self.order.is_recorded(message.slot);
            if is_recorded {
                match batch.entry((listed.unique_id.to_vec(), sha256)) {
                    Entry::Occupied(first) => {
                        let first = *first.get();
                        self.store.discard(std::slice::from_ref(&message.name));
                        twins.push(Twin { message, first });
                        continue;
                    }
                    Entry::Vacant(vacant) => {
                        vacant.insert(message.slot);
                    }
                }
            }
            let found = if is_recorded || self.may_be_known {
                let content = Content {
                    unique_id: listed.unique_id,
                    sha256: &sha256,
                };
                let (taken, order) = (&mut self.taken, &self.order);
                // A message listed under another unique-id is another message, unless that one is
                // being checked itself.
                let may_be = |found: &Known| {
                    found.is_same_id
                        || listed.unique_id.is_empty()
                        || !found.is_listed
                        || found.is_assumed && is_recorded
                        || order.is_looked_into(&found.unique_id)
                };
                let candidates = self.cache.with_content(self.account, content)?.into_iter();
                let mut candidates = candidates.filter(may_be);
                // A record stands for one message of the listing, unless the unique-ids are equal.
                candidates.find(|found| taken.insert(found.key) || found.is_same_id && is_recorded)
            } else {
                None
            };
            match found {
                Some(found) => match self.copy_of(&message, &found)? {
                    Some(landed) => known.push((message, found, landed)),
                    None => taking.push(self.taking(message, Takes::Lost(found.key))),
                },
                None => {
                    let takes = self.takes_of_new(&message)?;
                    taking.push(self.taking(message, takes));
                }
            }
        }
        self.settle_known(known)?;
        Ok((taking, twins))
    }

    /// The record that a message with new content gets. If an earlier incomplete copy is the
    /// beginning of it, it gets that copy's record. Any other copy is another message, and stays.
    fn takes_of_new(&self, message: &Message) -> Result<Takes, Error> {
        if !self.order.is_recorded(message.slot) {
            return Ok(Takes::New);
        }
        if !self.order.is_doubtful(message.slot) {
            return Ok(Takes::Beside);
        }
        let unique_id = self.order.message(message.slot).unique_id;
        match self.cache.doubtful(self.account, unique_id)? {
            Some((key, part)) if self.store.goes_on_from(&message.name, &part)? => {
                Ok(Takes::Stump(key))
            }
            _ => Ok(Takes::Beside),
        }
    }

    fn taking(&self, message: Message, takes: Takes) -> Taking {
        let counted = message.counted;
        let is_short = message
            .announced
            .is_some_and(|announced| counted < announced)
            || (self.size(&message) == Size::Shorter && self.exactness.is_proved());
        let is_strange = message.begins_like_answer;
        let doubt = is_strange.then_some(DoubtReason::Session);
        Taking {
            doubt: is_short.then_some(DoubtReason::Short).or(doubt),
            message,
            takes,
        }
    }

    /// The place of a recorded message's copy. None if the copy is gone.
    fn copy_of(&mut self, message: &Message, found: &Known) -> Result<Option<Landed>, Error> {
        let is_followed = self.order.is_deleted_here(message.slot);
        if is_followed && found.is_same_id {
            return Ok(Some(Landed::Followed));
        }
        // It is not the message that was deleted here, so both its copy and the server's stay.
        let known = match is_followed {
            true => Landed::Another,
            false => Landed::Known(Committed::after_publishing()),
        };
        let is_shown = self.shown.contains(&found.name);
        if is_shown || self.store.hands_over() {
            return Ok(Some(known));
        }
        if self.inventory.is_none() {
            self.inventory = self.store.inventory()?;
        }
        let Some(inventory) = &self.inventory else {
            return Ok(Some(Landed::Unclear));
        };
        if inventory.proves(&found.name) {
            return Ok(Some(known));
        }
        // A similar file proves neither that the copy is there nor that it is gone.
        if inventory.gap().is_some() || inventory.holds(&found.name) {
            return Ok(Some(Landed::Unclear));
        }
        // Mail that a person deleted is not stored again under another name.
        Ok((!found.is_lost).then_some(Landed::DeletedHere))
    }

    /// Ends messages that are recorded and in the store: their new files are not needed.
    fn settle_known(&mut self, known: Vec<(Message, Known, Landed)>) -> Result<(), Error> {
        let mut renamed = Vec::new();
        let mut proved = Vec::new();
        for (message, found, _) in &known {
            let listed = self.order.message(message.slot);
            if found.is_same_id {
                proved.push(found.key);
            } else if !listed.unique_id.is_empty() {
                // A message without a unique-id now keeps its old one.
                renamed.push(Renamed {
                    key: found.key,
                    unique_id: listed.unique_id.to_vec(),
                    listed_octets: listed.octets,
                    assumed: false,
                });
            }
        }
        self.cache.rename(&renamed)?;
        self.cache.proved(&proved)?;
        self.discard(known.iter().map(|(message, ..)| message));
        for (message, found, landed) in known {
            self.land(&message, found.key, landed, None);
        }
        Ok(())
    }

    /// Ends messages that equal another one of their batch: they are stored with it.
    fn land_twins(&mut self, twins: Vec<Twin>) {
        for Twin { message, first } in twins {
            let mut landings = self.results.landings.iter().rev();
            if let Some(&landing) = landings.find(|landing| landing.slot == first) {
                self.land(&message, landing.key, landing.landed, landing.doubt);
            }
        }
    }

    /// Hands messages to the other program, if there is one. Those that it does not take stay on
    /// the server.
    fn deliver(&mut self, taking: Vec<Taking>) -> Result<Vec<Taking>, Error> {
        if !self.store.hands_over() {
            return Ok(taking);
        }
        let mut taken = Vec::with_capacity(taking.len());
        for taking in taking {
            let name = &taking.message.name;
            match self.store.deliver(name) {
                Ok(Delivery::Taken) => taken.push(taking),
                Ok(Delivery::Refused(reason)) => {
                    self.store.discard(std::slice::from_ref(name));
                    self.results.refused.push((taking.message.slot, reason));
                }
                Err(error) => {
                    self.store.discard(std::slice::from_ref(name));
                    return Err(error.into());
                }
            }
        }
        Ok(taken)
    }

    fn discard<'m>(&self, messages: impl Iterator<Item = &'m Message>) {
        let names: Vec<Name> = messages.map(|message| message.name.clone()).collect();
        self.store.discard(&names);
    }

    fn now(&self) -> i64 {
        (self.clock)().max(self.not_before)
    }

    fn row(&self, taking: &Taking, extent: Option<Extent>) -> Staged {
        let message = &taking.message;
        let listed = self.order.message(message.slot);
        Staged {
            unique_id: listed.unique_id.to_vec(),
            name: message.name.clone(),
            octets: message.arrived.octets,
            sha256: message.arrived.sha256,
            stored_sha256: message.arrived.stored_sha256,
            header_sha256: message.arrived.header_sha256,
            // If LIST was not sent, this is the size that it would have given.
            listed_octets: listed.octets.or_else(|| {
                let octets = message.counted;
                self.exactness.is_proved().then_some(octets)
            }),
            line_ends: message.arrived.line_ends,
            extent,
            doubt: taking.doubt,
            takes: taking.takes,
        }
    }
}
