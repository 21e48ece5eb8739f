//! Joins UIDL and LIST into a maildrop, line by line.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Contradiction, Maildrop, UNKNOWN};
use crate::pop3::MessageNumber;
use crate::pop3::listing::{DropListing, ScanListing, UniqueIdListing};

/// Builds a [`Maildrop`] line by line: first STAT, then UIDL, then LIST.
#[derive(Debug, Default)]
pub struct Builder {
    maildrop: Maildrop,
    stat: Option<DropListing>,
    listed: u64,
    /// The number of LIST's messages that UIDL has too.
    scanned: u64,
    unusable: u64,
    only_in_scan: u64,
    /// True if messages are in order, and no number occurs twice.
    settled: bool,
    /// True if LIST was answered.
    sizes: bool,
    /// True if the server has no unique-ids: then LIST alone names the messages.
    nameless: bool,
}

impl Builder {
    /// Switches to a server without UIDL, whose LIST is still to come. Earlier lines are dropped.
    #[must_use]
    pub fn without_unique_ids(self) -> Self {
        Self {
            stat: self.stat,
            nameless: true,
            ..Self::default()
        }
    }

    /// Takes STAT's answer.
    pub fn drop_listing(&mut self, listing: DropListing) {
        self.stat = Some(listing);
    }

    /// Takes a line of UIDL's answer.
    pub fn unique_id_listing(&mut self, line: UniqueIdListing<'_>) {
        self.listed += 1;
        let is_entered = line
            .number
            .is_some_and(|number| self.enter(number, line.unique_id));
        self.unusable += u64::from(!is_entered);
    }

    /// Adds a message. False if there is no room for it.
    fn enter(&mut self, number: MessageNumber, unique_id: &[u8]) -> bool {
        let Maildrop { numbers, ids, .. } = &mut self.maildrop;
        let before = ids.len();
        if !ids.push(unique_id) {
            return false;
        }
        if numbers.is_empty() && number != MessageNumber::behind(before) {
            numbers.extend((0..before).map(MessageNumber::behind));
            numbers.push(number);
        } else if !numbers.is_empty() {
            numbers.push(number);
        }
        self.settled = false;
        true
    }

    /// Takes a line of LIST's answer.
    pub fn scan_listing(&mut self, line: ScanListing) {
        self.sizes = true;
        let Some(number) = line.number else {
            self.unusable += 1;
            return;
        };
        if self.nameless {
            self.listed += 1;
            match self.enter(number, b"") {
                true => self.maildrop.sizes.push(line.octets.unwrap_or(UNKNOWN)),
                false => self.unusable += 1,
            }
            return;
        }
        self.settle();
        let messages = self.maildrop.len();
        self.maildrop.sizes.resize(messages, UNKNOWN);
        match self.maildrop.find(number) {
            Some(index) => {
                self.maildrop.sizes[index] = line.octets.unwrap_or(UNKNOWN);
                self.scanned += 1;
            }
            None => self.only_in_scan += 1,
        }
    }

    /// True if the server has no unique-ids.
    pub fn is_nameless(&self) -> bool {
        self.nameless
    }

    /// True if STAT reports messages.
    pub fn is_expected(&self) -> bool {
        self.stat.is_some_and(|stat| stat.messages > 0)
    }

    /// True if LIST was answered.
    pub fn has_sizes(&self) -> bool {
        self.sizes
    }

    /// STAT's octets, if it gave any.
    pub fn stat_octets(&self) -> Option<u64> {
        self.stat?.octets
    }

    /// The messages so far. LIST may still add their sizes.
    pub fn maildrop(&mut self) -> &Maildrop {
        self.settle();
        &self.maildrop
    }

    /// The maildrop.
    pub fn finish(mut self) -> Maildrop {
        self.settle();
        if self.unusable > 0 {
            let lines = self.unusable;
            self.maildrop
                .contradictions
                .push(Contradiction::NumberUnusable { lines });
        }
        if self.only_in_scan > 0 {
            let messages = self.only_in_scan;
            self.maildrop
                .contradictions
                .push(Contradiction::OnlyInScanListing { messages });
        }
        // If LIST was refused, missing lines prove nothing.
        let unscanned = (self.maildrop.len() as u64).saturating_sub(self.scanned);
        if self.sizes && !self.nameless && unscanned > 0 {
            self.maildrop
                .contradictions
                .push(Contradiction::OnlyInUniqueIdListing {
                    messages: unscanned,
                });
        }
        self.maildrop.stat = self.stat;
        self.maildrop.has_sizes = self.sizes;
        let stat = self.stat.map(|stat| stat.messages);
        if let Some(stat) = stat.filter(|&stat| stat != self.listed) {
            let uidl = self.listed;
            self.maildrop
                .contradictions
                .push(Contradiction::CountDiffers { stat, uidl });
        }
        self.maildrop
    }

    /// Sorts the messages, drops those that share their number with others, and counts how many share
    /// each unique-id.
    fn settle(&mut self) {
        if self.settled {
            return;
        }
        self.settled = true;
        self.sort();
        self.count_copies();
    }

    fn sort(&mut self) {
        let Maildrop {
            numbers,
            sizes,
            ids,
            ..
        } = &mut self.maildrop;
        if numbers.is_sorted_by(|a, b| a < b) {
            return;
        }
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by_key(|&index| numbers[index]);
        let mut kept = Vec::with_capacity(order.len());
        for same in order.chunk_by(|&a, &b| numbers[a] == numbers[b]) {
            if let [single] = same {
                kept.push(*single);
            }
        }
        let repeated = (numbers.len() - kept.len()) as u64;
        *ids = ids.in_order(&kept);
        if !sizes.is_empty() {
            let size = |&index: &usize| sizes.get(index).copied().unwrap_or(UNKNOWN);
            *sizes = kept.iter().map(size).collect();
        }
        *numbers = kept.iter().map(|&index| numbers[index]).collect();
        if repeated > 0 {
            self.maildrop
                .contradictions
                .push(Contradiction::NumberRepeated { messages: repeated });
        }
    }

    /// Counts how many messages share each unique-id, in one pass if none is shared.
    fn count_copies(&mut self) {
        let Maildrop { ids, copies, .. } = &mut self.maildrop;
        copies.clear();
        // Most servers number their messages. Where each unique-id is longer or greater than the one
        // before, none occurs twice, and no table is needed that shows it.
        let in_rank = |a: &&[u8], b: &&[u8]| (a.len(), a) < (b.len(), b);
        if ids.iter().is_sorted_by(in_rank) {
            return;
        }
        let hasher = DefaultHashBuilder::default();
        // The first message of each unique-id. An index has 32 bits.
        let mut firsts: HashTable<u32> = HashTable::with_capacity(ids.len());
        let mut later = Vec::new();
        for index in 0..ids.len() {
            let this = ids.at(index);
            if this.is_empty() {
                continue;
            }
            let hash = hasher.hash_one(this);
            match firsts.find(hash, |&first| ids.at(first as usize) == this) {
                Some(&first) => {
                    *copies.entry(first as usize).or_insert(1) += 1;
                    later.push((index, first as usize));
                }
                None => {
                    firsts.insert_unique(hash, index as u32, |&first| {
                        hasher.hash_one(ids.at(first as usize))
                    });
                }
            }
        }
        for (index, first) in later {
            if let Some(&shared) = copies.get(&first) {
                copies.insert(index, shared);
            }
        }
    }
}
