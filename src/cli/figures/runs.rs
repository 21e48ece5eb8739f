//! Sums over the recorded runs of an account.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::Moment;
use super::calendar::Calendar;
use crate::cache::PastRun;

/// The number of failed runs that are named.
const FAILURES: usize = 10;

/// The runs of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::cli) struct DayOfRuns {
    pub(in crate::cli) runs: u64,
    /// Runs that did not end with status 0.
    pub(in crate::cli) failed: u64,
    /// The longest one, in seconds.
    pub(in crate::cli) longest: u64,
    /// Messages deleted on the server.
    pub(in crate::cli) deleted: u64,
}

/// Runs in a row that did not end with status 0, and all in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Failure {
    /// The start of the first and of the last one, in seconds since 1970.
    pub(in crate::cli) first_at: i64,
    pub(in crate::cli) last_at: i64,
    pub(in crate::cli) runs: u64,
    pub(in crate::cli) exit: u8,
    /// The error, if one ended it.
    pub(in crate::cli) error: Option<String>,
}

/// All recorded runs.
#[derive(Debug)]
pub(in crate::cli) struct Runs {
    calendar: Calendar,
    first_day: Date,
    /// The start of the first one that is still recorded.
    pub(in crate::cli) since: Option<i64>,
    pub(in crate::cli) runs: u64,
    pub(in crate::cli) deleted: u64,
    /// On each of the last days.
    pub(in crate::cli) days: BTreeMap<Date, DayOfRuns>,
    /// The seconds that the runs of these days took. No account has more than 10,000 runs.
    seconds: Vec<u64>,
    /// The last ones that failed, the newest first.
    pub(in crate::cli) failures: Vec<Failure>,
    /// True if the run that was counted before did not end with status 0.
    in_row: bool,
    /// True if more failed than are named.
    is_full: bool,
}

impl Runs {
    pub(in crate::cli) fn new(moment: &Moment) -> Self {
        Self {
            calendar: Calendar::new(&moment.zone),
            first_day: moment.days().first().copied().unwrap_or_default(),
            since: None,
            runs: 0,
            deleted: 0,
            days: BTreeMap::new(),
            seconds: Vec::new(),
            failures: Vec::new(),
            in_row: false,
            is_full: false,
        }
    }

    /// Counts a run. They come newest first.
    pub(in crate::cli) fn add(&mut self, run: PastRun) {
        let day = self.calendar.day(run.started_at);
        let seconds = run.finished_at.saturating_sub(run.started_at).max(0);
        let seconds = seconds.cast_unsigned();
        self.since = Some(run.started_at);
        self.runs += 1;
        self.deleted += run.deleted;
        if day >= self.first_day {
            let sum = self.days.entry(day).or_default();
            sum.runs += 1;
            sum.failed += u64::from(run.exit != 0);
            sum.longest = sum.longest.max(seconds);
            sum.deleted += run.deleted;
            self.seconds.push(seconds);
        }
        self.note(run);
    }

    /// Notes how it failed, if it did.
    fn note(&mut self, run: PastRun) {
        let was_in_row = std::mem::replace(&mut self.in_row, run.exit != 0);
        if run.exit == 0 || self.is_full {
            return;
        }
        let same = self
            .failures
            .last_mut()
            .filter(|last| was_in_row && (last.exit, &last.error) == (run.exit, &run.error));
        if let Some(same) = same {
            same.first_at = run.started_at;
            same.runs += 1;
        } else if self.failures.len() < FAILURES {
            self.failures.push(Failure {
                first_at: run.started_at,
                last_at: run.started_at,
                runs: 1,
                exit: run.exit,
                error: run.error,
            });
        } else {
            // Those before that are like the last one are not in a row with it.
            self.is_full = true;
        }
    }

    /// The time that so many percent of the runs of the last days did not exceed, in seconds.
    pub(in crate::cli) fn percentile(&self, percent: usize) -> Option<u64> {
        let mut seconds = self.seconds.clone();
        seconds.sort_unstable();
        let place = (seconds.len() * percent).div_ceil(100).max(1) - 1;
        seconds.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn run(started_at: i64, seconds: i64, exit: u8) -> PastRun {
        PastRun {
            account: "work".to_owned(),
            started_at,
            finished_at: started_at + seconds,
            exit,
            retrieved: 0,
            octets: 0,
            deleted: 2,
            skipped: 0,
            failed: 0,
            on_server: None,
            error: (exit > 0).then(|| format!("error {exit}")),
        }
    }

    #[test]
    fn runs_are_counted_by_day_and_the_last_failures_named() {
        let now = 1_767_225_600;
        let moment = Moment {
            zone: TimeZone::UTC,
            now,
        };
        let mut runs = Runs::new(&moment);
        assert_eq!(runs.percentile(50), None);
        for hour in 0..100 {
            let exit = if hour % 4 < 2 { 69 } else { 0 };
            runs.add(run(now - hour * 3_600, hour, exit));
        }
        runs.add(run(now - 90 * 86_400, 9_999, 0));
        assert_eq!((runs.runs, runs.deleted), (101, 202));
        assert_eq!(runs.since, Some(now - 90 * 86_400));
        assert_eq!(runs.percentile(50), Some(49));
        assert_eq!(runs.percentile(100), Some(99));
        assert_eq!(runs.failures.len(), FAILURES);
        let second = &runs.failures[1];
        assert_eq!((second.runs, second.exit), (2, 69));
        let hours = [second.first_at, second.last_at].map(|at| (now - at) / 3_600);
        assert_eq!(hours, [5, 4]);
        let yesterday = runs.days.values().rev().nth(1).copied();
        let expected = DayOfRuns {
            runs: 24,
            failed: 12,
            longest: 24,
            deleted: 48,
        };
        assert_eq!(yesterday, Some(expected));
    }
}
