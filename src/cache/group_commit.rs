//! Commits of many accounts that wait for the disk together.
//!
//! SQLite lets one transaction write at a time. If each of them also waited for the disk, so would all
//! accounts, one behind the other. So SQLite only writes the WAL (`synchronous = NORMAL`); the lock is
//! then free for the next one, and the WAL is synced for all that wait meanwhile. A commit returns when
//! its own octets are durable, as before.
//!
//! Others may see a row before it is durable. An account's rows concern its own run alone, and that
//! waits. A run that was killed in between leaves rows that the next one makes durable before it acts
//! upon them.
//!
//! A commit that nothing outside the state depends on yet need not wait: see [`super::in_order`].

use std::cell::Cell;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{CheckpointMode, Wal};
use rusqlite::{Connection, ErrorCode, ffi};
use rustix::fs::{AtFlags, Mode, OFlags};

use super::{Error, copy};
use crate::durable::{Turns, folder_of, sync_content};

/// The number of pages in the WAL from which on it is written back into the database: SQLite's own
/// default, which a hook replaces.
const PAGES: i32 = 1000;

/// The WAL of this process, and the number of its connections. SQLite gives the hook no data, so there is
/// one WAL in a process whose commits wait together; those of any other wait for themselves.
static OPEN: Mutex<Option<(Arc<Group>, usize)>> = Mutex::new(None);

/// The commits to one WAL.
#[derive(Debug)]
struct Group {
    /// The folder of the WAL, and what identifies it.
    folder: File,
    identity: (u64, u64),
    /// The name of the WAL.
    name: OsString,
    turns: Turns,
    /// True once the system could not write the WAL. It says so once, and takes the octets for
    /// written then. SQLite reads a WAL only up to the first damage, so whatever comes behind it is
    /// in danger too.
    is_lost: AtomicBool,
    /// The WAL. It stays open, since the system tells each error once, to those who have the file
    /// open.
    wal: Mutex<Option<File>>,
}

/// A connection whose commits wait with others. Drop it after the connection.
#[derive(Debug)]
pub(super) struct Member(());

impl Member {
    /// Lets the commits of this connection to the file at `path`, which has a WAL, wait with those of the
    /// others. `None` if this process has another state open: then nothing changes.
    ///
    /// # Errors
    /// [`Error::StateDir`] and [`Error::Sqlite`].
    pub(super) fn join(connection: &Connection, path: &Path) -> Result<Option<Self>, Error> {
        let wal = copy::beside(path);
        let opened =
            File::open(folder_of(&wal)).and_then(|folder| Ok((folder.metadata()?, folder)));
        let (found, folder) = opened.map_err(|source| Error::StateDir {
            path: path.to_owned(),
            source,
        })?;
        let identity = (found.dev(), found.ino());
        let name = wal.file_name().unwrap_or_default().to_owned();
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *open {
            Some((group, members)) if group.identity == identity && group.name == name => {
                *members += 1
            }
            Some(_) => return Ok(None),
            None => {
                let group = Group {
                    folder,
                    identity,
                    name,
                    turns: Turns::default(),
                    is_lost: AtomicBool::new(false),
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

    /// All that is in the WAL now, whoever wrote it.
    pub(super) fn written(&self) -> Written {
        Written(open_group().map_or(0, |group| group.turns.next()))
    }

    /// Makes that much of the WAL durable, if no other commit has done so meanwhile.
    ///
    /// # Errors
    /// [`Error::NotDurable`].
    pub(super) fn sync(&self, written: Written) -> Result<(), Error> {
        let group = open_group();
        let synced = group.map_or(Ok(()), |group| group.sync(written));
        synced.map_err(Error::NotDurable)
    }
}

/// A part of the WAL, from its beginning: the turn that makes it durable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written(u64);

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
    /// Makes this part of the WAL durable. Once that has failed it always fails: see `is_lost`.
    fn sync(&self, written: Written) -> io::Result<()> {
        self.turns.wait_for(written.0, || {
            let mut wal = self.wal.lock().unwrap_or_else(PoisonError::into_inner);
            let name = &self.name;
            let found = rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let is_it = |wal: &File| -> io::Result<bool> {
                let own = rustix::fs::fstat(wal)?;
                Ok((own.st_dev, own.st_ino) == (found.st_dev, found.st_ino))
            };
            // SQLite removes it when its last connection is closed, and makes another one.
            if !wal.as_ref().map_or(Ok(false), is_it)? {
                let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                let opened = rustix::fs::openat(&self.folder, name, flags, Mode::empty())?;
                *wal = Some(opened.into());
            }
            let synced = wal.as_ref().map_or(Ok(()), sync_content);
            self.is_lost.fetch_or(synced.is_err(), Ordering::SeqCst);
            synced
        })?;
        // The octets of this commit may have been in a turn that failed for another one.
        self.intact()
    }

    /// An error if something could not be written.
    fn intact(&self) -> io::Result<()> {
        match self.is_lost.load(Ordering::SeqCst) {
            true => Err(io::Error::other("an earlier change could not be written")),
            false => Ok(()),
        }
    }
}

fn open_group() -> Option<Arc<Group>> {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.as_ref().map(|(group, _)| Arc::clone(group))
}

thread_local! {
    /// True while the commits of this thread are not waited for.
    static IS_IN_ORDER: Cell<bool> = const { Cell::new(false) };

    /// Why the last commit of this thread failed behind its write. SQLite says of each such failure
    /// that it is a logic error.
    static FAILED: Cell<Option<Error>> = const { Cell::new(None) };
}

/// Runs `act`, whose commits on this thread return once they are written. SQLite reads a WAL from its
/// beginning up to the first damage, so a power cut takes such a commit back only together with all
/// later ones; and what makes a later one durable makes it durable, too.
pub(super) fn without_waiting<T>(act: impl FnOnce() -> T) -> T {
    /// Waits again, also after a panic.
    struct Before(bool);

    impl Drop for Before {
        fn drop(&mut self) {
            IS_IN_ORDER.set(self.0);
        }
    }

    let _before = Before(IS_IN_ORDER.replace(true));
    act()
}

/// The cause of an error, if it is that of a commit which could not be made durable.
pub(super) fn cause(error: &rusqlite::Error) -> Option<Error> {
    let may_be_it = error.sqlite_error_code() == Some(ErrorCode::Unknown);
    may_be_it.then(|| FAILED.take()).flatten()
}

/// Called by SQLite after each commit, without the lock. If it fails, so does the commit.
fn after_commit(wal: &Wal, pages: i32) -> rusqlite::Result<()> {
    let failed = finish(wal, pages).err();
    let result = match &failed {
        Some(_) => {
            let error = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
            Err(rusqlite::Error::SqliteFailure(error, None))
        }
        None => Ok(()),
    };
    FAILED.set(failed);
    result
}

/// Makes a commit durable, unless it need not wait, and writes a large WAL back.
fn finish(wal: &Wal, pages: i32) -> Result<(), Error> {
    let synced = match open_group() {
        Some(group) if IS_IN_ORDER.get() => group.intact(),
        Some(group) => group.sync(Written(group.turns.next())),
        None => Err(io::Error::other("the state is not open")),
    };
    if let Err(error) = synced {
        // Later runs read what is in the WAL, whether it is on the disk or not. Perhaps the database
        // takes it. The connection may be told of the same failure first.
        let _ = write_back(wal).or_else(|_| write_back(wal));
        return Err(Error::NotDurable(error));
    }
    if pages >= PAGES {
        // SQLite syncs the WAL first. If the database cannot take it now, a later commit tries again.
        let _ = write_back(wal);
    }
    Ok(())
}

/// The number of times that the WAL was synced for commits.
#[cfg(test)]
pub(super) fn syncs() -> u64 {
    open_group().unwrap().turns.next() - 1
}

/// Writes the WAL back into the database, as far as nobody reads it.
fn write_back(wal: &Wal) -> rusqlite::Result<()> {
    match wal.checkpoint_v2(CheckpointMode::PASSIVE) {
        // Others read or write it now, and one of them will do it.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
        done => done.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(path: &Path) -> (Connection, Member) {
        let connection = Connection::open(path).unwrap();
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .unwrap();
        let member = Member::join(&connection, path).unwrap().unwrap();
        (connection, member)
    }

    #[test]
    fn a_commit_in_order_becomes_durable_with_a_later_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite3");
        let (one, member) = connection(&path);
        one.execute("CREATE TABLE t (x)", []).unwrap();
        let insert = || one.execute("INSERT INTO t VALUES (1)", []).unwrap();
        let before = syncs();
        without_waiting(insert);
        without_waiting(insert);
        let written = member.written();
        assert_eq!(syncs(), before);
        insert();
        assert_eq!(syncs(), before + 1);
        member.sync(written).unwrap();
        assert_eq!(syncs(), before + 1);
        // Without a later one it is waited for by itself.
        without_waiting(insert);
        member.sync(member.written()).unwrap();
        assert_eq!(syncs(), before + 2);
    }

    /// The disk tells its failure once. A commit that was written meanwhile may be lost as well, and
    /// those behind it cannot be read after a power cut.
    #[test]
    fn a_failed_write_fails_every_commit_until_the_state_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite3");
        let (one, member) = connection(&path);
        one.execute("CREATE TABLE t (x)", []).unwrap();
        open_group().unwrap().is_lost.store(true, Ordering::SeqCst);
        let (two, other) = connection(&path);
        for connection in [&one, &two] {
            let error = connection.execute("INSERT INTO t VALUES (1)", []);
            let error = Error::from(error.unwrap_err());
            assert!(matches!(error, Error::NotDurable(_)), "{error}");
        }
        member.sync(member.written()).unwrap_err();
        // Nobody has heard that they are durable, but the database has taken them.
        let copy = folder.path().join("copy.sqlite3");
        std::fs::copy(&path, &copy).unwrap();
        let copy = Connection::open(copy).unwrap();
        let count = copy.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, u32>(0));
        assert_eq!(count.unwrap(), 2);
        drop((one, member, two, other));
        let (again, _member) = connection(&path);
        again.execute("INSERT INTO t VALUES (1)", []).unwrap();
    }
}
