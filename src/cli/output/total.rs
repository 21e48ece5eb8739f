//! The totals of a run over several accounts.

use std::mem;
use std::sync::PoisonError;

use indicatif::HumanCount;

use crate::exit::Exit;
use crate::sync::Summary;

use super::{Output, sanitize, terminal};

/// The maximum number of failed accounts to name; the others are counted.
const NAMED: usize = 5;

/// The totals of the accounts that have ended.
#[derive(Debug, Default)]
pub(super) struct Total {
    accounts: u64,
    retrieved: u64,
    octets: u64,
    deleted: u64,
    failed: Vec<String>,
}

impl Total {
    /// Adds an account.
    pub(super) fn add(&mut self, account: &str, summary: &Summary, exit: Exit) {
        self.accounts += 1;
        self.retrieved += summary.retrieved;
        self.octets += summary.octets;
        self.deleted += summary.deleted;
        if exit != Exit::Success {
            self.failed.push(account.to_owned());
        }
    }

    /// `390 new messages (12.0 MB), 2 deleted, 1 failed`.
    pub(super) fn sums(&self) -> String {
        let mut parts = self.done();
        if !self.failed.is_empty() {
            parts.push(format!("{} failed", self.failed.len()));
        }
        parts.join(", ")
    }

    /// `5 accounts: 390 new messages (12.0 MB), 2 deleted, 1 failed (work)`.
    fn line(&self) -> String {
        let mut parts = self.done();
        let failed = self.failed.len();
        if failed > 0 {
            let named = self.failed.iter().take(NAMED);
            let named: Vec<_> = named.map(|name| sanitize::text(name)).collect();
            let more = if failed > NAMED { ", …" } else { "" };
            parts.push(format!("{failed} failed ({}{more})", named.join(", ")));
        }
        format!(
            "{} accounts: {}",
            HumanCount(self.accounts),
            parts.join(", ")
        )
    }

    fn done(&self) -> Vec<String> {
        let mut parts = vec![match self.retrieved {
            0 => "no new messages".to_owned(),
            count => format!(
                "{} new {} ({})",
                HumanCount(count),
                terminal::messages(count),
                terminal::octets(self.octets)
            ),
        }];
        if self.deleted > 0 {
            parts.push(format!("{} deleted", HumanCount(self.deleted)));
        }
        parts
    }
}

impl Output {
    /// The last line of a run of several accounts, for an interactive user.
    pub(in crate::cli) fn total(&self) {
        // The next run, if there is one, starts from zero.
        self.end_accounts();
        let total = mem::take(&mut *self.total.lock().unwrap_or_else(PoisonError::into_inner));
        let line = (total.accounts > 1).then(|| total.line());
        if let Some(line) = line.filter(|_| !self.options.dry_run) {
            self.done(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_did_is_one_line() {
        let mut total = Total::default();
        let none = Summary::default();
        total.add("home", &none, Exit::Success);
        total.add("club", &none, Exit::Success);
        assert_eq!(total.line(), "2 accounts: no new messages");
        let some = Summary {
            retrieved: 1_390,
            octets: 12_000_000,
            deleted: 2,
            ..none
        };
        total.add("work", &some, Exit::Partial);
        assert_eq!(
            total.line(),
            "3 accounts: 1,390 new messages (12.0 MB), 2 deleted, 1 failed (work)"
        );
        for number in 0..7 {
            total.add(&format!("x{number}\x1b"), &none, Exit::Unavailable);
        }
        let line = total.line();
        let names = r"(work, x0\x1b, x1\x1b, x2\x1b, x3\x1b, …)";
        assert!(line.ends_with(&format!("8 failed {names}")), "{line}");
    }
}
