//! The answer that a session waits for.

use std::fmt;

use crate::pop3::Keyword;

/// What a session was waiting for when time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// The files of the TLS settings.
    Certificates,
    /// An answer to the dialling.
    Connection,
    /// The greeting.
    Greeting,
    /// What is to be said in a SASL exchange, which may need others.
    Mechanism,
    /// The reply to a command, or the rest of it.
    Reply(Keyword),
    /// Room to send.
    Sending,
    /// The TLS handshake.
    TlsHandshake,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificates => f.write_str("reading certificates"),
            Self::Connection => f.write_str("connecting"),
            Self::Greeting => f.write_str("waiting for the greeting"),
            Self::Mechanism => f.write_str("working out what to tell the server"),
            Self::Reply(keyword) => write!(f, "waiting for the reply to {keyword}"),
            Self::Sending => f.write_str("sending"),
            Self::TlsHandshake => f.write_str("waiting for the TLS handshake"),
        }
    }
}
