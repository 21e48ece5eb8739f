//! Errors that end the run of an account, and what is added to them when they are told.

use rustix::io::Errno;

use super::{Book, every, system};
use crate::account::{Security, Server};
use crate::auth;
use crate::auth::source;
use crate::cache;
use crate::pop3::{self, Keyword};
use crate::probe::{self, Step};
use crate::session::{self, Refusal};
use crate::stop::Signal;
use crate::store;
use crate::sync::{Error, Outcome, Summary};

pub(super) fn add(book: &mut Book) {
    let path = || "/home/anna/Mail/work".into();
    every!(book, "sync::Error", Error {
        Error::Auth(_) => [Error::Auth(auth::Error::from(source::Error::NoSource {
            keyring: None,
        }))],
        Error::Cache(_) => [Error::Cache(cache::Error::Locked { holder: None })],
        Error::EndlessMessage { .. } => [Error::EndlessMessage {
            reason: "it does not end",
        }],
        Error::LargerThanMaxSize => [Error::LargerThanMaxSize],
        Error::NoRoom => [Error::NoRoom],
        Error::TooLarge => [Error::TooLarge],
        Error::Interrupted(_) => [Signal::HangUp, Signal::Interrupt, Signal::Quit, Signal::Terminate]
            .map(Error::Interrupted),
        Error::Familiar { .. } => [Error::Familiar { messages: 100, path: path() }],
        Error::NoHeaders => [Error::NoHeaders],
        Error::NotLookedAt => [Error::NotLookedAt],
        Error::Panicked { .. } => [Error::Panicked { message: "these words".to_owned() }],
        Error::SameAs(_) => [cache::SameAsError::Several {
            named: "old".to_owned(),
            of: vec!["anna@a.example".to_owned(), "anna@b.example".to_owned()],
        }
        .into()],
        Error::Session(_) => [Error::Session(closed())],
        Error::Untried { .. } => [Error::Untried {
            server: Server {
                host: "mail.example.com".to_owned(),
                port: 995,
                security: Security::ImplicitTls,
            },
        }],
        Error::StateLost { .. } => [Error::StateLost { messages: 100, path: path() }],
        Error::StoreChanges { .. } => [Error::StoreChanges { path: path() }],
        Error::StoreMissing { .. } => [Error::StoreMissing { kind: "Maildir", path: path() }],
        Error::Store(_) => [full(), too_many_files()].map(Error::Store),
        Error::StoreGone { .. } => [Error::StoreGone { path: path(), messages: 100 }],
        Error::StoreReplaced { .. } => [Error::StoreReplaced { path: path(), messages: 100 }],
    });
    outcomes(book);
    visits(book);
}

fn closed() -> session::Error {
    session::Error::Protocol {
        last_words: Some("Later.".to_owned()),
        fault: pop3::Error::Closed {
            awaited: Some(Keyword::Retr),
        },
    }
}

fn writing(errno: Errno) -> store::Error {
    store::Error::Io {
        doing: "writing",
        path: "/home/anna/Mail/work/tmp/1".into(),
        source: system(errno),
    }
}

fn full() -> store::Error {
    writing(Errno::NOSPC)
}

fn too_many_files() -> store::Error {
    writing(Errno::MFILE)
}

fn outcomes(book: &mut Book) {
    book.begin("sync::Outcome, which says what became of the mail on the server");
    for may_have_deleted in [false, true] {
        let outcome = Outcome {
            summary: Summary {
                may_have_deleted,
                ..Summary::default()
            },
            result: Err(full().into()),
            outage: None,
            started_at: 0,
            login_delay: None,
        };
        if let Some(error) = outcome.error() {
            book.add(&error);
        }
    }
}

/// `popsync probe` knows nothing of runs, and gives other hints.
fn visits(book: &mut Book) {
    book.begin("probe::Error, where its hint is not that of the session");
    let refusal = Refusal::of_line(Some(Keyword::Uidl), "-ERR Not that.");
    let malformed = session::Error::Protocol {
        last_words: None,
        fault: pop3::Error::Malformed {
            keyword: Keyword::Stat,
            line: b"+OK what".to_vec(),
        },
    };
    for error in [closed(), malformed, session::Error::Refused(refusal)] {
        book.add(&probe::Error {
            step: Step::Stat,
            statement: None,
            error,
        });
    }
}
