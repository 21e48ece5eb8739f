//! An account of the configuration, or a server by its URL, for commands that accept both.

use std::borrow::Cow;

use crate::account::Account;
use crate::config::{self, Base};
use crate::exit::Exit;
use crate::failure::Failure;

use super::args::{Global, ServerFlags};
use super::configured;

/// The reason why there is no account.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Config(#[from] config::Error),
    /// This flag describes a server, and none was named.
    #[error("{flag}: `{named}` is not a URL")]
    Needless { flag: String, named: String },
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(error) => error.exit(),
            Self::Needless { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Config(error) => error.hint(),
            Self::Needless { .. } => Some(
                "the settings of an account are in the configuration file; a URL begins with \
                 `pop3s://` or `pop3://`"
                    .into(),
            ),
        }
    }

    fn snippet(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.snippet(),
            Self::Needless { .. } => None,
        }
    }
}

/// The account of this name, or the one that a URL and its flags describe.
pub(super) fn account(global: &Global, named: &str, flags: &ServerFlags) -> Result<Account, Error> {
    if named.contains("://") {
        let account = config::account_without_store(named, flags.given(), &Base::current());
        return Ok(account?);
    }
    match flags.given().first() {
        Some(flag) => Err(Error::Needless {
            flag: flag.name(),
            named: named.to_owned(),
        }),
        None => Ok(configured(global, named)?),
    }
}
