//! The output of `popsync list`: a table, one line a message, or JSON lines.

use serde::Serialize;

use crate::cache;
use crate::exit::Exit;
use crate::failure::{Failure, Hinted};
use crate::sync::{Entry, Error, State, Survey};

use super::table::width;
use super::time::utc;
use super::{Output, json, sanitize};

mod table;

use table::table;

/// The hint where another run is active.
const LOCKED: &str = "wait until it is done; `popsync list --local` shows what is known meanwhile";

impl Output {
    /// Prints the messages of an account, and then the error if they are incomplete.
    pub(in crate::cli) fn survey(&self, account: &str, survey: &Survey) -> Exit {
        if self.options.json {
            for entry in &survey.entries {
                self.data(line(account, entry));
            }
        } else {
            for line in table(&survey.entries, width()) {
                self.data(line);
            }
        }
        match &survey.result {
            Ok(()) if survey.entries.is_empty() => {
                self.nothing(&format!("{account}: no messages"));
                Exit::Success
            }
            Ok(()) => Exit::Success,
            Err(error) => {
                let exit = self.finish();
                let hint = match error {
                    Error::Cache(cache::Error::Locked { .. }) => Some(LOCKED.into()),
                    _ => error.hint(),
                };
                exit.merge(self.failure(Some(account), &Hinted { error, hint }))
            }
        }
    }
}

/// One JSON object; its fields are described in popsync-list(1).
#[derive(Serialize)]
struct Message<'a> {
    event: &'static str,
    account: &'a str,
    number: Option<u32>,
    unique_id: String,
    bytes: Option<u64>,
    date: Option<String>,
    from: Option<String>,
    subject: Option<String>,
    state: &'static str,
    marked: bool,
    doubtful: bool,
    stored: Option<String>,
    leaves: Option<String>,
    action: Option<&'static str>,
    reason: Option<String>,
}

fn line(account: &str, entry: &Entry) -> String {
    let safe = |text: &Option<String>| {
        let text = text.as_deref()?;
        Some(sanitize::text(text).into_owned())
    };
    let message = Message {
        event: "message",
        account,
        number: entry.number.map(|number| number.as_u32()),
        unique_id: sanitize::unique_id(&entry.unique_id),
        bytes: entry.octets,
        date: entry.envelope.date.and_then(utc),
        from: safe(&entry.envelope.from),
        subject: safe(&entry.envelope.subject),
        state: match entry.state {
            State::HeadersOnly => "headers-only",
            State::New => "new",
            State::Imported => "imported",
            State::Stored => "stored",
            State::ToBeRemoved => "to-be-removed",
        },
        marked: entry.marked,
        doubtful: entry.is_doubtful,
        stored: entry.stored_at.and_then(utc),
        leaves: entry.leaves_at.and_then(utc),
        action: entry
            .decision
            .map(|decision| json::action_name(decision.action)),
        reason: entry.decision.map(|decision| decision.reason.to_string()),
    };
    // Only numbers and strings: this cannot fail.
    serde_json::to_string(&message).unwrap_or_default()
}

#[cfg(test)]
mod tests;
