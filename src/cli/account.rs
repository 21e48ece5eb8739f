//! `popsync account`: adds, changes and shows accounts.

use std::sync::Arc;

use crate::account::{Account, PasswordSource};
use crate::auth::{keyring, oauth};
use crate::config::{self, Config, Shown};
use crate::exit::Exit;

use super::args::{AccountCommand, Global};
use super::output::{self, Output};
use super::{config_path, options, runtime};

pub(super) mod add;
mod rename;
mod test;

/// Runs one of the commands.
pub(super) fn account(global: &Global, command: &AccountCommand) -> Exit {
    match command {
        AccountCommand::Add(arguments) => add::add(global, arguments),
        AccountCommand::List => with_config(global, |config, shown, output| {
            output.accounts(&config, &shown);
            Exit::Success
        }),
        AccountCommand::Remove(named) => remove(global, &named.account),
        AccountCommand::Rename(names) => rename::rename(global, names),
        AccountCommand::Show(named) => with_config(global, |config, shown, output| {
            let name = &named.account;
            let mut accounts = config.accounts.iter().zip(&shown);
            match accounts.find(|(account, _)| account.name == *name) {
                Some((account, shown)) => {
                    output.account(&config, account, shown);
                    Exit::Success
                }
                // The error lists the existing names.
                None => match config.select(std::slice::from_ref(name)) {
                    Ok(_) => Exit::Success,
                    Err(error) => output.failure(None, &error),
                },
            }
        }),
        AccountCommand::Test(named) => test::test(global, &named.account),
    }
}

fn with_config(global: &Global, action: impl FnOnce(Config, Vec<Shown>, &Output) -> Exit) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match config_path(global).and_then(|path| Config::load_shown(&path)) {
        Ok((config, shown)) => action(config, shown, &output),
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

/// Removes an account from the configuration. The mail and the records stay. The password or the
/// tokens go, unless another account has the same.
fn remove(global: &Global, name: &str) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let exit = match chosen(global, name) {
        Ok((config, account)) => match config.remove(name) {
            Ok(path) => {
                let others = || config.accounts.iter().filter(|other| other.name != name);
                let same = |other: &Account| {
                    (&other.user, &other.identity.host) == (&account.user, &account.identity.host)
                };
                let kept = matches!(
                    account.password,
                    PasswordSource::Ask | PasswordSource::OAuth(_)
                );
                let own = kept && !others().any(same);
                let exit = if own {
                    runtime::within(&output, 1, async |_| {
                        forget(&account).await;
                        Exit::Success
                    })
                } else {
                    Exit::Success
                };
                output.account_removed(&account, &path);
                exit
            }
            Err(error) => output.failure(Some(name), &error),
        },
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

fn chosen(global: &Global, name: &str) -> Result<(Config, Account), config::Error> {
    let config = Config::load(&config_path(global)?)?;
    let mut accounts = config.clone().select(&[name.to_owned()])?;
    // `select` gives an account for every name.
    Ok((config, accounts.swap_remove(0)))
}

async fn forget(account: &Account) {
    if let PasswordSource::OAuth(oauth) = &account.password {
        match oauth::sign_out(account, oauth).await {
            Ok(removed) => tracing::debug!(removed, "tokens"),
            Err(error) => tracing::debug!("no tokens to remove: {error}"),
        }
        return;
    }
    match keyring::remove(&keyring::Entry::password(account)).await {
        Ok(removed) => tracing::debug!(removed, "password in the keyring"),
        // Without a keyring there is no password in it.
        Err(error) => tracing::debug!("nothing to remove from the keyring: {error}"),
    }
}
