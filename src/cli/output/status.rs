//! The output of `popsync status`: a table, a paragraph, JSON, one line for a monitoring
//! system, or figures.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use indicatif::HumanCount;
use serde::Serialize;

use crate::cache::{AccountOverview, Holder, LastRun};

use super::terminal::{messages, octets};
use super::time::{local, utc, zoned};
use super::{Output, sanitize, table, verifications};

mod check;
mod metrics;
mod rows;

pub(in crate::cli) use check::Level;
pub(in crate::cli) use metrics::text as metrics;

/// What is known of an account, and what its retention makes of it.
#[derive(Debug)]
pub(in crate::cli) struct AccountStatus {
    pub(in crate::cli) overview: AccountOverview,
    pub(in crate::cli) is_configured: bool,
    /// How many messages are due for removal on the server; none where nothing ever is.
    pub(in crate::cli) due: Option<u64>,
    /// When the next one is, in seconds since 1970.
    pub(in crate::cli) next_due: Option<i64>,
    /// How many messages the server listed last; none where it never did.
    pub(in crate::cli) listed: Option<u64>,
    /// A brake on deletion waits for a person.
    pub(in crate::cli) is_held: bool,
    /// The run that is at work.
    pub(in crate::cli) running: Option<Holder>,
    /// The folder of the state that it is in, if several are read.
    pub(in crate::cli) state_dir: Option<PathBuf>,
}

/// How an account stands, by its last run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::output) enum State<'a> {
    /// A run is at work.
    Running,
    /// There was no run.
    Never,
    /// All was done.
    Done,
    /// All was done, but for deletions that are held back.
    Held,
    /// Single messages could not be retrieved or deleted.
    Partial { failed: u64 },
    /// The run did not come to its end.
    Failed { exit: u8, error: Option<&'a str> },
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    account: &'a str,
    host: &'a str,
    user: &'a str,
    store: &'a str,
    state_dir: Option<Cow<'a, str>>,
    configured: bool,
    running: Option<Running>,
    messages: u64,
    bytes: u64,
    on_server: Option<u64>,
    stored_on_server: u64,
    deletions_pending: u64,
    deletions_held: bool,
    doubtful: u64,
    missing: u64,
    headers_only: u64,
    marked: u64,
    due: Option<u64>,
    next_due: Option<String>,
    recent_messages: u64,
    recent_bytes: u64,
    last_run: Option<RunLine<'a>>,
    last_success: Option<String>,
    last_verification: Option<verifications::Facts<'a>>,
}

#[derive(Serialize)]
struct Running {
    process: u32,
    since: Option<String>,
}

#[derive(Serialize)]
struct RunLine<'a> {
    finished: Option<String>,
    exit: u8,
    retrieved: u64,
    deleted: u64,
    failed: u64,
    on_server: Option<u64>,
    error: Option<Cow<'a, str>>,
}

impl Output {
    /// Shows these accounts: a table, or a paragraph for each.
    pub(in crate::cli) fn statuses(&self, accounts: &[&AccountStatus], in_full: bool) {
        if self.options.json {
            for account in accounts {
                self.data(account.json());
            }
        } else if accounts.is_empty() {
            self.nothing("no account was synced yet");
        } else if in_full {
            for line in accounts.iter().flat_map(|account| account.text()) {
                self.data(sanitize::text(&line).into_owned());
            }
        } else {
            for line in rows::table(accounts, table::width()) {
                self.data(line);
            }
        }
    }
}

impl AccountStatus {
    pub(in crate::cli::output) fn state(&self) -> State<'_> {
        match self.running {
            Some(_) => State::Running,
            None => self.last_state(),
        }
    }

    /// The same without a run that is at work.
    fn last_state(&self) -> State<'_> {
        let Some(run) = &self.overview.last_run else {
            return State::Never;
        };
        match run {
            LastRun { exit: 0, .. } if self.is_held => State::Held,
            LastRun { exit: 0, .. } => State::Done,
            // Every other reason for status 1 is counted.
            LastRun {
                exit: 1, failed: 0, ..
            } => State::Held,
            LastRun {
                exit: 1, failed, ..
            } => State::Partial { failed: *failed },
            LastRun { exit, error, .. } => State::Failed {
                exit: *exit,
                error: error.as_deref(),
            },
        }
    }

    pub(in crate::cli::output) fn holds_deletions(&self) -> bool {
        self.is_held || self.last_state() == State::Held
    }

    /// How long ago the last good run was, in seconds.
    pub(in crate::cli::output) fn age(&self, now: i64) -> Option<i64> {
        let ended = self.overview.last_complete_at?;
        Some(now.saturating_sub(ended).max(0))
    }

    /// `150 on the server, 59 here`: how many messages the server listed last, and how many of them
    /// are stored.
    fn places(&self) -> Option<String> {
        let listed = HumanCount(self.listed?);
        let here = HumanCount(self.overview.stored_on_server);
        Some(format!("{listed} on the server, {here} here"))
    }

    /// One JSON object.
    fn json(&self) -> String {
        let overview = &self.overview;
        let line = Line {
            event: "status",
            account: &overview.name,
            host: &overview.host,
            user: &overview.user,
            store: &overview.store,
            state_dir: self.state_dir.as_deref().map(Path::to_string_lossy),
            configured: self.is_configured,
            running: self.running.as_ref().map(|holder| Running {
                process: holder.pid,
                since: utc(holder.since.as_second()),
            }),
            messages: overview.messages,
            bytes: overview.octets,
            on_server: self.listed,
            stored_on_server: overview.stored_on_server,
            deletions_pending: overview.deletions_pending,
            deletions_held: self.holds_deletions(),
            doubtful: overview.doubtful,
            missing: overview.missing,
            headers_only: overview.headers_only,
            marked: overview.marked,
            due: self.due,
            next_due: self.next_due.and_then(utc),
            recent_messages: overview.recent_messages,
            recent_bytes: overview.recent_octets,
            last_run: overview.last_run.as_ref().map(|run| RunLine {
                finished: utc(run.finished_at),
                exit: run.exit,
                retrieved: run.retrieved,
                deleted: run.deleted,
                failed: run.failed,
                on_server: run.on_server,
                error: run.error.as_deref().map(sanitize::text),
            }),
            last_success: overview.last_success_at.and_then(utc),
            last_verification: overview
                .last_verification
                .as_ref()
                .map(verifications::facts),
        };
        // Numbers, strings and nothing else: this cannot fail.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// A paragraph for people, in the user's time zone.
    fn text(&self) -> Vec<String> {
        let overview = &self.overview;
        let mut lines = vec![
            format!("{} ({} at {})", overview.name, overview.user, overview.host),
            format!(
                "  store     {}: {} {}, {}",
                overview.store,
                HumanCount(overview.messages),
                messages(overview.messages),
                octets(overview.octets)
            ),
            format!("  server    {}", self.server()),
            format!("  last run  {}", self.last_run()),
        ];
        if let Some(dir) = &self.state_dir {
            lines.push(format!("  state     {}", dir.display()));
        }
        if let Some(holder) = &self.running {
            let since = zoned(holder.since.as_second());
            let process = holder.pid;
            lines.push(format!(
                "  now       at work since {since} (process {process})"
            ));
        }
        if overview.missing > 0 {
            lines.push(format!(
                "  missing   {} of them are not in the store: `popsync verify` names them",
                HumanCount(overview.missing)
            ));
        }
        let failed = overview.last_run.as_ref().is_some_and(|run| run.exit != 0);
        if failed {
            let success = overview
                .last_success_at
                .map_or_else(|| "never".to_owned(), zoned);
            lines.push(format!("  last good {success}"));
        }
        lines.push(format!("  verified  {}", self.last_verification()));
        lines.push(format!(
            "  growth    {} {}, {} in 30 days",
            HumanCount(overview.recent_messages),
            messages(overview.recent_messages),
            octets(overview.recent_octets)
        ));
        lines
    }

    fn server(&self) -> String {
        let overview = &self.overview;
        let mut text = self
            .places()
            .unwrap_or_else(|| "it has listed nothing so far".to_owned());
        match (self.due, self.next_due) {
            (Some(0), Some(next)) => {
                text.push_str(&format!("; the next is due on {}", local(next)))
            }
            (Some(due), _) if due > 0 => {
                let held = match self.holds_deletions() {
                    true => ", but held",
                    false => "",
                };
                text.push_str(&format!("; {} due for removal{held}", HumanCount(due)))
            }
            _ => {}
        }
        if overview.headers_only > 0 {
            let large = HumanCount(overview.headers_only);
            text.push_str(&format!("; of {large} more, only the headers are here"));
            if overview.marked > 0 {
                text.push_str(&format!(" ({} marked)", HumanCount(overview.marked)));
            }
        }
        if overview.doubtful > 0 {
            let doubtful = HumanCount(overview.doubtful);
            text.push_str(&format!(
                "; {doubtful} perhaps not whole, to be fetched again"
            ));
        }
        if overview.deletions_pending > 0 {
            let pending = HumanCount(overview.deletions_pending);
            text.push_str(&format!("; {pending} deleted there, to be confirmed"));
        }
        text
    }

    fn last_verification(&self) -> String {
        match &self.overview.last_verification {
            None => "never".to_owned(),
            Some(last) => {
                let result = verifications::result(last);
                format!("{}, {result}", zoned(last.finished_at))
            }
        }
    }

    fn last_run(&self) -> String {
        let Some(run) = &self.overview.last_run else {
            return "never".to_owned();
        };
        let what = match self.last_state() {
            State::Never | State::Running | State::Done => "ok".to_owned(),
            State::Held => "deletions are held until somebody looks".to_owned(),
            State::Partial { failed } => format!("{} failed", HumanCount(failed)),
            State::Failed {
                exit,
                error: Some(error),
            } => format!("failed with {exit}: {error}"),
            State::Failed { exit, error: None } => format!("ended with {exit}"),
        };
        format!(
            "{}, {what}; {} new, {} deleted",
            zoned(run.finished_at),
            HumanCount(run.retrieved),
            HumanCount(run.deleted)
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::account::Identity;
    use crate::cache::PastVerification;

    pub(super) fn account() -> AccountStatus {
        let identity = Identity {
            key: "work".to_owned(),
            host: "mail.example.com".to_owned(),
            user: "anna".to_owned(),
        };
        AccountStatus {
            overview: AccountOverview {
                messages: 12_345,
                octets: 1_234_567_890,
                recent_messages: 1,
                recent_octets: 999,
                oldest_on_server: Some(1_700_000_000),
                stored_on_server: 1_040,
                ..AccountOverview::blank("work", &identity, "/home/anna/Mail".to_owned())
            },
            is_configured: true,
            due: None,
            next_due: None,
            listed: Some(1_100),
            is_held: false,
            running: None,
            state_dir: None,
        }
    }

    /// A run that ended so.
    pub(super) fn ended(exit: u8, failed: u64, error: Option<&str>) -> LastRun {
        LastRun {
            finished_at: 1_700_000_000,
            exit,
            retrieved: 0,
            deleted: 0,
            failed,
            on_server: None,
            error: error.map(str::to_owned),
        }
    }

    #[test]
    fn text_says_what_a_person_asks_first() {
        let mut work = account();
        assert_eq!(
            work.text(),
            [
                "work (anna at mail.example.com)",
                "  store     /home/anna/Mail: 12,345 messages, 1.2 GB",
                "  server    1,100 on the server, 1,040 here",
                "  last run  never",
                "  verified  never",
                "  growth    1 message, 999 B in 30 days",
            ]
        );
        work.overview.missing = 100;
        assert_eq!(
            work.text()[4],
            "  missing   100 of them are not in the store: `popsync verify` names them"
        );
        work.overview.last_verification = Some(PastVerification {
            finished_at: 1_700_000_000,
            exit: 1,
            parts: 1,
            messages: 12_345,
            compared: 12_245,
            missing: 100,
            ..PastVerification::default()
        });
        let verified = &work.text()[5];
        assert!(verified.starts_with("  verified  2023-11-1"), "{verified}");
        assert!(
            verified.ends_with(", 12,245 of 12,345 messages compared, 100 missing"),
            "{verified}"
        );
        work.overview.missing = 0;
        work.overview.headers_only = 2;
        assert_eq!(
            work.text()[2],
            "  server    1,100 on the server, 1,040 here; of 2 more, only the headers are here"
        );
        work.overview.marked = 1;
        assert!(work.text()[2].ends_with("are here (1 marked)"));
        (work.overview.headers_only, work.overview.marked) = (0, 0);
        work.due = Some(12);
        work.overview.deletions_pending = 3;
        assert_eq!(
            work.text()[2],
            "  server    1,100 on the server, 1,040 here; 12 due for removal; 3 deleted there, to be \
             confirmed"
        );
        work.overview.last_run = Some(ended(69, 0, Some("no route")));
        assert!(work.text()[3].ends_with("failed with 69: no route; 0 new, 0 deleted"));
        assert_eq!(work.text()[4], "  last good never");
        work.running = Some(Holder {
            pid: 4711,
            since: Timestamp::from_second(1_700_000_000).unwrap(),
        });
        assert!(work.text()[4].starts_with("  now       at work since "));
        assert!(work.text()[4].ends_with(" (process 4711)"));
    }

    /// Nothing failed: a person has to say that the deletions are meant.
    #[test]
    fn held_deletions_are_held_and_not_failed() {
        let mut work = account();
        work.due = Some(12);
        work.overview.last_run = Some(ended(1, 0, None));
        let text = work.text().join("\n");
        assert!(text.contains("deletions are held"), "{text}");
        assert!(text.contains("12 due for removal, but held"), "{text}");
        assert!(!text.contains("failed"), "{text}");
        // A later run that had nothing to delete does not release the brake.
        work.overview.last_run = Some(ended(0, 0, None));
        assert_eq!(work.state(), State::Done);
        work.is_held = true;
        assert_eq!(work.state(), State::Held);
        work.overview.last_run = Some(ended(69, 0, None));
        assert!(work.holds_deletions());
    }

    /// It may quote the server, and a person may read it.
    #[test]
    fn an_error_is_escaped_in_json_as_well() {
        let mut work = account();
        let error = "it said \u{202e}no\u{200b}";
        work.overview.last_run = Some(ended(77, 0, Some(error)));
        let json: serde_json::Value = serde_json::from_str(&work.json()).unwrap();
        assert_eq!(json["last_run"]["error"], r"it said \u{202e}no\u{200b}");
    }

    #[test]
    fn json_has_every_documented_field() {
        let manual = include_str!("../../../man/parts/popsync-status.roff").replace('\\', "");
        let json: serde_json::Value = serde_json::from_str(&account().json()).unwrap();
        for field in json.as_object().unwrap().keys() {
            assert!(manual.contains(&format!("\"{field}\":")), "{field}");
        }
        assert_eq!(json["next_due"], serde_json::Value::Null);
        assert_eq!(json["bytes"], 1_234_567_890_u64);
    }
}
