//! The figures of a report: what an account's records add up to.
//!
//! Messages and runs go by one after another, and are counted by day and by month. Nothing grows
//! with the mailbox but the number of months.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cache::Figure;

mod calendar;
mod runs;

use calendar::Calendar;
pub(super) use runs::{DayOfRuns, Runs};

/// The number of days that a report shows, back and ahead.
pub(super) const DAYS: i32 = 30;

/// The sizes at which the classes of messages end, the last one excepted.
pub(super) const SIZES: [u64; 7] = [
    4_000, 16_000, 64_000, 256_000, 1_000_000, 4_000_000, 16_000_000,
];

/// Messages and their octets as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Amount {
    pub(super) messages: u64,
    pub(super) octets: u64,
}

impl Amount {
    fn add(&mut self, octets: u64) {
        self.messages += 1;
        self.octets += octets;
    }
}

/// The time of a report.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) zone: TimeZone,
    /// In seconds since 1970.
    pub(super) now: i64,
}

impl Moment {
    /// The days that a report shows, the last of them today.
    pub(super) fn days(&self) -> Vec<Date> {
        self.days_from(1 - DAYS)
    }

    /// The days ahead, the first of them today.
    pub(super) fn days_ahead(&self) -> Vec<Date> {
        self.days_from(0)
    }

    fn days_from(&self, first: i32) -> Vec<Date> {
        let today = Calendar::new(&self.zone).day(self.now);
        let days = (first..first + DAYS).map(|number| today.checked_add(number.days()));
        days.filter_map(Result::ok).collect()
    }
}

/// Sums over the messages of an account.
#[derive(Debug)]
pub(super) struct Figures {
    /// In seconds since 1970.
    now: i64,
    /// The first and the last day that are counted by themselves.
    shown: (Date, Date),
    /// For the days on which messages were stored, and those on which they are to leave.
    calendars: (Calendar, Calendar),
    /// The seconds that a message stays on the server, if it leaves at all.
    kept_for: Option<i64>,
    /// Stored in each month, by its first day.
    pub(super) months: BTreeMap<Date, Amount>,
    /// Stored on each of the last days.
    pub(super) days: BTreeMap<Date, Amount>,
    /// By size, as in [`SIZES`].
    pub(super) sizes: [Amount; SIZES.len() + 1],
    /// Due to leave the server on each of the next days. What is due already counts today.
    pub(super) leaving: BTreeMap<Date, u64>,
    /// Due to leave the server after these days.
    pub(super) leaving_later: u64,
    /// Messages that a digest proves.
    pub(super) provable: u64,
    /// Messages that a person has accepted as deleted here.
    pub(super) absences_accepted: u64,
    /// All messages.
    pub(super) all: Amount,
}

impl Figures {
    /// `kept_for` is the number of seconds that a message stays on the server, if it leaves at all.
    pub(super) fn new(moment: &Moment, kept_for: Option<i64>) -> Self {
        let calendar = || Calendar::new(&moment.zone);
        let first = moment.days().first().copied().unwrap_or_default();
        let last = moment.days_ahead().last().copied().unwrap_or_default();
        Self {
            now: moment.now,
            shown: (first, last),
            calendars: (calendar(), calendar()),
            kept_for,
            months: BTreeMap::new(),
            days: BTreeMap::new(),
            sizes: Default::default(),
            leaving: BTreeMap::new(),
            leaving_later: 0,
            provable: 0,
            absences_accepted: 0,
            all: Amount::default(),
        }
    }

    /// Counts a stored message.
    pub(super) fn add(&mut self, message: Figure) {
        let octets = message.octets;
        let (stored, leaves) = &mut self.calendars;
        let day = stored.day(message.stored_at);
        self.all.add(octets);
        let month = self.months.entry(day.first_of_month()).or_default();
        month.add(octets);
        if day >= self.shown.0 {
            self.days.entry(day).or_default().add(octets);
        }
        let class = SIZES.partition_point(|end| *end <= octets);
        self.sizes[class].add(octets);
        self.provable += u64::from(message.is_provable);
        self.absences_accepted += u64::from(message.absence_accepted);
        if let (true, Some(kept_for)) = (message.is_listed, self.kept_for) {
            let day = leaves.day(message.stored_at.saturating_add(kept_for).max(self.now));
            match day <= self.shown.1 {
                true => *self.leaving.entry(day).or_default() += 1,
                false => self.leaving_later += 1,
            }
        }
    }

    /// Adds those of another account.
    pub(super) fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.months, &other.months),
            (&mut self.days, &other.days),
        ];
        for (to, from) in pairs {
            for (day, amount) in from {
                let sum = to.entry(*day).or_default();
                sum.messages += amount.messages;
                sum.octets += amount.octets;
            }
        }
        for (sum, amount) in self.sizes.iter_mut().zip(other.sizes) {
            sum.messages += amount.messages;
            sum.octets += amount.octets;
        }
        self.all.messages += other.all.messages;
        self.all.octets += other.all.octets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    /// A message that was stored so many seconds after the beginning of 2026.
    fn stored(at: i64, octets: u64, is_listed: bool) -> Figure {
        Figure {
            stored_at: 1_767_225_600 + at,
            octets,
            is_listed,
            is_provable: octets > 0,
            absence_accepted: false,
        }
    }

    #[test]
    fn messages_are_counted_by_month_day_and_size_and_when_they_leave() {
        let moment = Moment {
            zone: TimeZone::UTC,
            now: 1_767_225_600 + 40 * DAY + 5,
        };
        let mut figures = Figures::new(&moment, Some(14 * DAY));
        for message in [
            stored(-1, 3_999, false),
            stored(0, 4_000, true),
            stored(30 * DAY, 0, true),
            stored(40 * DAY, 20_000_000, true),
        ] {
            figures.add(message);
        }
        let months: Vec<_> = figures.months.iter().collect();
        assert_eq!(months.len(), 3);
        assert_eq!(months[1].0.to_string(), "2026-01-01");
        assert_eq!((months[1].1.messages, months[1].1.octets), (2, 4_000));
        let days: Vec<_> = figures.days.keys().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-01-31", "2026-02-10"]);
        let sizes = figures.sizes.map(|amount| amount.messages);
        assert_eq!(sizes, [2, 1, 0, 0, 0, 0, 0, 1]);
        // One is overdue.
        let leaving: Vec<_> = figures
            .leaving
            .iter()
            .map(|(day, count)| (day.to_string(), *count))
            .collect();
        let expected = [("2026-02-10", 1), ("2026-02-14", 1), ("2026-02-24", 1)];
        assert_eq!(
            leaving,
            expected.map(|(day, count)| (day.to_owned(), count))
        );
        assert_eq!((figures.provable, figures.leaving_later), (3, 0));

        let mut all = Figures::new(&moment, None);
        all.merge(&figures);
        all.merge(&figures);
        assert_eq!(all.all.messages, 8);
        assert_eq!(all.sizes[0].messages, 4);
    }

    #[test]
    fn a_day_is_one_of_the_time_zone() {
        let moment = Moment {
            zone: TimeZone::fixed(jiff::tz::offset(2)),
            now: 1_767_225_600,
        };
        let mut figures = Figures::new(&moment, None);
        figures.add(stored(-2 * 3_600 - 1, 1, false));
        figures.add(stored(-2 * 3_600, 1, false));
        let days: Vec<_> = figures.days.keys().map(ToString::to_string).collect();
        assert_eq!(days, ["2025-12-31", "2026-01-01"]);
        assert_eq!(moment.days().len(), moment.days_ahead().len());
        assert_eq!(moment.days().last(), moment.days_ahead().first());
    }
}
