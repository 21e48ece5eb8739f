//! `[template]`: an account whose texts have places for the values of a list.
//!
//! A value is put into a text that was read as TOML already, and never read as TOML itself. Where
//! the text will be read once more, as a command, a path or a URL, the value must not change how:
//! see [`Slot`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::faults::{Fault, Faults};
use super::key::Key;
use super::layer::Layer;
use super::list::Row;
use super::origin::{FileId, Origin};
use super::paths::Base;
use super::problem::Problem;
use super::row::{self, Kind, Rows};
use super::rows;
use super::settings::Settings;
use super::value::Slot;

/// A template.
pub(super) struct Template<'t> {
    key: &'t Spanned<DeString<'t>>,
    table: &'t DeTable<'t>,
    rows: &'t Rows<Settings>,
    /// The numbers of the columns.
    columns: HashMap<String, usize>,
    /// The texts that have braces.
    texts: Vec<Range<usize>>,
}

impl<'t> Template<'t> {
    /// Reads a template. What is wrong in it for every row is added to `faults`, and then there is
    /// none.
    pub(super) fn read(
        (key, value): row::Entry<'t>,
        rows: &'t Rows<Settings>,
        base: &Base,
        faults: &mut Faults,
    ) -> Option<Self> {
        let table = value.get_ref().as_table()?;
        let is_same = |(name, value): &(&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
            let mut texts = Vec::new();
            add_texts(value, &mut texts);
            texts.is_empty() || rows.find(name.get_ref()).is_none()
        };
        // What the same keys mean together is seen in each account.
        let same: DeTable<'_> = table
            .iter()
            .filter(is_same)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut found = Faults::default();
        Layer::read(rows, &same, FileId::MAIN, base, &mut found);
        faults.keep(found.into_result())?;
        let mut texts = Vec::new();
        add_texts(value, &mut texts);
        Some(Self {
            key,
            table,
            rows,
            columns: HashMap::new(),
            texts: texts.into_iter().map(Spanned::span).collect(),
        })
    }

    /// The same for a list with these columns.
    ///
    /// # Errors
    /// The braces that no column is in.
    pub(super) fn for_columns<'c>(
        mut self,
        columns: impl Iterator<Item = &'c str>,
    ) -> Result<Self, Faults> {
        let columns = columns.map(str::to_owned).enumerate();
        self.columns = columns.map(|(number, name)| (name, number)).collect();
        let mut faults = Faults::default();
        for value in self.table.values() {
            let mut texts = Vec::new();
            add_texts(value, &mut texts);
            for text in texts {
                let pieces = pieces(text.get_ref().as_str().unwrap_or_default(), &self.columns);
                let origin = Origin::File(FileId::MAIN, text.span());
                faults.keep(pieces.map_err(|problem| Fault::new(&origin, problem)));
            }
        }
        faults.into_result()?;
        Ok(self)
    }

    /// The table of the account that a row describes.
    ///
    /// # Errors
    /// The mistakes of the row.
    pub(super) fn filled(&self, row: &Row<'_>) -> Result<DeTable<'t>, Faults> {
        row.check()?;
        let mut filling = Filling {
            columns: &self.columns,
            row,
            faults: Faults::default(),
        };
        let table = self.table.iter().map(|(name, value)| {
            let value = match self.rows.find(name.get_ref()) {
                Some(row) => filling.value(value, row.key, row.kind()),
                None => value.clone(),
            };
            (name.clone(), value)
        });
        let table = table.collect();
        filling.faults.into_result()?;
        Ok(table)
    }

    /// An account as it would stand in a file.
    pub(super) fn entry(
        &self,
        name: &str,
        table: DeTable<'t>,
    ) -> (Spanned<DeString<'t>>, Spanned<DeValue<'t>>) {
        let span = self.key.span();
        let name = Cow::Owned(name.to_owned());
        let table = DeValue::Table(table);
        (Spanned::new(span.clone(), name), Spanned::new(span, table))
    }

    /// Moves the mistakes in texts that have values in them to the row of these values.
    pub(super) fn at_row(&self, faults: Faults, row: &Origin) -> Faults {
        let is_of_row = |origin: &Origin| match origin {
            Origin::File(FileId::MAIN, span) => self
                .texts
                .iter()
                .any(|text| text.start < span.end && span.start < text.end),
            _ => false,
        };
        faults.moved(is_of_row, row)
    }
}

/// The texts in a value that have braces, those in its lists and tables included.
fn add_texts<'v>(value: &'v Spanned<DeValue<'v>>, texts: &mut Vec<&'v Spanned<DeValue<'v>>>) {
    match value.get_ref() {
        DeValue::String(text) if text.contains(['{', '}']) => texts.push(value),
        DeValue::Array(list) => list.iter().for_each(|value| add_texts(value, texts)),
        DeValue::Table(table) => table.values().for_each(|value| add_texts(value, texts)),
        _ => {}
    }
}

/// The values of one row on their way into the texts.
struct Filling<'f> {
    columns: &'f HashMap<String, usize>,
    row: &'f Row<'f>,
    faults: Faults,
}

impl Filling<'_> {
    fn value<'t>(
        &mut self,
        value: &Spanned<DeValue<'t>>,
        key: &'static Key,
        kind: Kind,
    ) -> Spanned<DeValue<'t>> {
        let filled = match (value.get_ref(), kind) {
            (DeValue::String(text), _) if text.contains(['{', '}']) => {
                DeValue::String(self.text(text, key, slot(key, kind)).into())
            }
            (DeValue::Array(list), _) => {
                let list: DeArray<'t> = list
                    .iter()
                    .map(|value| self.value(value, key, kind))
                    .collect();
                DeValue::Array(list)
            }
            (DeValue::Table(table), Kind::Table(of)) => {
                let known = rows::keys_of(of);
                let table = table.iter().map(|(name, value)| {
                    let found = known.iter().find(|(key, _)| key.name == name.get_ref());
                    let value = match found {
                        Some((key, kind)) => self.value(value, key, *kind),
                        None => value.clone(),
                    };
                    (name.clone(), value)
                });
                DeValue::Table(table.collect())
            }
            (other, _) => other.clone(),
        };
        Spanned::new(value.span(), filled)
    }

    fn text(&mut self, text: &str, key: &'static Key, slot: Slot) -> String {
        // The braces were checked for all rows.
        let pieces = pieces(text, self.columns).unwrap_or_default();
        let mut filled = String::new();
        for piece in &pieces {
            let column = match piece {
                Piece::Text(text) => {
                    filled.push_str(text);
                    continue;
                }
                Piece::Column(column) => *column,
            };
            let value = self.row.value(column);
            if let Err(unfit) = slot.check(value) {
                let problem = Problem::Value {
                    column: self.row.column(column).to_owned(),
                    key,
                    slot,
                    unfit,
                };
                self.faults
                    .keep::<()>(Err(Fault::new(&self.row.origin(), problem)));
            } else if slot == Slot::Url && pieces.len() > 1 {
                percent_encode(value, &mut filled);
            } else {
                filled.push_str(value);
            }
        }
        filled
    }
}

/// The reading of the texts of this key.
fn slot(key: &Key, kind: Kind) -> Slot {
    match kind {
        Kind::Shell | Kind::Words => Slot::Command,
        Kind::Path => Slot::Path,
        _ if key.value == "URL" => Slot::Url,
        _ => Slot::Text,
    }
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// The number of a column.
    Column(usize),
}

/// The parts of a text: `{name}` is the column of this name, and `{{` and `}}` are braces.
fn pieces<'t>(text: &'t str, columns: &HashMap<String, usize>) -> Result<Vec<Piece<'t>>, Problem> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let brace = &rest[at..=at];
        // With the first of two braces.
        let (doubled, behind) = (&rest[..=at], &rest[at + 1..]);
        if let Some(behind) = behind.strip_prefix(brace) {
            pieces.push(Piece::Text(doubled));
            rest = behind;
            continue;
        }
        let name = behind.split_once('}').filter(|_| brace == "{");
        let Some((name, behind)) = name else {
            return Err(Problem::Brace);
        };
        let Some(column) = columns.get(name).filter(|_| !name.is_empty()) else {
            return Err(Problem::NoColumn {
                name: name.to_owned(),
                known: known(columns),
            });
        };
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        pieces.push(Piece::Column(*column));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// The names of the columns in their order.
fn known(columns: &HashMap<String, usize>) -> Vec<String> {
    let mut known: Vec<_> = columns
        .iter()
        .map(|(name, number)| (number, name))
        .collect();
    known.sort_unstable();
    known.into_iter().map(|(_, name)| name.clone()).collect()
}

/// Writes a value so that no octet of it has a meaning in a URL (RFC 3986 §2.3).
fn percent_encode(value: &str, encoded: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests;
