//! The messages as a table, one line each.
//!
//! On a terminal it fits the width: first the columns become shorter, then they are left out, until
//! author and subject have room. Elsewhere nothing is cut.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::output::{sanitize, terminal, time};
use crate::sync::{Entry, State};

/// The gap between two columns.
const GAP: usize = 2;

const NUMBER: usize = 0;
const SIZE: usize = 1;
const DATE: usize = 2;
const STATE: usize = 3;
const UNIQUE_ID: usize = 4;
const FROM: usize = 5;
const SUBJECT: usize = 6;

/// The columns.
const HEAD: [&str; 7] = [
    "number",
    "size",
    "date",
    "state",
    "unique-id",
    "from",
    "subject",
];

/// The widest column of authors.
const WIDEST_FROM: usize = 32;

/// A way to show the table.
struct Layout {
    /// True if dates have no time, and states are one word where that will do.
    is_short: bool,
    columns: &'static [usize],
    /// The room that author and subject must have, or the next layout is taken.
    room: usize,
}

/// From the widest to the narrowest. The number is for `popsync mark`.
const LAYOUTS: &[Layout] = &[
    Layout {
        is_short: false,
        columns: &[NUMBER, SIZE, DATE, STATE, UNIQUE_ID, FROM, SUBJECT],
        room: 50,
    },
    Layout {
        is_short: false,
        columns: &[NUMBER, SIZE, DATE, STATE, FROM, SUBJECT],
        room: 50,
    },
    Layout {
        is_short: true,
        columns: &[NUMBER, SIZE, DATE, STATE, FROM, SUBJECT],
        room: 36,
    },
    Layout {
        is_short: true,
        columns: &[NUMBER, DATE, STATE, FROM, SUBJECT],
        room: 32,
    },
    Layout {
        is_short: true,
        columns: &[NUMBER, STATE, FROM, SUBJECT],
        room: 32,
    },
    Layout {
        is_short: true,
        columns: &[NUMBER, STATE, SUBJECT],
        room: 24,
    },
    Layout {
        is_short: true,
        columns: &[NUMBER, SUBJECT],
        room: 0,
    },
];

/// The table, with its head. Empty if there are no messages.
pub(super) fn table(entries: &[Entry], width: Option<usize>) -> Vec<String> {
    if entries.is_empty() {
        return Vec::new();
    }
    let mut layouts = LAYOUTS.iter().filter_map(|layout| {
        let columns = shown(entries, layout);
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(entries.iter().map(|entry| cells(entry, layout.is_short)));
        let widths = widths(&rows, &columns, layout.room, width)?;
        Some((columns, rows, widths))
    });
    // The last layout needs no room.
    let Some((columns, rows, widths)) = layouts.next() else {
        return Vec::new();
    };
    let rows = rows.iter();
    rows.map(|row| line(row, &columns, &widths, width))
        .collect()
}

/// The columns of a layout. If no server was asked, messages have no numbers, and are marked by
/// their unique-ids.
fn shown(entries: &[Entry], layout: &Layout) -> Vec<usize> {
    let mut columns = layout.columns.to_vec();
    let mut large = entries.iter();
    let needs_ids = large.any(|entry| entry.state == State::HeadersOnly && entry.number.is_none());
    if needs_ids && !columns.contains(&UNIQUE_ID) {
        columns.retain(|&column| column != NUMBER);
        columns.push(UNIQUE_ID);
        columns.sort_unstable();
    }
    columns
}

/// The widths of all columns. None if author and subject get too little room.
fn widths(
    rows: &[[String; 7]],
    columns: &[usize],
    room: usize,
    width: Option<usize>,
) -> Option<[usize; 7]> {
    let mut widths = [0; 7];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let Some(width) = width else {
        widths[FROM] = widths[FROM].min(WIDEST_FROM);
        return Some(widths);
    };
    let fixed = columns.iter().filter(|&&column| column < FROM);
    let fixed: usize = fixed.map(|&column| widths[column] + GAP).sum();
    let left = width.saturating_sub(fixed);
    if left < room {
        return None;
    }
    widths[FROM] = match columns.contains(&FROM) {
        true => widths[FROM].min((left * 2 / 5).clamp(1, WIDEST_FROM)),
        false => 0,
    };
    let from = match widths[FROM] {
        0 => 0,
        from => from + GAP,
    };
    widths[SUBJECT] = left.saturating_sub(from).max(1);
    Some(widths)
}

fn line(row: &[String; 7], columns: &[usize], widths: &[usize; 7], width: Option<usize>) -> String {
    let mut line = String::new();
    for &column in columns {
        let cell = &row[column];
        let text = match width.is_some() && column >= FROM {
            true => fit(cell, widths[column]),
            false => cell.clone(),
        };
        let padding = " ".repeat(widths[column].saturating_sub(text.width()));
        let gap = if line.is_empty() { "" } else { "  " };
        let (left, right) = match column {
            NUMBER | SIZE => (&*padding, ""),
            _ => ("", &*padding),
        };
        line.extend([gap, left, &text, right]);
    }
    let line = line.trim_end();
    match width {
        Some(width) => fit(line, width),
        None => line.to_owned(),
    }
}

fn cells(entry: &Entry, is_short: bool) -> [String; 7] {
    let none = || "-".to_owned();
    let text = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        sanitize::text(text).trim().to_owned()
    };
    let date = |time| match is_short {
        true => time::day(time),
        false => time::local(time),
    };
    [
        entry.number.map_or_else(none, |number| number.to_string()),
        entry.octets.map_or_else(none, terminal::octets),
        entry.envelope.date.map_or_else(none, date),
        match is_short {
            true => short_state(entry),
            false => state(entry),
        },
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
        (State::Stored, Some(time)) => format!("stored, leaves {}", time::day(time)),
        (State::Stored, None) => "stored".to_owned(),
        (State::ToBeRemoved, _) => "to be removed".to_owned(),
    }
}

/// The same where there is little room.
fn short_state(entry: &Entry) -> String {
    match entry.state {
        State::HeadersOnly if entry.marked => "marked".to_owned(),
        State::HeadersOnly => "headers".to_owned(),
        State::Stored if entry.is_doubtful => "not whole?".to_owned(),
        State::Stored => "stored".to_owned(),
        State::ToBeRemoved => "leaves".to_owned(),
        State::Imported | State::New => state(entry),
    }
}

/// The part of a text that fits this many columns. If it is cut, the last column shows that.
pub(super) fn fit(text: &str, width: usize) -> String {
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
