//! `popsync account add`: from an address to a table in the configuration file.
//!
//! What is not said on the command line is found, else asked for on the terminal. Nothing is
//! written before the whole file with the new table was read as it would be, and before a login
//! worked.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use toml::{Table, Value};

use crate::account::{Account, PasswordSource};
use crate::auth::{keyring, source};
use crate::cli::args::{Add, Global};
use crate::cli::login::{self, Error};
use crate::cli::output::{self, Output};
use crate::cli::prompt::Terminal;
use crate::cli::{config_path, options, runtime};
use crate::config::{self, Base, Config, EditError, Keys};
use crate::exit::Exit;
use crate::find::{self, Address, Found, Places, Source};
use crate::session::Session;
use crate::stop::Stop;

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

/// Why there is no new account.
enum Failure {
    Config(config::Error),
    Edit(String, EditError),
    Login(String, Error),
    /// In words: what is wrong, what to do, and the status.
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
                Exit::Success
            }
            Err(Failure::Config(error)) => output.config_error(&error),
            Err(Failure::Edit(name, error)) => super::not_changed(output, &name, &error),
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
        let taken = self.names()?;
        let name = name(arguments.name.as_deref(), &address, &taken);
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
        let keys = self.keys(&name, found)?;
        let account = self.preview(&name, &keys)?;
        let password = self.password(&account).await;
        let password = password.map_err(|error| Failure::Login(name.clone(), error))?;
        config::add_account(self.path, &name, &keys)
            .map_err(|error| Failure::Edit(name.clone(), error))?;
        if let Some(password) = password {
            let entry = keyring::Entry::password(&account);
            if let Err(fault) = keyring::set(&entry, &password).await {
                self.output
                    .note(&format!("the password is not kept: {fault}"));
                self.output.note(fault.advice());
            }
        }
        Ok(account)
    }

    /// The names of the accounts that there are.
    fn names(&self) -> Result<Vec<String>, Failure> {
        match Config::load(self.path) {
            Ok(config) => Ok(config.accounts.into_iter().map(|a| a.name).collect()),
            Err(config::Error::Missing { .. } | config::Error::NoAccounts { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// The server: named, known, found, or asked for.
    async fn found(&self, address: &Address) -> Result<Found, Failure> {
        let named = |server: &str| Found {
            server: Some(server.to_owned()),
            user: address.to_string(),
            note: None,
            oauth: None,
            source: Source::User,
        };
        if let Some(server) = &self.arguments.server {
            return Ok(named(server));
        }
        let domain = address.domain();
        match find::known(address) {
            Some(Found {
                server: None, note, ..
            }) => {
                return Err(Failure::Told(
                    format!("{domain}: {}", note.unwrap_or_default()),
                    "where there is a server all the same, name it with `--server`".to_owned(),
                    Exit::Unavailable,
                ));
            }
            Some(found) => return Ok(found),
            None => {}
        }
        for found in find::search(address, &Places::of(address)).await {
            if self.agreed(&found)? {
                return Ok(found);
            }
        }
        match self.ask(&format!("POP3 server of {domain} (pop3s://…): "))? {
            Some(server) if server.contains("://") => Ok(named(&server)),
            Some(server) if !server.is_empty() => Ok(named(&format!("pop3s://{server}"))),
            _ => Err(Failure::Told(
                format!("nothing is known of a POP3 server for {domain}"),
                "name it: `--server pop3s://HOST`, or `pop3://HOST` for STLS".to_owned(),
                Exit::Usage,
            )),
        }
    }

    /// Whether a server that was found is to be used. Without a terminal it is, unless it is one
    /// that a person has to be asked about (RFC 6186 §6).
    fn agreed(&self, found: &Found) -> Result<bool, Failure> {
        let server = found.server.as_deref().unwrap_or_default();
        let (user, source) = (&found.user, found.source);
        let question = format!("{server}, user {user}, says {source}. Use it? [Y/n] ");
        let answer = self.ask(&question)?.map(|answer| answer.to_lowercase());
        match (answer.as_deref(), source) {
            (Some(answer), _) => Ok(["", "y", "yes"].contains(&answer)),
            (None, Source::Srv { same_domain: false }) => Err(Failure::Told(
                format!("the DNS names {server}, which is another domain's"),
                format!("if that is right, say so: `--server {server}`"),
                Exit::Usage,
            )),
            (None, _) => {
                self.output
                    .note(&format!("{server}, user {user}, says {source}"));
                Ok(true)
            }
        }
    }

    /// What the table is to hold.
    fn keys(&self, name: &str, found: Found) -> Result<Keys, Failure> {
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
        let maildir = match &arguments.maildir {
            Some(folder) => path("--maildir", "maildir", folder)?,
            None => {
                let usual = format!("~/Mail/{}", name.replace('/', "_"));
                let answer = self.ask(&format!("Maildir [{usual}]: "))?;
                answer
                    .filter(|answer| !answer.is_empty())
                    .unwrap_or(usual)
                    .into()
            }
        };
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

    /// The account as it will be, of the file as it will be.
    fn preview(&self, name: &str, keys: &Keys) -> Result<Account, Failure> {
        let exists = || EditError::Exists {
            name: name.to_owned(),
        };
        let text = config::preview(self.path, name, keys)
            .ok_or_else(|| Failure::Edit(name.to_owned(), exists()))?;
        let base = Base::of_file(self.path);
        let config = Config::parse(self.path, text.as_bytes(), &base)?;
        let mut accounts = config.select(&[name.to_owned()])?;
        // `select` gives an account for every name.
        Ok(accounts.swap_remove(0))
    }

    /// Tries the account; gives the password where it is to be kept in the keyring.
    async fn password(&self, account: &Account) -> Result<Option<SecretString>, Error> {
        if let PasswordSource::OAuth(oauth) = &account.password {
            if !self.arguments.no_test {
                login::sign_in(account, oauth, None, true, self.output).await?;
            }
            return Ok(None);
        }
        let asks = account.password == PasswordSource::Ask;
        if self.arguments.no_test && (!asks || !io::stdin().is_terminal()) {
            return Ok(None);
        }
        let password = if asks {
            login::asked(account, &self.terminal)?
        } else {
            source::password(account, &self.terminal).await?
        };
        if !self.arguments.no_test {
            let mut session = Session::begin(account, &password, None, |_| {}).await?;
            session.quit().await??;
        }
        Ok(asks.then_some(password))
    }

    /// Asks on the terminal; none where there is none.
    fn ask(&self, question: &str) -> Result<Option<String>, Failure> {
        self.terminal.question(question).map_err(|error| {
            let message = format!("cannot ask on the terminal: {error}");
            Failure::Told(
                message,
                "give all settings as flags".to_owned(),
                Exit::IoError,
            )
        })
    }
}

/// The name that was asked for; else that of the provider, or the address where that is taken.
fn name(wanted: Option<&str>, address: &Address, taken: &[String]) -> String {
    if let Some(name) = wanted {
        return name.to_owned();
    }
    let provider = address.domain().split('.').next().unwrap_or_default();
    if taken.iter().any(|name| name == provider) {
        address.to_string()
    } else {
        provider.to_owned()
    }
}

/// A path of the command line, as it has to stand in a file elsewhere.
fn path(flag: &'static str, key: &'static str, path: &Path) -> Result<Value, Failure> {
    let absolute = Base::current()
        .expand(path)
        .map_err(|error| config::Error::argument(flag, key, error))?;
    let text = if path.starts_with("~") {
        path
    } else {
        &absolute
    };
    match text.to_str() {
        Some(text) => Ok(text.into()),
        None => Err(Failure::Told(
            format!("{flag}: a path in the configuration file is UTF-8"),
            "choose another path".to_owned(),
            Exit::Usage,
        )),
    }
}
