//! A folder of popsync's own for messages on their way, which no mail program reads.
//!
//! Its files are named as in a Maildir's `tmp`, so that recovery knows their account.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::maildir::create_folders;
use super::names::Names;
use super::{Error, Name};
use crate::durable::{sync_folder, sync_folder_at};

/// The folder, for one account.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    folder: OwnedFd,
    names: Names,
    /// True if the entry for the folder is durable, whichever run made it.
    is_found: AtomicBool,
}

impl Spool {
    /// Opens the folder, or creates it, readable by its owner alone. `tag` consists of letters and
    /// digits, and no other account ever uses it.
    pub(super) fn open(path: &Path, tag: &str) -> Result<Self, Error> {
        create_folders(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|error| Error::folder(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            folder,
            names: Names::new(tag).map_err(|error| Error::folder(path, error))?,
            is_found: AtomicBool::new(false),
        })
    }

    /// Creates a new file, also readable.
    pub(super) fn create(&self) -> Result<(Name, File), Error> {
        let name = self.names.next();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let file = self
            .open_file(name.as_str(), flags)
            .map_err(|error| Error::io("creating", &self.path_of(name.as_str()), error))?;
        Ok((name, file))
    }

    /// Opens a file of this account, if it exists.
    pub(super) fn read(&self, name: &str) -> Result<Option<File>, Error> {
        if !self.names.is_ours(name) || name.contains('/') {
            return Ok(None);
        }
        match self.open_file(name, OFlags::RDONLY) {
            Ok(file) => Ok(Some(file)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(Error::io("opening", &self.path_of(name), error)),
        }
    }

    fn open_file(&self, name: &str, flags: OFlags) -> rustix::io::Result<File> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(rustix::fs::openat(&self.folder, name, flags, mode)?.into())
    }

    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the entries of the folder durable, and the entry for the folder itself.
    pub(super) fn sync(&self) -> Result<(), Error> {
        let failed = |error| Error::io("syncing", &self.path, error);
        sync_folder(&self.folder).map_err(failed)?;
        if !self.is_found.load(Ordering::Relaxed) {
            let parent = self.path.parent().unwrap_or_else(|| Path::new("/"));
            sync_folder_at(parent).map_err(failed)?;
            self.is_found.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &str) {
        // If this fails, recovery removes the file.
        let _ = rustix::fs::unlinkat(&self.folder, name, AtFlags::empty());
    }

    /// Removes all files of this account except those to keep.
    pub(super) fn sweep(&self, keep: impl Fn(&str) -> bool) -> Result<(), Error> {
        let failed = |error: Errno| Error::io("reading", &self.path, io::Error::from(error));
        for entry in Dir::read_from(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy();
            if self.names.is_ours(&name) && !keep(&name) {
                self.remove(&name);
            }
        }
        Ok(())
    }
}
