//! The sources of a password: `password-command`, `password-file` or `password-netrc`; where the
//! account names none, the keyring, else a systemd credential, else `POPSYNC_PASSWORD`, else a
//! person. [`password`](super::password()) asks the one that the account is set to.
//!
//! Every buffer that held a password is overwritten before it is freed.

use std::io;
use std::path::Path;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::argument;
use crate::account::{Account, AuthMethod};
use crate::patient::without_mark;
use crate::stop::Signal;

mod command;
mod credential;
mod error;
mod file;
mod netrc;
pub(super) mod unnamed;

pub use error::{Error, Origin};

/// The variable with the password of accounts that name no source.
pub(crate) const ENVIRONMENT: &str = "POPSYNC_PASSWORD";

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

/// The first line that the command of this key prints.
pub(super) async fn printed(line: &str, key: &'static str) -> Result<SecretString, Error> {
    let output = command::output(line, key, TIME_OUT).await?;
    first_line(output, Origin::Command(key))
}

/// The first line of the account's `password-file`.
pub(super) async fn filed(path: &Path, account: &Account) -> Result<SecretString, Error> {
    let content = file::content(path.to_owned(), account.timeout).await?;
    first_line(content, Origin::File(path.to_owned()))
}

/// The password that the account's `password-netrc` has for it.
pub(super) async fn noted(path: &Path, account: &Account) -> Result<SecretString, Error> {
    let content = netrc::content(path.to_owned(), account, account.timeout).await?;
    checked(&content, Origin::Netrc(path.to_owned()))
}

/// Asks for the account's password, where there is no other source; it is `origin` that answers.
///
/// # Errors
/// See [`Error`]; none of them tells anything of the password.
pub(crate) fn asked(
    account: &Account,
    prompt: &dyn Prompt,
    origin: Origin,
) -> Result<SecretString, Error> {
    let password = ask(account, prompt, origin.clone())?;
    fitting(account, password, origin)
}

/// The password, where the account's way to log in can carry it.
pub(super) fn fitting(
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
