//! When a person hears of an account's runs, and which programs do.

use std::time::Duration;

/// When a person hears of an account's runs, and which programs do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alerts {
    /// A server that cannot be reached, or has no time, is not complained about before the account
    /// has failed for so long; at once, if nothing is said.
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
