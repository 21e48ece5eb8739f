//! `popsync login` and `popsync logout`: put secrets into the keyring, and remove them.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Read};
use std::sync::Arc;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use crate::account::{Account, OAuth, PasswordSource};
use crate::auth::oauth::{self, Flow, Invitation, SignIn};
use crate::auth::source::{self, Prompt, Unanswered};
use crate::auth::{self, keyring};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::patient::without_mark;
use crate::session::{self, Session};
use crate::stop::{Signal, Stop};
use crate::sync::system_clock;

use super::args::{Global, Login, Logout, NamedServer};
use super::output::{self, Output};
use super::prompt::Terminal;
use super::{configured, options, runtime, server};

/// The longest line read from standard input, as on a terminal.
const LIMIT: usize = 4096;

/// The reason why a login or a logout failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Auth(#[from] auth::Error),
    /// The user stopped it.
    #[error("interrupted by {0}")]
    Interrupted(Signal),
    #[error(transparent)]
    Session(#[from] session::Error),
    /// The configuration names another source.
    #[error("its password comes from `{key}`, not from the keyring")]
    Source { key: &'static str },
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Auth(error) => error.exit(),
            Self::Interrupted(signal) => signal.exit(),
            Self::Session(error) => error.exit(),
            Self::Source { .. } => Exit::Config,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Auth(error) => error.hint(),
            Self::Interrupted(_) => None,
            Self::Session(error) => error.hint(),
            Self::Source { key } => {
                let hint = format!(
                    "take `{key}` out of the configuration to have the password in the keyring"
                );
                Some(hint.into())
            }
        }
    }
}

impl From<source::Error> for Error {
    fn from(error: source::Error) -> Self {
        Self::Auth(error.into())
    }
}

impl From<oauth::Error> for Error {
    fn from(error: oauth::Error) -> Self {
        Self::Auth(error.into())
    }
}

impl From<keyring::Error> for Error {
    fn from(error: keyring::Error) -> Self {
        source::Error::from(error).into()
    }
}

/// Puts the password of an account into the keyring, or signs in.
pub(super) fn login(global: &Global, arguments: &Login) -> Exit {
    with_server(global, &arguments.server, async |account, output, stop| {
        tokio::select! {
            result = login_at(account, arguments, output, &stop) => result?,
            signal = stop.wait() => return Err(Error::Interrupted(signal)),
        }
        output.login_done(account, !arguments.no_test);
        Ok(())
    })
}

/// Removes the secret.
pub(super) fn logout(global: &Global, arguments: &Logout) -> Exit {
    with_server(global, &arguments.server, async |account, output, _| {
        let removed = match &account.password {
            PasswordSource::OAuth(oauth) => oauth::sign_out(account, oauth).await?,
            _ => keyring::remove(&keyring::Entry::password(account)).await?,
        };
        output.logout_done(account, removed);
        Ok(())
    })
}

/// Runs `action` for the account of this name, and reports the result.
pub(super) fn with_account(
    global: &Global,
    name: &str,
    action: impl AsyncFnOnce(&Account, &Arc<Output>, Stop) -> Result<(), Error>,
) -> Exit {
    let account = configured(global, name).map_err(server::Error::from);
    with(global, account, action)
}

/// The same for an account of the configuration, or a server by its URL.
fn with_server(
    global: &Global,
    named: &NamedServer,
    action: impl AsyncFnOnce(&Account, &Arc<Output>, Stop) -> Result<(), Error>,
) -> Exit {
    let account = server::account(global, &named.account, &named.flags);
    with(global, account, action)
}

fn with(
    global: &Global,
    account: Result<Account, server::Error>,
    action: impl AsyncFnOnce(&Account, &Arc<Output>, Stop) -> Result<(), Error>,
) -> Exit {
    let output = Arc::new(Output::standard(options(global, false)));
    output::log::start(global.verbose, &output);
    let exit = match account {
        Ok(account) => runtime::within(&output, 1, async |stop| {
            match action(&account, &output, stop).await {
                Ok(()) => Exit::Success,
                Err(error) => output.failure(Some(&account.name), &error),
            }
        }),
        Err(error) => output.failure(None, &error),
    };
    exit.merge(output.finish())
}

async fn login_at(
    account: &Account,
    arguments: &Login,
    output: &Arc<Output>,
    stop: &Stop,
) -> Result<(), Error> {
    let test = !arguments.no_test;
    match &account.password {
        PasswordSource::OAuth(oauth) => {
            let flow = arguments.browser.then_some(Flow::Browser);
            sign_in(account, oauth, flow, test, output).await
        }
        _ => store(account, test, output, stop).await,
    }
}

/// Lets a person sign in, and stores the tokens. If the server refuses them, that is an error. If
/// it cannot be reached, the tokens are still stored, so that the person need not sign in again.
pub(super) async fn sign_in(
    account: &Account,
    oauth: &OAuth,
    flow: Option<Flow>,
    test: bool,
    output: &Arc<Output>,
) -> Result<(), Error> {
    let person = Invitations {
        account: &account.name,
        output,
    };
    let signed_in = oauth::sign_in(account, oauth, flow, &person, system_clock).await?;
    let tested = match test {
        true => tried(account, signed_in.access_token()).await,
        false => Ok(()),
    };
    if !matches!(&tested, Err(error) if error.exit() == Exit::NoPermission) {
        signed_in.keep().await?;
    }
    Ok(tested?)
}

/// One login, without asking anybody.
async fn tried(account: &Account, secret: &SecretString) -> Result<(), session::Error> {
    let mut session = Session::begin(account, secret, None, |_| {}).await?;
    session.quit().await?
}

/// Shows the address to sign in at.
struct Invitations<'a> {
    account: &'a str,
    output: &'a Output,
}

impl SignIn for Invitations<'_> {
    fn invite(&self, invitation: &Invitation<'_>) {
        self.output.invited(self.account, invitation);
    }
}

async fn store(
    account: &Account,
    test: bool,
    output: &Arc<Output>,
    stop: &Stop,
) -> Result<(), Error> {
    if let Some(key) = account.password.key() {
        return Err(Error::Source { key });
    }
    let entry = keyring::Entry::password(account);
    // Before anybody types a password: a keyring that cannot be read cannot store it.
    keyring::get(&entry).await?;
    let terminal = Terminal::new(Arc::clone(output), stop.clone());
    if test && terminal.is_there() {
        Session::greet(account).await?;
    }
    let password = asked(account, &terminal)?;
    if test {
        tried(account, &password).await?;
    }
    Ok(keyring::set(&entry, &password).await?)
}

/// The password, from the terminal or from standard input.
pub(super) fn asked(account: &Account, terminal: &Terminal) -> Result<SecretString, source::Error> {
    if io::stdin().is_terminal() {
        source::asked(account, terminal, source::Origin::Prompt)
    } else {
        source::asked(account, &Input, source::Origin::Input)
    }
}

/// Standard input that is not a terminal: its first line is the password.
struct Input;

impl Prompt for Input {
    fn is_there(&self) -> bool {
        true
    }

    fn password(&self, _: &Account) -> Result<SecretString, Unanswered> {
        // Never grown: a buffer that grows leaves a copy behind.
        let mut buffer = Zeroizing::new([0; LIMIT]);
        let mut filled = 0;
        let mut input = io::stdin().lock();
        while filled < buffer.len() && !buffer[..filled].contains(&b'\n') {
            match input.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let line = without_mark(&buffer[..filled])
            .split(|octet| *octet == b'\n')
            .next();
        let line = line.unwrap_or(&[]);
        let text = str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line))
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))?;
        Ok(SecretString::from(Box::<str>::from(text)))
    }
}
