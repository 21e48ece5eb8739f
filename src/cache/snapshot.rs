//! The stored messages of one account, in little more memory than their unique-ids take.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::maildrop::{Maildrop, Message, UniqueIds};
use crate::policy::{HeaderOnly, Memory, Remembered, Whereabouts};

mod row;
mod shown;

pub use shown::Shown;

use row::{Fact, Facts, Row};

/// The contents of the cache when the run began.
#[derive(Debug, Default)]
pub struct Snapshot {
    rows: Vec<Row>,
    /// The unique-id of each row.
    ids: UniqueIds,
    /// Made when a message is first looked for out of order.
    by_id: OnceLock<HashTable<u32>>,
    /// The row behind the one that was found last. Most servers list messages in the order of their
    /// unique-ids, which is the order of the rows; then each is found without `by_id`, which takes time
    /// to make, and whose entries are in no processor cache.
    next: AtomicUsize,
    /// By index in `rows`. Few messages are ever gone without having been deleted.
    sizes_of_gone: HashMap<usize, u64>,
    /// By index in `rows`: the index of the same message under its recorded unique-id.
    renamed: HashMap<usize, usize>,
    /// Messages that are not stored, except their headers. Few are so large.
    pub(super) headers: HashMap<Vec<u8>, HeaderOnly>,
    /// True if some unique-ids were imported with `-` for every `/`.
    without_slashes: bool,
    /// The place of the messages without a place of their own.
    otherwise: Whereabouts,
    hasher: DefaultHashBuilder,
}

/// The number of copies, or 0 if it is too large: then the content of each must be compared.
fn few(copies: u32) -> u16 {
    u16::try_from(copies).unwrap_or_default()
}

/// A size that no listing gives, for several messages that are gone and had one unique-id: any of them
/// may be the one that is back.
const NO_SIZE: u64 = u64::MAX;

impl Snapshot {
    /// Reserves room for about this many messages, but for no more than a million, in case a damaged
    /// record is wrong. Memory costs nothing until it is used, and a list that grows leaves holes behind.
    pub(super) fn expecting(messages: u64) -> Self {
        Self {
            rows: Vec::with_capacity(messages.min(1 << 20) as usize),
            ..Self::default()
        }
    }

    /// Adds a message. Call it for all messages of one unique-id in a row.
    pub(super) fn push(&mut self, unique_id: &[u8], remembered: Remembered) {
        let index = self.rows.len();
        if let Some(last) = self.rows.last_mut()
            && self.ids.at(index - 1) == unique_id
        {
            last.stored_at = last.stored_at.max(remembered.stored_at.into());
            // The latest comes last.
            last.octets = remembered.octets.into();
            last.copies = last.copies.min(few(remembered.copies));
            let facts = &mut last.facts;
            facts.only_if(Fact::DeletionAsked, remembered.deletion_asked);
            facts.only_if(Fact::Gone, remembered.gone.is_some());
            facts.only_if(Fact::ToGo, remembered.to_go);
            facts.also_if(Fact::Assumed, remembered.is_assumed);
            facts.also_if(Fact::Doubtful, remembered.is_doubtful);
            if last.is(Fact::Gone) {
                self.sizes_of_gone.insert(index - 1, NO_SIZE);
            }
            return;
        }
        if !self.ids.push(unique_id) {
            return;
        }
        self.rows.push(Row {
            stored_at: remembered.stored_at.into(),
            octets: remembered.octets.into(),
            copies: few(remembered.copies),
            facts: Facts::default()
                .with(Fact::DeletionAsked, remembered.deletion_asked)
                .with(Fact::Gone, remembered.gone.is_some())
                .with(Fact::Held, remembered.held)
                .with(Fact::ToGo, remembered.to_go)
                .with(Fact::Assumed, remembered.is_assumed)
                .with(Fact::Doubtful, remembered.is_doubtful),
            whereabouts: remembered.whereabouts,
        });
        // A message that was deleted and is back is checked in any case, whatever its size.
        if let (Some(Some(size)), false) = (remembered.gone, remembered.deletion_asked) {
            self.sizes_of_gone.insert(index, size);
        }
        let Self {
            ids, by_id, hasher, ..
        } = self;
        if let Some(by_id) = by_id.get_mut() {
            let hash = |&index: &u32| hasher.hash_one(ids.at(index as usize));
            // Unique-ids are no more than 32 bits can count.
            let index = index as u32;
            by_id.insert_unique(hash(&index), index, hash);
        }
    }

    /// The index of each row.
    fn by_id(&self) -> &HashTable<u32> {
        self.by_id.get_or_init(|| {
            let hash = |&index: &u32| self.hasher.hash_one(self.ids.at(index as usize));
            let mut by_id = HashTable::with_capacity(self.rows.len());
            // There are no more, since each index has 32 bits.
            for index in 0..self.rows.len() as u32 {
                by_id.insert_unique(hash(&index), index, hash);
            }
            by_id
        })
    }

    /// Adds a message that another program downloaded. Call it after all stored messages were
    /// added: a stored one with the same unique-id takes precedence.
    pub(super) fn push_imported(
        &mut self,
        unique_id: &[u8],
        copies: u32,
        without_slashes: bool,
        imported_at: i64,
    ) {
        if self.find_exact(unique_id).is_some() {
            return;
        }
        let before = self.rows.len();
        let remembered = Remembered {
            stored_at: imported_at,
            deletion_asked: false,
            copies,
            held: false,
            octets: None,
            gone: None,
            to_go: false,
            is_assumed: false,
            is_doubtful: false,
            whereabouts: Whereabouts::Unseen,
        };
        self.push(unique_id, remembered);
        if let Some(row) = self.rows.get_mut(before) {
            row.facts.also_if(Fact::WithoutSlashes, without_slashes);
            self.without_slashes |= without_slashes;
        }
    }

    /// Sets the place of the messages with this unique-id. If one of several is lost, all count as
    /// lost.
    pub(crate) fn set_whereabouts(&mut self, unique_id: &[u8], whereabouts: Whereabouts) {
        if let Some(index) = self.find(unique_id).map(|index| self.as_recorded(index))
            && self.rows[index].whereabouts != Whereabouts::Lost
        {
            self.rows[index].whereabouts = whereabouts;
        }
    }

    /// The unique-id under which the cache has this message, if the server has renamed it and the
    /// new one is not yet recorded.
    pub fn recorded_id<'a>(&'a self, unique_id: &'a [u8]) -> &'a [u8] {
        let index = self.find(unique_id).map(|index| self.as_recorded(index));
        index.map_or(unique_id, |index| self.ids.at(index))
    }

    fn as_recorded(&self, index: usize) -> usize {
        self.renamed.get(&index).copied().unwrap_or(index)
    }

    /// Notes that a lost message is back, if no other one has its unique-id.
    pub fn found_again(&mut self, unique_id: &[u8]) {
        if let Some(index) = self.find(unique_id).map(|index| self.as_recorded(index))
            && self.rows[index].copies == 1
        {
            self.rows[index].whereabouts = Whereabouts::Unseen;
        }
    }

    /// Sets the place of the messages without a place of their own.
    pub(crate) fn set_otherwise(&mut self, whereabouts: Whereabouts) {
        self.otherwise = whereabouts;
    }

    /// Notes that a message known as `before` is probably the one in the listing as `now`: the
    /// server has renamed it.
    pub fn rename(&mut self, before: &[u8], now: &[u8], listed_octets: Option<u64>) {
        let (Some(place), Some(remembered)) = (self.find(before), self.recall(before)) else {
            return;
        };
        let remembered = Remembered {
            octets: listed_octets,
            gone: None,
            copies: 1,
            deletion_asked: false,
            is_assumed: true,
            ..remembered
        };
        self.push(now, remembered);
        if let Some(index) = self.find_exact(now).filter(|&index| index != place) {
            self.renamed.insert(index, self.as_recorded(place));
        }
    }

    fn find(&self, unique_id: &[u8]) -> Option<usize> {
        let found = self.find_exact(unique_id);
        if found.is_some() || !self.without_slashes || !unique_id.contains(&b'/') {
            return found;
        }
        let replaced: Vec<u8> = unique_id
            .iter()
            .map(|&octet| if octet == b'/' { b'-' } else { octet })
            .collect();
        self.find_exact(&replaced)
            .filter(|&index| self.rows[index].is(Fact::WithoutSlashes))
    }

    fn find_exact(&self, unique_id: &[u8]) -> Option<usize> {
        let is_it = |index: usize| index < self.rows.len() && self.ids.at(index) == unique_id;
        let next = self.next.load(Ordering::Relaxed);
        // A listing that is gone through once more begins with the first.
        let index = match [next, 0].into_iter().find(|&index| is_it(index)) {
            Some(index) => index,
            None => {
                let hash = self.hasher.hash_one(unique_id);
                let found = self.by_id().find(hash, |&index| is_it(index as usize));
                *found? as usize
            }
        };
        self.next.store(index + 1, Ordering::Relaxed);
        Some(index)
    }

    /// Sets the size of a missing message, if no listing gave any.
    pub fn set_size_of_missing(&mut self, unique_id: &[u8], octets: u64) {
        if let Some(index) = self
            .find_exact(unique_id)
            .filter(|&at| self.rows[at].is(Fact::Gone))
        {
            self.sizes_of_gone.entry(index).or_insert(octets);
        }
    }

    /// True if the last listing lacked messages that are stored.
    pub fn misses_any(&self) -> bool {
        self.rows.iter().any(|row| row.is(Fact::Gone))
    }

    /// The number of known unique-ids.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True if there are messages of which only the header was retrieved.
    pub fn has_headers(&self) -> bool {
        !self.headers.is_empty()
    }

    /// True if no unique-id is known.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The number of imported messages, if this listing shows none of them and nothing is stored
    /// yet: then the imported list may be that of another mailbox.
    pub fn imported_in_vain(&self, maildrop: &Maildrop) -> Option<u64> {
        let imported = !self.rows.is_empty() && self.rows.iter().all(|row| !row.is(Fact::Held));
        let unknown = |message: Message<'_>| self.find(message.unique_id).is_none();
        (imported && !maildrop.is_empty() && maildrop.iter().all(unknown))
            .then_some(self.rows.len() as u64)
    }
}

impl Memory for Snapshot {
    fn recall(&self, unique_id: &[u8]) -> Option<Remembered> {
        let index = self.find(unique_id)?;
        let row = &self.rows[index];
        Some(Remembered {
            stored_at: row.stored_at.into(),
            deletion_asked: row.is(Fact::DeletionAsked),
            copies: row.copies.into(),
            held: row.is(Fact::Held),
            octets: row.octets.get(),
            to_go: row.is(Fact::ToGo),
            is_assumed: row.is(Fact::Assumed),
            is_doubtful: row.is(Fact::Doubtful),
            // It has one place, whatever the server calls it.
            whereabouts: match self.rows[self.as_recorded(index)].whereabouts {
                Whereabouts::Unseen => self.otherwise,
                seen => seen,
            },
            gone: row
                .is(Fact::Gone)
                .then(|| self.sizes_of_gone.get(&index).copied()),
        })
    }

    fn recall_header(&self, unique_id: &[u8]) -> Option<HeaderOnly> {
        self.headers.get(unique_id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(stored_at: i64) -> Remembered {
        Remembered {
            stored_at,
            deletion_asked: false,
            held: true,
            octets: None,
            copies: 1,
            gone: None,
            to_go: false,
            is_assumed: false,
            is_doubtful: false,
            whereabouts: Whereabouts::Unseen,
        }
    }

    #[test]
    fn a_message_is_found_in_whatever_order_messages_are_listed() {
        let mut snapshot = Snapshot::default();
        let known = "abcde";
        for (stored_at, unique_id) in (0..).zip(known.as_bytes().chunks(1)) {
            snapshot.push(unique_id, remembered(stored_at));
        }
        for listed in [
            "abcde",
            "edcba",
            "aabbee",
            "-a-bcd-e-",
            "cdeab",
            "ace",
            "",
            "--",
        ] {
            for unique_id in listed.as_bytes().chunks(1) {
                let found = snapshot.recall(unique_id).map(|known| known.stored_at);
                let expected = known.bytes().position(|one| [one] == unique_id);
                assert_eq!(found, expected.map(|at| at as i64), "in {listed}");
            }
        }
    }
}
