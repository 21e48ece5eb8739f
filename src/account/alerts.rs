//! The rules by which a person is told of an account's runs, and the programs to run for them.

use std::time::Duration;

/// The rules by which a person is told of an account's runs, and the programs to run for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alerts {
    /// A server that cannot be reached, or has no time, is reported only after the account has
    /// failed for this long; at once if it is not set.
    pub complain_after: Option<Duration>,
    /// The program to run when a run has brought new messages, and its arguments.
    pub on_new_mail: Option<Vec<String>>,
    /// The program to run when a run has failed, and its arguments.
    pub on_failure: Option<Vec<String>>,
}

impl Alerts {
    /// True if they name programs.
    pub(super) fn run_commands(&self) -> bool {
        self.on_new_mail.is_some() || self.on_failure.is_some()
    }
}
