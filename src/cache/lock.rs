//! Allows one run at a time for an account.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::{Error, create_state_dir};
use crate::account::Identity;
use crate::stop::may_wait;

/// The folder of the locks, in the state folder.
const FOLDER: &str = "locks";

/// The pause between two attempts to get a lock.
const PAUSE: Duration = Duration::from_millis(10);

/// The pause and the number of attempts while another process only reads the lock.
const GLANCE: Duration = Duration::from_millis(1);
const GLANCES: usize = 100;

/// The second line of the note, from the beginning of a run until its end is recorded. It survives a
/// process that is killed. After a power cut it may be missing, since it is not worth a wait for the disk.
const UNFINISHED: &str = "unfinished\n";

/// Held while a run works on an account. The kernel releases it when the process ends, in any way.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// The length of the note without [`UNFINISHED`]. None if nothing may be written.
    note: Option<u64>,
    /// True if the note has that line.
    is_unfinished: bool,
}

/// The process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process number; 0 if it is not known.
    pub pid: u32,
    /// The time when it took the lock.
    pub since: Timestamp,
}

impl Default for Holder {
    /// A holder that has not yet written its number.
    fn default() -> Self {
        Self {
            pid: 0,
            since: Timestamp::now(),
        }
    }
}

impl Lock {
    /// Takes the lock of this account.
    ///
    /// # Errors
    /// [`Error::Locked`] at once if another run has it.
    pub fn acquire(state_dir: &Path, identity: &Identity) -> Result<Self, Error> {
        let (path, file) = open(state_dir, &file_name(identity))?;
        Self::take(path, file)
    }

    /// Takes the lock of an account that was synced before. Other accounts have none, and none is
    /// created. Works on a file system that is mounted read-only, too.
    ///
    /// # Errors
    /// [`Error::Locked`] at once if a run has it.
    pub fn acquire_existing(state_dir: &Path, identity: &Identity) -> Result<Option<Self>, Error> {
        let path = state_dir.join(FOLDER).join(file_name(identity));
        match open_file(OpenOptions::new().read(true).write(true), &path) {
            Ok(file) => Self::take(path, file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                Self::take_read_only(path)
            }
            Err(source) => Err(Error::StateDir { path, source }),
        }
    }

    /// Takes the lock on a file system that is mounted read-only. A run may be active through another
    /// mount of the same files. Over NFS such a lock is refused; then nothing can be known.
    fn take_read_only(path: PathBuf) -> Result<Option<Self>, Error> {
        let mut file = match open_file(OpenOptions::new().read(true), &path) {
            Ok(file) => file,
            Err(source) => return Err(Error::StateDir { path, source }),
        };
        match lock(&file) {
            Ok(()) => Ok(Some(Self {
                file,
                note: None,
                is_unfinished: false,
            })),
            Err(TryLockError::WouldBlock) => Err(Error::Locked {
                holder: holder(&mut file),
            }),
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }

    /// The run that works on an account, if there is one. Creates and writes nothing.
    ///
    /// # Errors
    /// [`Error::StateDir`] if that cannot be found out.
    pub fn holder(state_dir: &Path, identity: &Identity) -> Result<Option<Holder>, Error> {
        let path = state_dir.join(FOLDER).join(file_name(identity));
        let mut file = match open_file(OpenOptions::new().read(true), &path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::StateDir { path, source }),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(holder(&mut file).unwrap_or_default())),
            Err(TryLockError::Error(source)) => Err(Error::StateDir { path, source }),
        }
    }

    fn take(path: PathBuf, mut file: File) -> Result<Self, Error> {
        let failed = |source| Error::StateDir { path, source };
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked {
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // For other processes that find it locked. The lock itself does not depend on this text.
        let note = format!(
            "{} {}\n",
            std::process::id(),
            Timestamp::now().strftime("%FT%TZ")
        );
        // A process that only looks at the account does not finish what a killed one has begun.
        let is_unfinished = is_unfinished(&mut file);
        let mark = if is_unfinished { UNFINISHED } else { "" };
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(format!("{note}{mark}").as_bytes()))
            .map_err(failed)?;
        Ok(Self {
            file,
            note: Some(note.len() as u64),
            is_unfinished,
        })
    }

    /// Notes that a run has begun.
    pub(crate) fn begin_run(&mut self) {
        if self.note.is_some() && !self.is_unfinished {
            // Without this a run that is killed is not noticed, and nothing else.
            self.is_unfinished = self.file.write_all(UNFINISHED.as_bytes()).is_ok();
        }
    }

    /// Notes that the end of the run is recorded.
    pub(crate) fn end_run(&mut self) {
        if let Some(note) = self.note {
            // If it stays, the account is synced once more than it has to be.
            let _ = self.file.set_len(note);
        }
    }

    /// True if a run of the account has begun, and ended before it could record that. False as long as
    /// one is at work, and if nothing can be found out.
    #[cfg(feature = "cli")]
    pub(crate) fn is_cut_short(state_dir: &Path, identity: &Identity) -> bool {
        let path = state_dir.join(FOLDER).join(file_name(identity));
        let file = open_file(OpenOptions::new().read(true), &path);
        file.is_ok_and(|mut file| is_unfinished(&mut file) && file.try_lock_shared().is_ok())
    }
}

/// The beginning of the note.
fn read(file: &mut File) -> io::Result<String> {
    let mut note = String::new();
    file.rewind()?;
    file.take(100).read_to_string(&mut note)?;
    Ok(note)
}

/// True if the note has the mark of a run whose end is not recorded.
fn is_unfinished(file: &mut File) -> bool {
    read(file).is_ok_and(|note| note.ends_with(UNFINISHED))
}

/// Takes the lock at once, or not at all. A process that only asks for the holder takes a shared
/// lock for a moment, which no run does; so this waits for that moment.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..GLANCES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {}
            taken => return taken,
        }
        file.try_lock_shared()?;
        file.unlock().map_err(TryLockError::Error)?;
        thread::sleep(GLANCE);
    }
    file.try_lock()
}

/// Held while the cache's schema is read and perhaps changed. Waits for its turn, but not for ever:
/// the process that holds it may be stopped.
pub(super) fn setting_up(state_dir: &Path, limit: Duration) -> Result<File, Error> {
    let (path, file) = open(state_dir, "schema.lock")?;
    let began = Instant::now();
    let goes_on = || began.elapsed() < limit && may_wait(began);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if goes_on() => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path }),
            Err(TryLockError::Error(source)) => return Err(Error::StateDir { path, source }),
        }
    }
}

fn open(state_dir: &Path, name: &str) -> Result<(PathBuf, File), Error> {
    let folder = state_dir.join(FOLDER);
    create_state_dir(&folder)?;
    let path = folder.join(name);
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    match open_file(&mut options, &path) {
        Ok(file) => Ok((path, file)),
        Err(source) => Err(Error::StateDir { path, source }),
    }
}

/// Opens a lock. A pipe in its place is refused: it would be waited for.
fn open_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no file")),
    }
}

/// One file name for each account, whatever characters the account has.
fn file_name(identity: &Identity) -> String {
    let mut hash = Sha256::new();
    for part in [&identity.key, &identity.host, &identity.user] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hex: String = hash.finalize()[..16]
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    format!("{hex}.lock")
}

fn holder(file: &mut File) -> Option<Holder> {
    let note = read(file).ok()?;
    let (pid, since) = note.lines().next()?.split_once(' ')?;
    Some(Holder {
        pid: pid.parse().ok()?,
        since: since.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn a_process_that_stands_still_is_not_waited_for_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let limit = Duration::from_millis(30);
        let held = setting_up(folder.path(), limit).unwrap();
        let error = setting_up(folder.path(), limit).unwrap_err();
        assert!(matches!(error, Error::Busy { .. }), "{error}");
        assert_eq!(error.exit(), crate::exit::Exit::TemporaryFailure);
        drop(held);
        setting_up(folder.path(), limit).unwrap();
    }

    fn identity(key: &str, user: &str) -> Identity {
        Identity {
            key: key.to_owned(),
            host: "mail.example.com".to_owned(),
            user: user.to_owned(),
        }
    }

    #[test]
    fn a_second_run_of_the_same_account_is_told_who_has_the_first() {
        let state = tempfile::tempdir().unwrap();
        let work = identity("work", "anna");
        let first = Lock::acquire(state.path(), &work).unwrap();
        let error = Lock::acquire(state.path(), &work).unwrap_err();
        assert_eq!(error.exit(), crate::exit::Exit::TemporaryFailure);
        let pid = format!("(process {}, since ", std::process::id());
        assert!(error.to_string().contains(&pid), "{error}");
        let _other = Lock::acquire(state.path(), &identity("work", "bert")).unwrap();
        drop(first);
        Lock::acquire(state.path(), &work).unwrap();
    }

    #[test]
    fn one_who_only_looks_makes_no_lock_and_respects_one() {
        let state = tempfile::tempdir().unwrap();
        let work = identity("work", "anna");
        let look = || Lock::acquire_existing(&state.path().join("state"), &work);
        assert!(look().unwrap().is_none());
        assert!(!state.path().join("state").exists());
        let run = Lock::acquire(&state.path().join("state"), &work).unwrap();
        assert!(matches!(look(), Err(Error::Locked { .. })));
        drop(run);
        assert!(look().unwrap().is_some());
    }

    #[test]
    fn who_asks_for_the_holder_stops_no_run() {
        let state = tempfile::tempdir().unwrap();
        let work = identity("work", "anna");
        let holder = || Lock::holder(state.path(), &work).unwrap();
        assert_eq!(holder(), None);
        let run = Lock::acquire(state.path(), &work).unwrap();
        assert_eq!(holder().map(|holder| holder.pid), Some(std::process::id()));
        drop(run);
        assert_eq!(holder(), None);
        // A process that looks holds it for a moment.
        let path = state.path().join(FOLDER).join(file_name(&work));
        let looker = File::open(path).unwrap();
        looker.lock_shared().unwrap();
        thread::scope(|scope| {
            let run = scope.spawn(|| Lock::acquire(state.path(), &work));
            thread::yield_now();
            drop(looker);
            run.join().unwrap().unwrap();
        });
    }

    /// Looks between the kill and the next run change nothing.
    #[test]
    fn a_run_that_does_not_record_its_end_is_known_until_one_does() {
        let state = tempfile::tempdir().unwrap();
        let work = identity("work", "anna");
        let is_cut_short = || Lock::is_cut_short(state.path(), &work);
        assert!(!is_cut_short());
        let mut run = Lock::acquire(state.path(), &work).unwrap();
        run.begin_run();
        // It is at work.
        assert!(!is_cut_short());
        let pid = std::process::id();
        let holder = || Lock::holder(state.path(), &work).unwrap();
        assert_eq!(holder().map(|holder| holder.pid), Some(pid));
        drop(run);
        assert!(is_cut_short());
        drop(Lock::acquire_existing(state.path(), &work).unwrap());
        drop(Lock::acquire(state.path(), &work).unwrap());
        assert!(is_cut_short());
        let mut run = Lock::acquire(state.path(), &work).unwrap();
        run.begin_run();
        run.end_run();
        assert_eq!(holder().map(|holder| holder.pid), Some(pid));
        drop(run);
        assert!(!is_cut_short());
        assert_eq!(holder(), None);
    }

    #[test]
    fn parts_of_the_identity_are_kept_apart() {
        assert_ne!(
            file_name(&identity("ab", "c")),
            file_name(&identity("a", "bc"))
        );
    }
}
