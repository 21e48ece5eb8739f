//! `popsync account add`: from an address to a table in the configuration file.
//!
//! Facts that the command line does not give are looked up, or asked for on the terminal. Nothing
//! is written before the whole new file was checked and a login worked.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use toml::{Table, Value};

use crate::account::Account;
use crate::cli::args::{Add, Global};
use crate::cli::output::{self, Output};
use crate::cli::prompt::Terminal;
use crate::cli::{config_path, options, runtime};
use crate::config::{self, Base, Config, EditError, Keys};
use crate::exit::Exit;
use crate::find::{Address, Found};
use crate::stop::Stop;

mod error;
mod questions;
mod trial;

pub(in crate::cli) use error::Error;

/// The number of answers that a person may give to one question.
const ATTEMPTS: usize = 3;

/// Adds an account.
pub(super) fn add(global: &Global, arguments: &Add) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let exit = match config_path(global) {
        Ok(path) => runtime::within(&output, 1, async |stop| {
            let adding = Adding {
                path: &path,
                arguments,
                output: &output,
                terminal: Terminal::new(Arc::clone(&output), stop.clone()),
                stop,
            };
            adding.run().await
        }),
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

struct Adding<'a> {
    path: &'a Path,
    arguments: &'a Add,
    output: &'a Arc<Output>,
    terminal: Terminal,
    stop: Stop,
}

impl Adding<'_> {
    async fn run(&self) -> Exit {
        let output = self.output;
        let result = tokio::select! {
            result = self.add() => result,
            signal = self.stop.wait() => return signal.exit(),
        };
        match result {
            Ok(account) => {
                output.account_added(&account, self.path);
                output.next_steps(&account);
                Exit::Success
            }
            Err(error) => output.failure(error.account(), &error),
        }
    }

    async fn add(&self) -> Result<Account, Error> {
        let arguments = self.arguments;
        let address: Address = arguments.address.parse().map_err(Error::Address)?;
        let others = self.others()?;
        let name = name(arguments.name.as_deref(), &address, &others);
        let found = self.found(&address).await?;
        let other = arguments.password_command.is_some() || arguments.auth.is_some();
        if found.oauth.is_some() && arguments.client_id.is_none() && !other {
            let domain = address.domain().to_owned();
            return Err(Error::OAuthAlone { domain });
        }
        if let Some(note) = &found.note {
            self.output.note(note);
        }
        // Also in another file than the one that it would go into.
        if others.iter().any(|account| account.name == name) {
            return Err(exists(&name));
        }
        let maildir = self.maildir(&name, &others)?;
        let keys = self.keys(found, maildir)?;
        self.try_and_write(&name, keys).await
    }

    /// The existing accounts.
    fn others(&self) -> Result<Vec<Account>, Error> {
        match Config::load(self.path) {
            Ok(config) => Ok(config.accounts),
            Err(error) => match error.cause() {
                config::Cause::Missing { .. } | config::Cause::NoAccounts { .. } => Ok(Vec::new()),
                _ => Err(error.into()),
            },
        }
    }

    /// The keys of the table.
    fn keys(&self, found: Found, maildir: Value) -> Result<Keys, Error> {
        let arguments = self.arguments;
        let mut keys: Keys = Vec::new();
        keys.push(("server", found.server.unwrap_or_default().into()));
        let user = arguments.user.clone().unwrap_or(found.user);
        keys.push(("user", user.into()));
        if let Some(method) = arguments.auth {
            keys.push(("auth", method.name().into()));
        }
        if let Some(command) = &arguments.password_command {
            keys.push(("password-command", command.as_str().into()));
        }
        if let Some(file) = &arguments.password_file {
            keys.push((
                "password-file",
                path("--password-file", "password-file", file)?,
            ));
        }
        if let Some(id) = &arguments.client_id {
            let mut oauth = Table::new();
            oauth.insert("provider".to_owned(), "microsoft".into());
            oauth.insert("client-id".to_owned(), id.as_str().into());
            keys.push(("oauth", Value::Table(oauth)));
        }
        keys.push(("maildir", maildir));
        if let Some(profile) = arguments.profile {
            keys.push(("profile", profile.name().into()));
        }
        let tls = self.tls()?;
        if !tls.is_empty() {
            keys.push(("tls", Value::Table(tls)));
        }
        Ok(keys)
    }

    /// The keys of its table `tls`.
    fn tls(&self) -> Result<Table, Error> {
        let arguments = self.arguments;
        let mut tls = Table::new();
        if let Some(file) = &arguments.ca_file {
            tls.insert("ca-file".to_owned(), path("--ca-file", "ca-file", file)?);
        }
        if let Some(roots) = &arguments.roots {
            tls.insert("roots".to_owned(), roots.as_str().into());
        }
        if let Some(fingerprint) = &arguments.fingerprint {
            tls.insert("fingerprint".to_owned(), fingerprint.as_str().into());
        }
        Ok(tls)
    }
}

/// The error for a name that an account has already, in whichever file.
fn exists(name: &str) -> Error {
    let name = name.to_owned();
    Error::Edit {
        account: name.clone(),
        error: EditError::Exists { name },
    }
}

/// The name that was asked for; otherwise the provider's, or the address if that is taken.
fn name(wanted: Option<&str>, address: &Address, others: &[Account]) -> String {
    if let Some(name) = wanted {
        return name.to_owned();
    }
    let provider = address.domain().split('.').next().unwrap_or_default();
    if others.iter().any(|account| account.name == provider) {
        address.to_string()
    } else {
        provider.to_owned()
    }
}

/// A path from the command line, in the form for a file elsewhere.
fn path(flag: &'static str, key: &'static str, path: &Path) -> Result<Value, Error> {
    let absolute = Base::current()
        .expand(path)
        .map_err(|error| config::Error::argument(flag, key, error))?;
    let climbs = path.components().any(|part| part == Component::ParentDir);
    let written = match path.starts_with("~") && !climbs {
        true => normalized(path),
        false => normalized(&absolute),
    };
    match written.to_str() {
        Some(text) => Ok(text.into()),
        None => Err(Error::NotUtf8 { flag }),
    }
}

/// The path without `.`, `..` and empty parts. A `..` after a link goes where the system goes.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal = normal.canonicalize().unwrap_or(normal);
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
