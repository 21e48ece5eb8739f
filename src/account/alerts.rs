//! The rules by which a person is told of an account's runs, and the programs to run for them.

use std::num::NonZeroU64;
use std::time::Duration;

/// The rules by which a person is told of an account's runs, and the programs to run for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Alerts {
    /// A server that cannot be reached, or has no time, is reported only after the account has
    /// failed for this long; at once if it is not set.
    pub complain_after: Option<Patience>,
    /// The program to run when a run has brought new messages, and its arguments.
    pub on_new_mail: Option<Vec<String>>,
    /// The program to run when a run has failed, and its arguments.
    pub on_failure: Option<Vec<String>>,
}

/// How long an outage is no reason to report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until as many runs in a row have failed.
    Runs(NonZeroU64),
    /// For this long.
    Time(Duration),
}

/// The runs in a row that failed because the server could not be reached or had no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outage {
    /// When the first of them began, in seconds since 1970.
    pub since: i64,
    /// How many of them are recorded.
    pub runs: u64,
}

impl Patience {
    /// True if it is too early to report this outage.
    pub(crate) fn covers(self, outage: Outage, now: i64) -> bool {
        match self {
            Self::Runs(runs) => outage.runs < runs.get(),
            Self::Time(time) => now.saturating_sub(outage.since) < time.as_secs().cast_signed(),
        }
    }
}

impl Alerts {
    /// True if they name programs.
    pub(super) fn run_commands(&self) -> bool {
        self.on_new_mail.is_some() || self.on_failure.is_some()
    }
}
