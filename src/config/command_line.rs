//! Settings of a command line: the URL of a server, and flags that have the names of keys.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::account::Account;

use super::contradiction::Contradiction;
use super::error::Error;
use super::faults::Fault;
use super::given::Source;
use super::key::{Flag, Key};
use super::origin::{Origin, Setting};
use super::paths::Base;
use super::resolve::StateKey;
use super::row::{Kind, Row, Rows};
use super::rows::{ACCOUNT, SERVER, TLS_ROWS};
use super::settings::{Settings, Store, Tls};
use super::tls::TlsKeys;

/// A flag that was given, and its value.
#[derive(Debug, Clone)]
pub(crate) struct GivenFlag {
    /// Its key.
    pub(crate) key: &'static Key,
    /// Its value.
    pub(crate) value: OsString,
}

/// The keys that have a flag, those of the table `tls` before that of `tls = "off"`.
pub(crate) fn all_flags() -> Vec<(&'static Key, &'static Flag, Kind)> {
    flags(&ACCOUNT)
}

/// The same with the invented key.
#[cfg(test)]
pub(crate) fn flags_with_invented() -> Vec<(&'static Key, &'static Flag, Kind)> {
    flags(super::tests::invented::rows())
}

fn flags(rows: &Rows<Settings>) -> Vec<(&'static Key, &'static Flag, Kind)> {
    let mut keys = Vec::new();
    for row in rows.iter() {
        if row.key.name == "tls" {
            keys.extend(TLS_ROWS.keys());
        }
        keys.push((row.key, row.kind()));
    }
    let with_flag = |(key, kind): (&'static Key, Kind)| Some((key, key.flag.as_ref()?, kind));
    let mut flags: Vec<_> = keys.into_iter().filter_map(with_flag).collect();
    flags.sort_by_key(|(_, flag, _)| flag.scope);
    flags
}

/// The account that a URL and the flags of `fetch` describe.
pub(crate) fn account(url: &str, flags: &[GivenFlag], base: &Base) -> Result<Account, Error> {
    Ok(resolve(settings(url, flags, base, &ACCOUNT)?)?)
}

/// The same without a store: the account has one that is never opened.
pub(crate) fn account_without_store(
    url: &str,
    flags: &[GivenFlag],
    base: &Base,
) -> Result<Account, Error> {
    let mut settings = settings(url, flags, base, &ACCOUNT)?;
    settings.set_store(Setting {
        value: Store::Maildir(PathBuf::new()),
        origin: Origin::Url,
    })?;
    Ok(resolve(settings)?)
}

fn resolve(settings: Settings) -> Result<Account, Fault> {
    Ok(settings.resolve(StateKey::Store, &Origin::Url)?)
}

/// The settings that a URL and flags describe.
pub(super) fn settings(
    url: &str,
    flags: &[GivenFlag],
    base: &Base,
    rows: &Rows<Settings>,
) -> Result<Settings, Fault> {
    let mut settings = Settings::default();
    let (mut tls, mut first_of_tls) = (TlsKeys::default(), None);
    let read_url = rows.find(SERVER.name);
    if let Some(row) = read_url {
        read(row, &mut settings, OsStr::new(url), &Origin::Url, base)?;
    }
    for flag in flags {
        let name = flag.key.name;
        let origin = Origin::Flag(name);
        if let Some(row) = rows.find(name) {
            read(row, &mut settings, &flag.value, &origin, base)?;
        } else if let Some(row) = TLS_ROWS.find(name) {
            read(row, &mut tls, &flag.value, &origin, base)?;
            first_of_tls.get_or_insert(origin);
        }
    }
    if let Some(origin) = first_of_tls {
        if settings.tls.is_some() {
            return Err(Fault::new(&origin, Contradiction::WithoutTls));
        }
        settings.tls = Some(Setting {
            value: Tls::On(tls.settings()?),
            origin,
        });
    }
    settings.take_user_of_url()?;
    Ok(settings)
}

fn read<T>(
    row: &Row<T>,
    target: &mut T,
    value: &OsStr,
    origin: &Origin,
    base: &Base,
) -> Result<(), Fault> {
    Ok(row.read(target, Source::Argument(value, origin), base)?)
}

impl GivenFlag {
    /// The flag as it was written.
    pub(crate) fn name(&self) -> String {
        Origin::Flag(self.key.name).to_string()
    }
}
