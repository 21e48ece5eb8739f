//! The messages that a session retrieves, and their order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::maildrop::{self, Maildrop, Place};
use crate::policy::{Action, Memory, Plan, Whereabouts};
use crate::session::Wanted;

/// A message's place in the order of retrieval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::sync) struct Slot(pub(in crate::sync) usize);

/// The messages to retrieve, in order.
#[derive(Debug)]
pub(in crate::sync) struct Order {
    maildrop: Arc<Maildrop>,
    /// Places in the maildrop.
    places: Vec<Place>,
    /// Messages with a recorded unique-id: their content shows which ones they are.
    recorded: HashSet<Slot>,
    /// Messages that may not have come whole the last time.
    doubtful: HashSet<Slot>,
    /// Messages that a person asked for.
    marked: HashSet<Slot>,
    /// Messages that a person deleted here. They are deleted on the server if they prove to be the
    /// same.
    deleted_here: HashSet<Slot>,
    /// The unique-ids of the recorded messages.
    looked_into: HashSet<Vec<u8>>,
}

impl Order {
    /// Orders the messages that a plan retrieves.
    pub(in crate::sync) fn new(maildrop: Arc<Maildrop>, plan: &Plan, memory: &impl Memory) -> Self {
        let mut order = Self {
            places: Vec::new(),
            recorded: HashSet::new(),
            doubtful: HashSet::new(),
            marked: HashSet::new(),
            deleted_here: HashSet::new(),
            looked_into: HashSet::new(),
            maildrop,
        };
        for (place, message) in order.maildrop.places() {
            let decision = plan.at(place);
            if !decision.action.retrieves() {
                continue;
            }
            let slot = Slot(order.places.len());
            order.places.push(place);
            let remembered = memory.recall(message.unique_id);
            // The first of several messages with one unique-id may record it before the others
            // come.
            if remembered.is_some() || message.copies > 1 {
                order.recorded.insert(slot);
                order.looked_into.insert(message.unique_id.to_vec());
            }
            if remembered.is_some_and(|remembered| remembered.is_doubtful) {
                order.doubtful.insert(slot);
            }
            let is_deleted =
                remembered.is_some_and(|remembered| remembered.whereabouts == Whereabouts::Deleted);
            if decision.action == Action::RetrieveThenDeleteIfKnown && is_deleted {
                order.deleted_here.insert(slot);
            }
            let header = memory.recall_header(message.unique_id);
            if header.is_some_and(|header| header.marked) {
                order.marked.insert(slot);
            }
        }
        order
    }

    /// True if a person asked for the message, whatever its size.
    pub(super) fn is_marked(&self, slot: Slot) -> bool {
        self.marked.contains(&slot)
    }

    /// True if the listing contradicts itself in such a way that a number may mean another message.
    pub(in crate::sync) fn is_contradicted(&self) -> bool {
        self.maildrop.is_doubtful()
    }

    /// True if the message's unique-id is recorded, and its content must be compared.
    pub(in crate::sync) fn is_recorded(&self, slot: Slot) -> bool {
        self.recorded.contains(&slot)
    }

    /// True if the messages with this unique-id are retrieved to compare their content.
    pub(super) fn is_looked_into(&self, unique_id: &[u8]) -> bool {
        self.looked_into.contains(unique_id)
    }

    /// True if any message is retrieved to compare its content.
    pub(super) fn looks_into_any(&self) -> bool {
        !self.looked_into.is_empty()
    }

    /// True if the message may not have come whole the last time.
    pub(in crate::sync) fn is_doubtful(&self, slot: Slot) -> bool {
        self.doubtful.contains(&slot)
    }

    /// True if any message may not have come whole the last time.
    pub(in crate::sync) fn has_doubtful(&self) -> bool {
        !self.doubtful.is_empty()
    }

    /// True if a person deleted the message here, and the policy follows that.
    pub(super) fn is_deleted_here(&self, slot: Slot) -> bool {
        self.deleted_here.contains(&slot)
    }

    /// The recorded or shared unique-ids whose messages are all in `safe`, with the number of
    /// messages of each.
    pub(in crate::sync) fn accounted_for(
        &self,
        safe: impl Iterator<Item = Slot>,
    ) -> impl Iterator<Item = (Vec<u8>, u32)> {
        let mut counts: HashMap<&[u8], (u32, u32)> = HashMap::new();
        for slot in safe.filter(|slot| self.recorded.contains(slot)) {
            let message = self.message(slot);
            counts
                .entry(message.unique_id)
                .or_insert((0, message.copies))
                .0 += 1;
        }
        let complete = counts
            .into_iter()
            .filter(|(_, (safe, listed))| safe == listed);
        complete.map(|(unique_id, (_, listed))| (unique_id.to_vec(), listed))
    }

    /// The message at this place of the order.
    pub(in crate::sync) fn message(&self, slot: Slot) -> maildrop::Message<'_> {
        match self.maildrop.get(self.places[slot.0]) {
            Some(message) => message,
            None => unreachable!("places come from the maildrop's own plan"),
        }
    }

    /// The listing that the messages are of.
    pub(super) fn maildrop(&self) -> &Maildrop {
        &self.maildrop
    }

    /// True if there is nothing to retrieve.
    pub(in crate::sync) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The number of messages to retrieve.
    pub(in crate::sync) fn len(&self) -> usize {
        self.places.len()
    }

    /// The place in the maildrop of the message at this place of the order.
    pub(in crate::sync) fn place(&self, slot: Slot) -> Place {
        self.places[slot.0]
    }
}

impl From<maildrop::Message<'_>> for Wanted {
    fn from(message: maildrop::Message<'_>) -> Self {
        Self {
            number: message.number,
            octets: message.octets,
        }
    }
}
