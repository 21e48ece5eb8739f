//! One connection to a server: dialling, TLS, login, commands, time-outs.
//!
//! The methods are named after the commands. What octets mean is for [`crate::pop3`] to say;
//! this layer moves them, never waits without a deadline, and keeps client and server in step:
//! after every reply the input is empty, and anything else ends the session without another
//! command.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::account::{Account, Security};
use crate::auth::binding::ChannelBindings;
use crate::auth::secrets::Secrets;
use crate::pop3::{self, Capabilities, Command, Connection, Event, Keyword, MessageNumber, Tap};

mod awaited;
pub mod certificate;
mod der;
mod dial;
mod dialogue;
mod error;
mod farewell;
mod listings;
mod login;
mod pace;
mod password;
mod pipeline;
mod proxy;
mod refusal;
mod sasl;
mod single;
mod tls;
mod watch;
mod wire;

pub use awaited::Awaited;
pub use dial::Address;
pub use error::Error;
pub use listings::Listing;
pub use password::password;
pub use pipeline::{Sink, Wanted};
pub use proxy::ProxyFault;
pub use refusal::Refusal;
pub use tls::{CertificateFault, ClientFault, Distrust, RootsFault, TlsFault};
pub use watch::Watch;

use pace::Pace;
use wire::{Bulk, WIRE};

/// How many octets of decrypted input are taken at a time.
pub const INPUT_SIZE: usize = 64 * 1024;

/// How long the session may lie idle before the server is reminded of us. Servers that cut idle
/// sessions after a minute exist.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long the end of a connection may take behind the server's last words.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A bidirectional stream of octets.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A session with a POP3 server. Dropping it closes the connection without QUIT: nothing is
/// deleted then (RFC 1939 §6).
pub struct Session {
    stream: Box<dyn Stream>,
    connection: Connection,
    /// The text of the greeting.
    greeting: Vec<u8>,
    capabilities: Capabilities,
    /// CAPA was asked, had no positive answer, and nothing secret was said since: where the
    /// server hangs up, CAPA may be why, and a session without it is worth a try.
    snubbed: bool,
    /// What a login can be bound to; nothing without TLS.
    bindings: ChannelBindings,
    pace: Pace,
    /// `input[start..end]` is received and not yet read.
    input: Vec<u8>,
    start: usize,
    end: usize,
    output: Vec<u8>,
    /// The text of the last answer, where it was negative: where the server closes next, the
    /// reason.
    last_words: Option<String>,
    /// What no word of the server's is to repeat.
    secrets: Secrets,
    /// All commands of the current retrieval are on their way or answered.
    all_sent: bool,
    /// CAPA was asked again behind the login.
    has_asked_again: bool,
    /// No command goes out before the one before it was answered.
    is_one_by_one: bool,
    /// LIST was asked for, and has not had its whole answer: a break may be its doing.
    owes_sizes: bool,
    /// The part of a reply that the log counts instead of showing it.
    bulk: Bulk,
}

/// What the connection turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Who answered.
    pub address: Address,
    /// Protocol version and cipher suite; none on a plain connection.
    pub tls: Option<String>,
}

/// Why a session did not begin.
struct Unbegun {
    error: Error,
    /// CAPA may be why.
    for_capa: bool,
}

impl From<Error> for Unbegun {
    fn from(error: Error) -> Self {
        Self {
            error,
            for_capa: false,
        }
    }
}

impl Session {
    /// What a failure means for another attempt: some servers hang up on a command that they do
    /// not know, or once they have refused it (`XPOP3:C0005`).
    fn unbegun(&self, error: Error) -> Unbegun {
        let for_capa = match &error {
            Error::Lost { source, .. } if tls::wants_certificate(source).is_some() => false,
            error => self.snubbed && error.is_hang_up(),
        };
        Unbegun { error, for_capa }
    }

    /// Connects as the account says, up to the point where it may log in: greeting, and STLS
    /// where it is due. `capa` tells whether CAPA may be sent; `password` is only to be kept out
    /// of the log: the server may know it from the last time.
    async fn open(
        account: &Account,
        password: &SecretString,
        capa: bool,
        watch: Option<&Arc<dyn Watch>>,
    ) -> Result<(Self, Peer), Unbegun> {
        let server = &account.server;
        let connector = match server.security {
            Security::Plain => None,
            Security::ImplicitTls | Security::Stls => Some(tls::connector(account, watch).await?),
        };
        if let Some(watch) = watch {
            watch.dialling();
        }
        let (stream, address) = dial::dial(account).await?;
        if let Some(watch) = watch {
            watch.connected(&address);
        }
        let protected_by = |protection: String| {
            if let Some(watch) = watch {
                watch.protected(&protection);
            }
            Some(protection)
        };
        let mut peer = Peer { address, tls: None };
        let mut bindings = ChannelBindings::default();
        let mut stream = stream;
        if let (Security::ImplicitTls, Some(connector)) = (server.security, &connector) {
            let (protected, protection) = connector.handshake(stream, account.timeout).await?;
            stream = protected;
            peer.tls = protected_by(protection.words);
            bindings = protection.bindings;
        }
        let mut session = Self::over(stream, account.timeout);
        session.bindings = bindings;
        if account.profile.unstuffs_listings() {
            session.connection.unstuff_listings();
        }
        session.secrets.add(password.expose_secret().as_bytes());
        if let Some(watch) = watch {
            session.connection.tap(Arc::clone(watch) as Arc<dyn Tap>);
        }
        session.greeting().await?;
        if let (Security::Stls, Some(connector)) = (server.security, &connector) {
            let agreed = async {
                if capa {
                    session.capa().await?;
                }
                session.stls().await
            };
            let agreed = agreed.await;
            agreed.map_err(|error| session.unbegun(error))?;
            let plain = std::mem::replace(&mut session.stream, Box::new(tokio::io::empty()));
            let (protected, protection) = connector.handshake(plain, account.timeout).await?;
            session.stream = protected;
            peer.tls = protected_by(protection.words);
            session.bindings = protection.bindings;
            // RFC 2595 §4: whatever was learnt before the handshake may be a forgery.
            session.capabilities = Capabilities::default();
            session.last_words = None;
            session.snubbed = false;
        }
        Ok((session, peer))
    }

    fn over(stream: Box<dyn Stream>, timeout: Duration) -> Self {
        Self {
            stream,
            connection: Connection::default(),
            greeting: Vec::new(),
            capabilities: Capabilities::default(),
            snubbed: false,
            bindings: ChannelBindings::default(),
            pace: Pace::new(timeout),
            input: vec![0; INPUT_SIZE],
            start: 0,
            end: 0,
            output: Vec::new(),
            last_words: None,
            secrets: Secrets::default(),
            all_sent: false,
            has_asked_again: false,
            is_one_by_one: false,
            owes_sizes: false,
            bulk: Bulk::default(),
        }
    }

    async fn greeting(&mut self) -> Result<(), Error> {
        let mut text = Vec::new();
        let refusal = self
            .converse(|event| match event {
                Event::Greeting(response) if response.is_positive() => {
                    text = response.text().to_vec();
                    ControlFlow::Break(None)
                }
                Event::Greeting(response) => {
                    let refusal = Refusal::new(None, response);
                    ControlFlow::Break(Some(if response.is_foreign() {
                        Error::Foreign { line: refusal.text }
                    } else {
                        Error::Greeting(refusal)
                    }))
                }
                _ => ControlFlow::Continue(()),
            })
            .await?;
        self.greeting = text;
        refusal.map_or(Ok(()), Err)
    }

    /// Asks what the server can do. A server that does not know the command can do nothing
    /// beyond RFC 1939.
    async fn capa(&mut self) -> Result<(), Error> {
        self.send(&[Command::Capa]).await?;
        self.capa_reply().await
    }

    async fn capa_reply(&mut self) -> Result<(), Error> {
        let mut capabilities = Capabilities::default();
        let mut answered = false;
        self.converse(|event| match event {
            Event::Capability(line) => {
                capabilities.push(line);
                ControlFlow::Continue(())
            }
            Event::Reply(Keyword::Capa, response) if response.is_positive() => {
                answered = true;
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        })
        .await?;
        self.snubbed &= !answered;
        // They are logged, shown and kept.
        self.capabilities = capabilities.shown(|line| self.secrets.without_in(line));
        let lines = self.capabilities.lines().join(", ");
        tracing::debug!("the server can do {}", pop3::Printable(lines.as_bytes()));
        Ok(())
    }

    async fn stls(&mut self) -> Result<(), Error> {
        // Sent whether it was announced or not: an answer of the server's is better than a
        // capability list that anybody on the way could have changed.
        match self.command(Command::Stls).await {
            Ok(answer) => answer.map_err(Error::StlsRefused),
            Err(Error::Protocol {
                fault: pop3::Error::Leftover { text },
                ..
            }) => Err(Error::StlsInjected { text }),
            Err(error) => Err(error),
        }
    }

    /// The server's capabilities, without our secrets.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Ends the session in good order. Only its success makes deletions more than a wish, and
    /// even then not a certainty (`XPOP3:V0006`). Gives whether the server had no more to say: one
    /// that does was out of step, perhaps since long, and a message that it cut short goes on
    /// there.
    ///
    /// # Errors
    /// [`Error::Refused`] where the server could not remove what was deleted.
    pub async fn quit(&mut self) -> Result<Result<(), Error>, Error> {
        self.send(&[Command::Quit]).await?;
        let mut answer = None;
        let read = self
            .converse(|event| match event {
                Event::Reply(_, response) => {
                    answer = Some(match response.is_positive() {
                        true => Ok(()),
                        false => Err(Refusal::new(Some(Keyword::Quit), response)),
                    });
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            })
            .await;
        match (answer, read) {
            (Some(Err(refusal)), _) => Err(Error::Refused(refusal)),
            (Some(Ok(())), Err(error)) => Ok(Err(error)),
            (Some(Ok(())), Ok(())) => Ok(self.end_of_stream().await),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Ok(Ok(())),
        }
    }

    /// Reads to the end of the stream behind the answer to QUIT. A server that does not close, or
    /// closes in bad order, has said no more.
    async fn end_of_stream(&mut self) -> Result<(), Error> {
        if self.start < self.end {
            self.drain(&mut |_| ControlFlow::<std::convert::Infallible>::Continue(()))?;
        }
        let limit = LAST_WORDS.min(self.pace.timeout());
        let Ok(Ok(octets @ 1..)) = timeout(limit, self.stream.read(&mut self.input)).await else {
            return Ok(());
        };
        (self.start, self.end) = (0, octets);
        self.drain(&mut |_| ControlFlow::<std::convert::Infallible>::Continue(()))?;
        Ok(())
    }

    /// Waits for `work` of ours, and keeps the server from thinking that we are gone.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn keep_alive_while<F: Future>(&mut self, work: F) -> Result<F::Output, Error> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep(KEEP_ALIVE) => {
                    // OPOP3:C0029: a refusal would mean that something is wrong; what follows
                    // will show what.
                    let _ = self.command(Command::Noop).await?;
                }
            }
        }
    }

    /// Ends the session in good order without waiting for the answer, where nothing depends on
    /// it: nothing was deleted.
    ///
    /// # Errors
    /// Those of the connection, which mean nothing any more.
    pub async fn leave(&mut self) -> Result<(), Error> {
        self.send(&[Command::Quit]).await?;
        let limit = self.pace.timeout();
        match pace::within(limit, self.stream.shutdown()).await {
            Some(Ok(())) => Ok(()),
            Some(Err(source)) => Err(self.lost(source)),
            None => Err(Error::TimedOut {
                awaited: Awaited::Sending,
                after: limit,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
