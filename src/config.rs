//! The configuration file: TOML to typed accounts, or one error that says where and what to
//! write instead.
//!
//! Settings come in layers, each read by itself: `[defaults]`, then the account's table. What
//! the file says is checked for all accounts, also where only one is to be synced, so that a
//! slip is found when it is made. The command line of `popsync fetch` is one more layer, through
//! the same types.
//!
//! Every key has its row in `rows`, and all else that knows keys reads the rows.

use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::auth::private_file::FileError;
use crate::patient::{Patient, READ_TIMEOUT, without_mark};

#[cfg(feature = "cli")]
mod command_line;
mod contradiction;
mod document;
mod edit;
mod error;
#[cfg(any(test, feature = "cli"))]
mod example;
mod faults;
mod foreign;
mod given;
mod key;
mod layer;
mod location;
#[doc(hidden)]
pub mod manual;
mod oauth;
mod origin;
mod paths;
mod problem;
mod proxy;
pub(crate) mod quantity;
mod resolve;
mod route;
mod row;
mod rows;
#[cfg(any(test, feature = "cli"))]
mod schema;
mod settings;
mod shown;
mod suggest;
mod tls;
mod url;

#[cfg(all(test, feature = "cli"))]
pub(crate) use command_line::flags_with_invented;
#[cfg(feature = "cli")]
pub(crate) use command_line::{GivenFlag, account, account_without_store, all_flags};
#[cfg(all(test, feature = "cli"))]
pub(crate) use contradiction::Contradiction;
use document::Document;
pub(crate) use edit::{EditError, Keys, add_account, preview, remove_account, rename_account};
#[cfg(feature = "cli")]
pub(crate) use edit::{publish, replace};
pub(crate) use error::Cause;
pub use error::Error;
#[cfg(feature = "cli")]
pub(crate) use example::commented;
use faults::{Fault, MAX_TOLD};
pub(crate) use key::Key;
#[cfg(feature = "cli")]
pub(crate) use key::{Flag, Scope};
use location::Location;
use origin::Origin;
pub use paths::Base;
#[cfg(all(test, feature = "cli"))]
pub(crate) use paths::PathError;
pub(crate) use problem::Problem;
#[cfg(all(test, feature = "cli"))]
pub(crate) use proxy::ProxyError;
#[cfg(feature = "cli")]
pub(crate) use row::Kind;
#[cfg(feature = "cli")]
pub(crate) use schema::schema;
pub(crate) use shown::{Shown, shown};
pub(crate) use url::ServerUrl;
#[cfg(all(test, feature = "cli"))]
pub(crate) use url::UrlError;

/// The largest file that is read.
const LIMIT: u64 = 1 << 20;

/// Write permission of the group and of others.
const WRITTEN_BY_OTHERS: u32 = 0o022;

/// A configuration file, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// Its accounts, in its order; at least one.
    pub accounts: Vec<Account>,
}

/// Where the configuration is when nobody says otherwise.
///
/// # Errors
/// When no home folder is known.
pub fn default_path() -> Result<PathBuf, Error> {
    directories::ProjectDirs::from("", "", "popsync")
        .map(|dirs| dirs.config_dir().join("config.toml"))
        .ok_or_else(|| {
            let what = "config.toml";
            Cause::NoHome { what }.into()
        })
}

impl Config {
    /// Reads and checks a file. What it says is done with the rights of whoever runs popsync, so
    /// that nobody else may have written it.
    ///
    /// # Errors
    /// The first mistake in the file, or why it cannot be read, or must not be used.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::check(path).map_err(first)
    }

    /// The same, with all mistakes; at least one of them.
    pub(crate) fn check(path: &Path) -> Result<Self, Vec<Cause>> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => Cause::Missing {
                path: path.to_owned(),
            },
            _ => Cause::Read {
                path: path.to_owned(),
                source,
            },
        };
        let (metadata, content) = read(path).map_err(|source| vec![failed(source)])?;
        if content.len() as u64 > LIMIT {
            return Err(vec![Cause::TooLarge {
                path: path.to_owned(),
                limit: LIMIT,
            }]);
        }
        let mut errors = Vec::new();
        // A terminal can be written to by more, and gives nobody what they write.
        let is_device = metadata.file_type().is_char_device();
        if !is_device && metadata.mode() & WRITTEN_BY_OTHERS != 0 {
            errors.push(Cause::Writable {
                path: path.to_owned(),
                mode: metadata.mode() & 0o777,
            });
        }
        match Self::of_text(path, &content, &Base::of_file(path)) {
            Ok(config) => {
                if config.accounts.iter().any(Account::runs_commands)
                    && let Err(fault) = FileError::of_owner(path, &metadata)
                {
                    errors.push(Cause::Foreign {
                        path: path.to_owned(),
                        fault,
                    });
                }
                if errors.is_empty() {
                    return Ok(config);
                }
            }
            Err(mistakes) => errors.extend(mistakes),
        }
        Err(errors)
    }

    /// Checks the content of a file. Relative paths in it start at `base`.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn parse(path: &Path, content: &[u8], base: &Base) -> Result<Self, Error> {
        Self::of_text(path, content, base).map_err(first)
    }

    fn of_text(path: &Path, content: &[u8], base: &Base) -> Result<Self, Vec<Cause>> {
        let content = without_mark(content);
        let text = match str::from_utf8(content) {
            Ok(text) => text,
            Err(error) => {
                let valid = String::from_utf8_lossy(&content[..error.valid_up_to()]);
                let span = valid.len()..valid.len();
                let fault = Fault::new(&Origin::File(span), Problem::NotUtf8);
                return Err(vec![invalid(path, &valid, fault)]);
            }
        };
        let document = Document::read(text, base, &rows::ACCOUNT);
        let faults = document.faults.distinct(MAX_TOLD).into_iter();
        let mut errors: Vec<Cause> = faults.map(|fault| invalid(path, text, fault)).collect();
        if document.is_empty {
            errors.push(Cause::NoAccounts {
                path: path.to_owned(),
            });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            path: path.to_owned(),
            accounts: document.accounts,
        })
    }

    /// The accounts of these names, each once and in the order of the file; all for no names.
    ///
    /// # Errors
    /// When a name is none of the file's.
    pub fn select(self, names: &[String]) -> Result<Vec<Account>, Error> {
        let known: Vec<&str> = self.accounts.iter().map(|a| a.name.as_str()).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
            let unknown = Cause::UnknownAccount {
                name: name.clone(),
                nearest: suggest::nearest(name, &known).map(str::to_owned),
                known: known.into_iter().map(str::to_owned).collect(),
            };
            return Err(unknown.into());
        }
        let mut accounts = self.accounts;
        accounts.retain(|account| names.is_empty() || names.contains(&account.name));
        Ok(accounts)
    }
}

/// Metadata and content of a file, both from the open file, so that it cannot be exchanged meanwhile.
/// Reads a little beyond the limit.
fn read(path: &Path) -> io::Result<(Metadata, Vec<u8>)> {
    let file = Patient::open(path, READ_TIMEOUT)?;
    let metadata = file.metadata()?;
    let mut content = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut content)?;
    Ok((metadata, content))
}

/// The first of the errors that made a file fail.
fn first(mut errors: Vec<Cause>) -> Error {
    errors.swap_remove(0).into()
}

fn invalid(path: &Path, text: &str, fault: Fault) -> Cause {
    let Origin::File(span) = &fault.origin else {
        return fault.into();
    };
    // What follows such a key may be a password.
    let hide = matches!(
        *fault.problem,
        Problem::UnknownKey { .. } | Problem::Password
    );
    Cause::Invalid {
        at: Box::new(Location::new(path, text, span, hide)),
        account: fault.account,
        problem: fault.problem,
    }
}

#[cfg(test)]
mod tests;
