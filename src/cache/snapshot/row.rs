//! What is kept of one recorded message.

use crate::policy::Whereabouts;

/// A row has 14 octets, since there is one for each message of a mailbox.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) stored_at: Time,
    /// The size in the scan listing when it was retrieved, or last checked.
    pub(super) octets: Size,
    /// If more messages share a unique-id than this can count, nobody knows which one has it.
    pub(super) copies: u16,
    pub(super) facts: Facts,
    pub(super) whereabouts: Whereabouts,
}

const _: () = assert!(size_of::<Row>() == 14);

impl Row {
    /// True if the fact holds.
    pub(super) fn is(&self, fact: Fact) -> bool {
        self.facts.0 & fact.bit() != 0
    }
}

/// Facts that hold for a message or not.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fact {
    DeletionAsked,
    Gone,
    /// A copy was stored. Otherwise another program downloaded it.
    Held,
    WithoutSlashes,
    ToGo,
    Assumed,
    Doubtful,
}

impl Fact {
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The facts that hold.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts(u8);

impl Facts {
    pub(super) fn with(self, fact: Fact, holds: bool) -> Self {
        match holds {
            true => Self(self.0 | fact.bit()),
            false => Self(self.0 & !fact.bit()),
        }
    }

    /// Lets the fact hold only if it does for both of two messages.
    pub(super) fn only_if(&mut self, fact: Fact, holds: bool) {
        if !holds {
            *self = self.with(fact, false);
        }
    }

    /// Lets the fact hold if it does for one of two messages.
    pub(super) fn also_if(&mut self, fact: Fact, holds: bool) {
        if holds {
            *self = self.with(fact, true);
        }
    }
}

/// Seconds since 1970, to 17,000 years before and after. A clock that was wrong by more is taken for the
/// first or the last of them.
///
/// The octets have the order of the times: they count from the first of them, the highest octet first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time([u8; 5]);

impl Time {
    /// The number of seconds before 1970 that it can tell.
    const BEFORE: i64 = 1 << 39;
}

impl From<i64> for Time {
    fn from(seconds: i64) -> Self {
        let seconds = seconds.clamp(-Self::BEFORE, Self::BEFORE - 1);
        let [.., a, b, c, d, e] = (seconds + Self::BEFORE).to_be_bytes();
        Self([a, b, c, d, e])
    }
}

impl From<Time> for i64 {
    fn from(time: Time) -> Self {
        let [a, b, c, d, e] = time.0;
        Self::from_be_bytes([0, 0, 0, a, b, c, d, e]) - Time::BEFORE
    }
}

/// The size of a message, or that it is not known. No message is as large as five octets can count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size([u8; 5]);

impl Size {
    const UNKNOWN: Self = Self([0xff; 5]);

    /// The number of octets, if it is known.
    pub(super) fn get(self) -> Option<u64> {
        let [a, b, c, d, e] = self.0;
        let octets = u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]);
        (self.0 != Self::UNKNOWN.0).then_some(octets)
    }
}

impl From<Option<u64>> for Size {
    fn from(octets: Option<u64>) -> Self {
        match octets.map(u64::to_le_bytes) {
            Some([a, b, c, d, e, 0, 0, 0]) => Self([a, b, c, d, e]),
            Some(_) | None => Self::UNKNOWN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_messages_stay_as_they_are() {
        for octets in [0, 1, 255, 256, 1 << 32, (64 << 30) + 1, (1 << 40) - 2] {
            assert_eq!(Size::from(Some(octets)).get(), Some(octets));
        }
        for unknown in [None, Some((1 << 40) - 1), Some(1 << 40), Some(u64::MAX)] {
            assert_eq!(Size::from(unknown).get(), None);
        }
    }

    #[test]
    fn times_stay_as_they_are_and_in_order() {
        let limit = 1 << 39;
        let times = [
            -limit,
            -limit + 1,
            -1,
            0,
            1,
            1_700_000_000,
            1 << 33,
            limit - 1,
        ];
        for time in times {
            assert_eq!(i64::from(Time::from(time)), time);
        }
        assert!(times.map(Time::from).is_sorted_by(|a, b| a < b));
        for (beyond, end) in [(i64::MIN, -limit), (i64::MAX, limit - 1)] {
            assert_eq!(i64::from(Time::from(beyond)), end);
        }
    }

    #[test]
    fn each_fact_holds_by_itself() {
        let mut facts = Facts::default().with(Fact::Gone, true);
        facts.also_if(Fact::Doubtful, true);
        facts.also_if(Fact::Held, false);
        facts.only_if(Fact::Gone, true);
        let row = |facts| Row {
            stored_at: 0.into(),
            octets: Size::UNKNOWN,
            copies: 1,
            facts,
            whereabouts: Whereabouts::Unseen,
        };
        let holds = |facts| {
            let all = [Fact::DeletionAsked, Fact::Gone, Fact::Held, Fact::Doubtful];
            all.map(|fact| row(facts).is(fact))
        };
        assert_eq!(holds(facts), [false, true, false, true]);
        facts.only_if(Fact::Gone, false);
        assert_eq!(holds(facts), [false, false, false, true]);
    }
}
