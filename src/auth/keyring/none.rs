//! Replaces the keyring in a popsync that was built without it.

use secrecy::SecretString;

use super::Error;

pub(super) fn get(_service: &str, _user: &str) -> Result<Option<SecretString>, Error> {
    Err(Error::NotBuilt)
}

pub(super) fn set(_service: &str, _user: &str, _secret: &SecretString) -> Result<(), Error> {
    Err(Error::NotBuilt)
}

pub(super) fn remove(_service: &str, _user: &str) -> Result<bool, Error> {
    Err(Error::NotBuilt)
}
