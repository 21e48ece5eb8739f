//! Why `popsync account add` added nothing.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use crate::auth::source::Unanswered;
use crate::cli::login;
use crate::config::{self, EditError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find::NotAnAddress;

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Error {
    /// The address is none.
    #[error("ADDRESS is {0}")]
    Address(NotAnAddress),
    /// No answer to a question would do, for this reason at last.
    #[error("{0}")]
    Answers(String),
    /// The new table, or what stands in the file already, makes no configuration.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The table could not be written.
    #[error("{error}")]
    Edit {
        account: String,
        #[source]
        error: EditError,
    },
    /// The file for the password cannot be written.
    #[error("cannot write {}", path.display())]
    Kept { path: PathBuf, source: io::Error },
    /// No login worked.
    #[error("{error}")]
    Login {
        account: String,
        #[source]
        error: login::Error,
    },
    /// The provider is known to have no POP3.
    #[error("{domain}: {note}")]
    NoPop3 { domain: String, note: String },
    /// Nobody knows the server, and nobody can be asked.
    #[error("nothing is known of a POP3 server for {domain}")]
    NoServer { domain: String },
    /// A path of the command line that no TOML file can hold.
    #[error("{flag}: a path in the configuration file must be UTF-8")]
    NotUtf8 { flag: &'static str },
    /// The folder is in a Maildir.
    #[error("{0}")]
    Nested(String),
    /// The server takes access tokens, and no program is named that gets them.
    #[error("the server of {domain} accepts OAuth only, no passwords")]
    OAuthAlone { domain: String },
    /// The password that all accounts have by default may be for another server.
    #[error("`[defaults]` sets `{key}`: its password may be another server's")]
    OthersPassword { key: &'static str, host: String },
    /// The DNS leads elsewhere, and nobody can be asked (RFC 6186 §6).
    #[error("the DNS names {server}, which is another domain's")]
    OtherDomain { server: String },
    /// The terminal failed.
    #[error("cannot ask on the terminal")]
    Terminal(#[source] Unanswered),
}

impl Error {
    /// The name of the new account, where the error is about that.
    pub(super) fn account(&self) -> Option<&str> {
        match self {
            Self::Edit { account, .. } | Self::Login { account, .. } => Some(account),
            _ => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            Self::Edit { error, .. } => error.exit(),
            Self::Kept { .. } | Self::Terminal(_) => Exit::IoError,
            Self::Login { error, .. } => error.exit(),
            Self::NoPop3 { .. } => Exit::Unavailable,
            Self::Address(_)
            | Self::Answers(_)
            | Self::NoServer { .. }
            | Self::NotUtf8 { .. }
            | Self::Nested(_)
            | Self::OAuthAlone { .. }
            | Self::OthersPassword { .. }
            | Self::OtherDomain { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Address(_) => "write the address whose mail popsync is to retrieve",
            Self::Answers(_) => "give it as a flag; `popsync account add --help` names them",
            Self::Config(error) => return error.hint(),
            Self::Edit { error, .. } => return error.hint(),
            Self::Kept { .. } => "nothing was written",
            Self::Login { error, .. } => {
                let kept = "nothing was written; `--no-test` adds the account anyway";
                return Some(match error.hint() {
                    Some(hint) => format!("{hint}; {kept}").into(),
                    None => kept.into(),
                });
            }
            Self::NoPop3 { .. } => "if there is a server after all, name it with `--server`",
            Self::NoServer { .. } => "name it: `--server pop3s://HOST`, or `pop3://HOST` for STLS",
            Self::NotUtf8 { .. } => "choose another path",
            Self::Nested(_) => "choose a folder that is not inside a Maildir",
            Self::OAuthAlone { .. } => {
                "`--client-id ID` names the program to sign in with; `popsync man config`, section \
                 OAUTH, tells how to get one"
            }
            Self::OthersPassword { host, .. } => {
                let hint = format!(
                    "say where the password for {host} comes from, with `--password-command` or \
                     `--password-file`"
                );
                return Some(hint.into());
            }
            Self::OtherDomain { server } => {
                return Some(format!("if that is right, say so: `--server {server}`").into());
            }
            Self::Terminal(_) => "give all settings as flags",
        };
        Some(hint.into())
    }

    fn snippet(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.snippet(),
            _ => None,
        }
    }
}
