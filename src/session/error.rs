//! What can go wrong with a session. The exit status that it leads to, and what the user can do, are
//! in `failure`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::awaited::Awaited;
use super::refusal::names_throttling;
use super::tls::{self, CertificateError, ClientCertificateError, HandshakeError, RootsError};
use super::{ProxyError, Refusal};
use crate::account::Server;
use crate::auth::choose::Secret;
use crate::auth::{self, apop};
use crate::pop3::{self, Keyword, Printable};

mod failure;

/// Why a session ended before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// APOP is asked for, and the greeting does not allow it.
    #[error("{0}")]
    Apop(apop::Error),
    /// The server ended the session while it owed no answer: it had waited too long, as a rule
    /// (`XPOP3:V0002`, `V0003`).
    #[error("the server ended the session{}", notice.as_deref().map(|notice| format!(": `{notice}`")).unwrap_or_default())]
    Autologout {
        /// What it said at last.
        notice: Option<String>,
    },
    /// The server's certificate does not prove that this is the server.
    #[error("the certificate of {host} is not to be trusted: {error}")]
    Certificate {
        /// The host as configured.
        host: String,
        /// Its defect.
        error: Box<CertificateError>,
    },
    /// The user's own certificate cannot be shown.
    #[error("{fault}")]
    ClientCertificate {
        /// Why.
        fault: ClientCertificateError,
    },
    /// No address of the host answered.
    #[error("cannot connect to {server}")]
    Connect {
        /// The server.
        server: Server,
        /// The last address's answer.
        source: io::Error,
    },
    /// The server refused the login, and in the exchange before it had said why.
    #[error("{refusal}; {fault}")]
    Denied {
        /// What it had said.
        fault: Box<auth::SaslError>,
        /// The refusal.
        refusal: Box<Refusal>,
    },
    /// The server said that it ends the session, in the place of an answer or behind one
    /// (`XPOP3:V0003`).
    #[error("the server ended the session: `{notice}`")]
    Farewell {
        /// Its words.
        notice: String,
        /// And it did so: nothing is still on its way.
        is_closed: bool,
    },
    /// What answers greets as no POP3 server does.
    #[error("this is not a POP3 server: it greets with `{line}`")]
    Foreign {
        /// Its greeting.
        line: String,
    },
    /// The session lasted long, and brought nothing.
    #[error("gave up after {} s in which the server sent nothing of use", after.as_secs())]
    Gainless {
        /// How long it was waited for.
        after: Duration,
    },
    /// The server greeted with a refusal.
    #[error("{0}")]
    Greeting(Refusal),
    /// The login failed with a line that is longer than Exchange 2007 takes by default
    /// (`XPOP3:E0006`), which may be why.
    #[error("{fault}")]
    LongLine {
        /// USER or PASS.
        keyword: Keyword,
        /// How long the line is, CRLF included, where that may be told.
        octets: Option<usize>,
        /// What Exchange 2007 takes by default.
        limit: usize,
        /// What the server did.
        fault: Box<Self>,
    },
    /// The server refused a password that begins with a blank, which it may have taken for a part
    /// of the command (`XPOP3:N1`).
    #[error("{0}")]
    LeadingBlank(Refusal),
    /// The connection broke.
    #[error("the connection to the server was lost{}", having_said(.last_words.as_deref()))]
    Lost {
        /// The last negative answer, which may tell why.
        last_words: Option<String>,
        /// Why.
        source: io::Error,
    },
    /// The server refused USER or PASS.
    #[error("{0}")]
    Login(Refusal),
    /// Client and server do not understand each other.
    #[error("{fault}{}", having_said(.last_words.as_deref()))]
    Protocol {
        /// The last negative answer, which may tell why.
        last_words: Option<String>,
        /// Why.
        fault: pop3::Error,
    },
    /// The exchange of a SASL mechanism could not begin, or not go on, or proved nothing.
    #[error("{mechanism}: {fault}")]
    Mechanism {
        /// Its name.
        mechanism: &'static str,
        /// Why.
        fault: Box<auth::SaslError>,
    },
    /// `auth = "auto"`, and nothing that the server offers may be taken. Nothing was said.
    #[error("the server offers no way to log in {}", match secret {
        Secret::Certificate => "by a client certificate",
        Secret::Password if *protected && !fits_user => "that can send this user name and password",
        Secret::Password if *protected => "by a password",
        Secret::Password => "that hides the password from eavesdroppers",
        Secret::Ticket => "without a password, and there is no password",
        Secret::Token => "by an access token",
    })]
    NothingSuits {
        /// What it offers.
        offered: Vec<String>,
        /// Whether TLS protects the connection.
        protected: bool,
        /// What there is to log in with.
        secret: Secret,
        /// USER and PASS could carry the user name and the password.
        fits_user: bool,
    },
    /// The server does not have the mechanism that the account asks for. Nothing was said.
    #[error(
        "the server does not offer {mechanism}{}",
        refusal.as_ref().map(|refusal| &refusal.text).filter(|text| !text.is_empty())
            .map(|text| format!(": `{text}`")).unwrap_or_default()
    )]
    NotOffered {
        /// The mechanism.
        mechanism: &'static str,
        /// What it does offer.
        offered: Vec<String>,
        /// USER and PASS could carry the user name and the password.
        fits_user: bool,
        /// Its answer, where it was asked all the same.
        refusal: Option<Box<Refusal>>,
    },
    /// The proxy gave no connection to the server.
    #[error("the proxy {proxy}: {fault}")]
    Proxy {
        /// The proxy.
        proxy: String,
        /// Why.
        #[source]
        fault: ProxyError,
    },
    /// The server refused a command that the sync cannot do without.
    #[error("{0}")]
    Refused(Refusal),
    /// The host's name has no address.
    #[error("cannot find the address of `{host}`")]
    Resolve {
        /// The host.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// There are no authorities to trust.
    #[error("{fault}")]
    Roots {
        /// Why.
        fault: RootsError,
    },
    /// Nobody answers at the socket.
    #[error("cannot connect to `{}`", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server does not offer TLS, and nothing else is allowed.
    #[error("the server offers no encryption: {0}")]
    StlsRefused(Refusal),
    /// Octets behind the answer to STLS, before the handshake: somebody between us and the
    /// server tries to put words into its mouth.
    #[error("data was injected before the TLS handshake: `{}`", Printable(text))]
    StlsInjected {
        /// The beginning of it.
        text: Vec<u8>,
    },
    /// Time ran out.
    #[error("timed out after {} s {awaited}", after.as_secs())]
    TimedOut {
        /// What was due.
        awaited: Awaited,
        /// How long it was waited for.
        after: Duration,
    },
    /// The TLS handshake failed.
    #[error("no TLS connection with {host}{}", match fault {
        HandshakeError::NothingInCommon => format!(": {fault}"),
        // The cause says it.
        _ => String::new(),
    })]
    Tls {
        /// The host as configured.
        host: String,
        /// Of what kind the failure is.
        fault: HandshakeError,
        /// Why.
        source: io::Error,
    },
}

fn having_said(words: Option<&str>) -> String {
    words
        .map(|words| format!("; before that the server said: `{words}`"))
        .unwrap_or_default()
}

impl Error {
    /// Whether the server ended the connection, in good order or not.
    pub fn is_hang_up(&self) -> bool {
        match self {
            Self::Autologout { .. } | Self::Farewell { .. } | Self::Lost { .. } => true,
            Self::LongLine { fault, .. } => fault.is_hang_up(),
            Self::Protocol { fault, .. } => matches!(fault, pop3::Error::Closed { .. }),
            _ => false,
        }
    }

    /// True if nobody answered: there was no connection, or no greeting.
    pub fn is_silence(&self) -> bool {
        use Awaited::{Connection, Greeting};
        match self {
            Self::Connect { .. } => true,
            Self::TimedOut { awaited, .. } => matches!(awaited, Connection | Greeting),
            _ => false,
        }
    }

    /// Whether the session broke while something was due: the server hung up, fell silent, or
    /// said what makes no sense.
    pub fn is_break(&self) -> bool {
        match self {
            // No message is to blame for it.
            Self::Farewell { .. } => false,
            Self::Gainless { .. } | Self::Protocol { .. } | Self::TimedOut { .. } => true,
            error => error.is_hang_up(),
        }
    }

    /// The negative answer that ended the session, where it was one to the login.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Denied { refusal, .. } => Some(refusal),
            Self::LeadingBlank(refusal) | Self::Login(refusal) => Some(refusal),
            Self::LongLine { fault, .. } => fault.refusal(),
            _ => None,
        }
    }

    /// True if the server has too many connections or logins to serve this one.
    pub fn is_throttling(&self) -> bool {
        match self {
            Self::Farewell { notice, .. } => names_throttling(notice.as_bytes()),
            Self::Greeting(refusal) | Self::Refused(refusal) => refusal.is_throttling(),
            error => error.refusal().is_some_and(Refusal::is_throttling),
        }
    }

    /// Adds the time between two logins that the server announced to its refusal of a login.
    pub(super) fn announce(&mut self, login_delay: Option<Duration>) {
        match self {
            Self::Denied { refusal, .. } => refusal.login_delay = login_delay,
            Self::LeadingBlank(refusal) | Self::Login(refusal) => refusal.login_delay = login_delay,
            Self::LongLine { fault, .. } => fault.announce(login_delay),
            _ => {}
        }
    }

    /// Whether the login failed, and the session could go on.
    pub(super) fn is_refused_login(&self) -> bool {
        match self {
            Self::Apop(_)
            | Self::Denied { .. }
            | Self::LeadingBlank(_)
            | Self::Login(_)
            | Self::Mechanism { .. }
            | Self::NotOffered { .. }
            | Self::NothingSuits { .. } => true,
            Self::LongLine { fault, .. } => fault.is_refused_login(),
            _ => false,
        }
    }
}
