//! The accounts that a command is for. A mistake in one account stops that account, and no other.

use std::collections::HashSet;
use std::path::Path;

use crate::account::Account;

use super::document::Document;
use super::error::{Cause, Error};
use super::faults::MAX_TOLD;
use super::files::Files;
use super::paths::Base;
use super::rows;
use super::suggest;

/// Accounts of a configuration.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// Those that can be worked with, in the order of the files.
    pub(crate) accounts: Vec<Account>,
    /// Those that cannot.
    pub(crate) unsound: Unsound,
}

/// Accounts that cannot be worked with.
#[derive(Debug, Default)]
pub(crate) struct Unsound {
    /// Those that have mistakes.
    pub(crate) accounts: Vec<Mistaken>,
    /// The reasons why all accounts of a file are not known.
    pub(crate) files: Vec<Cause>,
}

/// An account with mistakes.
#[derive(Debug)]
pub(crate) struct Mistaken {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// Its mistakes. Empty if very many mistakes are told already.
    pub(crate) mistakes: Vec<Cause>,
}

impl Unsound {
    /// True if there is nothing wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.files.is_empty()
    }

    /// All mistakes.
    pub(crate) fn mistakes(&self) -> impl Iterator<Item = &Cause> {
        let of_accounts = self.accounts.iter().flat_map(|one| &one.mistakes);
        of_accounts.chain(&self.files)
    }
}

impl Chosen {
    /// Reads the accounts of these names, each once; all if there are none.
    ///
    /// # Errors
    /// The configuration file cannot be used, or there is no sound account, or none of such a name.
    pub(crate) fn load(path: &Path, names: &[String]) -> Result<Self, Error> {
        let mut files = Files::read(path)?;
        let mut document = Document::read(&files, &Base::of_file(path), &rows::ACCOUNT, false);
        if let Some(objection) = document.objections.into_iter().next() {
            return Err(objection.into());
        }
        document.objections = Vec::new();
        document.refused.append(&mut files.refused);
        if document.accounts.is_empty() || document.has_faults() {
            let errors = files.mistakes(document.faults_of_all()).into_iter();
            let empty = || Cause::NoAccounts {
                path: path.to_owned(),
            };
            let mut errors = errors.chain(document.refused);
            return Err(errors.next().unwrap_or_else(empty).into());
        }
        Self::of(document, &files, names).of_names(names)
    }

    /// Only so many mistakes are looked up in the texts, but those of an account with one of these
    /// names however many others there are.
    fn of(document: Document, files: &Files, names: &[String]) -> Self {
        let mut told = 0;
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        let mistaken = document.unsound.into_iter().map(|(name, faults)| {
            let is_told = match names.is_empty() {
                true => told < MAX_TOLD,
                false => names.contains(name.as_str()),
            };
            let mistakes = if is_told {
                files.mistakes(faults)
            } else {
                Vec::new()
            };
            told += mistakes.len();
            Mistaken { name, mistakes }
        });
        let accounts = mistaken.collect();
        let sound = document.accounts.into_iter();
        Self {
            accounts: sound.map(|found| found.account).collect(),
            unsound: Unsound {
                accounts,
                files: document.refused,
            },
        }
    }

    /// The number of accounts.
    pub(crate) fn len(&self) -> usize {
        self.accounts.len() + self.unsound.accounts.len()
    }

    /// The account, if there is one.
    ///
    /// # Errors
    /// Its first mistake.
    pub(crate) fn only(mut self) -> Result<Account, Error> {
        let unsound = self.unsound.accounts.into_iter();
        let unsound = unsound.flat_map(|one| one.mistakes);
        match unsound.into_iter().next() {
            Some(mistake) => Err(mistake.into()),
            // A name was given, and each has an account.
            None => Ok(self.accounts.swap_remove(0)),
        }
    }

    pub(super) fn of_names(mut self, names: &[String]) -> Result<Self, Error> {
        let accounts = self.accounts.iter().map(|account| &account.name);
        let known: Vec<&str> = accounts
            .chain(self.unsound.accounts.iter().map(|account| &account.name))
            .map(String::as_str)
            .collect();
        let all: HashSet<&str> = known.iter().copied().collect();
        if let Some(name) = names.iter().find(|name| !all.contains(name.as_str())) {
            // It may be one of those that are not known.
            if !self.unsound.files.is_empty() {
                return Err(self.unsound.files.swap_remove(0).into());
            }
            let unknown = Cause::UnknownAccount {
                name: name.clone(),
                nearest: suggest::nearest(name, &known).map(str::to_owned),
                known: known.into_iter().map(str::to_owned).collect(),
            };
            return Err(unknown.into());
        }
        let names: HashSet<&str> = names.iter().map(String::as_str).collect();
        if !names.is_empty() {
            self.unsound.files.clear();
        }
        Ok(self.filtered(|name| names.is_empty() || names.contains(name)))
    }

    /// All with mistakes, and those of the others that are wanted.
    pub(crate) fn sound(mut self, is_wanted: impl Fn(&Account) -> bool) -> Self {
        self.accounts.retain(is_wanted);
        self
    }

    /// Those whose names `is_wanted`. Files whose accounts are not known may have some of them.
    pub(crate) fn filtered(mut self, is_wanted: impl Fn(&str) -> bool) -> Self {
        self.accounts.retain(|account| is_wanted(&account.name));
        self.unsound
            .accounts
            .retain(|account| is_wanted(&account.name));
        self
    }
}

impl From<Vec<Account>> for Chosen {
    fn from(accounts: Vec<Account>) -> Self {
        Self {
            accounts,
            unsound: Unsound::default(),
        }
    }
}
