//! Days of a time zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Tells the day of a time. Remembers the last day: times come mostly in order, and a look into the
/// rules of a time zone takes long.
#[derive(Debug)]
pub(super) struct Calendar {
    zone: TimeZone,
    day: Date,
    /// The first second of that day, and the first one after it.
    from: i64,
    until: i64,
}

impl Calendar {
    pub(super) fn new(zone: &TimeZone) -> Self {
        Self {
            zone: zone.clone(),
            day: Date::default(),
            from: 0,
            until: 0,
        }
    }

    /// The day of a time in seconds since 1970. The year 0 stands for times that no calendar has.
    pub(super) fn day(&mut self, time: i64) -> Date {
        if !(self.from..self.until).contains(&time) {
            let zone = &self.zone;
            let begin = |day: Date| {
                let begin = day.to_zoned(zone.clone()).ok()?;
                Some(begin.timestamp().as_second())
            };
            let day = Timestamp::from_second(time).map_or_else(
                |_| Date::default(),
                |time| time.to_zoned(zone.clone()).date(),
            );
            let after = day.tomorrow().ok();
            let limits = (begin(day), after.and_then(begin));
            // Without limits the next time is looked up again.
            (self.from, self.until) = match limits {
                (Some(from), Some(until)) => (from, until),
                _ => (0, 0),
            };
            self.day = day;
        }
        self.day
    }
}
