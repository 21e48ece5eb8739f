//! An account of the configuration, or a server by its URL, for commands that accept both.

use crate::account::Account;
use crate::config::{self, Base, Error};
use crate::exit::Exit;

use super::args::{Global, ServerFlags};
use super::configured;
use super::output::Output;

/// The reason why there is no account.
pub(super) enum Failure {
    Config(Error),
    /// This flag describes a server, and none was named.
    Needless(String),
}

impl Failure {
    /// Prints the error, and returns the exit status.
    pub(super) fn tell(&self, output: &Output, named: &str) -> Exit {
        match self {
            Self::Config(error) => output.config_error(error),
            Self::Needless(flag) => {
                output.problem(None, &format!("{flag}: `{named}` is no URL"));
                output.hint(Some(
                    "an account has its settings in the configuration file; a URL begins with \
                     `pop3s://` or `pop3://`",
                ));
                Exit::Usage
            }
        }
    }
}

/// The account of this name, or the one that a URL and its flags describe.
pub(super) fn account(
    global: &Global,
    named: &str,
    flags: &ServerFlags,
) -> Result<Account, Failure> {
    if named.contains("://") {
        let account = config::account_without_store(named, flags.given(), &Base::current());
        return account.map_err(Failure::Config);
    }
    match flags.given().first() {
        Some(flag) => Err(Failure::Needless(flag.name())),
        None => configured(global, named).map_err(Failure::Config),
    }
}
