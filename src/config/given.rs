//! One value as somebody gave it: a value of TOML in the file, or the text of a flag.

use std::ffi::OsStr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::account::Patience;
use crate::words::{self, WordsError};

use super::faults::Fault;
use super::key::Key;
use super::origin::{FileId, Origin, Setting};
use super::paths::Base;
use super::problem::Problem;
use super::quantity;
use super::suggest;

/// The largest number of messages. POP3 servers number messages with 32 bits.
pub(super) const MOST_MESSAGES: u64 = 4_294_967_295;

/// The largest number of days: a century.
pub(super) const MOST_DAYS: u32 = 36_500;

/// The value of a key.
pub(crate) struct Given<'a> {
    pub(super) key: &'static Key,
    pub(super) source: Source<'a>,
    /// The place that relative paths start from.
    pub(super) base: &'a Base,
}

/// The form that a value has where it was given.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// A text of the command line, and which of its arguments that is.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the command line's"))]
    Argument(&'a OsStr, &'a Origin),
    /// A value of a file.
    Toml(&'a Spanned<DeValue<'a>>, FileId),
}

impl<'a> Given<'a> {
    pub(super) fn boolean(&self) -> Result<Setting<bool>, Fault> {
        let value = match self.source {
            Source::Toml(value, _) => value.get_ref().as_bool(),
            Source::Argument(text, _) => text.to_str().and_then(|text| text.parse().ok()),
        };
        let value = value.ok_or_else(|| self.wrong_type("true or false"))?;
        Ok(self.setting(value))
    }

    pub(super) fn choice(&self, known: &[&'static str]) -> Result<Setting<&'static str>, Fault> {
        let text = self.text()?.value;
        let choice = known.iter().find(|name| **name == text);
        let choice = choice.ok_or_else(|| {
            self.fault(Problem::Choice {
                key: self.key,
                value: text.to_owned(),
                nearest: suggest::nearest(text, known),
                known: known.to_vec(),
            })
        })?;
        Ok(self.setting(*choice))
    }

    /// A number from 1 to `most`.
    pub(super) fn count(&self, most: u64) -> Result<Setting<NonZeroU64>, Fault> {
        match self.integer()?.and_then(NonZeroU64::new) {
            Some(count) if count.get() <= most => Ok(self.setting(count)),
            _ => Err(self.not_a_number(most)),
        }
    }

    pub(super) fn days(&self) -> Result<Setting<u32>, Fault> {
        match self.integer()?.map(u32::try_from) {
            Some(Ok(0)) => Err(self.fault(Problem::RemoveAtOnce)),
            Some(Ok(days)) if days <= MOST_DAYS => Ok(self.setting(days)),
            _ => Err(self.not_a_number(MOST_DAYS.into())),
        }
    }

    pub(super) fn path(&self) -> Result<Setting<PathBuf>, Fault> {
        let path = match self.source {
            Source::Toml(..) => Path::new(self.text()?.value),
            Source::Argument(text, _) => Path::new(text),
        };
        let path = self.base.expand(path).map_err(|error| {
            self.fault(Problem::Path {
                name: self.key.name,
                key: Some(self.key),
                error,
            })
        })?;
        Ok(self.setting(path))
    }

    /// A command for `sh -c`.
    pub(super) fn shell(&self) -> Result<Setting<String>, Fault> {
        let command = self.text()?;
        if command.value.trim().is_empty() {
            return Err(self.fault(Problem::EmptyCommand { key: self.key }));
        }
        if command.value.contains('\0') {
            return Err(self.wrong_type("a command for `sh -c`"));
        }
        Ok(command.map(str::to_owned))
    }

    pub(super) fn size(&self) -> Result<Setting<NonZeroU64>, Fault> {
        let key = self.key;
        match quantity::size(&self.quantity()?) {
            Ok(size) => Ok(self.setting(size)),
            Err(error) => Err(self.fault(Problem::Size { key, error })),
        }
    }

    /// A time over many runs, or a number of them.
    pub(super) fn patience(&self) -> Result<Setting<Patience>, Fault> {
        let key = self.key;
        match quantity::patience(&self.quantity()?) {
            Ok(patience) => Ok(self.setting(patience)),
            Err(error) => Err(self.fault(Problem::Patience { key, error })),
        }
    }

    pub(super) fn table(&self, expected: &'static str) -> Result<&'a DeTable<'a>, Fault> {
        let table = match self.source {
            Source::Toml(value, _) => value.get_ref().as_table(),
            Source::Argument(..) => None,
        };
        table.ok_or_else(|| self.wrong_type(expected))
    }

    pub(super) fn text(&self) -> Result<Setting<&'a str>, Fault> {
        let text = match self.source {
            Source::Toml(value, _) => value.get_ref().as_str(),
            Source::Argument(text, _) => text.to_str(),
        };
        let text = text.ok_or_else(|| self.wrong_type("a text in quotes"))?;
        Ok(self.setting(text))
    }

    /// A time for one wait.
    pub(super) fn time(&self) -> Result<Setting<Duration>, Fault> {
        let key = self.key;
        match quantity::time(&self.quantity()?) {
            Ok(time) => Ok(self.setting(time)),
            Err(error) => Err(self.fault(Problem::Time { key, error })),
        }
    }

    /// A command in one text, or its words in a list.
    pub(super) fn words(&self) -> Result<Setting<Vec<String>>, Fault> {
        let words = match self.source {
            Source::Toml(value, _) => match value.get_ref() {
                DeValue::String(line) => words::split(line),
                DeValue::Array(list) => {
                    let word =
                        |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
                    let list: Option<Vec<String>> = list.iter().map(word).collect();
                    words::check(list.ok_or_else(|| self.wrong_type("a list of texts"))?)
                }
                _ => return Err(self.wrong_type("a text in quotes or a list of texts")),
            },
            Source::Argument(..) => words::split(self.text()?.value),
        };
        let key = self.key;
        let fault = |error: WordsError| self.fault(Problem::Command { key, error });
        Ok(self.setting(words.map_err(fault)?))
    }

    /// A whole number from 0 on; `None` for any other number.
    fn integer(&self) -> Result<Option<u64>, Fault> {
        match self.source {
            Source::Toml(value, _) => match value.get_ref() {
                DeValue::Integer(number) => {
                    Ok(u64::from_str_radix(number.as_str(), number.radix()).ok())
                }
                _ => Err(self.wrong_type("a whole number")),
            },
            Source::Argument(text, _) => Ok(text.to_str().and_then(|text| text.parse().ok())),
        }
    }

    /// A number or a text, as a text.
    fn quantity(&self) -> Result<String, Fault> {
        if let Source::Toml(value, _) = self.source {
            return match value.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                DeValue::Integer(_) => Ok(self
                    .integer()?
                    .map_or_else(String::new, |number| number.to_string())),
                _ => Err(self.wrong_type("a number or a text in quotes")),
            };
        }
        Ok(self.text()?.value.to_owned())
    }

    pub(super) fn setting<T>(&self, value: T) -> Setting<T> {
        Setting {
            value,
            origin: self.origin(),
        }
    }

    /// The file that the value stands in. A text of the command line has no tables that ask.
    pub(super) fn file(&self) -> FileId {
        match self.source {
            Source::Toml(_, file) => file,
            Source::Argument(..) => FileId::MAIN,
        }
    }

    pub(super) fn origin(&self) -> Origin {
        match self.source {
            Source::Toml(value, file) => Origin::File(file, value.span()),
            Source::Argument(_, origin) => origin.clone(),
        }
    }

    pub(super) fn fault(&self, problem: impl Into<Problem>) -> Fault {
        Fault::new(&self.origin(), problem)
    }

    fn not_a_number(&self, most: u64) -> Fault {
        let key = self.key;
        self.fault(Problem::Number { key, most })
    }

    pub(super) fn wrong_type(&self, expected: &'static str) -> Fault {
        let found = match self.source {
            Source::Argument(..) => "a text",
            Source::Toml(value, _) => match value.get_ref() {
                DeValue::String(_) => "a text",
                DeValue::Integer(_) => "a whole number",
                DeValue::Float(_) => "a number with a fraction",
                DeValue::Boolean(true) => "`true`",
                DeValue::Boolean(false) => "`false`",
                DeValue::Datetime(_) => "a date",
                DeValue::Array(_) => "a list",
                DeValue::Table(_) => "a table",
            },
        };
        self.fault(Problem::WrongType {
            key: self.key,
            expected,
            found,
        })
    }
}
