//! Joins UIDL and LIST into a maildrop, line by line.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Contradiction, Maildrop, Row, UNKNOWN, room};
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
    /// True if rows are in order, and no number occurs twice.
    settled: bool,
    /// True if LIST was answered.
    sizes: bool,
    /// The index at which the next line of LIST probably belongs.
    cursor: usize,
    /// True if the server has no unique-ids: then LIST alone names the messages.
    nameless: bool,
}

impl Builder {
    /// Reserves room for as many messages as were listed before. Memory costs nothing until it is
    /// used, and a list that grows leaves holes behind.
    pub fn expecting(messages: u64) -> Self {
        let mut builder = Self::default();
        builder.maildrop.rows.reserve(room(messages));
        builder
    }

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
        let place = (
            u32::try_from(self.maildrop.ids.len()),
            u16::try_from(line.unique_id.len()),
        );
        let (Some(number), (Ok(id_start), Ok(id_length))) = (line.number, place) else {
            self.unusable += 1;
            return;
        };
        self.maildrop.ids.extend_from_slice(line.unique_id);
        self.maildrop.rows.push(Row {
            number,
            id_start,
            id_length,
            copies: 1,
        });
        self.settled = false;
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
            self.settled = false;
            self.maildrop.sizes.push(line.octets.unwrap_or(UNKNOWN));
            self.maildrop.rows.push(Row {
                number,
                id_start: 0,
                id_length: 0,
                copies: 1,
            });
            return;
        }
        self.settle();
        let Maildrop { rows, sizes, .. } = &mut self.maildrop;
        sizes.resize(rows.len(), UNKNOWN);
        // Both listings nearly always have the same order.
        let expected = rows
            .get(self.cursor)
            .is_some_and(|row| row.number == number);
        let index = if expected {
            Ok(self.cursor)
        } else {
            rows.binary_search_by_key(&number, |row| row.number)
        };
        match index {
            Ok(index) => {
                sizes[index] = line.octets.unwrap_or(UNKNOWN);
                self.scanned += 1;
                self.cursor = index + 1;
            }
            Err(_) => self.only_in_scan += 1,
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
        let unscanned = (self.maildrop.rows.len() as u64).saturating_sub(self.scanned);
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

    /// Sorts the rows, drops those that share their number with others, and counts how many share
    /// each unique-id.
    fn settle(&mut self) {
        if self.settled {
            return;
        }
        self.settled = true;
        let Maildrop { rows, sizes, .. } = &mut self.maildrop;
        if !rows.is_sorted_by(|a, b| a.number < b.number) {
            let mut order: Vec<usize> = (0..rows.len()).collect();
            order.sort_by_key(|&index| rows[index].number);
            let mut kept = Vec::with_capacity(order.len());
            for same in order.chunk_by(|&a, &b| rows[a].number == rows[b].number) {
                if let [single] = same {
                    kept.push(*single);
                }
            }
            let repeated = (rows.len() - kept.len()) as u64;
            *rows = kept.iter().map(|&index| rows[index]).collect();
            if !sizes.is_empty() {
                let size = |&index: &usize| sizes.get(index).copied().unwrap_or(UNKNOWN);
                *sizes = kept.iter().map(size).collect();
            }
            if repeated > 0 {
                self.maildrop
                    .contradictions
                    .push(Contradiction::NumberRepeated { messages: repeated });
            }
        }
        self.count_copies();
    }

    /// Counts how many rows share each unique-id, in one pass if none is shared.
    fn count_copies(&mut self) {
        let Maildrop { rows, ids, .. } = &mut self.maildrop;
        let id = |row: &Row| {
            let start = row.id_start as usize;
            &ids[start..start + usize::from(row.id_length)]
        };
        // Most servers number their messages. Where each unique-id is longer or greater than the one
        // before, none occurs twice, and no table is needed that shows it.
        let rank = |row: &Row| (row.id_length, id(row));
        if rows.is_sorted_by(|a, b| rank(a) < rank(b)) {
            return;
        }
        let hasher = DefaultHashBuilder::default();
        // The first row of each unique-id. Numbers are of 32 bits, so there are no more rows.
        let mut firsts: HashTable<u32> = HashTable::with_capacity(rows.len());
        let mut later = Vec::new();
        for index in 0..rows.len() {
            let this = id(&rows[index]);
            if this.is_empty() {
                continue;
            }
            let hash = hasher.hash_one(this);
            match firsts.find(hash, |&first| id(&rows[first as usize]) == this) {
                Some(&first) => {
                    rows[first as usize].copies += 1;
                    later.push((index, first as usize));
                }
                None => {
                    firsts.insert_unique(hash, index as u32, |&first| {
                        hasher.hash_one(id(&rows[first as usize]))
                    });
                }
            }
        }
        for (index, first) in later {
            rows[index].copies = rows[first].copies;
        }
    }
}
