//! Second turns of accounts, at the end of a run of several.

use std::time::Duration;

use indicatif::HumanCount;

use crate::sync::Outcome;

use super::json::Line;
use super::{Output, chain, duration, log, sanitize};

impl Output {
    /// An account failed, and has a second turn in this run, not before `after`. That turn's outcome is
    /// the one that is reported; this is for programs, and for people who want each step.
    pub(in crate::cli) fn put_off(&self, account: &str, outcome: &Outcome, after: Duration) {
        self.in_fleet(|fleet| fleet.put_off(account));
        let Some(error) = outcome.error() else {
            return;
        };
        let (message, seconds) = (chain(&error), after.as_secs());
        tracing::debug!(
            target: log::STEPS,
            "it has a second turn at the end, in {seconds} s at the earliest: {message}"
        );
        self.json(|| Line::Again {
            account,
            exit: outcome.exit().code(),
            message: sanitize::text(&message).into_owned(),
            seconds,
        });
    }

    /// Nothing runs for so long, until the next account has its second turn.
    pub(in crate::cli) fn waits(&self, time: Duration) {
        // Full seconds, upwards.
        let seconds = time.as_millis().div_ceil(1_000);
        let time = duration(i64::try_from(seconds).unwrap_or(i64::MAX));
        let message = format!("waiting {time} before accounts that failed are tried again");
        tracing::debug!(target: log::STEPS, "{message}");
        self.done(&message);
    }

    /// So many accounts would have to wait for longer than `longest` for their second turn.
    pub(in crate::cli) fn left_to_next_run(&self, accounts: u64, longest: Duration) {
        let count = HumanCount(accounts);
        let (who, them) = match accounts {
            0 => return,
            1 => ("account that failed has".to_owned(), "it"),
            _ => ("accounts that failed have".to_owned(), "them"),
        };
        let longest = longest.as_secs();
        let message = format!(
            "{count} {who} to wait longer than {longest} s: the next run tries {them} again"
        );
        self.problem(None, &message);
    }
}
