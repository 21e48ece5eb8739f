//! The mistakes of a file that is not TOML.

use std::ops::Range;

use toml::de::{DeTable, Error as SyntaxError};

use super::faults::{Fault, Faults, MAX_TOLD};
use super::file::ConfigFile;
use super::layer::Layer;
use super::origin::{FileId, Origin};
use super::paths::Base;
use super::problem::Problem;
use super::row::Rows;
use super::settings::Settings;

/// The mistakes of a file in its syntax, and in the keys on other lines of the document that could be
/// read. Missing keys cannot be known.
pub(super) fn mistakes(
    (id, file): (FileId, &ConfigFile),
    document: &DeTable<'_>,
    errors: &[SyntaxError],
    base: &Base,
    rows: &Rows<Settings>,
) -> Faults {
    let text = &file.text;
    let mut faults = Faults::default();
    if !file.is_utf8 {
        let end = Origin::File(id, text.len()..text.len());
        faults.keep::<()>(Err(Fault::new(&end, Problem::NotUtf8)));
        return faults;
    }
    let mut lines: Vec<Range<usize>> = Vec::new();
    for error in errors.iter().take(MAX_TOLD) {
        let span = error.span().unwrap_or(text.len()..text.len());
        let line = line_of(text, span.start);
        // One slip often makes several errors.
        if !lines.contains(&line) {
            lines.push(line);
            let message = error.message().to_owned();
            let fault = Fault::new(&Origin::File(id, span), Problem::Syntax { message });
            faults.keep::<()>(Err(fault));
        }
    }
    // Below a header that cannot be read, keys stand in a wrong table.
    if lines
        .iter()
        .any(|line| text[line.clone()].trim_start().starts_with('['))
    {
        return faults;
    }
    let table = |key| {
        document
            .get(key)
            .and_then(|value| value.get_ref().as_table())
    };
    let accounts = table("accounts").into_iter().flat_map(|accounts| {
        let tables = accounts.values();
        tables.filter_map(|value| value.get_ref().as_table())
    });
    let mut of_keys = Faults::default();
    for table in table("defaults").into_iter().chain(accounts) {
        Layer::read(rows, table, id, base, &mut of_keys);
    }
    let beside = |fault: &Fault| match &fault.origin {
        Origin::File(_, span) => {
            let touches = |line: &Range<usize>| span.start <= line.end && line.start <= span.end;
            lines.iter().any(touches)
        }
        Origin::Flag(_) | Origin::Row(..) | Origin::Url => false,
    };
    faults.keep::<()>(Err(of_keys.without(beside)));
    faults
}

/// The line with this place, without the end of it.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let text = text.as_bytes();
    let at = at.min(text.len());
    let start = text[..at].iter().rposition(|byte| *byte == b'\n');
    let end = text[at..].iter().position(|byte| *byte == b'\n');
    start.map_or(0, |start| start + 1)..end.map_or(text.len(), |end| at + end)
}
