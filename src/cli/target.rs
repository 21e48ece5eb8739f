//! An account by its name, for commands that need its records and no server: one of the
//! configuration, or one that `popsync fetch` recorded.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::account::{Account, Identity, Retention};
use crate::cache::{self, Cache};
use crate::config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::sync::{Remains, system_clock};

use super::args::Global;
use super::{accounts_if_any, state_dir};

/// An account.
pub(super) struct Target {
    pub(super) identity: Identity,
    pub(super) state_dir: PathBuf,
    maildir: Option<PathBuf>,
    retention: Option<Retention>,
}

/// The reason why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error(transparent)]
    Config(#[from] config::Error),
    /// No account has this name.
    #[error("no account `{name}` is known")]
    Unknown { name: String },
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Cache(error) => error.exit(),
            Self::Config(error) => error.exit(),
            Self::Unknown { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Cache(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Unknown { .. } => Some(
                "accounts are those of the configuration and those that `popsync status --all` shows"
                    .into(),
            ),
        }
    }

    fn snippet(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.snippet(),
            Self::Cache(_) | Self::Unknown { .. } => None,
        }
    }
}

impl Target {
    /// Finds the account of this name.
    pub(super) fn find(global: &Global, name: &str) -> Result<Self, Error> {
        let state_dir = state_dir(global)?;
        let unknown = || Error::Unknown {
            name: name.to_owned(),
        };
        let mut accounts = accounts_if_any(global)?.into_iter();
        if let Some(account) = accounts.find(|account| account.name == name) {
            return Ok(Self::configured(account, state_dir));
        }
        let Some(cache) = Cache::open_read_only(&state_dir)? else {
            return Err(unknown());
        };
        let mut accounts = cache.overview(system_clock())?.into_iter();
        let found = accounts
            .find(|account| account.name == name)
            .ok_or_else(unknown)?;
        Ok(Self {
            identity: Identity {
                key: found.key,
                host: found.host,
                user: found.user,
            },
            state_dir,
            maildir: Some(found.store.into()),
            retention: None,
        })
    }

    fn configured(account: Account, state_dir: PathBuf) -> Self {
        Self {
            maildir: account.store.maildir().map(Path::to_owned),
            retention: Some(account.retention),
            identity: account.identity,
            state_dir,
        }
    }

    /// The state that its syncs have left.
    pub(super) fn remains(&self) -> Remains<'_> {
        Remains {
            state_dir: &self.state_dir,
            identity: &self.identity,
            maildir: self.maildir.as_deref(),
            retention: self.retention,
        }
    }
}
