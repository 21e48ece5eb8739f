//! The configuration file: TOML to typed accounts, or one error that says where and what to
//! write instead.
//!
//! Settings come in layers, each read by itself: `[defaults]`, then the account's table. Accounts
//! stand in the file, in those of `conf.d` beside it, and in a list that the file names. What they
//! say is checked for all accounts, also where only one is to be synced, so that a
//! slip is found when it is made. The command line of `popsync fetch` is one more layer, through
//! the same types.
//!
//! A mistake in one account stops that account alone where `Chosen` reads them.
//!
//! Every key has its row in `rows`, and all else that knows keys reads the rows.

use std::collections::BTreeMap;
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
mod files;
mod foreign;
mod given;
mod key;
mod layer;
mod list;
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
mod syntax;
mod template;
mod tls;
mod top;
mod url;
mod value;

pub(crate) use chosen::{Chosen, Mistaken, Unsound};
#[cfg(all(test, feature = "cli"))]
pub(crate) use command_line::flags_with_invented;
#[cfg(feature = "cli")]
pub(crate) use command_line::{GivenFlag, account, account_without_store, all_flags};
#[cfg(all(test, feature = "cli"))]
pub(crate) use contradiction::Contradiction;
use document::Document;
pub(crate) use document::Place;
pub(crate) use edit::{EditError, Keys, add_account, preview};
#[cfg(feature = "cli")]
pub(crate) use edit::{publish, replace};
pub(crate) use error::Cause;
pub use error::Error;
#[cfg(feature = "cli")]
pub(crate) use example::commented;
use file::ConfigFile;
use files::Files;
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
pub(crate) use shown::Shown;
pub(crate) use url::ServerUrl;
#[cfg(all(test, feature = "cli"))]
pub(crate) use url::UrlError;

/// A configuration file, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The accounts, in the order of the files; at least one.
    pub accounts: Vec<Account>,
    /// Where each of them stands.
    places: BTreeMap<String, Place>,
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
    /// Reads and checks a file, those of the folder `conf.d` beside it, and the list that it names.
    /// What they say is done with the rights of whoever runs popsync, so that nobody else may have
    /// written them.
    ///
    /// # Errors
    /// The first mistake in them, or why one cannot be read, or must not be used.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::check(path).map_err(first)
    }

    /// The same, with all mistakes; at least one of them.
    pub(crate) fn check(path: &Path) -> Result<Self, Vec<Cause>> {
        let files = Files::read(path).map_err(|error| vec![error])?;
        Ok(Self::of_files(files, &Base::of_file(path), false)?.0)
    }

    /// The same, and for each account its settings as the files have them.
    pub(crate) fn load_shown(path: &Path) -> Result<(Self, Vec<Shown>), Error> {
        let files = Files::read(path)?;
        Self::of_files(files, &Base::of_file(path), true).map_err(first)
    }

    /// The configuration as it would be with this text in the file.
    #[cfg(feature = "cli")]
    pub(crate) fn with_text(path: &Path, text: &str) -> Result<Self, Error> {
        let files = Files::with_text(path, text);
        let read = Self::of_files(files, &Base::of_file(path), false);
        Ok(read.map_err(first)?.0)
    }

    /// Checks the content of a file, and the list that it names. Relative paths in it start at
    /// `base`.
    ///
    /// # Errors
    /// The first mistake in them.
    pub fn parse(path: &Path, content: &[u8], base: &Base) -> Result<Self, Error> {
        Self::of_text(path, content, base).map_err(first)
    }

    fn of_text(path: &Path, content: &[u8], base: &Base) -> Result<Self, Vec<Cause>> {
        let files = Files::alone(ConfigFile::of_content(path, content));
        Ok(Self::of_files(files, base, false)?.0)
    }

    fn of_files(
        files: Files,
        base: &Base,
        wants_shown: bool,
    ) -> Result<(Self, Vec<Shown>), Vec<Cause>> {
        let mut document = Document::read(&files, base, &rows::ACCOUNT, wants_shown);
        let mut errors = std::mem::take(&mut document.objections);
        errors.extend(files.mistakes(document.faults_of_all()));
        let path = files.main().path.clone();
        errors.extend(files.refused);
        errors.extend(document.refused);
        if document.is_empty {
            let path = path.clone();
            errors.push(Cause::NoAccounts { path });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let (mut accounts, mut places, mut shown) = (Vec::new(), BTreeMap::new(), Vec::new());
        for found in document.accounts {
            places.insert(found.account.name.clone(), found.place);
            shown.extend(found.shown);
            accounts.push(found.account);
        }
        let config = Self {
            path,
            accounts,
            places,
        };
        Ok((config, shown))
    }

    /// The place of an account of this configuration.
    pub(crate) fn place(&self, account: &str) -> Option<&Place> {
        self.places.get(account)
    }

    /// The file of an account.
    pub(crate) fn file_of(&self, account: &str) -> PathBuf {
        let place = self.place(account);
        place.map_or_else(|| self.path.clone(), |place| place.path.clone())
    }

    /// Removes an account from its file, which is returned.
    ///
    /// # Errors
    /// When it cannot be cut out without touching anything else, stands in a list, or the file
    /// cannot be written.
    pub(crate) fn remove(&self, name: &str) -> Result<PathBuf, EditError> {
        let path = self.editable(name, false)?;
        edit::remove_account(&path, name)?;
        Ok(path)
    }

    /// Gives an account another name in its file. The name has to be free in all files.
    ///
    /// # Errors
    /// When the account is written in a way that cannot be changed without touching anything else,
    /// stands in a list, or the file cannot be written.
    pub(crate) fn rename(&self, old: &str, new: &str) -> Result<(), EditError> {
        edit::rename_account(&self.editable(old, true)?, old, new)
    }

    /// The file of an account, if that can be edited.
    fn editable(&self, name: &str, is_renamed: bool) -> Result<PathBuf, EditError> {
        match self.place(name) {
            Some(Place {
                path,
                line: Some(line),
            }) => Err(EditError::Listed {
                name: name.to_owned(),
                path: path.clone(),
                line: *line,
                is_renamed,
            }),
            _ => Ok(self.file_of(name)),
        }
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
