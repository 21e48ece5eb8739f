//! The password of an account that names no source of its own.

use std::env;
use std::os::unix::ffi::OsStringExt;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::{ENVIRONMENT, Prompt, TIME_OUT, ask, checked, credential, first_line};
use crate::account::Account;
use crate::auth::error::{Error, Origin};
use crate::auth::keyring;

/// The keyring, else a systemd credential, else the environment, else a person.
///
/// A keyring that cannot be asked ends nothing while another source has a password; where none
/// has, it is the keyring that the user should hear of.
pub(super) async fn password(
    account: &Account,
    prompt: &dyn Prompt,
) -> Result<(SecretString, Origin), Error> {
    let fault = match keyring::get(&keyring::Entry::password(account)).await {
        Ok(Some(secret)) => {
            let secret = checked(secret.expose_secret().as_bytes(), Origin::Keyring)?;
            return Ok((secret, Origin::Keyring));
        }
        // Who built popsync without it does not look for a password there.
        Ok(None) | Err(keyring::Fault::NotBuilt) => None,
        Err(fault) => {
            tracing::debug!("no password from the keyring: {fault}");
            Some(fault)
        }
    };
    if let Some(path) = credential::path(account) {
        let origin = Origin::Credential(path.clone());
        if let Some(content) = credential::content(path, TIME_OUT).await? {
            return Ok((first_line(content, origin.clone())?, origin));
        }
    }
    if let Some(value) = env::var_os(ENVIRONMENT) {
        let value = Zeroizing::new(value.into_vec());
        return Ok((checked(&value, Origin::Environment)?, Origin::Environment));
    }
    match ask(account, prompt, Origin::Prompt) {
        Ok(secret) => Ok((secret, Origin::Prompt)),
        Err(Error::NoSource { .. }) => Err(Error::NoSource { keyring: fault }),
        Err(error) => Err(error),
    }
}
