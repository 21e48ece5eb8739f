//! An account's password or access token, from wherever the account has it.
//!
//! It is fetched before the server is dialled: Exchange closes a session that is not logged in
//! after 60 seconds, and a person or a smart card may take longer.

use secrecy::SecretString;

use super::source::{self, Origin, Prompt};
use super::{Error, keyring, oauth};
use crate::account::{Account, AuthMethod, PasswordSource};

/// Gets the account's password, or access token. It is not empty, unless the account's way to log
/// in takes none, and can carry what there is. `before_asking` comes before a person is asked, and
/// nobody is where it fails.
///
/// # Errors
/// See [`Error`]; none of them tells anything of the password. Those of `before_asking`.
pub async fn password<E: From<Error>>(
    account: &Account,
    prompt: &dyn Prompt,
    before_asking: impl AsyncFnOnce() -> Result<(), E>,
) -> Result<SecretString, E> {
    if !account.auth.takes_secret() {
        return Ok(SecretString::from(""));
    }
    let keyring = match unasked(account).await? {
        Ok(secret) => return Ok(secret),
        Err(keyring) => keyring,
    };
    if prompt.is_there() {
        before_asking().await?;
        let typed = source::asked(account, prompt, Origin::Prompt).map_err(Error::from)?;
        tracing::debug!("the password is from {}", Origin::Prompt);
        return Ok(typed);
    }
    if account.auth == AuthMethod::Auto {
        // There are ways to log in without one, and the server may have them.
        return Ok(SecretString::from(""));
    }
    Err(Error::from(source::Error::NoSource { keyring }).into())
}

/// Hears that the server refused what [`password`] gave. A password may be right all the same; a
/// token is replaced by a new one for the next run.
pub async fn refused(account: &Account, secret: &SecretString) {
    if let PasswordSource::OAuth(oauth) = &account.password {
        oauth::doubt(account, oauth, secret).await;
    }
}

/// The password or token that is to be had without asking a person; where there is none, why the
/// keyring could not be asked.
async fn unasked(account: &Account) -> Result<Result<SecretString, Option<keyring::Error>>, Error> {
    let (password, origin) = match &account.password {
        PasswordSource::OAuth(oauth) => {
            let now = jiff::Timestamp::now().as_second();
            return Ok(Ok(oauth::access_token(account, oauth, now).await?));
        }
        PasswordSource::Command(line) => {
            let key = "password-command";
            (source::printed(line, key).await?, Origin::Command(key))
        }
        PasswordSource::TokenCommand(line) => {
            let key = "oauth-token-command";
            (source::printed(line, key).await?, Origin::Command(key))
        }
        PasswordSource::File(path) => (
            source::filed(path, account).await?,
            Origin::File(path.clone()),
        ),
        PasswordSource::Netrc(path) => (
            source::noted(path, account).await?,
            Origin::Netrc(path.clone()),
        ),
        PasswordSource::Ask => match source::unnamed::password(account).await? {
            Ok(found) => found,
            Err(keyring) => return Ok(Err(keyring)),
        },
    };
    tracing::debug!("the password is from {origin}");
    Ok(Ok(source::fitting(account, password, origin)?))
}
