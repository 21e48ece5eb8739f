//! What `popsync status` says of an account, as text and as JSON.

use std::borrow::Cow;

use indicatif::HumanCount;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cache::{AccountOverview, LastRun};

use super::sanitize;
use super::terminal::{messages, octets};

/// What is known of an account, and what its retention makes of it.
#[derive(Debug)]
pub(in crate::cli) struct Standing {
    pub(in crate::cli) overview: AccountOverview,
    /// How many messages are due for removal on the server; none where nothing ever is.
    pub(in crate::cli) due: Option<u64>,
    /// When the next one is, in seconds since 1970.
    pub(in crate::cli) next_due: Option<i64>,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    account: &'a str,
    host: &'a str,
    user: &'a str,
    store: &'a str,
    messages: u64,
    bytes: u64,
    stored_on_server: u64,
    deletions_pending: u64,
    doubtful: u64,
    headers_only: u64,
    marked: u64,
    due: Option<u64>,
    next_due: Option<String>,
    recent_messages: u64,
    recent_bytes: u64,
    last_run: Option<RunLine<'a>>,
    last_success: Option<String>,
}

#[derive(Serialize)]
struct RunLine<'a> {
    finished: Option<String>,
    exit: u8,
    retrieved: u64,
    deleted: u64,
    on_server: Option<u64>,
    error: Option<Cow<'a, str>>,
}

impl Standing {
    /// One JSON object.
    pub(super) fn json(&self) -> String {
        let overview = &self.overview;
        let line = Line {
            event: "status",
            account: &overview.name,
            host: &overview.host,
            user: &overview.user,
            store: &overview.store,
            messages: overview.messages,
            bytes: overview.octets,
            stored_on_server: overview.stored_on_server,
            deletions_pending: overview.deletions_pending,
            doubtful: overview.doubtful,
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
                on_server: run.on_server,
                error: run.error.as_deref().map(sanitize::text),
            }),
            last_success: overview.last_success_at.and_then(utc),
        };
        // Numbers, strings and nothing else: this cannot fail.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// A paragraph for people, in the user's time zone.
    pub(super) fn text(&self) -> Vec<String> {
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
            format!("  last run  {}", last_run(overview.last_run.as_ref())),
        ];
        let failed = overview.last_run.as_ref().is_some_and(|run| run.exit != 0);
        if failed {
            let success = overview
                .last_success_at
                .map_or_else(|| "never".to_owned(), local);
            lines.push(format!("  last good {success}"));
        }
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
        let mut text = format!(
            "{} of them on its last list",
            HumanCount(overview.stored_on_server)
        );
        match (self.due, self.next_due) {
            (Some(0), Some(next)) => {
                text.push_str(&format!("; the next is due on {}", local(next)))
            }
            (Some(due), _) if due > 0 => {
                text.push_str(&format!("; {} due for removal", HumanCount(due)))
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
}

fn last_run(run: Option<&LastRun>) -> String {
    let Some(run) = run else {
        return "never".to_owned();
    };
    let what = match (&run.error, run.exit) {
        (Some(error), exit) => format!("failed with {exit}: {error}"),
        (None, 0) => "ok".to_owned(),
        (None, exit) => format!("ended with {exit}"),
    };
    format!(
        "{}, {what}; {} new, {} deleted",
        local(run.finished_at),
        HumanCount(run.retrieved),
        HumanCount(run.deleted)
    )
}

/// For other programs.
pub(super) fn utc(time: i64) -> Option<String> {
    Some(Timestamp::from_second(time).ok()?.to_string())
}

/// In the user's time zone.
pub(super) fn local(time: i64) -> String {
    formatted(time, "%F %H:%M")
}

/// The same with the name of the zone.
pub(super) fn zoned(time: i64) -> String {
    formatted(time, "%F %H:%M %Z")
}

fn formatted(time: i64, format: &str) -> String {
    Timestamp::from_second(time).map_or_else(
        |_| "an unknown time".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime(format)
                .to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::AccountId;

    fn standing() -> Standing {
        Standing {
            overview: AccountOverview {
                id: AccountId::NONE,
                name: "work".to_owned(),
                key: "work".to_owned(),
                host: "mail.example.com".to_owned(),
                user: "anna".to_owned(),
                store: "/home/anna/Mail".to_owned(),
                messages: 12_345,
                octets: 1_234_567_890,
                recent_messages: 1,
                recent_octets: 999,
                deletions_pending: 0,
                doubtful: 0,
                headers_only: 0,
                marked: 0,
                oldest_on_server: Some(1_700_000_000),
                stored_on_server: 1_040,
                last_run: None,
                last_success_at: None,
            },
            due: None,
            next_due: None,
        }
    }

    #[test]
    fn text_says_what_a_person_asks_first() {
        let mut work = standing();
        assert_eq!(
            work.text(),
            [
                "work (anna at mail.example.com)",
                "  store     /home/anna/Mail: 12,345 messages, 1.2 GB",
                "  server    1,040 of them on its last list",
                "  last run  never",
                "  growth    1 message, 999 B in 30 days",
            ]
        );
        work.overview.headers_only = 2;
        assert_eq!(
            work.text()[2],
            "  server    1,040 of them on its last list; of 2 more, only the headers are here"
        );
        work.overview.marked = 1;
        assert!(work.text()[2].ends_with("are here (1 marked)"));
        (work.overview.headers_only, work.overview.marked) = (0, 0);
        work.due = Some(12);
        work.overview.deletions_pending = 3;
        assert_eq!(
            work.text()[2],
            "  server    1,040 of them on its last list; 12 due for removal; 3 deleted there, to be \
             confirmed"
        );
        work.overview.last_run = Some(LastRun {
            finished_at: 1_700_000_000,
            exit: 69,
            retrieved: 0,
            deleted: 0,
            on_server: None,
            error: Some("no route".to_owned()),
        });
        assert!(work.text()[3].ends_with("failed with 69: no route; 0 new, 0 deleted"));
        assert_eq!(work.text()[4], "  last good never");
    }

    /// It may quote the server, and a person may read it.
    #[test]
    fn an_error_is_escaped_in_json_as_well() {
        let mut work = standing();
        work.overview.last_run = Some(LastRun {
            finished_at: 1_700_000_000,
            exit: 77,
            retrieved: 0,
            deleted: 0,
            on_server: None,
            error: Some("it said \u{202e}no\u{200b}".to_owned()),
        });
        let json: serde_json::Value = serde_json::from_str(&work.json()).unwrap();
        assert_eq!(json["last_run"]["error"], r"it said \u{202e}no\u{200b}");
    }

    #[test]
    fn json_has_every_documented_field() {
        let manual = include_str!("../../../man/parts/popsync-status.roff").replace('\\', "");
        let json: serde_json::Value = serde_json::from_str(&standing().json()).unwrap();
        for field in json.as_object().unwrap().keys() {
            assert!(manual.contains(&format!("\"{field}\":")), "{field}");
        }
        assert_eq!(json["next_due"], serde_json::Value::Null);
        assert_eq!(json["bytes"], 1_234_567_890_u64);
    }
}
