//! Errors of passwords and of the ways to log in.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::{Book, every, missing};
use crate::auth::argument::BadByte;
use crate::auth::private_file::FileError;
use crate::auth::source::{Error, Origin};
use crate::auth::{self, SaslError, apop, keyring, oauth};
use crate::stop::Signal;

const KEY: &str = "password-command";

pub(super) fn add(book: &mut Book) {
    sources(book);
    every!(book, "auth::Error", auth::Error {
        auth::Error::OAuth(_) => [oauth::Error {
            account: "work".to_owned(),
            error: oauth::TokenError::NotSignedIn,
        }.into()],
        auth::Error::Source(_) => [Error::NoSource { keyring: None }.into()],
    });
    every!(book, "auth::keyring::Error", keyring::Error {
        keyring::Error::Locked => [keyring::Error::Locked],
        keyring::Error::NoService => [keyring::Error::NoService],
        keyring::Error::NoSession => [keyring::Error::NoSession],
        keyring::Error::NotBuilt => [keyring::Error::NotBuilt],
        keyring::Error::Other { .. } => [keyring::Error::Other { source: "no words".into() }],
        keyring::Error::Several => [keyring::Error::Several],
        keyring::Error::TimedOut { .. } => [keyring::Error::TimedOut {
            limit: Duration::from_secs(10),
        }],
    });
    every!(book, "auth::apop::Error", apop::Error {
        apop::Error::Invalid => [apop::Error::Invalid],
        apop::Error::NotOffered => [apop::Error::NotOffered],
        apop::Error::TooLong => [apop::Error::TooLong],
    });
    mechanisms(book);
}

fn files() -> Vec<FileError> {
    let path = || "/home/anna/secret".into();
    vec![
        FileError::Io(missing()),
        FileError::Mode {
            path: path(),
            mode: 0o644,
        },
        FileError::Owner {
            path: path(),
            owner: 1000,
        },
        FileError::TooLarge(65_536),
    ]
}

fn origins() -> [Origin; 8] {
    [
        Origin::Command(KEY),
        Origin::Credential("/run/credentials/popsync-work".into()),
        Origin::Environment,
        Origin::File("/home/anna/secret".into()),
        Origin::Input,
        Origin::Keyring,
        Origin::Netrc("/home/anna/.netrc".into()),
        Origin::Prompt,
    ]
}

fn sources(book: &mut Book) {
    let bytes = [
        BadByte::CarriageReturn,
        BadByte::Control,
        BadByte::LineFeed,
        BadByte::NonAscii,
        BadByte::NotUtf8,
        BadByte::Nul,
    ];
    let netrc = || "/home/anna/.netrc".into();
    every!(book, "auth::private_file::FileError", FileError {
        FileError::Io(_) => files().drain(..1),
        FileError::Mode { .. } => files().drain(1..2),
        FileError::Owner { .. } => files().drain(2..3),
        FileError::TooLarge(_) => files().drain(3..),
    });
    every!(book, "auth::source::Error", Error {
        Error::BadByte { .. } => bytes.map(|byte| Error::BadByte {
            origin: Origin::Keyring,
            byte,
        }),
        Error::CommandFailed { .. } => [None, Some("no such entry".to_owned())].map(|said| {
            Error::CommandFailed {
                key: KEY,
                status: ExitStatus::from_raw(0x300),
                said,
            }
        }),
        Error::CommandIo { .. } => [Error::CommandIo {
            key: KEY,
            source: missing(),
        }],
        Error::CredentialIo { .. } => [Error::CredentialIo {
            path: "/run/credentials/popsync-work".into(),
            source: missing(),
        }],
        Error::DoesNotFit { .. } => [Error::DoesNotFit {
            origin: Origin::Command(KEY),
            limit: 248,
        }],
        Error::Empty { .. } => origins().map(|origin| Error::Empty { origin }),
        Error::File { .. } => files().into_iter().map(|error| Error::File {
            key: "password-file",
            path: "/home/anna/secret".into(),
            error,
        }),
        Error::Interrupted(_) => [Error::Interrupted(Signal::Interrupt)],
        Error::Keyring(_) => [keyring::Error::Locked.into()],
        Error::NetrcSyntax { .. } => [Error::NetrcSyntax {
            path: netrc(),
            line: 7,
        }],
        Error::NotInNetrc { .. } => [Error::NotInNetrc {
            path: netrc(),
            host: "mail.example.com".to_owned(),
            user: "anna".to_owned(),
        }],
        Error::NoSource { .. } => [None, Some(keyring::Error::NoSession)]
            .map(|keyring| Error::NoSource { keyring }),
        Error::Prompt { .. } => [Error::Prompt { source: missing() }],
        Error::TimedOut { .. } => [Origin::Command(KEY), Origin::File("/home/anna/secret".into())]
            .map(|origin| Error::TimedOut {
                origin,
                limit: Duration::from_secs(60),
            }),
        Error::TooLong { .. } => [Error::TooLong {
            origin: Origin::Command(KEY),
            limit: 65_536,
        }],
    });
}

fn mechanisms(book: &mut Book) {
    let words = || "these words".to_owned();
    every!(book, "auth::SaslError", SaslError {
        SaslError::Iterations { .. } => [(1, true), (100_000_000, false)].map(
            |(iterations, are_too_few)| SaslError::Iterations {
                iterations,
                are_too_few,
            },
        ),
        SaslError::Kerberos { .. } => [SaslError::Kerberos { words: words() }],
        SaslError::Malformed { .. } => [SaslError::Malformed {
            what: "a challenge without a nonce",
        }],
        SaslError::NoKerberos { .. } => [SaslError::NoKerberos { why: words() }],
        SaslError::NoProof => [SaslError::NoProof],
        SaslError::Nonce => [SaslError::Nonce],
        SaslError::NotAToken => [SaslError::NotAToken],
        SaslError::NotBase64 => [SaslError::NotBase64],
        SaslError::NothingToBind => [SaslError::NothingToBind],
        SaslError::Prepare => [SaslError::Prepare],
        SaslError::Random => [SaslError::Random],
        SaslError::Refused { .. } => [SaslError::Refused { why: words() }],
        SaslError::ServerSignature => [SaslError::ServerSignature],
        SaslError::Token { .. } => [SaslError::Token {
            status: "400".to_owned(),
            scope: Some("mail".to_owned()),
            issuer: Some("https://login.example.com".to_owned()),
        }],
        SaslError::TooManySteps { .. } => [SaslError::TooManySteps { steps: 10 }],
        SaslError::Unexpected => [SaslError::Unexpected],
    });
}
