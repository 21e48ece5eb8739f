//! The form of the rows of LIST and UIDL.

use crate::pop3::listing::ScanListing;
use crate::pop3::{Form, MessageNumber};

/// The number of times that something was seen, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sightings {
    /// The number.
    pub count: u64,
    /// The first one.
    pub first: Vec<u8>,
}

impl Sightings {
    /// Counts one more.
    pub(crate) fn add(&mut self, what: &[u8]) {
        if self.count == 0 {
            self.first = what.to_vec();
        }
        self.count += 1;
    }

    /// True if it was never seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// The common part of LIST and UIDL: a message-number, a field, and perhaps more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rows {
    /// The number of rows.
    pub count: u64,
    /// Rows with blanks other than one space between the two fields.
    pub odd_blanks: Sightings,
    /// Rows with text after the second field.
    pub extra: Sightings,
    /// Rows whose first field is no message-number.
    pub unusable: Sightings,
    /// Rows whose number is not one more than that of the row before.
    pub out_of_order: Sightings,
    /// All numbers, as listed.
    numbers: Vec<u32>,
}

impl Rows {
    pub(super) fn row(&mut self, line: &[u8], number: Option<MessageNumber>) {
        self.count += 1;
        let form = Form::of(line, 2);
        if !form.single_spaces {
            self.odd_blanks.add(line);
        }
        if !form.extra.is_empty() {
            self.extra.add(line);
        }
        match number.map(MessageNumber::as_u32) {
            None => self.unusable.add(line),
            Some(number) => {
                let last = self.numbers.last().copied().unwrap_or(0);
                if number.checked_sub(1) != Some(last) {
                    self.out_of_order.add(line);
                }
                self.numbers.push(number);
            }
        }
    }

    /// The lowest number that occurs in more than one row.
    pub(crate) fn repeated(&self) -> Option<u32> {
        let mut numbers = self.numbers.clone();
        numbers.sort_unstable();
        let mut pairs = numbers.windows(2);
        pairs.find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }
}

/// The rows of LIST.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ScanRows {
    /// Their form.
    pub rows: Rows,
    /// Rows without a readable size.
    pub no_size: Sightings,
    /// The sum of the sizes.
    pub octets: u64,
    /// Number and size of every message that has both.
    pub sizes: Vec<(MessageNumber, u64)>,
}

impl ScanRows {
    /// Takes a row.
    pub(crate) fn row(&mut self, line: &[u8]) {
        let listing = ScanListing::parse(line);
        self.rows.row(line, listing.number);
        let Some(octets) = listing.octets else {
            self.no_size.add(line);
            return;
        };
        self.octets = self.octets.saturating_add(octets);
        if let Some(number) = listing.number {
            self.sizes.push((number, octets));
        }
    }

    /// Up to `smallest` of the smallest messages, then the largest of at most `limit` octets: the
    /// messages worth a closer look.
    pub(crate) fn sample(&self, smallest: usize, limit: u64) -> Vec<(MessageNumber, u64)> {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable_by_key(|&(number, octets)| (octets, number));
        let largest = sizes.iter().rposition(|&(_, octets)| octets <= limit);
        let largest = largest.filter(|&index| index >= smallest);
        let mut chosen: Vec<_> = sizes.iter().copied().take(smallest).collect();
        chosen.retain(|&(_, octets)| octets <= limit);
        chosen.extend(largest.map(|index| sizes[index]));
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(rows: &[&str]) -> ScanRows {
        let mut scan = ScanRows::default();
        for row in rows {
            scan.row(row.as_bytes());
        }
        scan
    }

    #[test]
    fn rows_are_counted_by_how_they_are_written() {
        let scan = scan(&["1 120", "2\t200 x", "4 xx", "0 1", "4 5 "]);
        assert_eq!(scan.rows.count, 5);
        assert_eq!(scan.rows.odd_blanks.count, 2);
        assert_eq!(scan.rows.odd_blanks.first, b"2\t200 x");
        assert_eq!(scan.rows.extra.count, 1);
        assert_eq!(scan.rows.unusable.first, b"0 1");
        assert_eq!(scan.rows.out_of_order.count, 2);
        assert_eq!(scan.rows.out_of_order.first, b"4 xx");
        assert_eq!(scan.rows.repeated(), Some(4));
        assert_eq!(scan.no_size.first, b"4 xx");
        assert_eq!(scan.octets, 326);
    }

    #[test]
    fn the_sample_is_the_smallest_and_the_largest_that_is_not_too_large() {
        let all = scan(&["1 50", "2 10", "3 900", "4 30", "5 20", "6 5000"]);
        let numbers = |scan: &ScanRows, limit| -> Vec<u32> {
            let sample = scan.sample(3, limit);
            sample.iter().map(|(number, _)| number.as_u32()).collect()
        };
        assert_eq!(numbers(&all, 1000), [2, 5, 4, 3]);
        assert_eq!(numbers(&all, 20), [2, 5]);
        assert!(numbers(&all, 5).is_empty());
        assert_eq!(numbers(&scan(&["1 7", "2 8"]), 1000), [1, 2]);
        assert!(numbers(&scan(&[]), 1000).is_empty());
    }
}
