//! The configuration file: TOML to typed accounts, or one error that says where and what to
//! write instead.
//!
//! Settings come in layers, each read by itself: `[defaults]`, then the account's table. What
//! the file says is checked for all accounts, also where only one is to be synced, so that a
//! slip is found when it is made. The command line of `popsync fetch` is one more layer, through
//! the same types.
//!
//! A mistake in one account stops that account alone where `Chosen` reads them.
//!
//! Every key has its row in `rows`, and all else that knows keys reads the rows.

use std::path::{Path, PathBuf};

use crate::account::Account;

mod chosen;
#[cfg(feature = "cli")]
mod command_line;
mod contradiction;
mod document;
mod edit;
mod error;
#[cfg(any(test, feature = "cli"))]
mod example;
mod faults;
mod file;
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

pub(crate) use chosen::{Chosen, Unsound};
#[cfg(all(test, feature = "cli"))]
pub(crate) use command_line::flags_with_invented;
#[cfg(feature = "cli")]
pub(crate) use command_line::{GivenFlag, account, account_without_store, all_flags};
#[cfg(all(test, feature = "cli"))]
pub(crate) use contradiction::Contradiction;
pub(crate) use edit::{EditError, Keys, add_account, preview, remove_account, rename_account};
#[cfg(feature = "cli")]
pub(crate) use edit::{publish, replace};
pub(crate) use error::Cause;
pub use error::Error;
#[cfg(feature = "cli")]
pub(crate) use example::commented;
use file::{ConfigFile, document, mistakes};
pub(crate) use key::Key;
#[cfg(feature = "cli")]
pub(crate) use key::{Flag, Scope};
pub use paths::Base;
#[cfg(all(test, feature = "cli"))]
pub(crate) use paths::PathError;
#[cfg(all(test, feature = "cli"))]
pub(crate) use problem::Problem;
#[cfg(all(test, feature = "cli"))]
pub(crate) use proxy::ProxyError;
#[cfg(feature = "cli")]
pub(crate) use row::Kind;
#[cfg(feature = "cli")]
pub(crate) use schema::schema;
pub(crate) use shown::{Shown, ShownFile, ShownKey};
pub(crate) use url::ServerUrl;
#[cfg(all(test, feature = "cli"))]
pub(crate) use url::UrlError;

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
        let file = ConfigFile::read(path).map_err(|error| vec![error])?;
        let read = Self::of_text(path, &file.content, &Base::of_file(path));
        let accounts = read.as_ref().map_or(&[][..], |config| &config.accounts);
        let mut errors = file.objections(path, accounts);
        match read {
            Ok(config) if errors.is_empty() => return Ok(config),
            Ok(_) => {}
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
        let (text, document) = document(path, content, base).map_err(|error| vec![error])?;
        let mut errors = mistakes(path, text, document.faults_of_all());
        if document.is_empty {
            let path = path.to_owned();
            errors.push(Cause::NoAccounts { path });
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
        Ok(Chosen::from(self.accounts).of_names(names)?.accounts)
    }
}

/// The first of the errors that made a file fail.
fn first(mut errors: Vec<Cause>) -> Error {
    errors.swap_remove(0).into()
}

#[cfg(test)]
mod tests;
