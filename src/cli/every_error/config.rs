//! Errors of the configuration, and of the settings of a command line.

use super::{Book, every, system};
use crate::account::{AuthMethod, FingerprintError};
use crate::auth::argument::BadByte;
use crate::auth::private_file::FileError;
use crate::config::{
    Base, Cause, Config, Contradiction, Error, PathError, Problem, ProxyError, UrlError,
};
use crate::profile::Profile;

pub(super) fn add(book: &mut Book) {
    let path = || "/home/anna/.config/popsync/config.toml".into();
    every!(book, "config::Cause, within config::Error", Cause {
        Cause::Argument { .. } => [
            Error::argument("--config", "config", PathError::Invalid).into_cause(),
            of_flag(Problem::RemoveAtOnce),
            of_flag(Problem::Contradiction(Contradiction::PlainWithPop3s)),
        ],
        Cause::Invalid { .. } => [error("usre = \"anna\"")],
        Cause::Missing { .. } => [Cause::Missing { path: path() }],
        Cause::NoAccounts { .. } => [Cause::NoAccounts { path: path() }],
        Cause::NoHome { .. } => [Cause::NoHome { what: "the state" }],
        Cause::Read { .. } => [Cause::Read {
            path: path(),
            source: system(rustix::io::Errno::ACCESS),
        }],
        Cause::TooLarge { .. } => [Cause::TooLarge { path: path(), limit: 1 << 20 }],
        Cause::Foreign { .. } => [Cause::Foreign {
            path: path(),
            fault: FileError::Owner { path: path(), owner: 1000 },
        }],
        Cause::Writable { .. } => [Cause::Writable { path: path(), mode: 0o666 }],
        Cause::UnknownAccount { .. } => [None, Some("work".to_owned())].map(|nearest| {
            Cause::UnknownAccount {
                name: "wrok".to_owned(),
                known: vec!["home".to_owned(), "work".to_owned()],
                nearest,
            }
        }),
    });
    problems(book);
    contradictions(book);
    parts(book);
}

fn of_flag(problem: Problem) -> Cause {
    Cause::Argument {
        flag: "--flag".to_owned(),
        problem: Box::new(problem),
    }
}

/// The error of a file in which an account has this line.
fn error(line: &str) -> Cause {
    let base = Base {
        home: Some("/home/anna".into()),
        folder: "/home/anna".into(),
    };
    let text = match line {
        line if line.starts_with('[') => line.to_owned(),
        line => format!("[accounts.work]\n{line}\n"),
    };
    Config::parse("config.toml".as_ref(), text.as_bytes(), &base)
        .unwrap_err()
        .into_cause()
}

fn problem(line: &str) -> Problem {
    match error(line) {
        Cause::Invalid { problem, .. } => *problem,
        other => panic!("{line}: {other}"),
    }
}

/// The mistake of an account from a list, with this name and in a template with this line.
fn row((name, user): (&str, &str), line: &str) -> Problem {
    let folder = tempfile::tempdir().unwrap();
    let base = Base {
        home: None,
        folder: folder.path().to_owned(),
    };
    let list = format!("name,user\n{name},{user}\n");
    crate::durable::replace(&folder.path().join("users.csv"), list.as_bytes(), 0o600).unwrap();
    let text = format!("accounts-from = \"users.csv\"\n[template]\n{line}\n");
    let path = folder.path().join("config.toml");
    match Config::parse(&path, text.as_bytes(), &base)
        .unwrap_err()
        .into_cause()
    {
        Cause::Invalid { problem, .. } => *problem,
        other => panic!("{line}: {other}"),
    }
}

fn problems(book: &mut Book) {
    let user = "server = \"pop3s://mail.example.com\"\nmaildir = \"/mail\"\nuser = ";
    every!(book, "config::Problem, within config::Error", Problem {
        Problem::Brace => [Problem::Brace],
        Problem::ColumnTwice { .. } => [Problem::ColumnTwice { column: "user".to_owned() }],
        Problem::ControlCharacter { .. } => [Problem::ControlCharacter {
            column: "note".to_owned(),
        }],
        Problem::Fields { .. } => [Problem::Fields { found: 3, expected: 2 }],
        Problem::NoColumn { .. } => [Problem::NoColumn {
            name: "usr".to_owned(),
            known: vec!["name".to_owned(), "user".to_owned()],
        }],
        Problem::NoName => [Problem::NoName],
        Problem::NoNameColumn { .. } => [Problem::NoNameColumn {
            columns: vec!["Name;User".to_owned()],
        }],
        Problem::PasswordColumn { .. } => [Problem::PasswordColumn {
            column: "Password".to_owned(),
        }],
        Problem::Twice { .. } => [Problem::Twice {
            other: "/home/anna/.config/popsync/conf.d/a.toml".into(),
            line: 3,
        }],
        Problem::Value { .. } => [
            row(("a;b", "x"), "password-command = \"cat {name}\""),
            row(("../x", "x"), "maildir = \"/mail/{name}\""),
            row(("a", ""), "exec = \"deliver {user}\""),
        ],
        Problem::AccountName => [problem("[accounts.\"\"]")],
        Problem::WrongType { .. } => [problem("user = 7")],
        Problem::Choice { .. } => [problem("auth = \"plian\"")],
        Problem::Contradiction(_) => [problem("password-file = \"/a\"\npassword-command = \"b\"")],
        Problem::EmptyCommand { .. } => [problem("password-command = \"\"")],
        Problem::Endpoint { .. } => [problem("oauth = { token-endpoint = \"http://a\" }")],
        Problem::Command { .. } => [problem("exec = \"maildrop '\"")],
        Problem::EmptyUser => [problem("user = \"\"")],
        Problem::Fingerprint(_) => [FingerprintError::Digits.into()],
        Problem::Missing { .. } => [problem("user = \"anna\"")],
        Problem::NotUtf8 => [Problem::NotUtf8],
        Problem::Number { .. } => [problem("max-deletions = 0")],
        Problem::Password => [problem("password = \"secret\"")],
        Problem::Path { .. } => [problem("maildir = \"\""), problem("maildir = \"~bob/Mail\"")],
        Problem::Proxy(_) => [problem("proxy = \"ftp://a\"")],
        Problem::RemoveAtOnce => [problem("remove-after-days = 0")],
        Problem::Server(_) => [problem("server = \"imap://a\"")],
        Problem::ServerName => [problem("tls = { server-name = \"a b\" }")],
        Problem::Size { .. } => [problem("max-size = \"much\"")],
        Problem::Syntax { .. } => [problem("user = anna"), problem("user = \"a\"\nuser = \"b\"")],
        Problem::Patience { .. } => [problem("complain-after = \"long\"")],
        Problem::SourceAddress => [problem("source-address = \"here\"")],
        Problem::Tls { .. } => [problem("tls = \"on\"")],
        Problem::Time { .. } => [problem("timeout = \"long\"")],
        Problem::UnknownKey { .. } => [problem("usre = \"anna\""), problem("ca-file = \"/a\"")],
        Problem::User(_) => [Problem::User(BadByte::NonAscii)],
        Problem::UserBlanks => [problem(&format!("{user}\" anna\""))],
        Problem::UserTooLong => [problem(&format!("{user}\"{}\"", "a".repeat(2_000)))],
    });
}

fn contradictions(book: &mut Book) {
    let auth = AuthMethod::Plain;
    every!(book, "config::Contradiction, within config::Error", Contradiction {
        Contradiction::ApopWithOutlook { .. } => [Contradiction::ApopWithOutlook {
            profile: Profile::default(),
        }],
        Contradiction::CaFileAndRoots => [Contradiction::CaFileAndRoots],
        Contradiction::ExternalWithoutCertificate => [Contradiction::ExternalWithoutCertificate],
        Contradiction::ImportedWithoutMaildir => [Contradiction::ImportedWithoutMaildir],
        Contradiction::KeyWithoutCertificate => [Contradiction::KeyWithoutCertificate],
        Contradiction::PlainWithPop3s => [Contradiction::PlainWithPop3s],
        Contradiction::ProxyPasswordWithoutUser => [Contradiction::ProxyPasswordWithoutUser],
        Contradiction::ProxyUserWithoutPassword => [Contradiction::ProxyUserWithoutPassword],
        Contradiction::RemoveAfterWithoutLeave => [Contradiction::RemoveAfterWithoutLeave],
        Contradiction::OAuthProviders => [Contradiction::OAuthProviders],
        Contradiction::OAuthUnused { .. } => [Contradiction::OAuthUnused { auth }],
        Contradiction::TenantWithoutMicrosoft => [Contradiction::TenantWithoutMicrosoft],
        Contradiction::TokenWithoutOAuth { .. } => [Contradiction::TokenWithoutOAuth { auth }],
        Contradiction::TwoSources => [Contradiction::TwoSources],
        Contradiction::SameMailbox { .. } => [Contradiction::SameMailbox {
            other: "home".to_owned(),
        }],
        Contradiction::SocketAndRoute => [Contradiction::SocketAndRoute],
        Contradiction::NothingToFollow => [Contradiction::NothingToFollow],
        Contradiction::StubsWithoutMaildir => [Contradiction::StubsWithoutMaildir],
        Contradiction::TwoStores => [Contradiction::TwoStores],
        Contradiction::Users { .. } => [Contradiction::Users {
            url: "anna".to_owned(),
            key: "bob".to_owned(),
        }],
        Contradiction::WithoutTls => [Contradiction::WithoutTls],
    });
}

fn parts(book: &mut Book) {
    every!(book, "config::PathError, within config::Error", PathError {
        PathError::Invalid => [PathError::Invalid],
        PathError::NoHome => [PathError::NoHome],
        PathError::OtherHome => [PathError::OtherHome],
        PathError::Variable => [PathError::Variable],
    });
    every!(book, "config::ProxyError, within config::Error", ProxyError {
        ProxyError::Host => [ProxyError::Host],
        ProxyError::Password => [ProxyError::Password],
        ProxyError::Port => [ProxyError::Port],
        ProxyError::Scheme => [ProxyError::Scheme],
        ProxyError::User => [ProxyError::User],
    });
    every!(book, "config::UrlError, within config::Error", UrlError {
        UrlError::Encoding => [UrlError::Encoding],
        UrlError::Host => [UrlError::Host],
        UrlError::Password => [UrlError::Password],
        UrlError::Path => [UrlError::Path],
        UrlError::Port => [UrlError::Port],
        UrlError::Scheme => [UrlError::Scheme],
    });
}
