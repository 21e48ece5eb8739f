//! One connection to a server: dialling, TLS, login, commands, time-outs.
//!
//! The methods are named after the commands. What octets mean is for [`crate::pop3`] to say;
//! this layer moves them, never waits without a deadline, and keeps client and server in step:
//! after every reply the input is empty, and anything else ends the session without another
//! command.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::auth::binding::ChannelBindings;
use crate::pop3::{self, Capabilities, Command, Event, Keyword, MessageNumber};

mod awaited;
pub(crate) mod certificate;
mod der;
mod dial;
mod dialogue;
mod error;
mod farewell;
mod listings;
mod login;
mod open;
mod pace;
mod password;
mod pipeline;
mod pipelining;
mod proxy;
mod refusal;
mod sasl;
mod single;
mod tls;
mod watch;

pub use awaited::Awaited;
pub use dial::Address;
pub(crate) use dialogue::INPUT_SIZE;
pub use error::Error;
pub(crate) use listings::Listing;
pub use open::Peer;
pub(crate) use password::password;
pub(crate) use pipeline::{Sink, Wanted};
pub use proxy::ProxyError;
pub use refusal::Refusal;
pub use tls::{
    CertificateDefect, CertificateError, ClientCertificateError, HandshakeError, RootsError,
};
pub(crate) use watch::Watch;

use dialogue::Dialogue;
use pipeline::Flight;

/// A bidirectional stream of octets.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A session with a POP3 server. Dropping it closes the connection without QUIT: nothing is
/// deleted then (RFC 1939 §6).
pub struct Session {
    dialogue: Dialogue,
    /// The text of the greeting.
    greeting: Vec<u8>,
    capabilities: Capabilities,
    /// The channel bindings that a login can use; none without TLS.
    bindings: ChannelBindings,
    flight: Flight,
    /// LIST was asked for, and has not had its whole answer: a break may be its doing.
    owes_sizes: bool,
}

impl Session {
    fn over(stream: Box<dyn Stream>, timeout: Duration) -> Self {
        Self {
            dialogue: Dialogue::over(stream, timeout),
            greeting: Vec::new(),
            capabilities: Capabilities::default(),
            bindings: ChannelBindings::default(),
            flight: Flight::default(),
            owes_sizes: false,
        }
    }

    /// Asks what the server can do. A server that does not know the command can do nothing
    /// beyond RFC 1939.
    async fn capa(&mut self) -> Result<(), Error> {
        self.dialogue.send(&[Command::Capa]).await?;
        self.capa_reply().await
    }

    async fn capa_reply(&mut self) -> Result<(), Error> {
        let mut capabilities = Capabilities::default();
        self.dialogue
            .converse(|event| match event {
                Event::Capability(line) => {
                    capabilities.push(line);
                    ControlFlow::Continue(())
                }
                Event::Reply(Keyword::Capa, response) if response.is_positive() => {
                    ControlFlow::Continue(())
                }
                Event::Blank => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            })
            .await?;
        // They are logged, shown and kept.
        self.capabilities = capabilities.shown(|line| self.dialogue.secrets().without_in(line));
        let lines = self.capabilities.lines().join(", ");
        tracing::debug!("the server can do {}", pop3::Printable(lines.as_bytes()));
        Ok(())
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
        self.dialogue.send(&[Command::Quit]).await?;
        let mut answer = None;
        let read = self
            .dialogue
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
            (Some(Ok(())), Ok(())) => Ok(self.dialogue.end_of_stream().await),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Ok(Ok(())),
        }
    }

    /// Waits for `work` of ours, and keeps the server from thinking that we are gone.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn keep_alive_while<F: Future>(&mut self, work: F) -> Result<F::Output, Error> {
        self.dialogue.keep_alive_while(work).await
    }

    /// Ends the session in good order without waiting for the answer, where nothing depends on
    /// it: nothing was deleted.
    ///
    /// # Errors
    /// Those of the connection, which mean nothing any more.
    pub async fn leave(&mut self) -> Result<(), Error> {
        self.dialogue.send(&[Command::Quit]).await?;
        self.dialogue.shut_down().await
    }
}

#[cfg(test)]
mod tests;
