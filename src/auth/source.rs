//! The source of an account's password.
//!
//! `password-command`, `password-file` or `password-netrc`. If the account names none: the keyring,
//! else a systemd credential, else `POPSYNC_PASSWORD`, else a person is asked. The password is
//! fetched before the connection is opened: Exchange closes a session that is not logged in after
//! 60 seconds, and a person or a smart card may take longer. Every buffer that held a password is
//! overwritten before it is freed.

use std::io;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::argument;
use super::error::{Error, Origin};
use super::oauth;
use crate::account::{Account, AuthMethod, PasswordSource};
use crate::patient::without_mark;
use crate::stop::Signal;

mod command;
mod credential;
mod file;
mod netrc;
mod unnamed;

/// The variable with the password of accounts that name no source.
pub const ENVIRONMENT: &str = "POPSYNC_PASSWORD";

/// The maximum that is read from a command or a file.
const LIMIT: usize = 64 * 1024;

/// The time limit for a command, which may ask a person. For files, which may be pipes, the
/// account's time-out applies.
const TIME_OUT: Duration = Duration::from_secs(60);

/// Asks a person.
pub trait Prompt: Send + Sync {
    /// True if somebody is there to ask.
    fn is_there(&self) -> bool;

    /// Asks for the account's password, without showing what is typed. May block.
    ///
    /// # Errors
    /// See [`Unanswered`].
    fn password(&self, account: &Account) -> Result<SecretString, Unanswered>;
}

/// The reason why a person who is there gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// The terminal failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A signal stopped popsync.
    #[error("interrupted by {0}")]
    Stopped(Signal),
}

/// Gets the account's password, or access token. The account's way to log in can carry it. It is
/// empty only if that way needs none. `before_asking` is called before a person is asked; if it
/// fails, nobody is asked.
///
/// # Errors
/// See [`Error`]; none of them reveals anything of the password. Those of `before_asking`.
pub async fn password<E: From<Error>>(
    account: &Account,
    prompt: &dyn Prompt,
    before_asking: impl AsyncFnOnce() -> Result<(), E>,
) -> Result<SecretString, E> {
    if !account.auth.takes_secret() {
        return Ok(SecretString::from(""));
    }
    let (password, origin) = match &account.password {
        PasswordSource::Command(line) => {
            let key = "password-command";
            (printed(line, key).await?, Origin::Command(key))
        }
        PasswordSource::TokenCommand(line) => {
            let key = "oauth-token-command";
            (printed(line, key).await?, Origin::Command(key))
        }
        PasswordSource::OAuth(oauth) => {
            let now = jiff::Timestamp::now().as_second();
            let token = oauth::access_token(account, oauth, now).await;
            return Ok(token.map_err(|fault| Error::oauth(account, fault))?);
        }
        PasswordSource::File(path) => {
            let content = file::content(path.clone(), account.timeout).await?;
            let origin = Origin::File(path.clone());
            (first_line(content, origin.clone())?, origin)
        }
        PasswordSource::Netrc(path) => {
            let content = netrc::content(path.clone(), account, account.timeout).await?;
            let origin = Origin::Netrc(path.clone());
            (checked(&content, origin.clone())?, origin)
        }
        PasswordSource::Ask => match unnamed::password(account).await? {
            Ok(found) => found,
            Err(_) if prompt.is_there() => {
                before_asking().await?;
                (ask(account, prompt, Origin::Prompt)?, Origin::Prompt)
            }
            // Some ways to log in need no password, and the server may have them.
            Err(_) if account.auth == AuthMethod::Auto => return Ok(SecretString::from("")),
            Err(keyring) => return Err(Error::NoSource { keyring }.into()),
        },
    };
    tracing::debug!("the password is from {origin}");
    Ok(fitting(account, password, origin)?)
}

/// Reports that the server refused the secret of [`password`]. A password may still be right. An
/// access token is replaced for the next run.
pub async fn refused(account: &Account, secret: &SecretString) {
    if let PasswordSource::OAuth(oauth) = &account.password {
        oauth::doubt(account, oauth, secret).await;
    }
}

/// The first line that the command of this key prints.
pub(super) async fn printed(line: &str, key: &'static str) -> Result<SecretString, Error> {
    let output = command::output(line, key, TIME_OUT).await?;
    first_line(output, Origin::Command(key))
}

/// Asks for the account's password, as [`password`] does if there is no other source. `origin`
/// names who answers.
///
/// # Errors
/// See [`Error`]; none of them reveals anything of the password.
pub fn asked(
    account: &Account,
    prompt: &dyn Prompt,
    origin: Origin,
) -> Result<SecretString, Error> {
    let password = ask(account, prompt, origin.clone())?;
    fitting(account, password, origin)
}

fn fitting(
    account: &Account,
    password: SecretString,
    origin: Origin,
) -> Result<SecretString, Error> {
    if account.auth.is_ascii()
        && let Err(byte) = argument::check(password.expose_secret().as_bytes())
    {
        return Err(Error::BadByte { origin, byte });
    }
    // APOP sends a digest of fixed length.
    if account.auth == AuthMethod::User && password.expose_secret().len() > argument::MAX {
        let limit = argument::MAX;
        return Err(Error::DoesNotFit { origin, limit });
    }
    Ok(password)
}

fn ask(account: &Account, prompt: &dyn Prompt, origin: Origin) -> Result<SecretString, Error> {
    // While a person is asked for one of several accounts, the others must go on.
    let several = Handle::try_current()
        .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    let answer = if several {
        tokio::task::block_in_place(|| prompt.password(account))
    } else {
        prompt.password(account)
    };
    match answer {
        Ok(secret) => checked(secret.expose_secret().as_bytes(), origin),
        Err(Unanswered::Stopped(signal)) => Err(Error::Interrupted(signal)),
        Err(Unanswered::Io(source)) => Err(Error::Prompt { source }),
    }
}

/// The first line, without its line end.
fn first_line(content: Zeroizing<Vec<u8>>, origin: Origin) -> Result<SecretString, Error> {
    let content = without_mark(&content);
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    if line.len() > LIMIT {
        return Err(Error::TooLong {
            origin,
            limit: LIMIT,
        });
    }
    checked(line.strip_suffix(b"\r").unwrap_or(line), origin)
}

fn checked(password: &[u8], origin: Origin) -> Result<SecretString, Error> {
    if password.is_empty() {
        return Err(Error::Empty { origin });
    }
    if let Err(byte) = argument::check_text(password) {
        return Err(Error::BadByte { origin, byte });
    }
    // Allocated once, with the full length: a buffer that grows leaves a copy behind.
    match str::from_utf8(password) {
        Ok(text) => Ok(SecretString::from(Box::<str>::from(text))),
        Err(_) => Err(Error::BadByte {
            origin,
            byte: argument::BadByte::NotUtf8,
        }),
    }
}

#[cfg(test)]
mod tests;
