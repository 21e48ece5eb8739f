//! GSSAPI (RFC 4752): Kerberos, from the ticket that the user has.
//!
//! Client and server prove their identity to each other by the ticket. Then they agree on a layer
//! that protects the session. popsync chooses none, because TLS does that.

use super::mechanism::{Mechanism, Message};
use super::sasl_error::SaslError;

#[cfg(feature = "gssapi")]
mod library;

/// No layer (RFC 4752 §3.1).
const NO_LAYER: u8 = 1;

/// One side of an exchange of tokens that proves both sides' identity (RFC 2743).
pub(crate) trait SecurityContext: Send {
    /// Takes the server's token, none at the beginning. Returns the client's token, which may be
    /// empty, and true if the proof is complete.
    ///
    /// # Errors
    /// [`SaslError::Kerberos`].
    fn step(&mut self, token: Option<&[u8]>) -> Result<(Vec<u8>, bool), SaslError>;

    /// Opens a sealed message from the server.
    ///
    /// # Errors
    /// [`SaslError::Kerberos`].
    fn unwrap(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SaslError>;

    /// Seals a message against change.
    ///
    /// # Errors
    /// [`SaslError::Kerberos`].
    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, SaslError>;
}

/// One exchange.
pub(crate) struct Gssapi {
    context: Box<dyn SecurityContext>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Proof,
    Layer,
    Over,
}

impl Gssapi {
    /// An exchange with the user's ticket, for the POP3 service of this host. `end_point` is the
    /// digest of the server's certificate, under TLS.
    ///
    /// # Errors
    /// [`SaslError::NoKerberos`] if there is no library for it.
    #[cfg(feature = "gssapi")]
    pub(crate) fn new(host: &str, end_point: Option<&[u8]>) -> Result<Self, SaslError> {
        let context = library::Context::new(&format!("pop@{host}"), end_point)?;
        Ok(Self::over(Box::new(context)))
    }

    /// Not in this build.
    ///
    /// # Errors
    /// [`SaslError::NoKerberos`].
    #[cfg(not(feature = "gssapi"))]
    pub(crate) fn new(_: &str, _: Option<&[u8]>) -> Result<Self, SaslError> {
        Err(SaslError::NoKerberos {
            why: "popsync was built without it".to_owned(),
        })
    }

    #[cfg(any(test, feature = "gssapi"))]
    fn over(context: Box<dyn SecurityContext>) -> Self {
        Self {
            context,
            phase: Phase::Proof,
        }
    }

    fn prove(&mut self, token: Option<&[u8]>) -> Result<Message, SaslError> {
        let (token, complete) = self.context.step(token)?;
        if complete {
            self.phase = Phase::Layer;
        }
        Ok(Message::new(&[&token]))
    }

    /// RFC 4752 §3.1: answers with the chosen layer and the maximum length of a message, and
    /// without an authorization identity: the mailbox is that of the ticket.
    fn choose(&mut self, sealed: &[u8]) -> Result<Message, SaslError> {
        self.phase = Phase::Over;
        match *self.context.unwrap(sealed)? {
            [layers, _, _, _] if layers & NO_LAYER != 0 => {
                let chosen = self.context.wrap(&[NO_LAYER, 0, 0, 0])?;
                Ok(Message::new(&[&chosen]))
            }
            [_, _, _, _] => Err(SaslError::Malformed {
                what: "a demand for a layer of its own, on which popsync does not agree",
            }),
            _ => Err(SaslError::Malformed {
                what: "an offer of layers that is none",
            }),
        }
    }
}

impl Mechanism for Gssapi {
    fn name(&self) -> &'static str {
        "GSSAPI"
    }

    fn initial(&mut self) -> Result<Option<Message>, SaslError> {
        self.prove(None).map(Some)
    }

    fn step(&mut self, challenge: &[u8]) -> Result<Message, SaslError> {
        match self.phase {
            Phase::Proof => self.prove(Some(challenge)),
            Phase::Layer => self.choose(challenge),
            Phase::Over => Err(SaslError::Unexpected),
        }
    }

    /// The server may leave out the layers, but not its proof.
    fn finish(&mut self, accepted: bool) -> Result<(), SaslError> {
        if accepted && self.phase == Phase::Proof {
            return Err(SaslError::NoProof);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
