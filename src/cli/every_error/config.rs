//! Errors of the configuration, and of the settings of a command line.

use super::{Book, every, system};
use crate::auth::private_file::FileError;
use crate::config::{Base, Config, Error};

pub(super) fn add(book: &mut Book) {
    let path = || "/home/anna/.config/popsync/config.toml".into();
    every!(book, "config::Error", Error {
        Error::Argument { .. } => [Error::argument("--config", "config", crate::config::PathError::Invalid)],
        Error::Invalid { .. } => [invalid()],
        Error::Missing { .. } => [Error::Missing { path: path() }],
        Error::NoAccounts { .. } => [Error::NoAccounts { path: path() }],
        Error::NoHome { .. } => [Error::NoHome { what: "the state" }],
        Error::Read { .. } => [Error::Read {
            path: path(),
            source: system(rustix::io::Errno::ACCESS),
        }],
        Error::TooLarge { .. } => [Error::TooLarge { path: path(), limit: 1 << 20 }],
        Error::Foreign { .. } => [Error::Foreign {
            path: path(),
            fault: FileError::Owner { path: path(), owner: 1000 },
        }],
        Error::Writable { .. } => [Error::Writable { path: path(), mode: 0o666 }],
        Error::UnknownAccount { .. } => [None, Some("work".to_owned())].map(|nearest| {
            Error::UnknownAccount {
                name: "wrok".to_owned(),
                known: vec!["home".to_owned(), "work".to_owned()],
                nearest,
            }
        }),
    });
}

/// The error of a file with a mistake.
fn invalid() -> Error {
    let base = Base {
        home: Some("/home/anna".into()),
        folder: "/home/anna".into(),
    };
    let text = "[accounts.work]\nserver = \"pop3s://mail.example.com\"\nusre = \"anna\"\n";
    Config::parse("config.toml".as_ref(), text.as_bytes(), &base).unwrap_err()
}
