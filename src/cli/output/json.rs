//! `--json`: one object per line. The schema is in popsync(1), section JSON. Documented fields
//! stay; new ones may be added.

use std::borrow::Cow;

use serde::Serialize;

use crate::exit::Exit;
use crate::policy::Action;
use crate::sync::{Event, Summary};

use super::warning::words;
use super::{sanitize, time};

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Line<'a> {
    /// The account failed for a reason that may pass, and has a second turn later in the run.
    Again {
        account: &'a str,
        exit: u8,
        message: String,
        seconds: u64,
    },
    /// The connection is established.
    Connected {
        account: &'a str,
        address: String,
        tls: Option<&'a str>,
    },
    /// The decision on one message, in a dry run.
    Decided {
        account: &'a str,
        number: u32,
        unique_id: String,
        bytes: Option<u64>,
        action: &'static str,
        reason: String,
        leaves_at: Option<String>,
    },
    /// The server confirmed deletions.
    Deleted { account: &'a str, messages: u64 },
    /// The error that ended the account's run, or all runs before they began (no account).
    Error {
        account: Option<&'a str>,
        exit: u8,
        message: String,
        hint: Option<String>,
    },
    /// One message could not be retrieved.
    Failed {
        account: &'a str,
        number: u32,
        unique_id: String,
        reason: Cow<'a, str>,
    },
    /// The records of a mailbox were removed.
    Forgotten {
        account: &'a str,
        messages: u64,
        store: &'a str,
    },
    /// Messages that were downloaded before were imported.
    Import {
        account: &'a str,
        source: &'a str,
        new: u64,
        known: u64,
    },
    /// The maildrop was listed.
    Listed { account: &'a str, messages: u64 },
    /// The login was accepted.
    LoggedIn { account: &'a str },
    /// The secret of an account was put into the keyring.
    Login { account: &'a str, tested: bool },
    /// The secret was removed, or there was none.
    Logout { account: &'a str, removed: bool },
    /// A large message was marked, or a mark removed.
    Marked {
        account: &'a str,
        unique_id: String,
        marked: bool,
        stored: bool,
    },
    /// A person has to sign in at this address, with a code on any device, or without one on this
    /// machine.
    SignIn {
        account: &'a str,
        address: &'a str,
        code: Option<&'a str>,
    },
    /// The plan of the run.
    Planned {
        account: &'a str,
        retrieve: u64,
        bytes: u64,
        headers: u64,
        delete: u64,
        skip: u64,
    },
    /// The progress: totals of this run.
    Retrieved {
        account: &'a str,
        messages: u64,
        bytes: u64,
    },
    /// Messages became durable.
    Stored { account: &'a str, messages: u64 },
    /// The last line of an account.
    Summary {
        account: &'a str,
        retrieved: u64,
        bytes: u64,
        headers: u64,
        deleted: u64,
        skipped: u64,
        failed: u64,
        held: u64,
        on_server: u64,
        seconds: f64,
        exit: u8,
    },
    /// A warning for the user.
    Warning {
        account: &'a str,
        kind: &'static str,
        message: String,
    },
}

impl<'a> Line<'a> {
    /// The line of an event. None for the events that [`Line::Retrieved`] sums up.
    pub(super) fn of(account: &'a str, event: &Event<'a>) -> Option<Self> {
        Some(match *event {
            Event::Connected { address, tls } => Self::Connected {
                account,
                address: address.to_string(),
                tls,
            },
            Event::LoggedIn => Self::LoggedIn { account },
            Event::Listed { messages } => Self::Listed { account, messages },
            Event::Planned {
                retrieve,
                octets,
                headers,
                delete,
                skip,
            } => Self::Planned {
                account,
                retrieve,
                bytes: octets,
                headers,
                delete,
                skip,
            },
            Event::Decided {
                number,
                unique_id,
                octets,
                action,
                reason,
                leaves_at,
            } => Self::Decided {
                account,
                number,
                unique_id: sanitize::unique_id(unique_id),
                bytes: octets,
                action: action_name(action),
                reason: reason.to_string(),
                leaves_at: leaves_at.and_then(time::utc),
            },
            Event::Received { .. }
            | Event::Retrieved
            | Event::WorkBegun { .. }
            | Event::WorkDone { .. }
            | Event::WorkEnded => return None,
            Event::Stored { messages } => Self::Stored { account, messages },
            Event::MessageFailed {
                number,
                unique_id,
                reason,
            } => Self::Failed {
                account,
                number,
                unique_id: sanitize::unique_id(unique_id),
                reason: sanitize::text(reason),
            },
            Event::Warning(ref warning) => Self::Warning {
                account,
                kind: warning.kind(),
                message: sanitize::text(&words(warning)).into_owned(),
            },
            Event::Deleted { messages } => Self::Deleted { account, messages },
        })
    }

    /// The last line of an account.
    pub(super) fn summary(account: &'a str, summary: &Summary, exit: Exit) -> Self {
        Self::Summary {
            account,
            retrieved: summary.retrieved,
            bytes: summary.octets,
            headers: summary.headers,
            deleted: summary.deleted,
            skipped: summary.skipped,
            failed: summary.failed,
            held: summary.held,
            on_server: summary.on_server,
            // Milliseconds are exact enough.
            seconds: (summary.elapsed.as_secs_f64() * 1_000.0).round() / 1_000.0,
            exit: exit.code(),
        }
    }

    pub(super) fn text(&self) -> String {
        // These types cannot fail: they have no maps, and only names as keys.
        serde_json::to_string(self).unwrap_or_default()
    }
}

pub(super) fn action_name(action: Action) -> &'static str {
    match action {
        Action::Delete => "delete",
        Action::Headers => "headers",
        Action::Keep => "keep",
        Action::Retrieve => "retrieve",
        Action::RetrieveThenDelete => "retrieve-then-delete",
        Action::RetrieveThenDeleteIfKnown => "retrieve-then-delete-if-known",
        Action::Skip => "skip",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::Reason;
    use crate::session::Address;
    use crate::sync::Warning;

    #[test]
    fn every_event_has_its_line() {
        let events = [
            Event::Connected {
                address: &Address::Ip("[2001:db8::1]:995".parse().unwrap()),
                tls: Some("TLSv1.3"),
            },
            Event::LoggedIn,
            Event::Listed { messages: 3 },
            Event::Decided {
                number: 1,
                unique_id: b"a\xffb",
                octets: None,
                action: Action::RetrieveThenDelete,
                reason: Reason::New,
                leaves_at: Some(1_700_000_000),
            },
            Event::Planned {
                retrieve: 2,
                octets: 3_000,
                headers: 1,
                delete: 1,
                skip: 0,
            },
            Event::Received { octets: 3_000 },
            Event::Retrieved,
            Event::Stored { messages: 2 },
            Event::MessageFailed {
                number: 3,
                unique_id: b"AAAC",
                reason: "the server said: \"no\"",
            },
            Event::Warning(Warning::WithoutHeader { messages: 2 }),
            Event::Deleted { messages: 1 },
        ];
        let mut lines: Vec<_> = events
            .iter()
            .filter_map(|event| Line::of("work", event))
            .map(|line| line.text())
            .collect();
        let progress = Line::Retrieved {
            account: "work",
            messages: 1,
            bytes: 1_500,
        };
        let error = Line::Error {
            account: None,
            exit: 78,
            message: "wrong".to_owned(),
            hint: None,
        };
        let summary = Summary {
            retrieved: 2,
            octets: 3_000,
            deleted: 1,
            failed: 1,
            on_server: 3,
            elapsed: Duration::from_micros(812_345),
            ..Summary::default()
        };
        lines.extend([
            progress.text(),
            error.text(),
            Line::summary("work", &summary, Exit::Partial).text(),
        ]);
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"event":"connected","account":"work","address":"[2001:db8::1]:995","tls":"TLSv1.3"}
        {"event":"logged-in","account":"work"}
        {"event":"listed","account":"work","messages":3}
        {"event":"decided","account":"work","number":1,"unique_id":"a\\xffb","bytes":null,"action":"retrieve-then-delete","reason":"new","leaves_at":"2023-11-14T22:13:20Z"}
        {"event":"planned","account":"work","retrieve":2,"bytes":3000,"headers":1,"delete":1,"skip":0}
        {"event":"stored","account":"work","messages":2}
        {"event":"failed","account":"work","number":3,"unique_id":"AAAC","reason":"the server said: \"no\""}
        {"event":"warning","account":"work","kind":"without-header","message":"the server gives no header (TOP) of 2 large messages: they stay there, and are retrieved whole once `popsync mark` asks for them"}
        {"event":"deleted","account":"work","messages":1}
        {"event":"retrieved","account":"work","messages":1,"bytes":1500}
        {"event":"error","account":null,"exit":78,"message":"wrong","hint":null}
        {"event":"summary","account":"work","retrieved":2,"bytes":3000,"headers":0,"deleted":1,"skipped":0,"failed":1,"held":0,"on_server":3,"seconds":0.812,"exit":1}
        "#);
    }
}
