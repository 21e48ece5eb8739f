//! The maildrop of one session: UIDL and LIST joined into one view.
//!
//! The server's listings are not trusted more than necessary. Sizes are hints. Lines that cannot be
//! used are counted. A listing that contradicts itself is marked, so that no deletion relies on it.

use std::collections::HashMap;
use std::fmt;

use crate::pop3::MessageNumber;
use crate::pop3::listing::DropListing;

mod builder;
mod unique_ids;

pub use builder::Builder;
pub(crate) use unique_ids::UniqueIds;

const UNKNOWN: u64 = u64::MAX;

/// All messages that a session can name, in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub struct Maildrop {
    /// The number of each message, in ascending order. Empty if they are 1, 2, 3 and so on, as they
    /// nearly always are.
    numbers: Vec<MessageNumber>,
    /// The size of each message, or [`UNKNOWN`]. Empty if LIST was not answered: a large mailbox in
    /// which nothing is new is listed without it.
    sizes: Vec<u64>,
    ids: UniqueIds,
    /// By index: how many messages have the same unique-id, where it is not this one alone.
    copies: HashMap<usize, u32>,
    contradictions: Vec<Contradiction>,
    /// STAT's answer.
    stat: Option<DropListing>,
    /// True if LIST was answered.
    has_sizes: bool,
}

/// A message's place in the order of a maildrop. It differs from the message-number, since a
/// listing has gaps, and from the place in the order of retrieval, which leaves most messages out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(usize);

impl Place {
    /// The place of the message with this many messages before it.
    pub fn behind(messages: usize) -> Self {
        Self(messages)
    }

    /// The number of messages before it.
    pub fn before(self) -> usize {
        self.0
    }
}

/// One message as listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its number in this session.
    pub number: MessageNumber,
    /// Its unique-id as sent. Empty if the server gave none.
    pub unique_id: &'a [u8],
    /// Its size in the scan listing.
    pub octets: Option<u64>,
    /// The number of messages in the listing with this unique-id, itself included: more than one
    /// only if a server breaks the rules (`OPOP3:C0041`).
    pub copies: u32,
}

/// A contradiction within a listing, or to the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// STAT and UIDL disagree about the number of messages.
    CountDiffers {
        /// The number by STAT.
        stat: u64,
        /// The number by UIDL.
        uidl: u64,
    },
    /// Messages that LIST shows and UIDL does not.
    OnlyInScanListing {
        /// The number of messages.
        messages: u64,
    },
    /// Messages that UIDL shows and LIST does not.
    OnlyInUniqueIdListing {
        /// The number of messages.
        messages: u64,
    },
    /// Lines with a number that another message already has.
    NumberRepeated {
        /// The number of affected messages.
        messages: u64,
    },
    /// Lines without a valid message-number.
    NumberUnusable {
        /// The number of lines.
        lines: u64,
    },
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CountDiffers { stat, uidl } => {
                write!(f, "STAT counts {stat} and UIDL lists {uidl}")
            }
            Self::OnlyInScanListing { messages } => {
                write!(f, "messages that LIST shows and UIDL does not: {messages}")
            }
            Self::OnlyInUniqueIdListing { messages } => {
                write!(f, "messages that UIDL shows and LIST does not: {messages}")
            }
            Self::NumberRepeated { messages } => {
                write!(f, "messages whose number others have too: {messages}")
            }
            Self::NumberUnusable { lines } => {
                write!(f, "lines that name no message-number: {lines}")
            }
        }
    }
}

impl Maildrop {
    /// All messages, in the order of their numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Message<'_>> {
        (0..self.len()).map(|index| self.message(index))
    }

    /// All messages, each with its place.
    pub fn places(&self) -> impl ExactSizeIterator<Item = (Place, Message<'_>)> {
        let messages = self.iter().enumerate();
        messages.map(|(before, message)| (Place(before), message))
    }

    /// The message at this place.
    pub fn get(&self, place: Place) -> Option<Message<'_>> {
        (place.0 < self.len()).then(|| self.message(place.0))
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True if there are no messages.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True if it is in doubt which message a number means: LIST and UIDL differ about it, or a
    /// line makes no sense. Then a message may have been given another one's unique-id.
    pub fn is_doubtful(&self) -> bool {
        self.contradictions.iter().any(|contradiction| {
            !matches!(
                contradiction,
                Contradiction::CountDiffers { .. } | Contradiction::OnlyInUniqueIdListing { .. }
            )
        })
    }

    /// STAT's answer: the number of messages, and their octets.
    pub fn stat(&self) -> Option<DropListing> {
        self.stat
    }

    /// True if LIST was answered.
    pub fn has_sizes(&self) -> bool {
        self.has_sizes
    }

    /// The contradictions of the listing. If there are any, no deletion may rely on it.
    pub fn contradictions(&self) -> &[Contradiction] {
        &self.contradictions
    }

    fn message(&self, index: usize) -> Message<'_> {
        let octets = self.sizes.get(index).copied();
        let copies = match self.copies.is_empty() {
            true => None,
            false => self.copies.get(&index).copied(),
        };
        Message {
            number: self.number(index),
            unique_id: self.ids.at(index),
            octets: octets.filter(|&octets| octets != UNKNOWN),
            copies: copies.unwrap_or(1),
        }
    }

    fn number(&self, index: usize) -> MessageNumber {
        match self.numbers.is_empty() {
            true => MessageNumber::behind(index),
            false => self.numbers[index],
        }
    }

    /// The index of the message with this number.
    fn find(&self, number: MessageNumber) -> Option<usize> {
        match self.numbers.is_empty() {
            true => Some(number.as_u32() as usize - 1).filter(|&index| index < self.len()),
            false => self.numbers.binary_search(&number).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pop3::listing::{ScanListing, UniqueIdListing};

    /// A maildrop from UIDL and LIST as text.
    fn maildrop(stat: u64, uidl: &str, list: &str) -> Maildrop {
        let mut builder = Builder::default();
        builder.drop_listing(DropListing {
            messages: stat,
            octets: None,
        });
        for line in uidl.lines() {
            builder.unique_id_listing(UniqueIdListing::parse(line.as_bytes()));
        }
        for line in list.lines() {
            builder.scan_listing(ScanListing::parse(line.as_bytes()));
        }
        builder.finish()
    }

    fn shown(maildrop: &Maildrop) -> Vec<String> {
        maildrop
            .iter()
            .map(|message| {
                let id = String::from_utf8_lossy(message.unique_id);
                let octets = message
                    .octets
                    .map_or_else(|| "?".to_owned(), |n| n.to_string());
                let copies = if message.copies > 1 { " repeated" } else { "" };
                format!("{} {id} {octets}{copies}", message.number)
            })
            .collect()
    }

    #[test]
    fn both_listings_are_joined_by_number_in_any_order() {
        let expected = ["1 a 10", "2 b 20", "4 d ?"];
        for (uidl, list) in [
            ("1 a\n2 b\n4 d", "1 10\n2 20\n4 xx"),
            ("4 d\n1 a\n2 b", "2 20\n4 xx\n1 10"),
            ("2 b\n4 d\n1 a", "1 10\n4 xx\n2 20"),
        ] {
            let maildrop = maildrop(3, uidl, list);
            assert_eq!(shown(&maildrop), expected);
            assert!(maildrop.contradictions().is_empty());
        }
    }

    #[test]
    fn without_unique_ids_the_scan_listing_says_what_is_there() {
        let mut builder = Builder::default();
        builder.drop_listing(DropListing {
            messages: 4,
            octets: None,
        });
        builder.scan_listing(ScanListing::parse(b"9 1"));
        let mut builder = builder.without_unique_ids();
        for line in ["3 30", "1 10", "2 xx", "3 31", "0 5"] {
            builder.scan_listing(ScanListing::parse(line.as_bytes()));
        }
        let maildrop = builder.finish();
        assert_eq!(shown(&maildrop), ["1  10", "2  ?"]);
        assert_eq!(
            maildrop.contradictions(),
            [
                Contradiction::NumberRepeated { messages: 2 },
                Contradiction::NumberUnusable { lines: 1 },
            ]
        );
    }

    #[test]
    fn repeated_unique_ids_are_marked_and_empty_ones_are_not() {
        let maildrop = maildrop(5, "1 a\n2 b\n3 a\n4\n5", "");
        assert_eq!(
            shown(&maildrop),
            ["1 a ? repeated", "2 b ?", "3 a ? repeated", "4  ?", "5  ?"]
        );
    }

    #[test]
    fn repeated_unique_ids_are_found_among_those_that_ascend() {
        for (uidl, repeated) in [
            ("1 a\n2 b\n3 aa\n4 ab\n5 ab\n6 ac", vec![4, 5]),
            ("1 a\n2 b\n3 aa\n4 b\n5 ac", vec![2, 4]),
            ("1 9\n2 10\n3 11\n4 9", vec![1, 4]),
            ("1 9\n2 10\n3 100", vec![]),
        ] {
            let maildrop = maildrop(6, uidl, "");
            let shared = maildrop.iter().filter(|message| message.copies > 1);
            let numbers: Vec<u32> = shared.map(|message| message.number.as_u32()).collect();
            assert_eq!(numbers, repeated, "{uidl}");
        }
    }

    /// Letter case matters in unique-ids.
    #[test]
    fn unique_ids_that_differ_in_case_are_different() {
        assert!(
            maildrop(2, "1 a\n2 A", "")
                .iter()
                .all(|message| message.copies == 1)
        );
    }

    #[test]
    fn contradictions_are_found_and_only_safe_rows_kept() {
        for (stat, uidl, list, rows, contradiction) in [
            (
                3,
                "1 a\n1 b\n2 c",
                "",
                1,
                Contradiction::NumberRepeated { messages: 2 },
            ),
            (
                2,
                "0 a\n2 b",
                "",
                1,
                Contradiction::NumberUnusable { lines: 1 },
            ),
            (
                2,
                "x\n2 b",
                "",
                1,
                Contradiction::NumberUnusable { lines: 1 },
            ),
            (
                2,
                "1 a\n18446744073709551617 b",
                "",
                1,
                Contradiction::NumberUnusable { lines: 1 },
            ),
            (
                1,
                "1 a",
                "1 10\n2 20",
                1,
                Contradiction::OnlyInScanListing { messages: 1 },
            ),
            (
                3,
                "1 a\n2 b\n4 d",
                "1 10\n2 20",
                3,
                Contradiction::OnlyInUniqueIdListing { messages: 1 },
            ),
            (
                5,
                "1 a",
                "",
                1,
                Contradiction::CountDiffers { stat: 5, uidl: 1 },
            ),
            (
                0,
                "1 a",
                "",
                1,
                Contradiction::CountDiffers { stat: 0, uidl: 1 },
            ),
        ] {
            let maildrop = maildrop(stat, uidl, list);
            assert_eq!(maildrop.len(), rows, "{uidl}");
            assert_eq!(maildrop.contradictions(), [contradiction], "{uidl}");
        }
    }
}
