//! Replaces the keyring in a popsync that was built without it.

use secrecy::SecretString;

use super::Fault;

pub(super) fn get(_service: &str, _user: &str) -> Result<Option<SecretString>, Fault> {
    Err(Fault::NotBuilt)
}

pub(super) fn set(_service: &str, _user: &str, _secret: &SecretString) -> Result<(), Fault> {
    Err(Fault::NotBuilt)
}

pub(super) fn remove(_service: &str, _user: &str) -> Result<bool, Fault> {
    Err(Fault::NotBuilt)
}
