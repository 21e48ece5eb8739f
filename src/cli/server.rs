//! An account of the configuration, or a server by its URL, for commands that accept both.

use std::path::PathBuf;

use crate::account::Account;
use crate::config::{Base, Error, Fault, Key, Origin, Store};
use crate::exit::Exit;

use super::args::{Global, ServerFlags};
use super::output::Output;
use super::{configured, fetch};

/// The reason why there is no account.
pub(super) enum Failure {
    Config(Error),
    /// This flag describes a server, and none was named.
    Needless(&'static str),
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
        let account = of_url(named, flags, &Base::current());
        return account.map_err(|fault| Failure::Config(fault.into()));
    }
    match given(flags) {
        Some(flag) => Err(Failure::Needless(flag)),
        None => configured(global, named).map_err(Failure::Config),
    }
}

fn of_url(url: &str, flags: &ServerFlags, base: &Base) -> Result<Account, Fault> {
    let mut settings = fetch::server(url, flags, base)?;
    // An account must have a store; this one is never opened.
    settings.set_store(fetch::set("URL", Store::Maildir(PathBuf::new())))?;
    settings.finish_layer()?;
    Ok(settings.resolve(Key::Store, &Origin::Flag("URL"))?)
}

/// A flag about the server that was given.
fn given(flags: &ServerFlags) -> Option<&'static str> {
    [
        ("--user", flags.user.is_some()),
        ("--auth", flags.auth.is_some()),
        ("--password-command", flags.password_command.is_some()),
        ("--oauth-token-command", flags.oauth_token_command.is_some()),
        ("--password-file", flags.password_file.is_some()),
        ("--password-netrc", flags.password_netrc.is_some()),
        ("--profile", flags.profile.is_some()),
        ("--timeout", flags.timeout.is_some()),
    ]
    .into_iter()
    .chain(flags.tls.given())
    .chain(flags.route.given())
    .find_map(|(flag, given)| given.then_some(flag))
}
