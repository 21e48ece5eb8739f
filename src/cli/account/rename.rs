//! `popsync account rename`: gives an account another name, and keeps its records.

use std::path::Path;

use crate::account::Account;
use crate::cache::SameAsError;
use crate::config::{self, Config, EditError};
use crate::exit::Exit;
use crate::sync;

use super::super::args::{Global, Rename};
use super::super::output::Output;
use super::super::{config_path, options, state_dir};

/// Renames the account in the configuration, unless that was done already, and then its records.
/// After a crash between the two, the same command does the rest.
pub(super) fn rename(global: &Global, names: &Rename) -> Exit {
    let output = Output::standard(options(global, false));
    let found = chosen(global, names).and_then(|found| Ok((found, state_dir(global)?)));
    let exit = match found {
        Ok((accounts, state_dir)) => accounts.rename(names, &state_dir, &output),
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

/// The accounts of the two names in the configuration.
struct Accounts {
    config: Config,
    old: Option<Account>,
    new: Option<Account>,
}

fn chosen(global: &Global, names: &Rename) -> Result<Accounts, config::Error> {
    let config = Config::load(&config_path(global)?)?;
    let find = |name: &str| {
        let mut accounts = config.accounts.iter();
        accounts.find(|account| account.name == name).cloned()
    };
    let (old, new) = (find(&names.old), find(&names.new));
    if new.is_none() {
        // The error lists the existing names.
        config.clone().select(std::slice::from_ref(&names.old))?;
    }
    Ok(Accounts { config, old, new })
}

impl Accounts {
    fn rename(self, names: &Rename, state_dir: &Path, output: &Output) -> Exit {
        let named = if self.old.is_some() {
            &names.old
        } else {
            &names.new
        };
        let path = self.config.file_of(named);
        let (account, is_moved) = match (self.old, self.new) {
            (Some(_), Some(_)) if names.old != names.new => {
                let name = names.new.clone();
                return output.failure(Some(&names.old), &EditError::Exists { name });
            }
            (Some(mut account), None) => {
                if let Err(error) = self.config.rename(&names.old, &names.new) {
                    return output.failure(Some(&names.old), &error);
                }
                account.name.clone_from(&names.new);
                account.identity.key.clone_from(&names.new);
                (account, true)
            }
            (_, Some(account)) => (account, false),
            (None, None) => unreachable!("`chosen` gives one of them"),
        };
        match sync::take_over(state_dir, &names.old, &account.identity) {
            Ok(_) => {}
            // Nothing was ever fetched for it.
            Err(SameAsError::Unknown { .. }) if is_moved => {}
            Err(error) => return output.failure(Some(&account.name), &error),
        }
        output.account_renamed(&names.old, &account, &path);
        Exit::Success
    }
}
