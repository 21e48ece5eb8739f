//! The system's keyring: the Secret Service on Linux, Keychain on macOS, the Credential Manager
//! on Windows.
//!
//! An entry belongs to a user at a host, and not to a name in the configuration: if an account is
//! moved to another server, that server never gets the old one's password. Keyrings answer over a
//! bus and may ask a person, so every access runs on a thread of its own, with a time limit.
//! Without the feature `keyring`, every function reports that.

use std::borrow::Cow;
use std::io::{self, IsTerminal};
use std::time::Duration;

use secrecy::SecretString;
use tokio::time;

use crate::account::Account;
use crate::blocking;
use crate::exit::Exit;
use crate::failure::Failure;

#[cfg_attr(not(feature = "keyring"), path = "keyring/none.rs")]
mod system;

/// The time limit of the keyring if nobody can be asked.
const TIME_OUT: Duration = Duration::from_secs(10);

/// The time limit on a terminal, where the keyring may ask a person for its own password.
const UNLOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// The name of one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    service: &'static str,
    user: String,
}

impl Entry {
    /// The account's password.
    pub(crate) fn password(account: &Account) -> Self {
        Self::of("popsync", account)
    }

    /// The tokens of its OAuth provider.
    pub(crate) fn tokens(account: &Account) -> Self {
        Self::of("popsync-oauth", account)
    }

    fn of(service: &'static str, account: &Account) -> Self {
        Self {
            service,
            user: format!("{}@{}", account.user, account.identity.host),
        }
    }
}

/// The reason why the keyring cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is locked, and cannot ask anybody for its own password.
    #[error("the keyring is locked, and cannot ask here for its own password")]
    Locked,
    /// There is a bus, but no keyring on it.
    #[error("no keyring is installed or running")]
    NoService,
    /// There is no bus to find a keyring on.
    #[error("there is no D-Bus session here to find a keyring in")]
    NoSession,
    /// popsync was built without it.
    #[error("this popsync was built without the keyring")]
    NotBuilt,
    /// An error of another kind.
    #[error("the keyring failed")]
    Other {
        /// The error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Several entries have this name.
    #[error("the keyring has several passwords for this user and server")]
    Several,
    /// It did not answer.
    #[error("the keyring gave no answer within {} s", limit.as_secs())]
    TimedOut {
        /// How long popsync waited.
        limit: Duration,
    },
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        Exit::NoPermission
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Locked => {
                "log in to the desktop, which unlocks it; for scheduled runs use `password-command`, \
                 `password-file` or a systemd credential"
            }
            Self::NoService => {
                "install and start one, such as gnome-keyring or KWallet; or use \
                 `password-command` or `password-file`"
            }
            Self::NoSession => {
                "cron and system services reach the keyring only while you are logged in, or \
                 after `loginctl enable-linger`; else use `password-command`, `password-file` or \
                 a systemd credential"
            }
            Self::NotBuilt => {
                "build it with the feature `keyring`, or use `password-command` or \
                 `password-file`"
            }
            Self::Other { .. } | Self::TimedOut { .. } => {
                "see whether the keyring works; `password-command` and `password-file` do not need it"
            }
            Self::Several => {
                "remove them with the keyring's own program, such as Seahorse, then run \
                 `popsync login`"
            }
        };
        Some(hint.into())
    }
}

/// The secret of this name, if there is one.
///
/// # Errors
/// If the keyring cannot be asked.
pub(crate) async fn get(entry: &Entry) -> Result<Option<SecretString>, Error> {
    let entry = entry.clone();
    within_limits(move || system::get(entry.service, &entry.user)).await
}

/// Stores a secret under this name, and replaces an old one.
///
/// # Errors
/// If the keyring does not accept it.
pub(crate) async fn set(entry: &Entry, secret: &SecretString) -> Result<(), Error> {
    let (entry, secret) = (entry.clone(), secret.clone());
    within_limits(move || system::set(entry.service, &entry.user, &secret)).await
}

/// Removes the secret of this name. Returns false if there was none.
///
/// # Errors
/// If the keyring does not do it.
pub(crate) async fn remove(entry: &Entry) -> Result<bool, Error> {
    let entry = entry.clone();
    within_limits(move || system::remove(entry.service, &entry.user)).await
}

/// Runs `act` on a thread where it may block, for a limited time. A late result is dropped.
async fn within_limits<T: Send + 'static>(
    access: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let limit = if io::stdin().is_terminal() {
        UNLOCK_TIMEOUT
    } else {
        TIME_OUT
    };
    match time::timeout(limit, blocking::begin(access)).await {
        Ok(Ok(result)) => result,
        Ok(Err(join)) => Err(Error::Other {
            source: Box::new(join),
        }),
        Err(_) => Err(Error::TimedOut { limit }),
    }
}
