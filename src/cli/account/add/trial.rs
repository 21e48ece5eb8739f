//! The login of a new account. It is tried, and the password is asked for again if the server
//! refuses it. Also the place for the password.

use std::fs::DirBuilder;
use std::io::{self, IsTerminal};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use secrecy::SecretString;

use super::{ATTEMPTS, Adding, Error, exists};
use crate::account::{Account, PasswordSource};
use crate::auth::source::Prompt;
use crate::auth::{self, keyring, private_file};
use crate::cli::login;
use crate::config::{self, Config, Keys};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

impl Adding<'_> {
    /// Tries the account, stores its password and writes its table.
    pub(super) async fn try_and_write(&self, name: &str, mut keys: Keys) -> Result<Account, Error> {
        let (account, password) = self.tried(name, &mut keys).await?;
        let entry = keyring::Entry::password(&account);
        let mut is_in_keyring = false;
        if let Some(password) = password {
            match keyring::set(&entry, &password).await {
                Ok(()) => is_in_keyring = true,
                Err(error) => self.keep_elsewhere(name, &mut keys, &password, &error)?,
            }
        }
        if let Err(error) = config::add_account(self.path, name, &keys) {
            if is_in_keyring {
                let _ = keyring::remove(&entry).await;
            }
            return Err(Error::Edit {
                account: name.to_owned(),
                error,
            });
        }
        Ok(account)
    }

    /// The account with which a login worked, and the password if it is to be stored. A person is
    /// asked again for the password, and for the user if no flag gave it.
    async fn tried(
        &self,
        name: &str,
        keys: &mut Keys,
    ) -> Result<(Account, Option<SecretString>), Error> {
        let mut attempts = 1;
        loop {
            let account = self.preview(name, keys)?;
            self.may_have_password(&account)?;
            let error = match self.password(&account).await {
                Ok(password) => return Ok((account, password)),
                Err(error) => error,
            };
            let again = attempts < ATTEMPTS
                && error.exit() == Exit::NoPermission
                && account.password == PasswordSource::Ask
                && self.terminal.is_there();
            if !again {
                return Err(Error::Login {
                    account: name.to_owned(),
                    error,
                });
            }
            attempts += 1;
            self.output.failure(Some(name), &error);
            if self.arguments.user.is_none() {
                let answer = self.ask(&format!("User name [{}]: ", account.user))?;
                if let Some(user) = answer.filter(|answer| !answer.is_empty()) {
                    let key = keys.iter_mut().find(|(key, _)| *key == "user");
                    key.into_iter()
                        .for_each(|(_, value)| *value = user.as_str().into());
                }
            }
        }
    }

    /// A password from `[defaults]` is meant for other servers: it is sent to this one only if a
    /// person agrees.
    fn may_have_password(&self, account: &Account) -> Result<(), Error> {
        let arguments = self.arguments;
        let is_own = arguments.password_command.is_some() || arguments.password_file.is_some();
        let Some(key) = account.password.key() else {
            return Ok(());
        };
        if is_own || arguments.client_id.is_some() {
            return Ok(());
        }
        let host = &account.server.host;
        let question = format!("`[defaults]` sets `{key}`. Give its password to {host}? [y/N] ");
        let answer = self.ask(&question)?.map(|answer| answer.to_lowercase());
        match answer.as_deref() {
            Some("y" | "yes") => Ok(()),
            _ => Err(Error::OthersPassword {
                key,
                host: host.clone(),
            }),
        }
    }

    /// Tries the account. Returns the password if it is to be stored.
    async fn password(&self, account: &Account) -> Result<Option<SecretString>, login::Error> {
        if let PasswordSource::OAuth(oauth) = &account.password {
            if !self.arguments.no_test {
                login::sign_in(account, oauth, None, true, self.output).await?;
            }
            return Ok(None);
        }
        let asks = account.password == PasswordSource::Ask;
        let is_terminal = io::stdin().is_terminal();
        if self.arguments.no_test && (!asks || !is_terminal) {
            return Ok(None);
        }
        let password = if asks {
            if is_terminal && !self.arguments.no_test {
                Session::greet(account).await?;
            }
            login::asked(account, &self.terminal)?
        } else {
            auth::password::<login::Error>(account, &self.terminal, async || Ok(())).await?
        };
        if !self.arguments.no_test {
            let mut session = Session::begin(account, &password, None, |_| {}).await?;
            session.quit().await??;
        }
        Ok(asks.then_some(password))
    }

    /// Without a keyring: stores the password in a file beside the configuration, if the user
    /// agrees.
    fn keep_elsewhere(
        &self,
        name: &str,
        keys: &mut Keys,
        password: &SecretString,
        error: &keyring::Error,
    ) -> Result<(), Error> {
        let file = format!("{}.password", name.replace('/', "_"));
        let file = self.path.with_file_name(file);
        let question = format!(
            "The keyring cannot keep the password: {error}. Keep it in {}, which only you can \
             read? [Y/n] ",
            file.display()
        );
        let text = file.to_str().filter(|_| !file.exists());
        let answer = match text {
            Some(_) => self.ask(&question)?.map(|answer| answer.to_lowercase()),
            None => None,
        };
        match (answer.as_deref(), text) {
            (Some("" | "y" | "yes"), Some(text)) => {
                let written = written(&file, password);
                written.map_err(|source| Error::Kept {
                    path: file.clone(),
                    source,
                })?;
                keys.push(("password-file", text.into()));
            }
            _ => self.output.password_not_kept(error),
        }
        Ok(())
    }

    /// The account as the new file will define it.
    fn preview(&self, name: &str, keys: &Keys) -> Result<Account, Error> {
        let text = config::preview(self.path, name, keys).ok_or_else(|| exists(name))?;
        let config = Config::with_text(self.path, &text)?;
        let mut accounts = config.select(&[name.to_owned()])?;
        // `select` gives an account for every name.
        Ok(accounts.swap_remove(0))
    }
}

/// Writes a password to a file beside the configuration, whose folder may not exist yet.
fn written(file: &Path, password: &SecretString) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    private_file::write(file, password)
}
