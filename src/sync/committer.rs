//! Steps 2 to 6 of the store's order, on a thread of its own.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::UnboundedSender;

use super::retrieval::Order;
use super::writer::{Batch, Message};
use super::{Clock, Error, Stop};
use crate::cache::{Cache, Digest, Renamed, Staged};
use crate::store::{Delivery, Extent, Name, Store, stop_point};

/// Makes batches durable and records them. Owns the cache while a retrieval runs.
pub(super) struct Committer {
    pub(super) store: Arc<dyn Store>,
    pub(super) cache: Cache,
    pub(super) account: i64,
    pub(super) order: Arc<Order>,
    /// Stored messages that may be among these under new unique-ids, by their content.
    pub(super) absent: HashMap<Digest, Vec<i64>>,
    pub(super) clock: Clock,
    /// No message is recorded as stored before this: the clock may have been set back.
    pub(super) not_before: i64,
    /// Learns the place of every message that is safe.
    pub(super) stored: UnboundedSender<usize>,
    pub(super) batches: Receiver<Batch>,
    /// Tells the writer that there is no point in going on.
    pub(super) failed: Arc<AtomicBool>,
    /// The places of the messages that were found to be stored already.
    pub(super) known: Vec<usize>,
    /// Messages that are handed over one by one wait no longer than for the current one.
    pub(super) stop: Stop,
    /// The places of the messages that another program did not take, and why.
    pub(super) refused: Vec<(usize, String)>,
}

/// What a committer leaves behind.
pub(super) struct Committed {
    pub(super) cache: Cache,
    /// The places of the messages that are safe: those that may be deleted on the server.
    pub(super) safe: Vec<usize>,
    /// Those of them that were found to be stored already.
    pub(super) known: Vec<usize>,
    /// How many of them were stored, and not found to be stored already.
    pub(super) messages: u64,
    pub(super) octets: u64,
    /// The places of the messages that another program did not take, and why.
    pub(super) refused: Vec<(usize, String)>,
    pub(super) result: Result<(), Error>,
}

impl Committer {
    /// Runs until there are no more batches, or one fails: then nothing behind it is recorded.
    pub(super) fn run(mut self) -> Committed {
        let mut safe = Vec::new();
        let (mut messages, mut octets) = (0, 0);
        let mut result = Ok(());
        'batches: while let Ok(batch) = self.batches.recv() {
            let mut parts = self.parts(batch).into_iter();
            while let Some(part) = parts.next() {
                let mut slots: Vec<usize> = part.iter().map(|message| message.slot).collect();
                let stopped = self.store.hands_over() && self.stop.is_wanted();
                let committed = if stopped {
                    self.discard(&part);
                    Err(Error::Interrupted)
                } else {
                    self.commit(part)
                };
                match committed {
                    Ok((stored, size)) => {
                        messages += stored;
                        octets += size;
                        slots.retain(|slot| self.refused.iter().all(|(other, _)| other != slot));
                        safe.extend_from_slice(&slots);
                        for slot in slots {
                            // Nobody listens any more where the session has ended.
                            let _ = self.stored.send(slot);
                        }
                    }
                    Err(error) => {
                        result = Err(error);
                        self.failed.store(true, Ordering::Relaxed);
                        parts.for_each(|part| self.discard(&part));
                        break 'batches;
                    }
                }
            }
        }
        // Batches behind a failed one are not recorded: their files are in the way.
        while let Ok(batch) = self.batches.recv() {
            self.discard(&batch.messages);
        }
        Committed {
            cache: self.cache,
            safe,
            known: self.known,
            messages,
            octets,
            refused: self.refused,
            result,
        }
    }

    /// What of a batch is recorded together.
    fn parts(&self, batch: Batch) -> Vec<Vec<Message>> {
        if self.store.hands_over() {
            batch.messages.into_iter().map(|one| vec![one]).collect()
        } else {
            vec![batch.messages]
        }
    }

    /// Hands messages over, where they are; those that are not taken stay on the server.
    fn deliver(&mut self, messages: &mut Vec<Message>) -> Result<(), Error> {
        if !self.store.hands_over() {
            return Ok(());
        }
        for message in std::mem::take(messages) {
            match self.store.deliver(&message.name) {
                Ok(Delivery::Taken) => messages.push(message),
                Ok(Delivery::Refused(reason)) => {
                    self.store.discard(std::slice::from_ref(&message.name));
                    self.refused.push((message.slot, reason));
                }
                Err(error) => {
                    self.store.discard(std::slice::from_ref(&message.name));
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    fn discard(&self, messages: &[Message]) {
        let names: Vec<Name> = messages
            .iter()
            .map(|message| message.name.clone())
            .collect();
        self.store.discard(&names);
    }

    /// Gives how many messages were stored, and their octets.
    fn commit(&mut self, mut messages: Vec<Message>) -> Result<(u64, u64), Error> {
        self.drop_known_copies(&mut messages)?;
        self.drop_renamed(&mut messages)?;
        self.deliver(&mut messages)?;
        let names: Vec<Name> = messages
            .iter()
            .map(|message| message.name.clone())
            .collect();
        let octets = messages.iter().map(|message| message.arrived.octets).sum();
        // Step 2.
        let extents = match self.store.settle(&names) {
            Ok(extents) => extents,
            Err(error) => {
                self.store.discard(&names);
                return Err(error.into());
            }
        };
        let rows: Vec<Staged> = messages
            .into_iter()
            .zip(extents)
            .map(|(message, extent)| self.row(message, extent))
            .collect();
        // Step 3, and step 6 of the batch before.
        if let Err(error) = self.cache.stage(self.account, &rows, self.now()) {
            // Recorded or not: what is nowhere is retrieved again.
            self.store.discard(&names);
            return Err(error.into());
        }
        stop_point(3);
        // Steps 4 and 5. What fails here is staged, and the next run takes it from there.
        self.store.publish(&names)?;
        Ok((names.len() as u64, octets))
    }

    fn now(&self) -> i64 {
        (self.clock)().max(self.not_before)
    }

    fn row(&self, message: Message, extent: Option<Extent>) -> Staged {
        let listed = self.order.message(message.slot);
        Staged {
            unique_id: listed.unique_id.to_vec(),
            name: message.name,
            octets: message.arrived.octets,
            sha256: message.arrived.sha256,
            header_sha256: message.arrived.header_sha256,
            listed_octets: listed.octets,
            line_ends: message.arrived.line_ends,
            extent,
        }
    }

    /// Where messages share a unique-id, every differing content is stored once (`OPOP3:C0041`).
    fn drop_known_copies(&mut self, messages: &mut Vec<Message>) -> Result<(), Error> {
        let mut contents = HashSet::new();
        let mut unknown = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            let listed = self.order.message(message.slot);
            let known = self.order.is_ambiguous(message.slot)
                && (!contents.insert((listed.unique_id, message.arrived.sha256))
                    || self.cache.holds(
                        self.account,
                        listed.unique_id,
                        &message.arrived.sha256,
                    )?);
            if known {
                self.known.push(message.slot);
                self.store.discard(&[message.name]);
            } else {
                unknown.push(message);
            }
        }
        *messages = unknown;
        Ok(())
    }

    /// Where the server has renamed its messages, those whose content is stored are the same.
    fn drop_renamed(&mut self, messages: &mut Vec<Message>) -> Result<(), Error> {
        if self.absent.is_empty() {
            return Ok(());
        }
        let mut renamed = Vec::new();
        let mut names = Vec::new();
        messages.retain(|message| {
            let known = self.absent.get_mut(&message.arrived.sha256);
            let Some(id) = known.and_then(Vec::pop) else {
                return true;
            };
            let listed = self.order.message(message.slot);
            // One without a unique-id keeps what it had.
            if !listed.unique_id.is_empty() {
                renamed.push(Renamed {
                    id,
                    unique_id: listed.unique_id.to_vec(),
                    listed_octets: listed.octets,
                });
            }
            names.push(message.name.clone());
            false
        });
        self.cache.rename(&renamed)?;
        self.store.discard(&names);
        Ok(())
    }
}
