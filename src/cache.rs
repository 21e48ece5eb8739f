//! State kept between runs: messages, runs, capabilities, in one SQLite file.
//!
//! Synchronous: called on threads that may block. One file serves all accounts. Each run opens it
//! for itself, and SQLite isolates the runs.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Params, Row, Transaction,
    TransactionBehavior,
};
use rustix::fs::Access;

use crate::durable::{folder_of, sync_file, sync_way_to};

mod accounts;
mod brakes;
mod breakers;
mod busy;
mod capabilities;
mod content;
mod copy;
mod doubt;
mod error;
mod extents;
#[cfg(feature = "cli")]
mod figures;
mod forget;
mod group_commit;
mod headers_only;
mod held;
mod imported;
mod in_order;
mod kept;
mod key;
mod listed;
mod lock;
mod losses;
mod messages;
mod migrate;
mod overview;
mod runs;
mod same_as;
mod snapshot;
mod statements;
mod stored;
mod stumps;
mod verifications;

use copy::Copy;
use statements::Statements;

pub use accounts::AccountRow;
pub(crate) use brakes::BrakeMemory;
pub(crate) use content::{Content, Known};
pub use doubt::DoubtReason;
pub(crate) use doubt::Sizes;
pub use error::Error;
#[cfg(feature = "cli")]
pub(crate) use figures::Figure;
pub(crate) use headers_only::{HeaderRow, LargeMessage, Marked, Whole};
pub(crate) use held::Held;
pub(crate) use imported::Had;
pub use imported::Taken;
pub use kept::KeepOpen;
pub use key::{AccountId, MessageKey};
pub(crate) use listed::{Absent, Renamed};
pub use lock::{Holder, Lock};
pub(crate) use losses::Loss;
pub(crate) use messages::Digest;
pub use messages::{LineEnds, Staged, Takes};
pub(crate) use overview::{AccountOverview, LastRun};
pub(crate) use runs::{PastRun, Run};
pub(crate) use same_as::Recorded;
pub use same_as::SameAsError;
pub use snapshot::{Shown, Snapshot};
pub(crate) use stored::Stored;
pub(crate) use stumps::Stump;
pub(crate) use verifications::PastVerification;

/// The file in the state folder.
pub(crate) const FILE_NAME: &str = "popsync.sqlite3";

/// More statements than a run has: a cache that stays open compiles each of them once.
const STATEMENTS: usize = 256;

/// The open cache.
#[derive(Debug)]
pub struct Cache {
    connection: Connection,
    /// Lets commits wait for the disk with those of other accounts.
    group: Option<group_commit::Member>,
    /// The part of the WAL that may not be durable yet, and that this run may have read or written.
    written: Option<group_commit::Written>,
    /// What identifies its file, if it may be written.
    file: Option<(u64, u64)>,
    /// The copy that the connection reads, if it reads one.
    _copy: Option<Copy>,
}

impl Cache {
    /// Opens the cache in this folder. Creates folder and file if they are missing, readable by
    /// their owner alone.
    ///
    /// # Errors
    /// [`Error::TooNew`] if a newer popsync wrote it: it is left untouched.
    pub fn open(state_dir: &Path) -> Result<Self, Error> {
        create_state_dir(state_dir)?;
        let path = state_dir.join(FILE_NAME);
        refuse_special(&path)?;
        let mut connection;
        let is_wal;
        {
            // Two runs that both find no schema must not both create one.
            let _lock = lock::setting_up(state_dir, busy::TIMEOUT)?;
            create_file(&path).map_err(|source| Error::StateDir {
                path: path.clone(),
                source,
            })?;
            connection = connect(&path, OpenFlags::default())?;
            migrate::check(&connection, &path)?;
            sync_what_was_left(state_dir, migrate::is_blank(&connection)?)?;
            // If the file system cannot do WAL, SQLite keeps a journal that it can do.
            let journal: String =
                connection
                    .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
            migrate::to_latest(&mut connection)?;
            is_wal = journal == "wal";
        }
        // A committed transaction is on the disk, or the run fails. Without WAL this also needs the
        // folder's sync, which FULL leaves out.
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        if kept::is_wanted() {
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
        }
        // One that reads before it writes cannot wait for its turn then: SQLite refuses it at once.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        let group = match is_wal {
            true => group_commit::Member::join(&connection, &path)?,
            false => None,
        };
        Ok(Self {
            connection,
            group,
            written: None,
            file: std::fs::metadata(&path).ok().as_ref().map(kept::identity),
            _copy: None,
        })
    }

    /// An empty cache that is not saved: for a look when there is no file yet.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn blank() -> Result<Self, Error> {
        let mut connection = Connection::open_in_memory()?;
        migrate::to_latest(&mut connection)?;
        Ok(Self {
            connection,
            group: None,
            written: None,
            file: None,
            _copy: None,
        })
    }

    /// Opens the cache only to read it. `None` if there is none yet. Writes nothing: a file of an
    /// older popsync is brought up to date in a copy.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_read_only(state_dir: &Path) -> Result<Option<Self>, Error> {
        let path = state_dir.join(FILE_NAME);
        // A cache that cannot be looked for is not a missing one: every message would seem new.
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(source) => return Err(Error::StateDir { path, source }),
        }
        refuse_special(&path)?;
        // Read-only connections leave the files of the WAL behind; others remove them.
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
        // Without a writable folder SQLite cannot create the files it needs beside the cache. Then
        // no run is active there either, and the file does not change while it is copied.
        let is_current = match migrate::check(&connection, &path) {
            Err(Error::Sqlite(error)) if needs_writing(&error) => false,
            checked => {
                checked?;
                migrate::is_current(&connection)?
            }
        };
        let (connection, copy) = if is_current {
            (connection, None)
        } else {
            drop(connection);
            let (connection, copy) = Copy::of(&path)?;
            (connection, Some(copy))
        };
        connection.pragma_update(None, "query_only", true)?;
        Ok(Some(Self {
            connection,
            group: None,
            written: None,
            file: None,
            _copy: copy,
        }))
    }

    /// Runs all these queries on one state of the records, whatever runs write meanwhile. SQLite locks the
    /// file once for them, and not for each.
    ///
    /// # Errors
    /// Those of `read`, and [`Error::Sqlite`].
    pub(crate) fn at_once<T>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
        let result = read(self)?;
        transaction.finish()?;
        Ok(result)
    }

    /// The row that a query finds, if there is one. The query is prepared once, because `status`
    /// asks the same of thousands of accounts.
    fn row<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        let mut query = self.connection.prepare_cached(query)?;
        query.query_row(parameters, read).optional()
    }
}

/// A connection to this file. Neither locks nor reads it yet.
fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(busy::wait))?;
    // A statement keeps its plan, whatever values it gets: to make another one, as for each new limit,
    // takes longer than to run it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Makes the writes of an earlier run durable before this run acts on them. A run killed between
/// the write and the sync of a transaction leaves rows that can be read. The next power cut would
/// take them back, but not what was done because of them.
fn sync_what_was_left(state_dir: &Path, is_blank: bool) -> Result<(), Error> {
    let failed = |path: &Path, source| Error::StateDir {
        path: path.to_owned(),
        source,
    };
    let wal = copy::beside(&state_dir.join(FILE_NAME));
    let is_left = match File::open(&wal).and_then(|file| Ok((file.metadata()?.len() > 0, file))) {
        Ok((true, file)) => sync_file(file).map(|()| true),
        Ok((false, _)) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    };
    // SQLite syncs the entry of a WAL only if it creates it.
    if is_left.map_err(|source| failed(&wal, source))? || is_blank {
        let folder = folder_of(&wal);
        sync_way_to(folder).map_err(|source| failed(folder, source))?;
    }
    Ok(())
}

/// True if SQLite could not read because it could not write.
fn needs_writing(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
    )
}

/// Refuses special files, also as SQLite's own. Opening a pipe would wait for ever.
fn refuse_special(path: &Path) -> Result<(), Error> {
    for behind in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(behind);
        let path = PathBuf::from(name);
        if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            let source = io::Error::other("it is no file");
            return Err(Error::StateDir { path, source });
        }
    }
    Ok(())
}

/// Creates the file if it is missing, readable by its owner alone. One that exists is not opened: a
/// process that closes a file loses all its locks on it, also those of SQLite's connections. Another
/// process would then think that nobody uses the WAL, and take it away.
fn create_file(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(rustix::fs::access(path, Access::WRITE_OK)?);
    }
    let mut file = OpenOptions::new();
    file.append(true).create(true).mode(0o600);
    file.open(path).map(|_| ())
}

/// Creates the state folder, readable by its owner alone.
fn create_state_dir(path: &Path) -> Result<(), Error> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| Error::StateDir {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests;
