//! The locks of an mbox, as Debian's policy (§11.6) has them: the kernel's, by `fcntl`, and then a
//! file beside it with `.lock` behind its name. Both are tried without waiting, and given up
//! together when the second cannot be had, so that nobody waits for whoever waits for them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::file::MailFile;
use crate::durable::sync_file;
use crate::stop::may_wait;
use crate::store::Error;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// A lock file that nobody touched for so long belongs to nobody (`lockfile_create(3)`).
const STALE_AFTER: Duration = Duration::from_secs(300);

/// How often a lock file that is held is touched: well before others take it for stale.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// No lock file holds more than a number, a name and a word.
const LONGEST: u64 = 512;

/// The last line of a lock file whose maker holds the kernel's lock on it as long as it lives. A
/// process number may have been given out again, and means nothing in another container.
const HELD: &str = "popsync";

/// An mbox that nobody else writes to or moves things in. Dropping it lets others at it.
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
        // From here on dropping releases it.
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

    /// To be called now and then while it is held for long.
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
    // It ends with the process in any case.
    let _ = lock(file, FlockOperation::Unlock);
}

/// The lock file, which goes when this is dropped.
#[derive(Debug)]
struct Dotlock {
    path: PathBuf,
    file: File,
    touched: Instant,
}

enum Taken {
    Yes(Dotlock),
    /// There is this one.
    No(PathBuf),
    /// The folder is not ours to write in, so that no program of this user can make one there.
    Impossible,
}

impl Dotlock {
    fn take(mailbox: &Path) -> Result<Taken, Error> {
        let mut name = mailbox.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        // Twice: the first may find one that belongs to nobody.
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
            // Then it only looks older than it is.
            let _ = self.file.set_modified(SystemTime::now());
            self.touched = Instant::now();
        }
    }
}

impl Drop for Dotlock {
    fn drop(&mut self) {
        // Another program may have taken it for stale and made one of its own.
        let ours = self.file.metadata();
        let there = std::fs::symlink_metadata(&self.path);
        if let (Ok(ours), Ok(there)) = (ours, there)
            && (ours.dev(), ours.ino()) == (there.dev(), there.ino())
        {
            // What stays is found to be stale by the next run.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Makes a lock file that is there with all that it says, or not at all. Where the file system
/// has no nameless files, as NFS, it is there a moment before: `O_EXCL` holds there since NFSv3.
fn create(path: &Path) -> io::Result<File> {
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
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
    let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    hold(rustix::fs::open(path, flags, mode)?.into()).inspect_err(|_| {
        let _ = std::fs::remove_file(path);
    })
}

/// Takes the kernel's lock on a lock file, which ends with the process however that ends, and
/// then says in it whose it is. That is durable before a name leads to the file: after a power
/// cut an empty lock file would be anybody's.
fn hold(mut file: File) -> io::Result<File> {
    // Where the file system has no such lock, the number has to do.
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

/// Removes a lock file whose owner is gone; whether it is worth another attempt. The kernel's
/// lock is held, so that no other program that keeps to the order removes it now.
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

/// Whether a run on this machine left it, and has ended. Other accounts of this process are kept
/// apart otherwise, so that its own number is that of an earlier process too.
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
        // It goes with `file`, when the lock file is removed or left to its owner.
        return rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    }
    let pid = number.and_then(|number| Pid::from_raw(number.parse().ok()?));
    pid.is_some_and(|pid| {
        pid == rustix::process::getpid() || test_kill_process(pid) == Err(Errno::SRCH)
    })
}

/// What this machine is called, in one line.
fn host() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().replace('\n', " ")
}
