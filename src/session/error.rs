//! What can go wrong with a session, the exit status it leads to, and what the user can do.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::awaited::Awaited;
use super::tls::{self, ClientFault, Distrust, RootsFault, TlsFault};
use super::{ProxyFault, Refusal};
use crate::account::Server;
use crate::auth::choose::Secret;
use crate::auth::{self, apop};
use crate::exit::Exit;
use crate::pop3::{self, Keyword, Printable, ResponseCode};

/// Why a session ended before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// APOP is asked for, and the greeting does not allow it.
    #[error("{0}")]
    Apop(apop::Fault),
    /// The server ended the session while it owed no answer: it had waited too long, as a rule
    /// (`XPOP3:V0002`, `V0003`).
    #[error("the server ended the session{}", notice.as_deref().map(|notice| format!(": `{notice}`")).unwrap_or_default())]
    Autologout {
        /// What it said at last.
        notice: Option<String>,
    },
    /// The server's certificate does not prove that this is the server.
    #[error("the certificate of {host} is not to be trusted: {distrust}")]
    Certificate {
        /// The host as configured.
        host: String,
        /// What is wrong with it.
        distrust: Box<Distrust>,
    },
    /// The user's own certificate cannot be shown.
    #[error("{fault}")]
    ClientCertificate {
        /// Why.
        fault: ClientFault,
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
        fault: Box<auth::Fault>,
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
    #[error("that is no POP3 server: it greets with `{line}`")]
    Foreign {
        /// Its greeting.
        line: String,
    },
    /// The session lasted long, and brought nothing.
    #[error("gave up after {} s in which the server brought nothing", after.as_secs())]
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
        fault: Box<auth::Fault>,
    },
    /// `auth = "auto"`, and nothing that the server offers may be taken. Nothing was said.
    #[error("the server offers no way to log in {}", match secret {
        Secret::Certificate => "by a client certificate",
        Secret::Password if *protected && !fits_user => "that carries this user name and password",
        Secret::Password if *protected => "by a password",
        Secret::Password => "that would keep the password from listeners",
        Secret::Ticket => "without a password, and there is none",
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
        fault: ProxyFault,
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
        fault: RootsFault,
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
    #[error(
        "data was injected in front of the TLS handshake: `{}`",
        Printable(text)
    )]
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
    #[error("no TLS connection with {host}{fault}")]
    Tls {
        /// The host as configured.
        host: String,
        /// Of what kind the failure is.
        fault: TlsFault,
        /// Why.
        source: io::Error,
    },
}

/// What to ask oneself where nobody speaks POP3.
const PORTS: &str = "is the port right? `pop3s://` means 995, `pop3://` means 110";

/// The end of the search, where no login carries a name or a password.
const ONLY_ASCII: &str = "USER and PASS carry printable ASCII without blanks at the ends of a name: \
                          choose such a name and password at the provider";

/// Mechanisms, for people.
fn named(offered: &[String]) -> String {
    match offered {
        [] => "no mechanism of AUTH".to_owned(),
        offered => Printable(offered.join(", ").as_bytes()).to_string(),
    }
}

fn having_said(words: Option<&str>) -> String {
    words
        .map(|words| format!("; it had said: `{words}`"))
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

    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NothingSuits {
                fits_user: false, ..
            } => Exit::Config,
            Self::Apop(_) | Self::NotOffered { .. } | Self::NothingSuits { .. } => {
                Exit::NoPermission
            }
            Self::ClientCertificate { .. } | Self::Roots { .. } => Exit::Config,
            // It listens, and is too busy to talk.
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionReset => {
                Exit::TemporaryFailure
            }
            Self::Certificate { .. }
            | Self::Connect { .. }
            | Self::Foreign { .. }
            | Self::Resolve { .. }
            | Self::Socket { .. }
            | Self::StlsRefused(_)
            | Self::Tls { .. } => Exit::Unavailable,
            Self::Proxy { fault, .. } => fault.exit(),
            Self::Greeting(refusal) if refusal.is_temporary() => Exit::TemporaryFailure,
            Self::Greeting(_) => Exit::Unavailable,
            Self::Login(refusal) if refusal.is_temporary() => Exit::TemporaryFailure,
            Self::Denied { refusal, .. } if refusal.is_temporary() => Exit::TemporaryFailure,
            Self::Denied { .. } | Self::LeadingBlank(_) | Self::Login(_) => Exit::NoPermission,
            Self::Mechanism { fault, .. } => fault.exit(),
            Self::LongLine { fault, .. } => fault.exit(),
            Self::Autologout { .. }
            | Self::Farewell { .. }
            | Self::Gainless { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. } => Exit::TemporaryFailure,
            Self::Protocol { fault, .. } => match fault {
                pop3::Error::Closed { .. } => Exit::TemporaryFailure,
                pop3::Error::Argument { .. } | pop3::Error::CommandTooLong { .. } => Exit::Config,
                _ => Exit::Protocol,
            },
            Self::Refused(refusal) if refusal.is_temporary() => Exit::TemporaryFailure,
            Self::Refused(_) | Self::StlsInjected { .. } => Exit::Protocol,
        }
    }

    /// What the user can do, for a line of its own.
    pub fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Apop(_) => {
                "write `auth = \"user\"`, or leave `auth` out: USER and PASS over TLS \
                              are safer than APOP"
                    .to_owned()
            }
            Self::LongLine {
                keyword,
                octets,
                limit,
                fault,
            } => {
                let long = match octets {
                    Some(octets) => format!("the {keyword} line has {octets} octets"),
                    None => format!("the {keyword} line has more than {limit} octets"),
                };
                let otherwise = fault.advice().unwrap_or_default();
                format!(
                    "{long}, and Exchange 2007 takes {limit} unless its administrator raises \
                     MaxCommandSize: try a shorter one, or `auth = \"plain\"`, which takes two \
                     steps; else {otherwise}"
                )
            }
            Self::LeadingBlank(_) => {
                "the password begins with a blank, which the server may take for a part of the \
                 command: `auth = \"plain\"` sends it as it is; else check user name and password"
                    .to_owned()
            }
            Self::Certificate { distrust, .. } => distrust.advice(),
            Self::ClientCertificate { fault } => return fault.advice(),
            Self::Roots { fault } => fault.advice().to_owned(),
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
                PORTS.to_owned()
            }
            Self::Foreign { .. } => PORTS.to_owned(),
            // A server that waits for a TLS handshake says nothing either.
            Self::TimedOut {
                awaited: Awaited::Greeting,
                ..
            } => format!("{PORTS}; else try again later"),
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::AddrNotAvailable => {
                "`source-address` is to be an address of this computer".to_owned()
            }
            Self::Proxy { fault, .. } => return fault.advice(),
            Self::Socket { .. } => "is the server that owns the socket running?".to_owned(),
            Self::Connect { .. } => "is the network up, and the server's name right?".to_owned(),
            Self::Resolve { .. } => {
                "is the server's name spelt right, and the network up?".to_owned()
            }
            Self::Login(refusal) if !refusal.is_temporary() => match refusal.command {
                // XPOP3:V0010: Exchange refuses USER where plain-text login is not permitted.
                Some(Keyword::User) => {
                    "the server may not allow passwords on this connection: use `pop3s://`, or \
                     `pop3://` without `tls = \"off\"`"
                        .to_owned()
                }
                // RFC 3206 §4: nothing that other credentials would change.
                _ if refusal.code == Some(ResponseCode::SysPerm) => {
                    "the server needs its administrator: tell the provider, with these words"
                        .to_owned()
                }
                _ => "check user name and password; some providers want an app password, and \
                      POP3 switched on in their settings"
                    .to_owned(),
            },
            Self::Denied { refusal, .. } if refusal.is_temporary() => "try again later".to_owned(),
            Self::Denied { fault, .. } | Self::Mechanism { fault, .. } => return fault.advice(),
            Self::NotOffered {
                offered, fits_user, ..
            } => {
                let offered = named(offered);
                let instead = match fits_user {
                    true => "leave `auth` out for USER and PASS",
                    false => "write `auth = \"auto\"` for what carries user name and password",
                };
                format!("it offers {offered}; {instead}")
            }
            Self::NothingSuits {
                offered,
                protected,
                secret,
                fits_user,
            } => {
                let offered = named(offered);
                let instead = match secret {
                    Secret::Password if !protected => {
                        "use TLS, or name another `auth` to let everybody on the way read the \
                         password"
                    }
                    Secret::Password if !fits_user => ONLY_ASCII,
                    Secret::Password => "leave `auth` out to try USER and PASS all the same",
                    Secret::Ticket => "set `password-command` or `password-file`",
                    _ => "name another `auth`",
                };
                format!("it offers {offered}; {instead}")
            }
            Self::Login(_) | Self::Greeting(_) => "try again later".to_owned(),
            Self::Lost { source, .. } if tls::wants_certificate(source).is_some() => {
                return tls::wants_certificate(source).map(str::to_owned);
            }
            Self::Autologout { .. }
            | Self::Farewell { .. }
            | Self::Gainless { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. } => {
                "whatever was complete is stored; run it again to go on from there".to_owned()
            }
            Self::Protocol {
                fault: pop3::Error::Closed { .. },
                ..
            } => "whatever was complete is stored; run it again to go on from there".to_owned(),
            Self::Protocol { .. } => "`-vv` shows the dialogue with the server".to_owned(),
            Self::StlsRefused(_) => {
                "use `pop3s://` if the server has it; `tls = \"off\"` would send the password in \
                 the clear"
                    .to_owned()
            }
            Self::StlsInjected { .. } => {
                "somebody may be tampering with the connection: use `pop3s://`".to_owned()
            }
            Self::Tls { fault, .. } => fault.advice().to_owned(),
            Self::Refused(refusal)
                if refusal.command == Some(Keyword::Uidl) && !refusal.is_temporary() =>
            {
                "without unique-ids messages cannot be told apart unless the server has LIST and \
                 TOP, so nothing was retrieved"
                    .to_owned()
            }
            Self::Refused(refusal) if refusal.is_temporary() => "try again later".to_owned(),
            // OPOP3:V0001: +ERR is a success as well, which the next command shows up.
            Self::Refused(refusal) if refusal.command == Some(Keyword::Stat) => {
                "has the server accepted the login after all? `-vv` shows what it said; check user \
                 name and password"
                    .to_owned()
            }
            Self::Refused(_) => return None,
        })
    }
}
