//! The password of an account that names no source, without asking a person.

use std::env;
use std::os::unix::ffi::OsStringExt;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::{ENVIRONMENT, Error, Origin, TIME_OUT, checked, credential, first_line};
use crate::account::Account;
use crate::auth::keyring;

/// The keyring, else a systemd credential, else the environment. If none of them has it, returns
/// why the keyring could not be asked.
///
/// A keyring that cannot be asked does no harm if another source has a password. If none has, the
/// user should hear of the keyring.
pub(in crate::auth) async fn password(
    account: &Account,
) -> Result<Result<(SecretString, Origin), Option<keyring::Error>>, Error> {
    let error = match keyring::get(&keyring::Entry::password(account)).await {
        Ok(Some(secret)) => {
            let secret = checked(secret.expose_secret().as_bytes(), Origin::Keyring)?;
            return Ok(Ok((secret, Origin::Keyring)));
        }
        // A user of a popsync without the keyring does not expect a password there.
        Ok(None) | Err(keyring::Error::NotBuilt) => None,
        Err(error) => {
            tracing::debug!("no password from the keyring: {error}");
            Some(error)
        }
    };
    if let Some(path) = credential::path(account) {
        let origin = Origin::Credential(path.clone());
        if let Some(content) = credential::content(path, TIME_OUT).await? {
            return Ok(Ok((first_line(content, origin.clone())?, origin)));
        }
    }
    if let Some(value) = env::var_os(ENVIRONMENT) {
        let value = Zeroizing::new(value.into_vec());
        let secret = checked(&value, Origin::Environment)?;
        return Ok(Ok((secret, Origin::Environment)));
    }
    Ok(Err(error))
}
