//! A place in the configuration file, shown without the secrets that may stand there.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use unicode_width::UnicodeWidthStr;

/// The most of a line that is shown before and after the place.
const CONTEXT: usize = 70;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line itself; what may be a secret is left out.
    text: String,
    /// How many characters the place is wide.
    width: usize,
    is_row: bool,
}

impl Location {
    /// The place of `span` in the file's text. `hide_rest` leaves out what follows the span, which
    /// is the value of a key that may well be a mistyped `password`.
    pub(super) fn new(path: &Path, text: &str, span: &Range<usize>, hide_rest: bool) -> Self {
        let start = floor(text, span.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_text = text[line_start..].split('\n').next().unwrap_or("");
        let offset = start - line_start;
        let end = floor(line_text, offset + span.len());
        let shown = match line_text[end..].split_once('=') {
            Some((between, _)) if hide_rest => format!("{}{between}= …", &line_text[..end]),
            _ => hide_secrets(line_text),
        };
        let shown = shown.trim_end_matches('\r').replace('\t', " ");
        let column = before[line_start..].chars().count();
        let width = line_text.get(offset..end).unwrap_or("").chars().count();
        Self {
            path: path.to_owned(),
            line: memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1,
            column: column + 1,
            width: width
                .min(shown.chars().count().saturating_sub(column))
                .max(1),
            text: shown,
            is_row: false,
        }
    }

    /// The row of a list that begins in this line. It is not shown: nobody knows what its columns
    /// hold.
    pub(super) fn of_row(list: &Path, line: u64) -> Self {
        Self {
            path: list.to_owned(),
            line: usize::try_from(line).unwrap_or(usize::MAX),
            column: 1,
            text: String::new(),
            width: 1,
            is_row: true,
        }
    }

    /// True for a row of a list.
    pub(crate) fn is_row(&self) -> bool {
        self.is_row
    }

    /// The line with a caret below the place, as compilers show it.
    pub(crate) fn snippet(&self) -> String {
        let skipped = self.column.saturating_sub(1 + CONTEXT);
        let taken = 2 * CONTEXT;
        let shown: String = self.text.chars().skip(skipped).take(taken).collect();
        // Some characters are two columns wide, and some none.
        let columns = |from, count| {
            let text: String = self.text.chars().skip(from).take(count).collect();
            text.width()
        };
        let start = self.column - 1;
        let indent = " ".repeat(columns(skipped, start - skipped));
        let carets = "^".repeat(columns(start, self.width.min(CONTEXT)).max(1));
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let mut snippet = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            snippet,
            "{gutter} |\n{number} | {shown}\n{gutter} | {indent}{carets}"
        );
        snippet
    }
}

/// The nearest place, not behind `at`, where a character begins; the end where `at` is behind it.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Leaves out what may be a secret: the value of a key whose name has "pass" in it, and the
/// password of a URL.
fn hide_secrets(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    if let Some(name) = lower.find("pass")
        && let Some(equals) = lower[name..].find('=')
    {
        return format!("{} …", &line[..=name + equals]);
    }
    if let Some(scheme) = line.find("://")
        && let Some(at) = line.rfind('@')
        && let Some(colon) = line.get(scheme + 3..at).and_then(|user| user.find(':'))
    {
        return format!("{}…{}", &line[..scheme + 3 + colon + 1], &line[at..]);
    }
    line.to_owned()
}

#[cfg(test)]
mod tests;
