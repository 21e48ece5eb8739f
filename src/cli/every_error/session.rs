//! Errors of a connection, and of the proxy before it.

use std::io;
use std::time::Duration;

use rustix::io::Errno;

use super::{Book, every, missing, system};
use crate::account::{Security, Server, TlsVersion};
use crate::auth::choose::Secret;
use crate::auth::private_file::FileError;
use crate::auth::{SaslError, apop};
use crate::pop3::{self, Keyword, State};
use crate::session::{
    Awaited, CertificateDefect, CertificateError, ClientCertificateError, Error, HandshakeError,
    ProxyError, Refusal, RootsError,
};

fn host() -> String {
    "mail.example.com".to_owned()
}

fn server() -> Server {
    Server {
        host: host(),
        port: 995,
        security: Security::ImplicitTls,
    }
}

fn refusal(command: Keyword, line: &str) -> Refusal {
    Refusal::of_line(Some(command), line)
}

/// Refusals of a command: for good, and for now.
fn refusals(command: Keyword) -> [Refusal; 2] {
    [
        refusal(command, "-ERR Not that."),
        refusal(command, "-ERR [SYS/TEMP] Later."),
    ]
}

pub(super) fn add(book: &mut Book) {
    every!(book, "session::Error", Error {
        Error::Apop(_) => [Error::Apop(apop::Error::NotOffered)],
        Error::Autologout { .. } => [None, Some("Timeout".to_owned())]
            .map(|notice| Error::Autologout { notice }),
        Error::Certificate { .. } => [Error::Certificate {
            host: host(),
            error: Box::new(expired()),
        }],
        Error::ClientCertificate { .. } => [Error::ClientCertificate {
            fault: ClientCertificateError::NoKey("/home/anna/key.pem".into()),
        }],
        Error::Connect { .. } => connecting(),
        Error::Denied { .. } => refusals(Keyword::Auth).map(|refusal| Error::Denied {
            fault: Box::new(SaslError::Refused { why: "invalid-proof".to_owned() }),
            refusal: Box::new(refusal),
        }),
        Error::Farewell { .. } => [Error::Farewell {
            notice: "Server shutting down".to_owned(),
            is_closed: true,
        }],
        Error::Foreign { .. } => [Error::Foreign { line: "220 ESMTP".to_owned() }],
        Error::Gainless { .. } => [Error::Gainless { after: Duration::from_secs(600) }],
        Error::Greeting(_) => ["-ERR Go away.", "-ERR [SYS/TEMP] Later.", "-ERR"]
            .map(|line| Error::Greeting(Refusal::of_line(None, line))),
        Error::LongLine { .. } => [Some(300), None].map(|octets| Error::LongLine {
            keyword: Keyword::Pass,
            octets,
            limit: 47,
            fault: Box::new(Error::Login(refusal(Keyword::Pass, "-ERR Not that."))),
        }),
        Error::LeadingBlank(_) => [Error::LeadingBlank(refusal(Keyword::Pass, "-ERR Not that."))],
        Error::Lost { .. } => [None, Some("Not that.".to_owned())].map(|last_words| Error::Lost {
            last_words,
            source: system(Errno::CONNRESET),
        }),
        Error::Login(_) => logins(),
        Error::Protocol { .. } => protocol().into_iter().map(|fault| Error::Protocol {
            last_words: None,
            fault,
        }),
        Error::Mechanism { .. } => [Error::Mechanism {
            mechanism: "SCRAM-SHA-256",
            fault: Box::new(SaslError::ServerSignature),
        }],
        Error::NothingSuits { .. } => nothing_suits(),
        Error::NotOffered { .. } => [true, false].map(|fits_user| Error::NotOffered {
            mechanism: "SCRAM-SHA-256",
            offered: vec!["PLAIN".to_owned(), "NTLM".to_owned()],
            fits_user,
            refusal: None,
        }),
        Error::Proxy { .. } => [Error::Proxy {
            proxy: "socks5://proxy.example.com:1080".to_owned(),
            fault: ProxyError::LoginWanted,
        }],
        Error::Refused(_) => [Keyword::List, Keyword::Stat, Keyword::Uidl]
            .into_iter()
            .flat_map(refusals)
            .map(Error::Refused),
        Error::Resolve { .. } => [Error::Resolve {
            host: host(),
            source: io::Error::other("failed to lookup address information"),
        }],
        Error::Roots { .. } => [Error::Roots { fault: RootsError::NoneInSystem }],
        Error::Socket { .. } => [Error::Socket { path: "/run/pop3".into(), source: missing() }],
        Error::StlsRefused(_) => [Error::StlsRefused(refusal(Keyword::Stls, "-ERR Not that."))],
        Error::StlsInjected { .. } => [Error::StlsInjected { text: b"+OK".to_vec() }],
        Error::TimedOut { .. } => awaited().map(|awaited| Error::TimedOut {
            awaited,
            after: Duration::from_secs(60),
        }),
        Error::Tls { .. } => [HandshakeError::NothingInCommon, HandshakeError::OldVersion(TlsVersion::Tls12)]
            .map(|fault| Error::Tls {
                host: host(),
                fault,
                source: io::Error::other("received fatal alert: HandshakeFailure"),
            }),
    });
    proxies(book);
}

fn expired() -> CertificateError {
    CertificateError {
        defect: CertificateDefect::Expired(Some("2026-01-01".to_owned())),
        fingerprint: None,
    }
}

fn connecting() -> [Error; 4] {
    [
        Errno::CONNREFUSED,
        Errno::CONNRESET,
        Errno::ADDRNOTAVAIL,
        Errno::HOSTUNREACH,
    ]
    .map(|errno| Error::Connect {
        server: server(),
        source: system(errno),
    })
}

fn logins() -> [Error; 4] {
    [
        refusal(Keyword::User, "-ERR Not that."),
        refusal(Keyword::Pass, "-ERR Not that."),
        refusal(Keyword::Pass, "-ERR [SYS/PERM] Not that."),
        refusal(Keyword::Pass, "-ERR [IN-USE] Later."),
    ]
    .map(Error::Login)
}

fn protocol() -> Vec<pop3::Error> {
    let keyword = Keyword::Uidl;
    let _is_complete = |error: &pop3::Error| match error {
        pop3::Error::Argument { .. }
        | pop3::Error::CommandTooLong { .. }
        | pop3::Error::NotNow { .. }
        | pop3::Error::Closed { .. }
        | pop3::Error::LineTooLong { .. }
        | pop3::Error::ListingTooLong { .. }
        | pop3::Error::Leftover { .. }
        | pop3::Error::Malformed { .. }
        | pop3::Error::Broken => (),
    };
    vec![
        pop3::Error::Argument { keyword },
        pop3::Error::CommandTooLong {
            keyword,
            octets: 300,
        },
        pop3::Error::NotNow {
            keyword,
            state: State::Authorization,
        },
        pop3::Error::Closed { awaited: None },
        pop3::Error::Closed {
            awaited: Some(keyword),
        },
        pop3::Error::LineTooLong { limit: 65_536 },
        pop3::Error::ListingTooLong {
            keyword,
            lines: 10_000_000,
        },
        pop3::Error::Leftover {
            text: b"+OK".to_vec(),
        },
        pop3::Error::Malformed {
            keyword,
            line: b"+OK what".to_vec(),
        },
        pop3::Error::Broken,
    ]
}

fn nothing_suits() -> Vec<Error> {
    let situations = [
        (Secret::Certificate, true, true),
        (Secret::Password, true, true),
        (Secret::Password, true, false),
        (Secret::Password, false, true),
        (Secret::Ticket, true, true),
        (Secret::Token, true, true),
    ];
    let errors = situations.map(|(secret, protected, fits_user)| Error::NothingSuits {
        offered: vec!["NTLM".to_owned()],
        protected,
        secret,
        fits_user,
    });
    errors.into()
}

fn awaited() -> [Awaited; 7] {
    let _is_complete = |awaited: Awaited| match awaited {
        Awaited::Certificates
        | Awaited::Connection
        | Awaited::Greeting
        | Awaited::Mechanism
        | Awaited::Reply(_)
        | Awaited::Sending
        | Awaited::TlsHandshake => (),
    };
    [
        Awaited::Certificates,
        Awaited::Connection,
        Awaited::Greeting,
        Awaited::Mechanism,
        Awaited::Reply(Keyword::Retr),
        Awaited::Sending,
        Awaited::TlsHandshake,
    ]
}

fn proxies(book: &mut Book) {
    let path = || "/home/anna/secret".to_owned();
    every!(book, "session::ProxyError, within session::Error", ProxyError {
        ProxyError::Authentication(_) => [None, Some("407 No".to_owned())]
            .map(ProxyError::Authentication),
        ProxyError::Closed => [ProxyError::Closed],
        ProxyError::Connect(_) => [Errno::CONNREFUSED, Errno::CONNRESET]
            .map(|errno| ProxyError::Connect(system(errno))),
        ProxyError::Endless(_) => [ProxyError::Endless(65_536)],
        ProxyError::Lost(_) => [ProxyError::Lost(system(Errno::CONNRESET))],
        ProxyError::LoginWanted => [ProxyError::LoginWanted],
        ProxyError::Password { .. } => [ProxyError::Password {
            path: path(),
            fault: FileError::Io(missing()),
        }],
        ProxyError::PasswordUnfit(_) => [ProxyError::PasswordUnfit(path())],
        ProxyError::Protocol(_) => [ProxyError::Protocol("SOCKS 5")],
        ProxyError::Refused(_) => [ProxyError::Refused("403 Forbidden".to_owned())],
        ProxyError::Resolve(_) => [ProxyError::Resolve(io::Error::other(
            "failed to lookup address information",
        ))],
    });
}
