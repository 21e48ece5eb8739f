//! A further session with the maildrop, for servers that do not lock it (`XPOP3:N3`).
//!
//! It has a listing and message-numbers of its own. A message is asked for by the number that its
//! unique-id has there, and only if nothing suggests that this is another message.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU8;

use secrecy::SecretString;

use super::order::{Order, Slot};
use crate::account::Account;
use crate::maildrop::{Builder, Maildrop, Message};
use crate::pop3::{Capabilities, MessageNumber};
use crate::session::{self, Listing, Session};
use crate::sync::{quit, warning};

/// Up to so many times the messages of the first listing are taken from another one.
const MOST_LISTED: usize = 2;

/// The means to open further sessions.
pub(in crate::sync) struct Further<'a> {
    pub(in crate::sync) password: &'a SecretString,
    /// How many sessions the retrieval may have at the same time, in all.
    pub(in crate::sync) connections: NonZeroU8,
    /// True if the deletion of messages depends on this retrieval.
    pub(in crate::sync) is_fenced: bool,
}

/// The reason why there is no further session.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// It could not be opened, or listed nothing.
    Session(session::Error),
    /// The messages of the first listing are not in that of the further session.
    OtherListing,
}

impl<'o> From<&'o Obstacle> for warning::Obstacle<'o> {
    fn from(obstacle: &'o Obstacle) -> Self {
        match obstacle {
            Obstacle::Session(error) => Self::Session(error),
            Obstacle::OtherListing => Self::OtherListing,
        }
    }
}

impl From<session::Error> for Obstacle {
    fn from(error: session::Error) -> Self {
        Self::Session(error)
    }
}

/// A further session, and the numbers that the messages of an order have there.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) maildrop: Maildrop,
    pub(super) numbers: Numbers,
}

impl Opened {
    /// Logs in and lists.
    ///
    /// # Errors
    /// The obstacle. It is not known whether it will last.
    pub(super) async fn open(
        account: &Account,
        password: &SecretString,
        capabilities: &Capabilities,
        order: &Order,
    ) -> Result<Self, Obstacle> {
        let mut session = Session::begin(account, password, Some(capabilities), |_| {}).await?;
        let mut builder = Builder::default();
        // One that lists far more is of no use, and must not fill the memory.
        let mut left = MOST_LISTED * (order.maildrop().len() + 1);
        let enter = |line: Listing<'_>| match line {
            Listing::Drop(listing) => builder.drop_listing(listing),
            Listing::Scan(line) => builder.scan_listing(line),
            Listing::UniqueId(line) if left > 0 => {
                left -= 1;
                builder.unique_id_listing(line);
            }
            Listing::UniqueId(_) => {}
        };
        if let Err(error) = session.listings(true, enter).await {
            if matches!(error, session::Error::Refused(_)) {
                quit::leave(session).await;
            }
            return Err(error.into());
        }
        let maildrop = builder.finish();
        let numbers = Numbers::of(order, &maildrop);
        if numbers.are_none() {
            quit::leave(session).await;
            return Err(Obstacle::OtherListing);
        }
        Ok(Self {
            session,
            maildrop,
            numbers,
        })
    }
}

/// The numbers that the messages of an order have in another session.
#[derive(Debug)]
pub(super) struct Numbers(Vec<Option<MessageNumber>>);

impl Numbers {
    /// Joins the listing of the order with `other` by the unique-ids.
    fn of(order: &Order, other: &Maildrop) -> Self {
        let first = order.maildrop();
        let mut numbers = vec![None; order.len()];
        if other.is_doubtful() || first.is_doubtful() || !shows_all(other, first) {
            return Self(numbers);
        }
        let slots = (0..order.len()).map(Slot);
        let by_id: HashMap<&[u8], Slot> = slots
            .map(|slot| (order.message(slot).unique_id, slot))
            .collect();
        for there in other.iter() {
            let Some(&slot) = by_id.get(there.unique_id) else {
                continue;
            };
            let here = order.message(slot);
            if is_same(&here, &there) && !is_number(&there) {
                numbers[slot.0] = Some(there.number);
            }
        }
        Self(numbers)
    }

    fn are_none(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The number of this message. None if the session does not show it for sure.
    pub(super) fn of_message(&self, slot: Slot) -> Option<MessageNumber> {
        self.0.get(slot.0).copied().flatten()
    }
}

/// True if the other listing has all unique-ids of the first one. A server that makes unique-ids of
/// the numbers gives a message's to the next one as soon as one before it is gone, and then the last
/// one is missing.
fn shows_all(other: &Maildrop, first: &Maildrop) -> bool {
    // Most servers keep the order.
    let mut there = other.iter();
    let mut is_next = |here: Message<'_>| there.any(|there| there.unique_id == here.unique_id);
    if first.iter().all(&mut is_next) {
        return true;
    }
    let ids: HashSet<&[u8]> = other.iter().map(|message| message.unique_id).collect();
    first.iter().all(|here| ids.contains(here.unique_id))
}

/// True if both listings show one message under the unique-id, of the same size.
fn is_same(here: &Message<'_>, there: &Message<'_>) -> bool {
    !here.unique_id.is_empty()
        && here.copies == 1
        && there.copies == 1
        && here.octets.is_some()
        && here.octets == there.octets
}

/// True if the unique-id is nothing but the number. Such a server gives it to another message as soon
/// as one before it is gone, and nothing shows that if another one of that size has come meanwhile.
fn is_number(message: &Message<'_>) -> bool {
    let id = std::str::from_utf8(message.unique_id).ok();
    id.and_then(|id| id.parse().ok()) == Some(message.number.as_u32())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cache::Snapshot;
    use crate::policy::{Action, Decision, Plan, Reason};
    use crate::pop3::listing::{DropListing, ScanListing, UniqueIdListing};

    /// A maildrop from lines of number, unique-id and size.
    fn maildrop(lines: &str) -> Maildrop {
        let rows: Vec<Vec<&str>> = lines
            .lines()
            .map(|line| line.split(' ').collect())
            .collect();
        let mut builder = Builder::default();
        builder.drop_listing(DropListing {
            messages: rows.len() as u64,
            octets: rows.iter().map(|row| row[2].parse::<u64>().ok()).sum(),
        });
        for row in rows {
            let [number, unique_id, octets] = row[..] else {
                panic!("{row:?}");
            };
            let line = format!("{number} {unique_id}");
            builder.unique_id_listing(UniqueIdListing::parse(line.as_bytes()));
            let line = format!("{number} {octets}");
            builder.scan_listing(ScanListing::parse(line.as_bytes()));
        }
        builder.finish()
    }

    /// The numbers that all messages of one listing have in the other.
    fn numbers(here: &str, there: &str) -> Vec<Option<u32>> {
        let here = Arc::new(maildrop(here));
        let decision = Decision::new(Action::Retrieve, Reason::New, None);
        let plan = Plan {
            decisions: vec![decision; here.len()],
            brakes: Vec::new(),
            held: 0,
        };
        let order = Order::new(here, &plan, &Snapshot::default());
        let numbers = Numbers::of(&order, &maildrop(there)).0;
        let numbers = numbers
            .into_iter()
            .map(|number| number.map(MessageNumber::as_u32));
        numbers.collect()
    }

    #[test]
    fn messages_are_joined_by_unique_id_whatever_their_numbers() {
        let here = "1 a 10\n2 b 20\n3 c 30";
        assert_eq!(
            numbers(here, "1 c 30\n5 a 10\n7 b 20"),
            [Some(5), Some(7), Some(1)]
        );
        // One is new there.
        assert_eq!(
            numbers(here, "1 a 10\n2 x 5\n3 b 20\n4 c 30"),
            [Some(1), Some(3), Some(4)]
        );
    }

    #[test]
    fn another_size_or_a_second_message_under_the_unique_id_is_another_message() {
        let here = "1 a 10\n2 b 20\n3 c 30";
        assert_eq!(
            numbers(here, "1 a 11\n2 b 20\n3 c xx"),
            [None, Some(2), None]
        );
        assert_eq!(
            numbers(here, "1 a 10\n2 a 10\n3 b 20\n4 c 31"),
            [None, Some(3), None]
        );
        assert_eq!(
            numbers("1 a 10\n2 a 10\n3 b 20", here),
            [None, None, Some(2)]
        );
    }

    #[test]
    fn a_listing_that_contradicts_itself_has_no_message_for_sure() {
        let here = "1 a 10\n2 b 20";
        let there = "1 a 10\n2 b 20\n0 c 30";
        assert_eq!(numbers(here, there), [None, None]);
        assert_eq!(numbers(there, here), [None, None]);
    }

    /// Message 2 was deleted in between. Either the server has made the unique-ids of the numbers, and
    /// now calls the third one 2, or it has not, and nobody can tell.
    #[test]
    fn a_listing_that_lacks_a_message_has_none_for_sure() {
        let here = "1 m-1 10\n2 m-2 10\n3 m-3 10";
        assert_eq!(numbers(here, "1 m-1 10\n2 m-2 10"), [None, None, None]);
        assert_eq!(numbers(here, "1 m-1 10\n2 m-3 10"), [None, None, None]);
        assert_eq!(numbers(here, "1 M-1 10"), [None, None, None]);
        assert_eq!(numbers(here, here), [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn unique_ids_that_are_the_numbers_do_not_count() {
        let here = "1 1 10\n2 2 10\n3 3 10";
        assert_eq!(numbers(here, here), [None, None, None]);
        // Not those that only look like numbers.
        assert_eq!(
            numbers("1 7 10\n2 8 10", "1 7 10\n2 8 10\n3 9 10"),
            [Some(1), Some(2)]
        );
    }
}
