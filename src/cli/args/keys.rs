//! The keys of an account as flags, made from the table of settings in `config`.

use std::error::Error;
use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::builder::{
    PathBufValueParser, PossibleValuesParser, StringValueParser, TypedValueParser, ValueParser,
};
use clap::{Arg, ArgGroup, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use super::flags::number;
use crate::config::{self, Flag, GivenFlag, Key, Kind, Scope, quantity};

/// The flags of `fetch`: all that there are, one of them a store.
pub(in crate::cli) type FetchFlags = KeyFlags<true>;

/// The flags of commands that take the URL of a server and store nothing.
pub(in crate::cli) type ServerFlags = KeyFlags<false>;

/// The flags that were given; with `STORE` those about the store are among them.
#[derive(Debug)]
pub(in crate::cli) struct KeyFlags<const STORE: bool>(Vec<GivenFlag>);

impl<const STORE: bool> KeyFlags<STORE> {
    /// The flags that were given, in the order of the table.
    pub(in crate::cli) fn given(&self) -> &[GivenFlag] {
        &self.0
    }

    fn keys() -> Vec<(&'static Key, &'static Flag, Kind)> {
        let flags = config::all_flags().into_iter();
        flags
            .filter(|(_, flag, _)| STORE || flag.scope == Scope::Server)
            .collect()
    }
}

impl<const STORE: bool> Args for KeyFlags<STORE> {
    fn augment_args(command: Command) -> Command {
        with_flags(command, Self::keys())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const STORE: bool> FromArgMatches for KeyFlags<STORE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = Self::keys().into_iter().filter_map(|(key, _, _)| {
            let value = matches.get_one::<OsString>(key.name)?.clone();
            Some(GivenFlag { key, value })
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The command with these flags; those that name a store exclude each other, and one is required.
fn with_flags(mut command: Command, keys: Vec<(&'static Key, &'static Flag, Kind)>) -> Command {
    let mut stores = ArgGroup::new("store").required(true);
    let mut has_stores = false;
    for (key, flag, kind) in keys {
        if flag.scope == Scope::Store {
            stores = stores.arg(key.name);
            has_stores = true;
        }
        command = command.arg(argument(key, flag, kind));
    }
    if has_stores {
        command = command.group(stores);
    }
    command
}

fn argument(key: &'static Key, flag: &'static Flag, kind: Kind) -> Arg {
    let mut argument = Arg::new(key.name)
        .long(key.name)
        .value_name(key.value)
        .value_hint(hint(key.value))
        .value_parser(parser(kind))
        .hide_possible_values(true)
        .help(flag.help)
        .conflicts_with_all(flag.conflicts.iter().copied());
    if let Some(text) = flag.long_help() {
        argument = argument.long_help(text);
    }
    if let Some(value) = flag.bare {
        argument = argument.num_args(0..=1).default_missing_value(value);
    }
    match flag.scope {
        Scope::Store => argument,
        Scope::Account | Scope::Server => argument.help_heading("Account options"),
    }
}

/// The files or other things that a shell can complete a value with.
fn hint(value: &str) -> ValueHint {
    match value {
        "CMD" => ValueHint::CommandString,
        "DIR" => ValueHint::DirPath,
        "FILE" | "PATH" => ValueHint::FilePath,
        "HOST" => ValueHint::Hostname,
        "URL" => ValueHint::Url,
        _ => ValueHint::Unknown,
    }
}

/// Checks a value as far as it can be checked by itself, so that the error shows how the flag is
/// used. `config` reads it.
fn parser(kind: Kind) -> ValueParser {
    match kind {
        Kind::Boolean => one_of(&["true", "false"]),
        Kind::Choice(names) => one_of(names),
        Kind::Count(_) => checked(number::<NonZeroU64>),
        Kind::Days => checked(number::<u64>),
        Kind::Path => ValueParser::new(PathBufValueParser::new().map(PathBuf::into_os_string)),
        Kind::Size => checked(quantity::size),
        Kind::Patience => checked(quantity::patience),
        Kind::Time => checked(quantity::time),
        Kind::Table(_) => one_of(&["off"]),
        Kind::Shell | Kind::Text | Kind::Words => {
            ValueParser::new(StringValueParser::new().map(OsString::from))
        }
    }
}

fn one_of(names: &'static [&'static str]) -> ValueParser {
    let parser = PossibleValuesParser::new(names.iter().copied());
    ValueParser::new(parser.map(OsString::from))
}

fn checked<T: 'static, E>(read: fn(&str) -> Result<T, E>) -> ValueParser
where
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    ValueParser::new(move |text: &str| read(text).map(|_| OsString::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row of the key is all that says that it exists.
    #[test]
    fn an_invented_key_is_a_flag() {
        let command = with_flags(Command::new("fetch"), config::flags_with_invented());
        let help = command.clone().render_long_help().to_string();
        assert!(help.contains("--most-stamps <N>"), "{help}");
        assert!(help.contains("Take at most this many stamps"), "{help}");
        assert!(help.contains("The postman brings the rest."), "{help}");
        let run = |stamps| {
            let arguments = ["fetch", "--maildir", "m", "--most-stamps", stamps];
            command.clone().try_get_matches_from(arguments)
        };
        let matches = run("7").unwrap();
        let value = matches.get_one::<OsString>("most-stamps");
        assert_eq!(value, Some(&OsString::from("7")));
        assert!(run("0").is_err());
    }
}
