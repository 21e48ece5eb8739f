//! Commits of many accounts that wait for the disk together.
//!
//! SQLite lets one transaction write at a time. If each of them also waited for the disk, so would all
//! accounts, one behind the other. So SQLite only writes the WAL (`synchronous = NORMAL`); the lock is
//! then free for the next one, and the WAL is synced for all that wait meanwhile. A commit returns when
//! its own octets are durable, as before.
//!
//! Others may see a row before it is durable. An account's rows concern its own run alone, and that
//! waits. A run that was killed in between leaves rows that the next one makes durable before it reads
//! them.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{CheckpointMode, Wal};
use rusqlite::{Connection, ErrorCode, ffi};
use rustix::fs::{AtFlags, Mode, OFlags};

use super::{Error, FILE_NAME};
use crate::durable::{Turns, sync_content};

/// The number of pages in the WAL from which on it is written back into the database: SQLite's own
/// default, which a hook replaces.
const PAGES: i32 = 1000;

/// The WAL of this process, and the number of its connections. SQLite gives the hook no data, so there is
/// one WAL in a process whose commits wait together; those of any other wait for themselves.
static OPEN: Mutex<Option<(Arc<Group>, usize)>> = Mutex::new(None);

/// The commits to one WAL.
#[derive(Debug)]
struct Group {
    /// The state folder, and what identifies it.
    folder: File,
    identity: (u64, u64),
    turns: Turns,
    /// The WAL. It stays open, since the system tells each error once, to those who have the file
    /// open.
    wal: Mutex<Option<File>>,
}

/// A connection whose commits wait with others. Drop it after the connection.
#[derive(Debug)]
pub(super) struct Member(());

impl Member {
    /// Lets the commits of this connection, which has a WAL in this folder, wait with those of the others.
    /// `None` if this process has another state open: then nothing changes.
    ///
    /// # Errors
    /// [`Error::StateDir`] and [`Error::Sqlite`].
    pub(super) fn join(connection: &Connection, state_dir: &Path) -> Result<Option<Self>, Error> {
        let opened = File::open(state_dir).and_then(|folder| Ok((folder.metadata()?, folder)));
        let (found, folder) = opened.map_err(|source| Error::StateDir {
            path: state_dir.to_owned(),
            source,
        })?;
        let identity = (found.dev(), found.ino());
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *open {
            Some((group, members)) if group.identity == identity => *members += 1,
            Some(_) => return Ok(None),
            None => {
                let group = Group {
                    folder,
                    identity,
                    turns: Turns::default(),
                    wal: Mutex::default(),
                };
                *open = Some((Arc::new(group), 1));
            }
        }
        drop(open);
        let member = Self(());
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.wal_hook(Some(after_commit));
        Ok(Some(member))
    }
}

impl Member {
    /// Makes the writes of another process durable, which may have been killed before it did so.
    ///
    /// # Errors
    /// [`Error::StateDir`]; `path` is that of the database.
    pub(super) fn sync_what_was_left(&self, path: &Path) -> Result<(), Error> {
        let group = open_group();
        let synced = group.map_or(Ok(()), |group| group.sync());
        synced.map_err(|source| Error::StateDir {
            path: path.to_owned(),
            source,
        })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, members)) = &mut *open {
            *members -= 1;
            if *members == 0 {
                *open = None;
            }
        }
    }
}

impl Group {
    /// Makes durable what is in the WAL now.
    fn sync(&self) -> io::Result<()> {
        self.turns.wait(|| {
            let mut wal = self.wal.lock().unwrap_or_else(PoisonError::into_inner);
            let name = format!("{FILE_NAME}-wal");
            let found = rustix::fs::statat(&self.folder, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            let is_it = |wal: &File| -> io::Result<bool> {
                let own = rustix::fs::fstat(wal)?;
                Ok((own.st_dev, own.st_ino) == (found.st_dev, found.st_ino))
            };
            // SQLite removes it when its last connection is closed, and makes another one.
            if !wal.as_ref().map_or(Ok(false), is_it)? {
                let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                let opened = rustix::fs::openat(&self.folder, &name, flags, Mode::empty())?;
                *wal = Some(opened.into());
            }
            wal.as_ref().map_or(Ok(()), sync_content)
        })
    }
}

fn open_group() -> Option<Arc<Group>> {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.as_ref().map(|(group, _)| Arc::clone(group))
}

/// Called by SQLite after each commit, without the lock. Its error becomes that of the commit.
fn after_commit(wal: &Wal, pages: i32) -> rusqlite::Result<()> {
    let group = open_group();
    let failed = |why: &str| {
        let error = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
        rusqlite::Error::SqliteFailure(error, Some(why.to_owned()))
    };
    let group = group.ok_or_else(|| failed("the state is not open"))?;
    group.sync().map_err(|error| failed(&error.to_string()))?;
    if pages < PAGES {
        return Ok(());
    }
    match wal.checkpoint_v2(CheckpointMode::PASSIVE) {
        // Others read or write it now, and one of them will do it.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
        done => done.map(|_| ()),
    }
}
