//! The accounts that a command is for. A mistake in one account stops that account, and no other.

use std::collections::HashSet;
use std::path::Path;

use crate::account::Account;

use super::document::Document;
use super::error::{Cause, Error};
use super::faults::MAX_TOLD;
use super::file::{ConfigFile, document, mistakes};
use super::paths::Base;
use super::suggest;

/// Accounts of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// Those that can be worked with, in the order of the file.
    pub(crate) accounts: Vec<Account>,
    /// Those that have mistakes.
    pub(crate) unsound: Vec<Unsound>,
}

/// An account with mistakes.
#[derive(Debug)]
pub(crate) struct Unsound {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// Its mistakes. Empty if very many mistakes are told already.
    pub(crate) mistakes: Vec<Cause>,
}

impl Chosen {
    /// Reads the accounts of these names, each once; all if there are none.
    ///
    /// # Errors
    /// The file cannot be used, or has no sound account, or has no account of such a name.
    pub(crate) fn load(path: &Path, names: &[String]) -> Result<Self, Error> {
        let file = ConfigFile::read(path)?;
        let (text, document) = document(path, &file.content, &Base::of_file(path))?;
        let objections = file.objections(path, &document.accounts);
        if let Some(objection) = objections.into_iter().next() {
            return Err(objection.into());
        }
        if document.accounts.is_empty() || document.has_faults() {
            let errors = mistakes(path, text, document.faults_of_all());
            let empty = || Cause::NoAccounts {
                path: path.to_owned(),
            };
            return Err(errors.into_iter().next().unwrap_or_else(empty).into());
        }
        // Those of a named account are told, however many others there are.
        let most = if names.is_empty() {
            MAX_TOLD
        } else {
            usize::MAX
        };
        Self::of(document, path, text, most).of_names(names)
    }

    /// `most` is the number of mistakes after which no more are looked up in the text.
    fn of(document: Document, path: &Path, text: &str, most: usize) -> Self {
        let mut told = 0;
        let unsound = document.unsound.into_iter().map(|(name, faults)| {
            let mistakes = if told < most {
                mistakes(path, text, faults)
            } else {
                Vec::new()
            };
            told += mistakes.len();
            Unsound { name, mistakes }
        });
        Self {
            unsound: unsound.collect(),
            accounts: document.accounts,
        }
    }

    /// The number of accounts.
    pub(crate) fn len(&self) -> usize {
        self.accounts.len() + self.unsound.len()
    }

    /// The account, if there is one.
    ///
    /// # Errors
    /// Its first mistake.
    pub(crate) fn only(mut self) -> Result<Account, Error> {
        let unsound = self.unsound.into_iter().flat_map(|one| one.mistakes);
        match unsound.into_iter().next() {
            Some(mistake) => Err(mistake.into()),
            // A name was given, and each has an account.
            None => Ok(self.accounts.swap_remove(0)),
        }
    }

    pub(super) fn of_names(self, names: &[String]) -> Result<Self, Error> {
        let accounts = self.accounts.iter().map(|account| &account.name);
        let known: Vec<&str> = accounts
            .chain(self.unsound.iter().map(|account| &account.name))
            .map(String::as_str)
            .collect();
        let all: HashSet<&str> = known.iter().copied().collect();
        if let Some(name) = names.iter().find(|name| !all.contains(name.as_str())) {
            let unknown = Cause::UnknownAccount {
                name: name.clone(),
                nearest: suggest::nearest(name, &known).map(str::to_owned),
                known: known.into_iter().map(str::to_owned).collect(),
            };
            return Err(unknown.into());
        }
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        Ok(self.filtered(|name| names.is_empty() || names.contains(name)))
    }

    /// All with mistakes, and those of the others that are wanted.
    pub(crate) fn sound(mut self, is_wanted: impl Fn(&Account) -> bool) -> Self {
        self.accounts.retain(is_wanted);
        self
    }

    /// Those whose names `is_wanted`.
    pub(crate) fn filtered(mut self, is_wanted: impl Fn(&str) -> bool) -> Self {
        self.accounts.retain(|account| is_wanted(&account.name));
        self.unsound.retain(|account| is_wanted(&account.name));
        self
    }
}

impl From<Vec<Account>> for Chosen {
    fn from(accounts: Vec<Account>) -> Self {
        Self {
            accounts,
            unsound: Vec::new(),
        }
    }
}
