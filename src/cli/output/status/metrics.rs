//! `popsync status --metrics`: what is known in the text format of Prometheus, as its collectors
//! of text files read it.

use std::fmt::Write as _;

use super::AccountStatus;
use crate::cli::output::Output;

/// A figure of each account.
struct Metric {
    name: &'static str,
    help: &'static str,
    value: fn(&AccountStatus) -> Option<i64>,
}

const METRICS: [Metric; 15] = [
    Metric {
        name: "popsync_last_run_timestamp_seconds",
        help: "When the last run ended.",
        value: |account| Some(account.overview.last_run.as_ref()?.finished_at),
    },
    Metric {
        name: "popsync_last_run_exit_status",
        help: "The exit status of the last run.",
        value: |account| Some(account.overview.last_run.as_ref()?.exit.into()),
    },
    Metric {
        name: "popsync_last_run_retrieved_messages",
        help: "Messages that the last run retrieved.",
        value: |account| Some(number(account.overview.last_run.as_ref()?.retrieved)),
    },
    Metric {
        name: "popsync_last_run_failed_messages",
        help: "Messages that the last run could not retrieve or delete.",
        value: |account| Some(number(account.overview.last_run.as_ref()?.failed)),
    },
    Metric {
        name: "popsync_last_success_timestamp_seconds",
        help: "When the last run ended that came to its end (exit status 0 or 1).",
        value: |account| account.overview.last_complete_at,
    },
    Metric {
        name: "popsync_running",
        help: "1 while a run is at work.",
        value: |account| Some(account.running.is_some().into()),
    },
    Metric {
        name: "popsync_deletions_held",
        help: "1 while deletions on the server are held back until a person looks.",
        value: |account| Some(account.holds_deletions().into()),
    },
    Metric {
        name: "popsync_stored_messages",
        help: "Messages that were stored.",
        value: |account| Some(number(account.overview.messages)),
    },
    Metric {
        name: "popsync_stored_bytes",
        help: "Their size as sent.",
        value: |account| Some(number(account.overview.octets)),
    },
    Metric {
        name: "popsync_server_messages",
        help: "Messages that the server listed last.",
        value: |account| account.listed.map(number),
    },
    Metric {
        name: "popsync_server_stored_messages",
        help: "Messages that the server listed last and that are stored.",
        value: |account| Some(number(account.overview.stored_on_server)),
    },
    Metric {
        name: "popsync_due_messages",
        help: "Messages that are due for removal on the server.",
        value: |account| account.due.map(number),
    },
    Metric {
        name: "popsync_last_verification_timestamp_seconds",
        help: "When the last popsync verify of the account ended.",
        value: |account| Some(account.overview.last_verification.as_ref()?.finished_at),
    },
    Metric {
        name: "popsync_last_verification_exit_status",
        help: "Its exit status.",
        value: |account| Some(account.overview.last_verification.as_ref()?.exit.into()),
    },
    Metric {
        name: "popsync_last_good_verification_timestamp_seconds",
        help: "When the last one ended that left nothing wrong (exit status 0).",
        value: |account| account.overview.last_verified_at,
    },
];

impl Output {
    /// The figures, on standard output.
    pub(in crate::cli) fn metrics(&self, accounts: &[&AccountStatus]) {
        self.data(text(accounts).trim_end().to_owned());
    }
}

/// The figures of these accounts.
pub(in crate::cli) fn text(accounts: &[&AccountStatus]) -> String {
    let mut text = String::new();
    for Metric { name, help, value } in METRICS {
        // Writing to a string cannot fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        for account in accounts {
            if let Some(value) = value(account) {
                let account = escaped(label(account, accounts));
                let _ = writeln!(text, "{name}{{account=\"{account}\"}} {value}");
            }
        }
    }
    text
}

/// The value of the label: the name, or the store where several have that name, as mailboxes may have
/// that were fetched more than once. No two figures may have the same labels.
fn label<'s>(account: &'s AccountStatus, all: &[&AccountStatus]) -> &'s str {
    let name = &account.overview.name;
    match all.iter().filter(|one| one.overview.name == *name).count() {
        1 => name,
        _ => &account.overview.key,
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A label's value as the format has it: backslash, quotation mark and line feed are escaped.
fn escaped(label: &str) -> String {
    let label = label.replace('\\', r"\\").replace('"', "\\\"");
    label.replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::status::tests::{account, ended};

    #[test]
    fn every_figure_has_its_type_and_the_accounts_that_have_it() {
        let mut work = account();
        work.overview.name = "a\"b\\".to_owned();
        work.overview.last_run = Some(ended(1, 0, None));
        work.overview.last_complete_at = Some(1_700_000_000);
        work.overview.last_verified_at = Some(1_600_000_000);
        let never = account();
        let text = text(&[&work, &never]);
        for metric in &METRICS {
            assert!(text.contains(&format!("# TYPE {} gauge\n", metric.name)));
        }
        let of_work = r#"{account="a\"b\\"}"#;
        for line in [
            "popsync_last_run_exit_status@ 1",
            "popsync_last_success_timestamp_seconds@ 1700000000",
            "popsync_last_good_verification_timestamp_seconds@ 1600000000",
            "popsync_deletions_held@ 1",
            "popsync_stored_bytes@ 1234567890",
        ] {
            let line = line.replace('@', of_work);
            assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
        }
        assert!(text.contains("popsync_running{account=\"work\"} 0\n"));
        assert!(!text.contains("popsync_last_run_exit_status{account=\"work\"}"));
        assert!(text.ends_with('\n'));
        // Fetched into two stores.
        let mut other = account();
        "/home/anna/other".clone_into(&mut other.overview.key);
        let text = super::text(&[&never, &other]);
        for label in ["work", "/home/anna/other"] {
            assert!(text.contains(&format!("popsync_running{{account=\"{label}\"}} 0\n")));
        }
    }
}
