//! The interval of a schedule: one that both systemd's calendar and crontab can express.

use std::fmt;
use std::str::FromStr;

use crate::config::quantity;

/// Minutes of an hour, and of a day.
const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

/// The longest jitter, in seconds.
const LONGEST_DELAY: u64 = 300;

/// The minutes between two runs: a divisor of an hour, or hours that divide a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Interval(u64);

impl FromStr for Interval {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = quantity::time(text).map(|time| time.as_secs());
        match seconds {
            Ok(seconds) if seconds.is_multiple_of(60) && is_even(seconds / 60) => {
                Ok(Self(seconds / 60))
            }
            _ => Err(
                "write minutes that divide an hour, as 5m, 15m or 30m, or hours that divide a \
                 day, as 1h, 6h or 24h",
            ),
        }
    }
}

fn is_even(minutes: u64) -> bool {
    HOUR.is_multiple_of(minutes) || minutes.is_multiple_of(HOUR) && DAY.is_multiple_of(minutes)
}

impl Interval {
    /// The same in seconds.
    pub(in crate::cli) fn seconds(self) -> u64 {
        self.0 * 60
    }

    /// The form for `OnCalendar=`: `Persistent=` requires it.
    pub(super) fn calendar(self) -> String {
        match self.0 {
            DAY => "*-*-* 00:00:00".to_owned(),
            HOUR => "*-*-* *:00:00".to_owned(),
            minutes if minutes > HOUR => format!("*-*-* 0/{}:00:00", minutes / HOUR),
            1 => "*-*-* *:*:00".to_owned(),
            minutes => format!("*-*-* *:0/{minutes}:00"),
        }
    }

    /// The maximum number of seconds that a machine waits in addition, so that not all of them
    /// connect to the server in the same second.
    pub(super) fn longest_delay(self) -> u64 {
        (self.seconds() / 3).min(LONGEST_DELAY)
    }

    /// The accuracy that systemd must keep, in seconds.
    pub(super) fn accuracy(self) -> u64 {
        (self.seconds() / 10).min(60)
    }

    /// The five fields of a crontab line. `seed` spreads machines over the time.
    pub(super) fn fields(self, seed: u64) -> String {
        let minute = seed % self.0.min(HOUR);
        match self.0 {
            1 => "* * * * *".to_owned(),
            HOUR => format!("{minute} * * * *"),
            DAY => format!("{minute} {} * * *", seed / HOUR % 24),
            minutes if minutes > HOUR => {
                let hours = minutes / HOUR;
                format!("{minute} {}-23/{hours} * * *", seed / HOUR % hours)
            }
            minutes => format!("{minute}-59/{minutes} * * * *"),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            minutes if minutes.is_multiple_of(HOUR) => write!(f, "{} h", minutes / HOUR),
            minutes => write!(f, "{minutes} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_divides_an_hour_or_a_day_can_be_a_schedule() {
        for (text, calendar, fields) in [
            ("1m", "*-*-* *:*:00", "* * * * *"),
            ("60", "*-*-* *:*:00", "* * * * *"),
            ("5m", "*-*-* *:0/5:00", "4-59/5 * * * *"),
            ("15m", "*-*-* *:0/15:00", "14-59/15 * * * *"),
            ("1h", "*-*-* *:00:00", "59 * * * *"),
            ("60m", "*-*-* *:00:00", "59 * * * *"),
            ("6h", "*-*-* 0/6:00:00", "59 4-23/6 * * *"),
            ("24h", "*-*-* 00:00:00", "59 10 * * *"),
        ] {
            let interval: Interval = text.parse().unwrap();
            assert_eq!(interval.calendar(), calendar, "{text}");
            assert_eq!(interval.fields(10 * 60 + 59), fields, "{text}");
            assert!(interval.longest_delay() < interval.seconds(), "{text}");
            assert!(interval.accuracy() > 0, "{text}");
        }
        for text in [
            "", "0", "30s", "90s", "7m", "45m", "90m", "5h", "25h", "1d", "x",
        ] {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
    }

    /// For any seed, a day has as many runs as were asked for.
    #[test]
    fn crontab_runs_as_often_as_asked() {
        for minutes in (1..=DAY).filter(|minutes| is_even(*minutes)) {
            for seed in 0..DAY {
                let fields = Interval(minutes).fields(seed);
                let mut fields = fields.split(' ').map(|field| match field {
                    "*" => None,
                    field => Some(field.to_owned()),
                });
                let count = |field: Option<String>, most: u64| match field {
                    None => most,
                    Some(field) => match field.split_once("-") {
                        None => 1,
                        Some((first, rest)) => {
                            let (last, step) = rest.split_once('/').unwrap();
                            let (first, last): (u64, u64) =
                                (first.parse().unwrap(), last.parse().unwrap());
                            (last - first) / step.parse::<u64>().unwrap() + 1
                        }
                    },
                };
                let runs =
                    count(fields.next().flatten(), HOUR) * count(fields.next().flatten(), 24);
                assert_eq!(runs, DAY / minutes, "{minutes} {seed}");
            }
        }
    }
}
