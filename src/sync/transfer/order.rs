//! Which messages a session retrieves, in which order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::maildrop::{self, Maildrop, Place};
use crate::policy::{Action, Memory, Plan, Whereabouts};
use crate::session::Wanted;

/// A message's place in the order of retrieval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::sync) struct Slot(pub(in crate::sync) usize);

/// Which messages are retrieved, in which order.
#[derive(Debug)]
pub(in crate::sync) struct Order {
    maildrop: Arc<Maildrop>,
    /// Places in the maildrop.
    places: Vec<Place>,
    /// Messages whose unique-id is recorded: their content tells which ones they are.
    recorded: HashSet<Slot>,
    /// Messages that may not have come whole the last time.
    doubtful: HashSet<Slot>,
    /// Messages that a person asked for.
    marked: HashSet<Slot>,
    /// Messages that a person deleted here, and that go if they prove to be those.
    deleted_here: HashSet<Slot>,
    /// The unique-ids of the recorded ones.
    looked_into: HashSet<Vec<u8>>,
}

impl Order {
    /// Orders what a plan wants of a maildrop.
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
            // Of several that share a unique-id the first may record it for the others.
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

    /// Whether a person asked for the message, whatever its size.
    pub(super) fn is_marked(&self, slot: Slot) -> bool {
        self.marked.contains(&slot)
    }

    /// Whether the listing contradicts itself so that a number may mean another message.
    pub(in crate::sync) fn is_contradicted(&self) -> bool {
        self.maildrop.is_doubtful()
    }

    /// Whether the message's unique-id is recorded, and its content has to tell which one it is.
    pub(in crate::sync) fn is_recorded(&self, slot: Slot) -> bool {
        self.recorded.contains(&slot)
    }

    /// Whether the messages with this unique-id are retrieved to find out which ones they are.
    pub(super) fn is_looked_into(&self, unique_id: &[u8]) -> bool {
        self.looked_into.contains(unique_id)
    }

    /// Whether any message is retrieved to find out which one it is.
    pub(super) fn looks_into_any(&self) -> bool {
        !self.looked_into.is_empty()
    }

    /// Whether the message may not have come whole the last time.
    pub(in crate::sync) fn is_doubtful(&self, slot: Slot) -> bool {
        self.doubtful.contains(&slot)
    }

    /// Whether a person deleted the message here, and it goes for that.
    pub(super) fn is_deleted_here(&self, slot: Slot) -> bool {
        self.deleted_here.contains(&slot)
    }

    /// The unique-ids that are recorded or shared, all of whose messages are among `safe`, and how
    /// many messages each has.
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

    /// The message in this place of the order.
    pub(in crate::sync) fn message(&self, slot: Slot) -> maildrop::Message<'_> {
        match self.maildrop.get(self.places[slot.0]) {
            Some(message) => message,
            None => unreachable!("places come from the maildrop's own plan"),
        }
    }

    /// Whether there is nothing to retrieve.
    pub(in crate::sync) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How many messages are to be retrieved.
    pub(in crate::sync) fn len(&self) -> usize {
        self.places.len()
    }

    /// The place in the maildrop of this place of the order.
    pub(in crate::sync) fn place(&self, slot: Slot) -> Place {
        self.places[slot.0]
    }

    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let slots = (0..self.places.len()).map(Slot);
        slots.map(|slot| self.message(slot).into()).collect()
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
