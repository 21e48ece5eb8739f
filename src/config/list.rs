//! A list of accounts: a CSV file (RFC 4180) whose first line names the columns.
//!
//! Its values are data. Nothing in them is read as TOML, as a placeholder or by a shell.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};

use super::faults::{Fault, Faults};
use super::file::ConfigFile;
use super::foreign;
use super::origin::Origin;
use super::problem::Problem;

/// The column that has the accounts' names.
const NAME: &str = "name";

/// A list.
#[derive(Debug)]
pub(super) struct List {
    path: Arc<Path>,
    columns: StringRecord,
    /// The number of the column with the names.
    name: usize,
    /// The rows and their lines.
    rows: Vec<(u64, StringRecord)>,
}

impl List {
    /// Reads a list.
    ///
    /// # Errors
    /// The mistakes in its head, and that it is no text.
    pub(super) fn read(file: &ConfigFile) -> Result<Self, Faults> {
        let path: Arc<Path> = file.path.as_path().into();
        let fault = |line, problem| Fault::new(&Origin::Row(Arc::clone(&path), line), problem);
        if !file.is_utf8 {
            let line = file.line(file.text.len()) as u64;
            return Err(fault(line, Problem::NotUtf8).into());
        }
        // Rows of another length are the mistakes of their accounts.
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .from_reader(file.text.as_bytes());
        let mut records = Vec::new();
        loop {
            let start = reader.position().byte();
            let mut record = StringRecord::new();
            match reader.read_record(&mut record) {
                Ok(true) => records.push((line(file, start), record)),
                Ok(false) => break,
                // The only error that is left for a text in memory.
                Err(_) => return Err(fault(line(file, start), Problem::NotUtf8).into()),
            }
        }
        let mut records = records.into_iter();
        let (head, mut columns) = records.next().unwrap_or_else(|| (1, StringRecord::new()));
        columns.trim();
        let mut faults = Faults::default();
        let mut seen = HashSet::new();
        for column in columns.iter().filter(|column| !column.is_empty()) {
            let column = column.to_owned();
            if foreign::is_password(&column.to_lowercase()) {
                faults.keep::<()>(Err(fault(head, Problem::PasswordColumn { column })));
            } else if !seen.insert(column.clone()) {
                faults.keep::<()>(Err(fault(head, Problem::ColumnTwice { column })));
            }
        }
        let name = columns.iter().position(|column| column == NAME);
        let name = faults.keep(name.ok_or_else(|| {
            let columns = columns.iter().map(str::to_owned).collect();
            fault(head, Problem::NoNameColumn { columns })
        }));
        let Some(name) = name.filter(|_| faults.is_empty()) else {
            return Err(faults);
        };
        Ok(Self {
            path,
            columns,
            name,
            rows: records.collect(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row {
            list: self,
            line: *line,
            record,
        })
    }
}

/// The line of the record that follows this place, behind empty lines.
fn line(file: &ConfigFile, start: u64) -> u64 {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let rest = file.text.as_bytes().get(start..).unwrap_or_default();
    let empty = rest
        .iter()
        .take_while(|byte| b"\r\n".contains(byte))
        .count();
    file.line(start + empty) as u64
}

/// A row of a list.
pub(super) struct Row<'l> {
    list: &'l List,
    line: u64,
    record: &'l StringRecord,
}

impl<'l> Row<'l> {
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn origin(&self) -> Origin {
        Origin::Row(Arc::clone(&self.list.path), self.line)
    }

    /// The name of its account.
    pub(super) fn name(&self) -> Option<&'l str> {
        let name = self.record.get(self.list.name);
        name.filter(|name| !name.is_empty())
    }

    /// What stands for its name if it has none: the place of the row.
    pub(super) fn label(&self) -> String {
        format!("{}:{}", self.list.path.display(), self.line)
    }

    /// The value in the column of this number.
    pub(super) fn value(&self, column: usize) -> &'l str {
        self.record.get(column).unwrap_or_default()
    }

    /// The name of the column of this number.
    pub(super) fn column(&self, column: usize) -> &'l str {
        self.list.columns.get(column).unwrap_or_default()
    }

    /// Checks that each column has a value, on one line. Otherwise a quotation mark that nobody
    /// closes would hide the rows below it.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let (found, expected) = (self.record.len(), self.list.columns.len());
        let mut values = self.record.iter();
        let problem =
            if let Some(column) = values.position(|value| value.contains(char::is_control)) {
                let column = self.column(column).to_owned();
                Problem::ControlCharacter { column }
            } else if found != expected {
                Problem::Fields { found, expected }
            } else {
                return Ok(());
            };
        Err(Fault::new(&self.origin(), problem))
    }
}
