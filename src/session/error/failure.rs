//! From an error of a session to the exit status, and to what the user can do.
//!
//! This is where a server's word becomes a status: each variant of [`Error`] has one, and a refusal
//! has one by its response code.

use std::borrow::Cow;
use std::io;

use super::{Awaited, Error, Refusal, tls};
use crate::auth::choose::Secret;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::pop3::{self, Keyword, Printable, ResponseCode};

/// The hint for a port where nobody speaks POP3.
const PORTS: &str = "check the port: `pop3s://` means 995, `pop3://` means 110";

/// The hint for an error that may pass.
const AGAIN: &str = "try again later";

/// The hint for a server that cannot be reached.
const NETWORK: &str = "check the server's name and the network";

/// The hint for a server that breaks the protocol.
const DIALOGUE: &str = "run it with `-vv` to see the dialogue with the server";

/// The hint for a session that ended too early.
const GO_ON: &str = "complete mail is stored; run it again to go on from there";

impl Failure for Error {
    fn exit(&self) -> Exit {
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

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Apop(error) => return error.hint(),
            Self::Certificate { error, .. } => return error.hint(),
            Self::ClientCertificate { fault } => return fault.hint(),
            Self::Mechanism { fault, .. } => return fault.hint(),
            Self::Proxy { fault, .. } => return fault.hint(),
            Self::Roots { fault } => return fault.hint(),
            Self::Tls { fault, .. } => return fault.hint(),
            Self::Denied { refusal, .. } if refusal.is_temporary() => return Some(again(refusal)),
            Self::Denied { fault, .. } => return fault.hint(),
            Self::Login(refusal) | Self::Refused(refusal) if refusal.is_temporary() => {
                return Some(again(refusal));
            }
            Self::Greeting(_) => AGAIN,
            Self::Login(refusal) => refused_login(refusal),
            Self::Refused(refusal) => refused(refusal),
            Self::LongLine {
                keyword,
                octets,
                limit,
                fault,
            } => return Some(long_line(*keyword, *octets, *limit, fault).into()),
            Self::NotOffered {
                offered, fits_user, ..
            } => return Some(not_offered(offered, *fits_user).into()),
            Self::NothingSuits {
                offered,
                protected,
                secret,
                fits_user,
            } => return Some(nothing_suits(offered, *protected, *secret, *fits_user).into()),
            Self::LeadingBlank(_) => {
                "the password begins with a blank, and the server may read that as a part of the \
                 command: `auth = \"plain\"` sends it as it is; else check user name and password"
            }
            Self::Connect { source, .. } => match source.kind() {
                io::ErrorKind::ConnectionRefused => PORTS,
                io::ErrorKind::AddrNotAvailable => {
                    "`source-address` must be an address of this computer"
                }
                _ => NETWORK,
            },
            Self::Foreign { .. } => PORTS,
            Self::TimedOut { awaited, .. } => return Some(timed_out(*awaited)),
            Self::Socket { .. } => "check that the server which owns the socket is running",
            Self::Resolve { .. } => NETWORK,
            Self::Lost { source, .. } => match tls::wants_certificate(source) {
                Some(error) => return error.hint(),
                None => GO_ON,
            },
            Self::Autologout { .. }
            | Self::Farewell { .. }
            | Self::Gainless { .. }
            | Self::Protocol {
                fault: pop3::Error::Closed { .. },
                ..
            } => GO_ON,
            Self::Protocol {
                fault: pop3::Error::Argument { .. } | pop3::Error::CommandTooLong { .. },
                ..
            } => "check user name and password",
            Self::Protocol { .. } => DIALOGUE,
            Self::StlsRefused(_) => {
                "use `pop3s://` if the server has it; `tls = \"off\"` would send the password in \
                 the clear"
            }
            Self::StlsInjected { .. } => {
                "somebody may be tampering with the connection: use `pop3s://`, and type no password \
                 before this is solved"
            }
        };
        Some(hint.into())
    }
}

fn timed_out(awaited: Awaited) -> Cow<'static, str> {
    match awaited {
        Awaited::Certificates => {
            "is a file that `tls` names a pipe, or on a network volume that does not answer?".into()
        }
        Awaited::Connection | Awaited::TlsHandshake => NETWORK.into(),
        // A server that waits for a TLS handshake says nothing either.
        Awaited::Greeting => format!("{PORTS}; else {AGAIN}").into(),
        Awaited::Mechanism | Awaited::Reply(_) | Awaited::Sending => GO_ON.into(),
    }
}

/// After a refusal that may pass.
fn again(refusal: &Refusal) -> Cow<'static, str> {
    match (&refusal.code, refusal.login_delay) {
        (Some(ResponseCode::LoginDelay), Some(delay)) => {
            let seconds = delay.as_secs();
            format!("{AGAIN}: the server asks for {seconds} s between two logins").into()
        }
        _ => AGAIN.into(),
    }
}

/// After a refusal of USER, PASS or a mechanism that another time would not change.
fn refused_login(refusal: &Refusal) -> &'static str {
    match refusal.command {
        // XPOP3:V0010: Exchange refuses USER where plain-text login is not permitted.
        Some(Keyword::User) => {
            "the server may not allow passwords on this connection: use `pop3s://`, or `pop3://` \
             without `tls = \"off\"`"
        }
        // RFC 3206 §4: nothing that other credentials would change.
        _ if refusal.code == Some(ResponseCode::SysPerm) => {
            "this needs the server's administrator: report the server's words to the provider"
        }
        _ => {
            "check user name and password; some providers want an app password, and POP3 switched \
             on in their settings"
        }
    }
}

/// After a refusal of another command.
fn refused(refusal: &Refusal) -> &'static str {
    match refusal.command {
        Some(Keyword::Uidl) => {
            "nothing was retrieved: without unique-ids popsync tells messages apart by LIST and TOP, \
             and the server does not have both"
        }
        // OPOP3:V0001: +ERR is a success as well, which the next command shows up.
        Some(Keyword::Stat) => {
            "perhaps the server did not accept the login: `-vv` shows what it said; check user name \
             and password"
        }
        _ => DIALOGUE,
    }
}

fn long_line(keyword: Keyword, octets: Option<usize>, limit: usize, error: &Error) -> String {
    let long = match octets {
        Some(octets) => format!("the {keyword} line has {octets} bytes"),
        None => format!("the {keyword} line has more than {limit} bytes"),
    };
    let otherwise = error.hint().unwrap_or_default();
    format!(
        "{long}, and Exchange 2007 accepts {limit} unless its administrator raises \
         MaxCommandSize: try a shorter one, or `auth = \"plain\"`, which takes two steps; else \
         {otherwise}"
    )
}

fn not_offered(offered: &[String], fits_user: bool) -> String {
    let offered = named(offered);
    let instead = match fits_user {
        true => "leave `auth` out for USER and PASS",
        false => "write `auth = \"auto\"` to use what can send this user name and password",
    };
    format!("the server offers {offered}; {instead}")
}

fn nothing_suits(offered: &[String], protected: bool, secret: Secret, fits_user: bool) -> String {
    let offered = named(offered);
    let instead = match secret {
        Secret::Password if !protected => {
            "use TLS; another `auth` lets everybody on the way read the password"
        }
        // The end of the search, where no login carries a name or a password.
        Secret::Password if !fits_user => {
            "USER and PASS can send printable ASCII only, and no blanks at the ends of a name: \
             choose such a name and password at the provider"
        }
        Secret::Password => "leave `auth` out to try USER and PASS anyway",
        Secret::Ticket => "set `password-command` or `password-file`",
        Secret::Certificate | Secret::Token => "choose another `auth`",
    };
    format!("the server offers {offered}; {instead}")
}

/// Mechanisms, for people.
fn named(offered: &[String]) -> String {
    match offered {
        [] => "no mechanism of AUTH".to_owned(),
        offered => Printable(offered.join(", ").as_bytes()).to_string(),
    }
}
