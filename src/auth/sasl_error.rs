//! What can be wrong with a SASL exchange.

use std::borrow::Cow;
use std::fmt;

use super::secrets::Secrets;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::pop3::shortened;

/// Why an exchange cannot begin, go on, or count. Never holds any part of a secret; what is of
/// the server's is safe for a terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// A count of digests that an honest server does not ask for (RFC 7677 §4).
    #[error(
        "the server asks for {iterations} iterations of the digest, which is {}",
        if *are_too_few { "too few to protect the password" } else { "too many" }
    )]
    Iterations {
        /// How many.
        iterations: u32,
        /// True if they would not protect the password, false if they would never end.
        are_too_few: bool,
    },
    /// Kerberos does not let us.
    #[error("Kerberos: {words}")]
    Kerberos {
        /// The library's words.
        words: String,
    },
    /// A challenge that the mechanism does not have.
    #[error("the server sent {what}")]
    Malformed {
        /// What, with its article.
        what: &'static str,
    },
    /// There is no Kerberos library.
    #[error("Kerberos cannot be used: {why}")]
    NoKerberos {
        /// The loader's words.
        why: String,
    },
    /// The server accepted the login before it had proven itself.
    #[error("the server accepted the login without proving who it is")]
    NoProof,
    /// Not the nonce that was sent, or nothing added to it (RFC 5802 §5.1).
    #[error("the server's nonce does not begin with the one that popsync sent")]
    Nonce,
    /// The secret is not an access token.
    #[error("the access token is not one word of printable ASCII")]
    NotAToken,
    /// A challenge that is not base64 (RFC 5034 §4).
    #[error("the server's challenge is not base64")]
    NotBase64,
    /// Channel binding is asked for, and the connection has nothing to bind to.
    #[error("there is no TLS connection that the login could be bound to")]
    NothingToBind,
    /// The name or the password holds what SASLprep forbids (RFC 4013).
    #[error("the user name or the password holds a character that this mechanism cannot carry")]
    Prepare,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// What the server said in the exchange of its refusal (RFC 5802 §7).
    #[error("before that the server said: `{why}`")]
    Refused {
        /// Its word.
        why: String,
    },
    /// The server does not know the password that it should check.
    #[error(
        "the server's signature is wrong: it does not know the password, so it is not the server it claims to be"
    )]
    ServerSignature,
    /// What the server said of an access token before it refused it (RFC 7628 §3.2.2).
    #[error("before that the server said about the access token: {}", Said { status, scope, issuer })]
    Token {
        /// A status as of HTTP, or an error code of RFC 6750.
        status: String,
        /// What the token should have been good for.
        scope: Option<String>,
        /// Where better ones are to be had.
        issuer: Option<String>,
    },
    /// More challenges than any exchange has.
    #[error("the server's challenges do not end: gave up after {steps} of them")]
    TooManySteps {
        /// How many were answered.
        steps: usize,
    },
    /// A challenge where the mechanism has nothing more to say.
    #[error("the server sent one challenge more than the mechanism has")]
    Unexpected,
}

struct Said<'a> {
    status: &'a str,
    scope: &'a Option<String>,
    issuer: &'a Option<String>,
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        for (name, value) in [("scope", self.scope), ("provider", self.issuer)] {
            if let Some(value) = value {
                write!(f, ", {name} `{value}`")?;
            }
        }
        Ok(())
    }
}

impl SaslError {
    /// The same, with no secret in what the server said.
    #[must_use]
    pub(crate) fn without(self, secrets: &Secrets) -> Self {
        let hidden = |said: String| shortened(secrets.without_in(&said));
        match self {
            Self::Refused { why } => Self::Refused { why: hidden(why) },
            Self::Token {
                status,
                scope,
                issuer,
            } => Self::Token {
                status: hidden(status),
                scope: scope.map(hidden),
                issuer: issuer.map(hidden),
            },
            other => other,
        }
    }
}

impl Failure for SaslError {
    fn exit(&self) -> Exit {
        match self {
            Self::Iterations { .. }
            | Self::Malformed { .. }
            | Self::NoProof
            | Self::Nonce
            | Self::NotBase64
            | Self::ServerSignature
            | Self::TooManySteps { .. }
            | Self::Unexpected => Exit::Protocol,
            Self::Kerberos { .. } | Self::Refused { .. } | Self::Token { .. } => Exit::NoPermission,
            Self::NoKerberos { .. } | Self::NotAToken | Self::NothingToBind | Self::Prepare => {
                Exit::Config
            }
            Self::Random => Exit::IoError,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Kerberos { .. } => {
                "get a ticket with `kinit`, and see with `klist` whether it is still valid; write the \
                 server's name as Kerberos knows it"
            }
            Self::NoKerberos { .. } => {
                "install MIT Kerberos (Debian: libgssapi-krb5-2), or choose another `auth`"
            }
            Self::NoProof | Self::ServerSignature => {
                "nothing was retrieved; somebody may pose as the server: do not try another `auth` \
                 before this is solved"
            }
            Self::NotAToken => {
                "the access token is the first line alone; a password is not an access token"
            }
            Self::NothingToBind => "leave `-plus` out, or use TLS",
            Self::Prepare => "choose another password at the provider, or write `auth = \"plain\"`",
            Self::Random => "this is a fault of the operating system: see its log",
            Self::Refused { .. } => {
                "check user name and password; some providers want an app password, and POP3 \
                 switched on in their settings"
            }
            Self::Token { .. } => {
                "the token may have expired, or may be for another mailbox, or not for POP3: get a new \
                 one, with the scope that the provider wants for POP3"
            }
            Self::Iterations { .. }
            | Self::Malformed { .. }
            | Self::Nonce
            | Self::NotBase64
            | Self::TooManySteps { .. }
            | Self::Unexpected => {
                "nothing was retrieved; another `auth` may work with this server, and `-vv` shows the \
                 dialogue without secrets"
            }
        };
        Some(hint.into())
    }
}
