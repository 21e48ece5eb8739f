//! An account by its name, for commands that need its records and no server: one of the
//! configuration, or one that `popsync fetch` recorded.

use std::path::{Path, PathBuf};

use crate::account::{Account, Identity, Retention};
use crate::cache::{self, Cache};
use crate::config;
use crate::exit::Exit;
use crate::sync::{Remains, system_clock};

use super::args::Global;
use super::output::Output;
use super::{accounts_if_any, state_dir};

/// An account.
pub(super) struct Target {
    pub(super) identity: Identity,
    pub(super) state_dir: PathBuf,
    maildir: Option<PathBuf>,
    retention: Option<Retention>,
}

/// The reason why there is none.
pub(super) enum Failure {
    Cache(cache::Error),
    Config(config::Error),
    Unknown,
}

impl From<cache::Error> for Failure {
    fn from(error: cache::Error) -> Self {
        Self::Cache(error)
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::Config(error)
    }
}

impl Failure {
    /// Prints the error.
    pub(super) fn tell(&self, output: &Output, name: &str) -> Exit {
        match self {
            Self::Cache(error) => output.cache_error(error),
            Self::Config(error) => output.config_error(error),
            Self::Unknown => {
                output.problem(None, &format!("nothing is known of an account `{name}`"));
                output.hint(Some(
                    "accounts are those of the configuration and those that `popsync status --all` shows",
                ));
                Exit::Usage
            }
        }
    }
}

impl Target {
    /// Finds the account of this name.
    pub(super) fn find(global: &Global, name: &str) -> Result<Self, Failure> {
        let state_dir = state_dir(global)?;
        let mut accounts = accounts_if_any(global)?.into_iter();
        if let Some(account) = accounts.find(|account| account.name == name) {
            return Ok(Self::configured(account, state_dir));
        }
        let Some(cache) = Cache::open_read_only(&state_dir)? else {
            return Err(Failure::Unknown);
        };
        let mut accounts = cache.overview(system_clock())?.into_iter();
        let found = accounts
            .find(|account| account.name == name)
            .ok_or(Failure::Unknown)?;
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
