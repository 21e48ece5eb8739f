//! Puts damaged and missing messages back in their places.
//!
//! A message that was retrieved again is written like a new one. A damaged file first gets a second
//! name in the folder [`DAMAGED`], durably; then one rename puts the good file in its place. So
//! there is always either the damaged file or the good one, never both and never none. The next run
//! removes what a crash leaves in `tmp`.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{Maildir, open_folder, sync_folder};
use crate::durable::sync_file;
use crate::store::{Error, Name, Store, rename};

/// The folder in the Maildir that keeps damaged files. Mail programs do not show it: it has no
/// `cur`, and its name does not begin with a dot as those of Maildir++ do.
const DAMAGED: &str = "popsync-damaged";

/// The prefix of damaged files, so that nobody takes them for the messages.
const PREFIX: &str = "damaged-";

/// At most this many damaged files of one name are kept.
const MOST_KEPT: u32 = 1_000;

/// A written message and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    /// The name that it was written as.
    pub draft: Name,
    /// The name that is recorded for it.
    pub name: Name,
    /// The damaged file that it replaces, if there is one.
    pub replaces: Option<PathBuf>,
}

/// The result for a message that was to be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is in its place.
    There {
        /// The path that keeps the damaged file it replaced.
        kept: Option<PathBuf>,
    },
    /// Another file is there, or the damaged file is gone. The message was not put anywhere.
    InTheWay,
}

impl Maildir {
    /// Makes these messages durable, and puts each in its place. Does not replace a damaged file
    /// that was moved or deleted meanwhile, nor anything that is not a file.
    ///
    /// # Errors
    /// [`Error::Io`]. The messages before the failed one are in their places.
    pub(crate) fn restore(&self, messages: &[Restored]) -> Result<Vec<Put>, Error> {
        let drafts: Vec<Name> = messages.iter().map(|one| one.draft.clone()).collect();
        self.settle(&drafts)?;
        let inner = &self.inner;
        let mut kept = Vec::with_capacity(messages.len());
        for one in messages {
            kept.push(match &one.replaces {
                Some(damaged) => self.keep(damaged)?,
                None => None,
            });
        }
        if kept.iter().any(Option::is_some) {
            sync(&inner.path.join(DAMAGED))?;
            sync(&inner.path)?;
        }
        let mut folders = BTreeSet::new();
        let mut put = Vec::with_capacity(messages.len());
        for (one, kept) in messages.iter().zip(kept) {
            let target = one.replaces.clone();
            let target = target.unwrap_or_else(|| inner.path_of("new", &one.name));
            if one.replaces.is_some() != kept.is_some() || !self.move_to(one, &target)? {
                self.discard(std::slice::from_ref(&one.draft));
                put.push(Put::InTheWay);
                continue;
            }
            put.push(Put::There { kept });
            folders.extend(target.parent().map(Path::to_owned));
        }
        for folder in folders {
            sync(&folder)?;
        }
        Ok(put)
    }

    /// Renames a written message to its place. Returns false if something else was in the way.
    fn move_to(&self, one: &Restored, target: &Path) -> Result<bool, Error> {
        let tmp = &self.inner.tmp;
        let draft = one.draft.as_str();
        let failed = |error| Error::io("renaming to", target, error);
        if one.replaces.is_some() {
            return match fs::symlink_metadata(target) {
                Ok(found) if found.is_file() => rename::over(tmp, Path::new(draft), target)
                    .map(|()| true)
                    .map_err(failed),
                _ => Ok(false),
            };
        }
        match rename::to_new(tmp, Path::new(draft), target) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Gives a damaged file a second name, which stays. None if the file is gone, or is not a file.
    fn keep(&self, damaged: &Path) -> Result<Option<PathBuf>, Error> {
        let Ok(found) = fs::symlink_metadata(damaged) else {
            return Ok(None);
        };
        let (true, Some(name)) = (found.is_file(), damaged.file_name()) else {
            return Ok(None);
        };
        let folder = self.inner.path.join(DAMAGED);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::folder(&folder, error));
            }
            _ => {}
        }
        let name = format!("{PREFIX}{}", name.to_string_lossy());
        for number in 1..=MOST_KEPT {
            let kept = folder.join(match number {
                1 => name.clone(),
                _ => format!("{name}.{number}"),
            });
            match link_or_copy(damaged, &kept) {
                Ok(()) => return Ok(Some(kept)),
                // A repair that was killed has kept it already.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if is_same(&kept, &found) {
                        return Ok(Some(kept));
                    }
                }
                Err(error) => return Err(Error::io("keeping a copy in", &kept, error)),
            }
        }
        Err(Error::io("keeping a copy in", &folder, Errno::EXIST))
    }
}

fn is_same(path: &Path, file: &Metadata) -> bool {
    let found = fs::symlink_metadata(path);
    found.is_ok_and(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()))
}

/// Links a file, or copies it: FAT has no second names, and folders may be on other volumes.
fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => {
            let mut source = open_message(from)?;
            let new = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(to);
            let copied = new.and_then(|mut copy| {
                io::copy(&mut source, &mut copy)?;
                sync_file(&copy)
            });
            if copied
                .as_ref()
                .is_err_and(|error| error.kind() != io::ErrorKind::AlreadyExists)
            {
                let _ = fs::remove_file(to);
            }
            copied
        }
        linked => linked,
    }
}

fn sync(folder: &Path) -> Result<(), Error> {
    open_folder(folder, OFlags::empty())
        .map_err(io::Error::from)
        .and_then(sync_folder)
        .map_err(|error| Error::io("syncing", folder, error))
}

/// Opens a stored message. Refuses links and anything else that is not a file.
///
/// # Errors
/// The system's.
pub(crate) fn open_message(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file: File = rustix::fs::open(path, flags, Mode::empty())?.into();
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}
