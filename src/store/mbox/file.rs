//! The file of an mbox: the conditions it must meet, and the process's only descriptor of it.
//!
//! A POSIX lock belongs to the process, and ends when the process closes any descriptor of the
//! file. So a file is opened once, even if several accounts store in it, and is not closed while
//! anybody may hold its lock.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, pread, retry_on_intr};
use rustix::process::geteuid;

use crate::durable::sync_folder_at;
use crate::store::compression::{TELLING, packed_as};
use crate::store::error::MailFileError;
use crate::store::{Error, maildir};

/// All opened files that may still be in use.
static OPEN: Mutex<Vec<Arc<MailFile>>> = Mutex::new(Vec::new());

/// The maximum number of times that a file may be replaced while it is being opened.
const ATTEMPTS: usize = 10;

/// The first octets of the file and of every message.
const FROM: &[u8] = b"From ";

/// An open mbox.
#[derive(Debug)]
pub(super) struct MailFile {
    /// The path, with symbolic links resolved.
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// True if an account of this process uses the file: the kernel's locks do not keep accounts of
    /// one process apart.
    busy: Mutex<bool>,
    free: Condvar,
}

/// The start that an mbox must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// A message, or a part of one after a crash.
    InPart,
    /// A whole first line of a message.
    Whole,
}

/// Opens the mbox at `path`, or creates it, readable by its owner alone. Also returns true if it
/// was created. Call [`MailFile::check_start`] next.
pub(super) fn open(path: &Path) -> Result<(Arc<MailFile>, bool), Error> {
    let path = resolve(path)?;
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    // If nobody else uses the file any more, closing it ends nobody's lock.
    open.retain(|file| Arc::strong_count(file) > 1);
    for _ in 0..ATTEMPTS {
        let (file, made) = match std::fs::symlink_metadata(&path) {
            Ok(found) => {
                check(&path, &found)?;
                if let Some(known) = open.iter().find(|known| known.is(&found)) {
                    return Ok((Arc::clone(known), false));
                }
                (open_file(&path, OFlags::empty()), false)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let flags = OFlags::CREATE | OFlags::EXCL;
                (open_file(&path, flags), true)
            }
            Err(error) => return Err(Error::folder(&path, error)),
        };
        let file = match file {
            Ok(file) => file,
            // It appeared or disappeared in between.
            Err(Errno::NOENT | Errno::EXIST) => continue,
            Err(error) => return Err(Error::folder(&path, error)),
        };
        let found = file
            .metadata()
            .map_err(|error| Error::folder(&path, error))?;
        if open.iter().any(|known| known.is(&found)) {
            // It was replaced in between by a file that is open: closing this one would end the
            // locks of that.
            std::mem::forget(file);
            continue;
        }
        check(&path, &found)?;
        let file = Arc::new(MailFile {
            path,
            file,
            busy: Mutex::new(false),
            free: Condvar::new(),
        });
        open.push(Arc::clone(&file));
        if made {
            file.sync_entry()?;
        }
        return Ok((file, made));
    }
    Err(Error::folder(&path, Errno::AGAIN))
}

impl MailFile {
    /// True if the path still leads to this file.
    pub(super) fn is_current(&self) -> bool {
        std::fs::symlink_metadata(&self.path).is_ok_and(|found| self.is(&found))
    }

    /// The current size.
    pub(super) fn size(&self) -> Result<u64, Error> {
        let found = self.file.metadata();
        Ok(found
            .map_err(|error| Error::io("looking at", &self.path, error))?
            .len())
    }

    /// True if it ends in the middle of a message: without the blank line that follows each
    /// message.
    pub(super) fn is_cut(&self) -> Result<bool, Error> {
        Ok(missing_line_ends(&self.file, &self.path, self.size()?)?.is_some())
    }

    /// Refuses a file that does not begin with a message: it is no mbox. Before recovery less is
    /// enough: a crash may have cut the first append short, or a power cut may have left a file
    /// that has grown and whose content was never written.
    pub(super) fn check_start(&self, begins: Begins) -> Result<(), Error> {
        check_unpacked(&self.file, &self.path)?;
        let mut start = [0; FROM.len()];
        let length = self.size()?.min(start.len() as u64);
        let start = &mut start[..length as usize];
        self.file
            .read_exact_at(start, 0)
            .map_err(|error| Error::io("reading", &self.path, error))?;
        let mut pairs = start.iter().zip(FROM);
        let mut may_be_part = || pairs.all(|(found, from)| found == from || *found == 0);
        if start.is_empty() || start == FROM || begins == Begins::InPart && may_be_part() {
            return Ok(());
        }
        Err(Error::unfit(&self.path, MailFileError::NotMbox))
    }

    /// Makes the folder's entry for the file durable.
    pub(super) fn sync_entry(&self) -> Result<(), Error> {
        let parent = self.path.parent().unwrap_or_else(|| Path::new("/"));
        sync_folder_at(parent).map_err(|error| Error::folder(parent, error))
    }

    /// Keeps other accounts of this process away. Returns false when time is up.
    pub(super) fn claim(&self, until: Instant) -> bool {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.free.wait_timeout_while(busy, left, |busy| *busy);
        let (mut busy, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !std::mem::replace(&mut *busy, true)
    }

    /// Lets the other accounts in.
    pub(super) fn release(&self) {
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.free.notify_one();
    }

    fn is(&self, other: &Metadata) -> bool {
        self.file
            .metadata()
            .is_ok_and(|own| (own.dev(), own.ino()) == (other.dev(), other.ino()))
    }
}

/// The line ends to append to a file of this size, so that the next message follows a blank line.
pub(super) fn missing_line_ends(
    file: &File,
    path: &Path,
    size: u64,
) -> Result<Option<&'static [u8]>, Error> {
    let length = size.min(3);
    let mut last = [0; 3];
    let last = &mut last[..length as usize];
    file.read_exact_at(last, size - length)
        .map_err(|error| Error::io("reading", path, error))?;
    Ok(match &*last {
        [] | [.., b'\n', b'\n'] | [b'\n', b'\r', b'\n'] => None,
        [.., b'\n'] => Some(b"\n"),
        _ => Some(b"\n\n"),
    })
}

/// Opens the mbox at `path` only to read it. None if there is no file.
pub(super) fn open_to_look(path: &Path) -> Result<Option<(File, PathBuf)>, Error> {
    let path = match resolve(path) {
        Err(Error::Unfit {
            why: MailFileError::NoFolder | MailFileError::DanglingLink,
            ..
        }) => return Ok(None),
        resolved => resolved?,
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file: File = match rustix::fs::open(&path, flags, Mode::empty()) {
        Ok(file) => file.into(),
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(Error::io("opening", &path, error)),
    };
    let found = file
        .metadata()
        .map_err(|error| Error::io("looking at", &path, error))?;
    check(&path, &found)?;
    check_unpacked(&file, &path)?;
    Ok(Some((file, path)))
}

/// Refuses a file that is compressed: nothing tells which messages it has, and nothing may be written
/// behind them.
fn check_unpacked(file: &File, path: &Path) -> Result<(), Error> {
    let mut start = [0; TELLING];
    let length = retry_on_intr(|| pread(file, &mut start, 0))
        .map_err(|error| Error::io("reading", path, error))?;
    match packed_as(&start[..length]) {
        Some(form) => Err(Error::unfit(path, MailFileError::Packed(form))),
        None => Ok(()),
    }
}

/// The path without links. The folder must exist, the file need not.
fn resolve(path: &Path) -> Result<PathBuf, Error> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Error::unfit(path, MailFileError::NoFolder)
        }
        _ => Error::folder(path, error),
    };
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            // A user who may create links here must not choose the file that is written to.
            if found.uid() != geteuid().as_raw() && found.uid() != 0 {
                return Err(Error::unfit(path, MailFileError::ForeignLink));
            }
            match path.canonicalize() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(Error::unfit(path, MailFileError::DanglingLink))
                }
                resolved => resolved.map_err(failed),
            }
        }
        _ => {
            let name = path
                .file_name()
                .ok_or_else(|| Error::unfit(path, MailFileError::Directory))?;
            let parent = path.parent().unwrap_or_else(|| Path::new("/"));
            let parent = parent.canonicalize().map_err(failed)?;
            if !parent.is_dir() {
                return Err(Error::unfit(path, MailFileError::NoFolder));
            }
            Ok(parent.join(name))
        }
    }
}

fn open_file(path: &Path, flags: OFlags) -> rustix::io::Result<File> {
    // popsync only appends. If another program writes without locks, none of its octets are
    // overwritten.
    let flags = flags
        | OFlags::RDWR
        | OFlags::APPEND
        | OFlags::CLOEXEC
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY;
    Ok(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?.into())
}

/// Refuses a file that mail must not go into.
fn check(path: &Path, found: &Metadata) -> Result<(), Error> {
    let why = if found.is_dir() {
        if maildir::is_one(path) {
            MailFileError::Maildir
        } else {
            MailFileError::Directory
        }
    } else if !found.is_file() {
        MailFileError::NotRegular
    } else if found.uid() != geteuid().as_raw() {
        MailFileError::ForeignOwner
    } else if found.mode() & 0o002 != 0 {
        MailFileError::WritableByAll
    } else {
        return Ok(());
    };
    Err(Error::unfit(path, why))
}
