//! The output of `popsync list`: a table, one line a message, or JSON lines.
//!
//! On a terminal the table fits the width, and has unique-ids if there is room or if they are
//! needed. Elsewhere nothing is cut.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use console::Term;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use tracing::Span;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cache;
use crate::exit::Exit;
use crate::failure::{Failure, Hinted};
use crate::sync::{Entry, Error, Event, Reporter, State, Survey};

use super::json::{self, Line};
use super::warning::words;
use super::{Output, log, sanitize, terminal};

/// The gap between two columns.
const GAP: usize = 2;

/// The columns without unique-id, author and subject. The last two can be cut.
const HEAD: [&str; 7] = [
    "number",
    "size",
    "date",
    "state",
    "unique-id",
    "from",
    "subject",
];

const UNIQUE_ID: usize = 4;
const FROM: usize = 5;
const SUBJECT: usize = 6;

/// The widest column of authors.
const WIDEST_FROM: usize = 32;

/// The hint where another run is active.
const LOCKED: &str = "wait until it is done; `popsync list --local` shows what is known meanwhile";

/// The width that author and subject get before unneeded unique-ids.
const ROOM: usize = 50;

/// Watches a survey: prints warnings, and logs the steps.
pub(in crate::cli) struct Watcher {
    output: Arc<Output>,
    account: String,
    span: Span,
}

impl Watcher {
    pub(in crate::cli) fn new(output: Arc<Output>, account: &str) -> Self {
        Self {
            output,
            account: account.to_owned(),
            span: log::span(account),
        }
    }
}

impl Reporter for Watcher {
    fn report(&self, event: Event<'_>) {
        if let Event::Warning(warning) = &event {
            self.output.warning(&self.account, &words(warning));
            if let Some(line) = Line::of(&self.account, &event) {
                self.output.json(|| line);
            }
        } else {
            log::step(&self.span, &event);
        }
    }
}

impl Output {
    /// Prints the messages of an account, and then the error if they are incomplete.
    pub(in crate::cli) fn survey(&self, account: &str, survey: &Survey) -> Exit {
        if self.options.json {
            for entry in &survey.entries {
                self.data(line(account, entry));
            }
        } else {
            let size = Term::stdout().size_checked();
            let width = size.filter(|_| io::stdout().is_terminal());
            let width = width.map(|(_, columns)| usize::from(columns));
            for line in table(&survey.entries, width) {
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
    let utc = |time: i64| Some(Timestamp::from_second(time).ok()?.to_string());
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

/// The table, with its head. Empty if there are no messages.
fn table(entries: &[Entry], width: Option<usize>) -> Vec<String> {
    if entries.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(entries.iter().map(cells));
    let mut widths = HEAD.map(str::width);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut shown = vec![0, 1, 2, 3, UNIQUE_ID, FROM, SUBJECT];
    if let Some(width) = width {
        let fixed = |shown: &[usize]| -> usize {
            let fixed = shown.iter().filter(|&&column| column < FROM);
            fixed.map(|&column| widths[column] + GAP).sum()
        };
        let needed = entries
            .iter()
            .any(|entry| entry.state == State::HeadersOnly);
        if !needed && fixed(&shown) + ROOM > width {
            shown.retain(|&column| column != UNIQUE_ID);
        }
        let room = width.saturating_sub(fixed(&shown));
        widths[FROM] = widths[FROM].min((room * 2 / 5).clamp(1, WIDEST_FROM));
        widths[SUBJECT] = room.saturating_sub(widths[FROM] + GAP).max(1);
    } else {
        widths[FROM] = widths[FROM].min(WIDEST_FROM);
    }
    let on_terminal = width.is_some();
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            for &column in &shown {
                let cell = &row[column];
                let cut = on_terminal && column >= FROM;
                let text = if cut {
                    fit(cell, widths[column])
                } else {
                    cell.clone()
                };
                let padding = " ".repeat(widths[column].saturating_sub(text.width()));
                let gap = if line.is_empty() { "" } else { "  " };
                // Numbers and sizes are aligned to the right.
                let (left, right) = if column < 2 {
                    (&*padding, "")
                } else {
                    ("", &*padding)
                };
                for part in [gap, left, &text, right] {
                    line.push_str(part);
                }
            }
            let line = line.trim_end();
            match width {
                Some(width) => fit(line, width),
                None => line.to_owned(),
            }
        })
        .collect()
}

fn cells(entry: &Entry) -> [String; 7] {
    let text = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        sanitize::text(text).trim().to_owned()
    };
    [
        entry
            .number
            .map_or_else(|| "-".to_owned(), |number| number.to_string()),
        entry
            .octets
            .map_or_else(|| "-".to_owned(), terminal::octets),
        entry
            .envelope
            .date
            .map_or_else(|| "-".to_owned(), |time| local(time, "%F %H:%M")),
        state(entry),
        sanitize::unique_id(&entry.unique_id),
        text(&entry.envelope.from),
        text(&entry.envelope.subject),
    ]
}

fn state(entry: &Entry) -> String {
    match (entry.state, entry.leaves_at) {
        (State::New, _) => "new".to_owned(),
        (State::HeadersOnly, _) if entry.marked => "headers only, marked".to_owned(),
        (State::HeadersOnly, _) => "headers only".to_owned(),
        (State::Imported, _) => "imported".to_owned(),
        (State::Stored, _) if entry.is_doubtful => "stored, perhaps not whole".to_owned(),
        (State::Stored, Some(time)) => format!("stored, leaves {}", local(time, "%F")),
        (State::Stored, None) => "stored".to_owned(),
        (State::ToBeRemoved, _) => "to be removed".to_owned(),
    }
}

/// A time in the user's time zone.
fn local(time: i64, format: &str) -> String {
    Timestamp::from_second(time).map_or_else(
        |_| "-".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime(format)
                .to_string()
        },
    )
}

/// As much of a text as fits this many columns. If it is cut, the last column shows that.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut left = width.saturating_sub(1);
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        cut.push(c);
    }
    if width > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests;
