//! `popsync account add`: from an address to a table in the configuration file.
//!
//! Facts that the command line does not give are looked up, or asked for on the terminal. Nothing
//! is written before the whole new file was checked and a login worked.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use toml::{Table, Value};

use crate::account::Account;
use crate::cli::args::{Add, Global};
use crate::cli::login::Error;
use crate::cli::output::{self, Output};
use crate::cli::prompt::Terminal;
use crate::cli::{config_path, options, runtime};
use crate::config::{self, Base, Config, EditError, Keys};
use crate::exit::Exit;
use crate::find::{Address, Found};
use crate::stop::Stop;

mod questions;
mod trial;

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
        Err(error) => output.config_error(&error),
    };
    exit.merge(output.finish())
}

/// The reason why there is no new account.
enum Failure {
    Config(config::Error),
    Edit(String, EditError),
    /// The file for the password cannot be written.
    Kept(PathBuf, io::Error),
    Login(String, Error),
    /// In words: the problem, the hint, and the status.
    Told(String, String, Exit),
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::Config(error)
    }
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
            Err(Failure::Config(error)) => output.config_error(&error),
            Err(Failure::Edit(name, error)) => super::not_changed(output, &name, &error),
            Err(Failure::Kept(path, error)) => {
                output.problem(None, &format!("cannot write {}: {error}", path.display()));
                output.hint(Some("nothing was written"));
                Exit::IoError
            }
            Err(Failure::Login(name, error)) => {
                let exit = output.login_failed(&name, &error);
                output.hint(Some(
                    "nothing was written; `--no-test` adds the account all the same",
                ));
                exit
            }
            Err(Failure::Told(message, hint, exit)) => {
                output.problem(None, &message);
                output.hint(Some(&hint));
                exit
            }
        }
    }

    async fn add(&self) -> Result<Account, Failure> {
        let arguments = self.arguments;
        let address: Address = arguments.address.parse().map_err(|error| {
            let hint = "write the address whose mail is to be retrieved".to_owned();
            Failure::Told(format!("ADDRESS is {error}"), hint, Exit::Usage)
        })?;
        let others = self.others()?;
        let name = name(arguments.name.as_deref(), &address, &others);
        let found = self.found(&address).await?;
        let other = arguments.password_command.is_some() || arguments.auth.is_some();
        if found.oauth.is_some() && arguments.client_id.is_none() && !other {
            return Err(Failure::Told(
                format!(
                    "the server of {} takes no passwords, but OAuth",
                    address.domain()
                ),
                "`--client-id ID` names the program to sign in with; `popsync man config`, \
                 section OAUTH, tells how to get one"
                    .to_owned(),
                Exit::Usage,
            ));
        }
        if let Some(note) = &found.note {
            self.output.note(note);
        }
        let maildir = self.maildir(&name, &others)?;
        let keys = self.keys(found, maildir)?;
        self.try_and_write(&name, keys).await
    }

    /// The existing accounts.
    fn others(&self) -> Result<Vec<Account>, Failure> {
        match Config::load(self.path) {
            Ok(config) => Ok(config.accounts),
            Err(config::Error::Missing { .. } | config::Error::NoAccounts { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// The keys of the table.
    fn keys(&self, found: Found, maildir: Value) -> Result<Keys, Failure> {
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
        if let Some(file) = &arguments.ca_file {
            let mut tls = Table::new();
            tls.insert("ca-file".to_owned(), path("--ca-file", "ca-file", file)?);
            keys.push(("tls", Value::Table(tls)));
        }
        Ok(keys)
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
fn path(flag: &'static str, key: &'static str, path: &Path) -> Result<Value, Failure> {
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
        None => Err(Failure::Told(
            format!("{flag}: a path in the configuration file is UTF-8"),
            "choose another path".to_owned(),
            Exit::Usage,
        )),
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
