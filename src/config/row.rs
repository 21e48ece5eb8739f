//! The type of the table of settings: a row for each key, with all that the program knows of it.
//!
//! The rows themselves are in [`rows`](super::rows).

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::account::Patience;

use super::faults::{Fault, Faults};
use super::given::{Given, Source};
use super::key::{Key, Table};
use super::origin::{FileId, Origin, Setting};
use super::paths::Base;
use super::problem::Problem;
use super::suggest;

/// A key, and how its value becomes a part of `T`.
pub(crate) struct Row<T: 'static> {
    pub(crate) key: &'static Key,
    pub(crate) set: Set<T>,
}

/// The kind of a value, and the function that sets it once it is read.
pub(crate) enum Set<T: 'static> {
    /// True or false.
    Boolean(fn(&mut T, Setting<bool>)),
    /// One of these names.
    Choice(&'static [&'static str], fn(&mut T, Setting<&'static str>)),
    /// A number of messages, sessions or connections, with the largest.
    Count(u64, fn(&mut T, Setting<NonZeroU64>)),
    /// A number of days.
    Days(fn(&mut T, Setting<u32>)),
    /// The path of a file or a folder.
    Path(fn(&mut T, Setting<PathBuf>) -> Result<(), Fault>),
    /// A time over many runs, or a number of them.
    Patience(fn(&mut T, Setting<Patience>)),
    /// A command for `sh -c`.
    Shell(fn(&mut T, Setting<String>) -> Result<(), Fault>),
    /// A number of octets.
    Size(fn(&mut T, Setting<NonZeroU64>)),
    /// A table of its own, or a word in its place.
    Table(Table, fn(&mut T, &Given<'_>) -> Result<(), Faults>),
    /// A text that the function reads further.
    Text(fn(&mut T, Setting<&str>) -> Result<(), Fault>),
    /// A time for one wait.
    Time(fn(&mut T, Setting<Duration>)),
    /// A program and its arguments.
    Words(fn(&mut T, Setting<Vec<String>>) -> Result<(), Fault>),
}

/// The kind of a value, for those who describe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Choice(&'static [&'static str]),
    Count(u64),
    Days,
    Path,
    Patience,
    Shell,
    Size,
    Table(Table),
    Text,
    Time,
    Words,
}

impl<T> Row<T> {
    /// Reads a value, and sets it.
    pub(super) fn read(
        &self,
        target: &mut T,
        source: Source<'_>,
        base: &Base,
    ) -> Result<(), Faults> {
        let key = self.key;
        let given = Given { key, source, base };
        match self.set {
            Set::Boolean(set) => set(target, given.boolean()?),
            Set::Choice(known, set) => set(target, given.choice(known)?),
            Set::Count(most, set) => set(target, given.count(most)?),
            Set::Days(set) => set(target, given.days()?),
            Set::Path(set) => set(target, given.path()?)?,
            Set::Patience(set) => set(target, given.patience()?),
            Set::Shell(set) => set(target, given.shell()?)?,
            Set::Size(set) => set(target, given.size()?),
            Set::Table(_, set) => set(target, &given)?,
            Set::Text(set) => set(target, given.text()?)?,
            Set::Time(set) => set(target, given.time()?),
            Set::Words(set) => set(target, given.words()?)?,
        }
        Ok(())
    }

    /// The kind of its value.
    pub(super) fn kind(&self) -> Kind {
        match self.set {
            Set::Boolean(_) => Kind::Boolean,
            Set::Choice(known, _) => Kind::Choice(known),
            Set::Count(most, _) => Kind::Count(most),
            Set::Days(_) => Kind::Days,
            Set::Path(_) => Kind::Path,
            Set::Patience(_) => Kind::Patience,
            Set::Shell(_) => Kind::Shell,
            Set::Size(_) => Kind::Size,
            Set::Table(table, _) => Kind::Table(table),
            Set::Text(_) => Kind::Text,
            Set::Time(_) => Kind::Time,
            Set::Words(_) => Kind::Words,
        }
    }
}

/// The rows of one table, in groups.
pub(crate) struct Rows<T: 'static>(pub(super) &'static [&'static [Row<T>]]);

impl<T> Rows<T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static Row<T>> + use<T> {
        self.0.iter().copied().flatten()
    }

    /// The row of the key with this name.
    pub(super) fn find(&self, name: &str) -> Option<&'static Row<T>> {
        self.iter().find(|row| row.key.name == name)
    }

    /// The names of all keys.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.iter().map(|row| row.key.name).collect()
    }

    /// All keys with the kinds of their values.
    pub(super) fn keys(&self) -> Vec<(&'static Key, Kind)> {
        self.iter().map(|row| (row.key, row.kind())).collect()
    }

    /// The row that a name, perhaps mistyped, was meant for.
    pub(super) fn meant(&self, name: &str) -> Option<&'static Row<T>> {
        self.find(name)
            .or_else(|| self.find(suggest::nearest(name, &self.names())?))
    }

    /// A key that is in none of the rows.
    pub(super) fn unknown(
        &self,
        key: &Spanned<DeString<'_>>,
        file: FileId,
        home: Option<String>,
    ) -> Fault {
        let known = self.names();
        let name = key.get_ref();
        Fault::new(
            &Origin::File(file, key.span()),
            Problem::UnknownKey {
                key: name.to_string(),
                nearest: suggest::nearest(name, &known),
                known,
                home,
            },
        )
    }

    /// Reads the entries of an inline table, which is the value of `given`. The names of those that
    /// cannot be read come back.
    pub(super) fn read<'a>(
        &self,
        target: &mut T,
        table: &'a DeTable<'a>,
        given: &Given<'_>,
        faults: &mut Faults,
    ) -> Vec<&'a str> {
        let file = given.file();
        let mut unread = Vec::new();
        for (key, value) in entries(table) {
            let name = key.get_ref().as_ref();
            let read = match self.find(name) {
                Some(row) => row.read(target, Source::Toml(value, file), given.base),
                None => Err(self.unknown(key, file, None).into()),
            };
            if faults.keep(read).is_none() {
                unread.push(name);
            }
        }
        unread
    }
}

/// A key and its value as they stand in the file.
pub(super) type Entry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

/// The entries in the order of the file, so that the first mistake is the one reported.
pub(super) fn entries<'a>(table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}
