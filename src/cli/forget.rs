//! `popsync forget`: removes the records of a mailbox that is no longer in the configuration.

use std::borrow::Cow;
use std::path::Path;

use crate::cache::{self, AccountOverview, Cache, Lock};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::sync::system_clock;

use super::args::Global;
use super::output::Output;
use super::{accounts_if_any, options, state_dir, target};

/// Why nothing was forgotten.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The mailbox is still synced.
    #[error("`{name}` is in the configuration")]
    Configured { name: String },
    /// Several mailboxes are known by that name; their keys.
    #[error("several mailboxes are recorded as `{name}`")]
    Several { name: String, keys: Vec<String> },
    #[error(transparent)]
    Target(target::Error),
}

impl<E: Into<target::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Target(error.into())
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Configured { .. } | Self::Several { .. } => Exit::Usage,
            Self::Target(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Configured { name } => format!(
                "only mailboxes that are not synced can be forgotten; `popsync account remove {name}` \
                 takes it out of the configuration"
            ),
            Self::Several { keys, .. } => format!("say which one: {}", keys.join(", ")),
            Self::Target(error) => return error.hint(),
        };
        Some(hint.into())
    }

    fn snippet(&self) -> Option<String> {
        match self {
            Self::Configured { .. } | Self::Several { .. } => None,
            Self::Target(error) => error.snippet(),
        }
    }
}

/// Removes the records of the mailbox of this name.
pub(super) fn forget(global: &Global, name: &str) -> Exit {
    let output = Output::standard(options(global, false));
    let exit = match forgotten(global, name, &output) {
        Ok(()) => Exit::Success,
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

fn forgotten(global: &Global, name: &str, output: &Output) -> Result<(), Error> {
    let configured = accounts_if_any(global)?;
    let state_dir = state_dir(global)?;
    let known = match Cache::open_read_only(&state_dir)? {
        Some(cache) => cache.overview(system_clock())?,
        None => Vec::new(),
    };
    let is_meant = |account: &&AccountOverview| {
        account.name == name
            || account.key == name
            || format!("{}@{}", account.user, account.host) == name
    };
    let is_configured = |account: &&AccountOverview| {
        let identity = account.identity();
        configured.iter().any(|one| one.identity == identity)
    };
    let meant: Vec<_> = known.iter().filter(is_meant).collect();
    let left: Vec<_> = meant
        .iter()
        .copied()
        .filter(|account| !is_configured(account))
        .collect();
    match left[..] {
        [account] => {
            remove(&state_dir, account)?;
            output.forgotten(account);
            Ok(())
        }
        [] if meant.is_empty() && !configured.iter().any(|one| one.name == name) => {
            let name = name.to_owned();
            Err(target::Error::Unknown { name }.into())
        }
        [] => Err(Error::Configured {
            name: name.to_owned(),
        }),
        _ => Err(Error::Several {
            name: name.to_owned(),
            keys: left.iter().map(|account| account.key.clone()).collect(),
        }),
    }
}

/// Removes the records. No run may use them now, or begin meanwhile.
fn remove(state_dir: &Path, account: &AccountOverview) -> Result<(), cache::Error> {
    let _lock = Lock::acquire(state_dir, &account.identity())?;
    Cache::open(state_dir)?.forget(account.id)
}
