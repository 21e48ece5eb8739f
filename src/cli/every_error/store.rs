//! Errors of stores, of the state, and of other programs' lists.

use std::io;

use jiff::Timestamp;
use rusqlite::ErrorCode;
use rustix::io::Errno;

use super::{Book, every, missing, system};
use crate::cache::{self, Holder, SameAsError};
use crate::import::{self, LineError, Mailbox};
use crate::store::{Error, MailFileError};

pub(super) fn add(book: &mut Book) {
    stores(book);
    caches(book);
    imports(book);
}

fn stores(book: &mut Book) {
    let path = || "/home/anna/Mail/work".into();
    let kinds = || {
        [
            Errno::FBIG,
            Errno::DQUOT,
            Errno::NOSPC,
            Errno::ACCESS,
            Errno::ROFS,
            Errno::NOTDIR,
            Errno::XDEV,
            Errno::IO,
        ]
        .map(system)
    };
    every!(book, "store::Error", Error {
        Error::Folder { .. } => [Error::Folder { path: path(), source: missing() }],
        Error::Agent { .. } => [Error::Agent {
            program: "maildrop".to_owned(),
            source: missing(),
        }],
        Error::AgentBusy { .. } => [Error::AgentBusy {
            reason: "`maildrop` ended with exit status: 75".to_owned(),
        }],
        Error::Locked { .. } => ["/home/anna/Mail/work", "/home/anna/Mail/work.lock"]
            .map(|lock| Error::Locked { path: path(), lock: lock.into() }),
        Error::Unfit { .. } => [Error::Unfit { path: path(), why: MailFileError::Directory }],
        Error::Replaced { .. } => [Error::Replaced { path: path() }],
        Error::Exists { .. } => [Error::Exists { path: path() }],
        Error::Unfinished { .. } => [Error::Unfinished { path: path() }],
        Error::Io { .. } => kinds().map(|source| Error::Io {
            doing: "writing",
            path: path(),
            source,
        }),
    });
    every!(book, "store::MailFileError, within store::Error", MailFileError {
        MailFileError::DanglingLink => [MailFileError::DanglingLink],
        MailFileError::Directory => [MailFileError::Directory],
        MailFileError::ForeignLink => [MailFileError::ForeignLink],
        MailFileError::ForeignOwner => [MailFileError::ForeignOwner],
        MailFileError::Maildir => [MailFileError::Maildir],
        MailFileError::NoFolder => [MailFileError::NoFolder],
        MailFileError::NotMbox => [MailFileError::NotMbox],
        MailFileError::NotRegular => [MailFileError::NotRegular],
        MailFileError::Packed(_) => [MailFileError::Packed("gzip")],
        MailFileError::WritableByAll => [MailFileError::WritableByAll],
    });
}

fn sqlite(code: ErrorCode) -> rusqlite::Error {
    let error = rusqlite::ffi::Error {
        code,
        extended_code: 0,
    };
    rusqlite::Error::SqliteFailure(error, None)
}

fn no_shared_memory() -> rusqlite::Error {
    let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_SHMMAP);
    rusqlite::Error::SqliteFailure(error, None)
}

fn caches(book: &mut Book) {
    let path = || "/home/anna/.local/state/popsync/state.db".into();
    let codes = [
        ErrorCode::DatabaseCorrupt,
        ErrorCode::DiskFull,
        ErrorCode::SystemIoFailure,
        ErrorCode::DatabaseBusy,
        ErrorCode::ReadOnly,
        ErrorCode::InternalMalfunction,
    ];
    let holder = Holder {
        pid: 4711,
        since: Timestamp::UNIX_EPOCH,
    };
    every!(book, "cache::Error", cache::Error {
        cache::Error::Busy { .. } => [cache::Error::Busy { path: path() }],
        cache::Error::Damaged { .. } => [cache::Error::Damaged {
            findings: "row 3 missing from index runs".to_owned(),
        }],
        cache::Error::Locked { .. } => [None, Some(holder)]
            .map(|holder| cache::Error::Locked { holder }),
        cache::Error::NotDurable(_) => [cache::Error::NotDurable(system(Errno::IO))],
        cache::Error::Sqlite(_) => codes
            .map(sqlite)
            .into_iter()
            .chain([rusqlite::Error::IntegralValueOutOfRange(3, -1), no_shared_memory()])
            .map(cache::Error::Sqlite),
        cache::Error::StateDir { .. } => [Errno::ACCESS, Errno::NOSPC, Errno::DQUOT]
            .map(|errno| cache::Error::StateDir { path: path(), source: system(errno) }),
        cache::Error::TooNew { .. } => [cache::Error::TooNew {
            path: path(),
            version: 99,
            known: 20,
        }],
        cache::Error::Unreadable { .. } => [cache::Error::Unreadable {
            path: path(),
            source: sqlite(ErrorCode::NotADatabase),
        }],
    });
    let named = || "old".to_owned();
    let others = || vec!["anna@a.example".to_owned(), "anna@b.example".to_owned()];
    every!(book, "cache::SameAsError", SameAsError {
        SameAsError::Cache(_) => [cache::Error::Locked { holder: None }.into()],
        SameAsError::Unknown { .. } => [Vec::new(), others()]
            .map(|known| SameAsError::Unknown { named: named(), known }),
        SameAsError::Several { .. } => [SameAsError::Several { named: named(), of: others() }],
        SameAsError::Known { .. } => [SameAsError::Known {
            name: "anna@a.example".to_owned(),
            of: "anna@b.example".to_owned(),
        }],
    });
}

fn imports(book: &mut Book) {
    let _is_complete = |error: LineError| match error {
        LineError::EndsEarly { .. }
        | LineError::Length
        | LineError::Form { .. }
        | LineError::NoMailbox
        | LineError::NoUniqueId
        | LineError::TooLong => (),
    };
    let lines = [
        LineError::EndsEarly { left: 3 },
        LineError::Length,
        LineError::Form {
            expected: "a host, a user and a unique-id",
        },
        LineError::NoMailbox,
        LineError::NoUniqueId,
        LineError::TooLong,
    ];
    let path = || "/home/anna/.fetchids".into();
    every!(book, "import::Error", import::Error {
        import::Error::Empty { .. } => [import::Error::Empty { path: path() }],
        import::Error::Io { .. } => [import::Error::Io {
            path: path(),
            source: io::ErrorKind::InvalidData.into(),
        }],
        import::Error::Malformed { .. } => lines.map(|fault| import::Error::Malformed {
            path: path(),
            line: 7,
            format: "fetchmail",
            fault,
        }),
        import::Error::OtherMailbox { .. } => [import::Error::OtherMailbox {
            path: path(),
            mailbox: Mailbox {
                host: "mail.example.com".to_owned(),
                user: "anna".to_owned(),
            },
            found: vec!["bob@mail.example.com".to_owned()],
        }],
    });
}
