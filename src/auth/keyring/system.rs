//! The keyring of the system, through the crate `keyring`. Everything here blocks, and must not run
//! on a thread that drives tasks.

use std::env;
use std::path::Path;

use keyring::Entry;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::Error;

pub(super) fn get(service: &str, user: &str) -> Result<Option<SecretString>, Error> {
    let secret = match entry(service, user)?.get_secret() {
        Ok(secret) => Zeroizing::new(secret),
        Err(keyring::Error::NoEntry) => return Ok(None),
        Err(error) => return Err(of_crate(error)),
    };
    // Allocated once, with the full length: a buffer that grows leaves a copy behind.
    match str::from_utf8(&secret) {
        Ok(text) => Ok(Some(SecretString::from(Box::<str>::from(text)))),
        Err(error) => Err(Error::Other {
            source: Box::new(error),
        }),
    }
}

pub(super) fn set(service: &str, user: &str, secret: &SecretString) -> Result<(), Error> {
    let entry = entry(service, user)?;
    entry.set_password(secret.expose_secret()).map_err(of_crate)
}

pub(super) fn remove(service: &str, user: &str) -> Result<bool, Error> {
    match entry(service, user)?.delete_credential() {
        Ok(()) => Ok(true),
        Err(keyring::Error::NoEntry) => Ok(false),
        Err(error) => Err(of_crate(error)),
    }
}

fn entry(service: &str, user: &str) -> Result<Entry, Error> {
    if !may_have_bus() {
        return Err(Error::NoSession);
    }
    Entry::new(service, user).map_err(of_crate)
}

/// True if there may be a bus. The D-Bus library is not asked, because it would start a thread to
/// find out. Without the variable it takes the bus that systemd starts for every user who logs in,
/// and so do cron jobs of a user who is logged in or lingers.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn may_have_bus() -> bool {
    if env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty()) {
        return true;
    }
    let user = rustix::process::geteuid().as_raw();
    let of_user = format!("/run/user/{user}/bus");
    let of_session = env::var_os("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("bus"));
    Path::new(&of_user).exists() || of_session.is_some_and(|path| path.exists())
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
fn may_have_bus() -> bool {
    true
}

/// The error for one of the D-Bus library. Its error types are not accessible here, so the
/// text must do.
fn of_crate(error: keyring::Error) -> Error {
    match error {
        keyring::Error::NoStorageAccess(_) => Error::Locked,
        keyring::Error::Ambiguous(_) => Error::Several,
        // The cause is in the first access of this process.
        keyring::Error::NoDefaultStore => match Entry::store_status() {
            Err(keyring::Error::PlatformFailure(cause)) => {
                connection(&format!("{cause:?}"), &**cause)
            }
            Err(other) => text(other),
            Ok(()) => text(&keyring::Error::NoDefaultStore),
        },
        // These errors would contain the secret.
        keyring::Error::BadEncoding(_) => text("what it holds is no text"),
        keyring::Error::BadDataFormat(_, cause) => Error::Other { source: cause },
        keyring::Error::PlatformFailure(cause) => {
            let all = format!("{cause:?}");
            match connection(&all, &*cause) {
                Error::Other { .. } => Error::Other { source: cause },
                known => known,
            }
        }
        other => text(&other),
    }
}

/// A failure of the bus. `all` is everything that is known of it.
fn connection(all: &str, cause: &dyn std::error::Error) -> Error {
    let has = |names: &[&str]| names.iter().any(|name| all.contains(name));
    if has(&["ServiceUnknown", "NameHasNoOwner", "Error.Spawn"]) {
        Error::NoService
    } else if has(&["Connection(", "Address(", "Handshake(", "InputOutput("]) {
        Error::NoSession
    } else {
        text(cause)
    }
}

fn text(error: impl ToString) -> Error {
    Error::Other {
        source: error.to_string().into(),
    }
}
