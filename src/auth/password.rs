//! An account's password or access token, from its source.
//!
//! It is fetched before the connection is opened: Exchange closes a session that is not logged in
//! after 60 seconds, and a person or a smart card may take longer.

use secrecy::SecretString;

use super::source::{self, Origin, Prompt};
use super::{Error, keyring, oauth};
use crate::account::{Account, AuthMethod, PasswordSource};

/// Gets the account's password, or access token. The account's way to log in can carry it. It is
/// empty only if that way needs none. `before_asking` is called before a person is asked; if it
/// fails, nobody is asked.
///
/// # Errors
/// See [`Error`]; none of them reveals anything of the password. Those of `before_asking`.
pub(crate) async fn password<E: From<Error>>(
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
        // Some ways to log in need no password, and the server may have them.
        return Ok(SecretString::from(""));
    }
    Err(Error::from(source::Error::NoSource { keyring }).into())
}

/// Reports that the server refused the secret of [`password`]. A password may still be right. An
/// access token is replaced for the next run.
pub(crate) async fn refused(account: &Account, secret: &SecretString) {
    if let PasswordSource::OAuth(oauth) = &account.password {
        oauth::doubt(account, oauth, secret).await;
    }
}

/// The password or token, without asking a person. If there is none, returns why the keyring could
/// not be asked.
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
