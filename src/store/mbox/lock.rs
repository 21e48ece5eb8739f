//! The locks of an mbox, as in Debian's policy (§11.6): first the kernel's, by `fcntl`, and then a
//! lock file beside it with `.lock` after its name. Neither attempt waits. If the second one fails,
//! both are released, so that two programs never wait for each other.

use std::fs::File;
use std::io::{self, Read, Write};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

#[cfg(target_os = "linux")]
use rustix::fs::{AtFlags, CWD};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::file::MailFile;
use crate::durable::sync_file;
use crate::stop::may_wait;
use crate::store::Error;

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// A lock file that nobody touched for this long belongs to nobody (`lockfile_create(3)`).
const STALE_AFTER: Duration = Duration::from_secs(300);

/// The interval at which a held lock file is touched: well before others consider it stale.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// The longest lock file: a number, a name and a word.
const LONGEST: u64 = 512;

/// The last line of a lock file on which its maker holds the kernel's lock while it lives. A
/// process number alone proves nothing: it may be in use again, and means nothing in another
/// container.
const HELD: &str = "popsync";

/// An mbox that nobody else writes to or replaces. Dropping it releases the locks.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) mail: Arc<MailFile>,
    dotlock: Option<Dotlock>,
}

impl Locked {
    /// Locks the file.
    pub(super) fn acquire(mail: &Arc<MailFile>, until: Instant) -> Result<Self, Error> {
        let path = &mail.path;
        let began = Instant::now();
        if !mail.claim(until) {
            return Err(Error::locked(path, path));
        }
        // From here on, dropping releases the lock.
        let mut locked = Self {
            mail: Arc::clone(mail),
            dotlock: None,
        };
        loop {
            let taken = match lock(&mail.file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => match Dotlock::take(path)? {
                    Taken::Yes(dotlock) => {
                        locked.dotlock = Some(dotlock);
                        return Ok(locked);
                    }
                    Taken::Impossible => return Ok(locked),
                    Taken::No(lock_file) => {
                        unlock(&mail.file);
                        lock_file
                    }
                },
                Err(Errno::AGAIN | Errno::ACCESS) => path.clone(),
                Err(error) => return Err(Error::io("locking", path, error)),
            };
            if Instant::now() >= until || !may_wait(began) {
                return Err(Error::locked(path, &taken));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Keeps the lock file fresh. To be called now and then while the lock is held for long.
    pub(super) fn touch(&mut self) {
        if let Some(dotlock) = &mut self.dotlock {
            dotlock.touch();
        }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.dotlock = None;
        unlock(&self.mail.file);
        self.mail.release();
    }
}

fn lock(file: &File, operation: FlockOperation) -> rustix::io::Result<()> {
    rustix::fs::fcntl_lock(file, operation)
}

fn unlock(file: &File) {
    // The lock ends with the process in any case.
    let _ = lock(file, FlockOperation::Unlock);
}

/// The lock file. Dropping it removes the file.
#[derive(Debug)]
struct Dotlock {
    path: PathBuf,
    file: File,
    touched: Instant,
}

enum Taken {
    Yes(Dotlock),
    /// Another program has this lock file.
    No(PathBuf),
    /// This user may not write to the folder, so none of this user's programs can make a lock file
    /// there.
    Impossible,
}

impl Dotlock {
    fn take(mailbox: &Path) -> Result<Taken, Error> {
        let mut name = mailbox.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        // Twice: the first attempt may find a stale lock file and remove it.
        for _ in 0..2 {
            match create(&path) {
                Ok(file) => {
                    return Ok(Taken::Yes(Self {
                        path,
                        file,
                        touched: Instant::now(),
                    }));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                    ) =>
                {
                    tracing::debug!(path = %path.display(), "no lock file can be made here");
                    return Ok(Taken::Impossible);
                }
                Err(error) => return Err(Error::io("creating", &path, error)),
            }
            if !remove_if_stale(&path) {
                break;
            }
        }
        Ok(Taken::No(path))
    }

    fn touch(&mut self) {
        if self.touched.elapsed() >= TOUCH_EVERY {
            // If this fails, the lock file only looks older than it is.
            let _ = self.file.set_modified(SystemTime::now());
            self.touched = Instant::now();
        }
    }
}

impl Drop for Dotlock {
    fn drop(&mut self) {
        // Another program may have removed it as stale and made its own.
        let ours = self.file.metadata();
        let there = std::fs::symlink_metadata(&self.path);
        if let (Ok(ours), Ok(there)) = (ours, there)
            && (ours.dev(), ours.ino()) == (there.dev(), there.ino())
        {
            // If the file stays, the next run finds it stale.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Creates a lock file with all its content, or not at all. If the system or the file system has no
/// unnamed files, as NFS, it exists a moment before that: `O_EXCL` works there since NFSv3.
fn create(path: &Path) -> io::Result<File> {
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    {
        let folder = path.parent().unwrap_or_else(|| Path::new("/"));
        let nameless = rustix::fs::open(folder, flags | OFlags::TMPFILE, mode);
        if let Ok(nameless) = nameless {
            let file = hold(nameless.into())?;
            let open = format!("/proc/self/fd/{}", file.as_raw_fd());
            match rustix::fs::linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW) {
                Ok(()) => return Ok(file),
                Err(Errno::EXIST) => return Err(Errno::EXIST.into()),
                Err(_) => {}
            }
        }
    }
    let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    hold(rustix::fs::open(path, flags, mode)?.into()).inspect_err(|_| {
        let _ = std::fs::remove_file(path);
    })
}

/// Takes the kernel's lock on a lock file, which ends with the process in any case, and then writes
/// the owner into it. The content is durable before the file gets its name: after a power cut an
/// empty lock file would belong to nobody.
fn hold(mut file: File) -> io::Result<File> {
    // If the file system has no such lock, the process number must do.
    let is_held = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    let held = if is_held {
        format!("{HELD}\n")
    } else {
        String::new()
    };
    let note = format!("{}\n{}\n{held}", std::process::id(), host());
    file.write_all(note.as_bytes())?;
    sync_file(&file)?;
    Ok(file)
}

/// Removes a lock file whose owner is gone. Returns true if another attempt is worth it. The
/// kernel's lock is held, so no other program that follows the order removes it now.
fn remove_if_stale(path: &Path) -> bool {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return true;
    };
    let age = found
        .modified()
        .ok()
        .and_then(|time| SystemTime::now().duration_since(time).ok());
    if age.is_none_or(|age| age <= STALE_AFTER) && !is_orphan_of_ours(path) {
        return false;
    }
    tracing::debug!(path = %path.display(), "removing a lock file that belongs to nobody");
    std::fs::remove_file(path).is_ok()
}

/// True if an earlier run on this machine left the file, and has ended. Other accounts of this
/// process are kept apart by other means, so a file with this process's own number is also from an
/// earlier process.
fn is_orphan_of_ours(path: &Path) -> bool {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let Ok(file) = rustix::fs::open(path, flags, Mode::empty()) else {
        return false;
    };
    let file = File::from(file);
    let mut note = String::new();
    if (&file).take(LONGEST).read_to_string(&mut note).is_err() {
        return false;
    }
    let mut lines = note.lines();
    let (number, host_name, held) = (lines.next(), lines.next(), lines.next());
    if host_name != Some(host().as_str()) {
        return false;
    }
    if held == Some(HELD) {
        // The lock ends with `file`, when the lock file is removed or left to its owner.
        return rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    }
    let pid = number.and_then(|number| Pid::from_raw(number.parse().ok()?));
    pid.is_some_and(|pid| {
        pid == rustix::process::getpid() || test_kill_process(pid) == Err(Errno::SRCH)
    })
}

/// The name of this machine, in one line.
fn host() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().replace('\n', " ")
}
