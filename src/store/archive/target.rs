//! The place of an archive. It is called `NAME.partial` until it is whole and durable, so that it
//! is clear what a crash has left, and existing files are not overwritten.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::io::Errno;

use crate::durable::{folder_of, sync_file, sync_folder_at, sync_tree};
use crate::store::Error;
use crate::store::rename;
use crate::store::stop_point;

/// The suffix of an archive that is not whole.
const PARTIAL: &str = ".partial";

/// A file or folder that does not yet have its final name.
#[derive(Debug)]
pub(super) struct Target {
    path: PathBuf,
    pub(super) partial: PathBuf,
}

impl Target {
    /// A file, readable by its owner alone.
    pub(super) fn file(path: &Path) -> Result<(Self, File), Error> {
        let target = Self::new(path)?;
        let file = create(&target.partial).map_err(|error| target.failed(error))?;
        Ok((target, file))
    }

    /// A folder, readable by its owner alone.
    pub(super) fn folder(path: &Path) -> Result<Self, Error> {
        let target = Self::new(path)?;
        let made = DirBuilder::new().mode(0o700).create(&target.partial);
        made.map_err(|error| target.failed(error))?;
        Ok(target)
    }

    fn new(path: &Path) -> Result<Self, Error> {
        // A slash at the end names the same path.
        let path: PathBuf = path.components().collect();
        if fs::symlink_metadata(&path).is_ok() {
            return Err(Error::Exists { path });
        }
        let mut partial = path.clone().into_os_string();
        partial.push(PARTIAL);
        Ok(Self {
            path,
            partial: partial.into(),
        })
    }

    fn failed(&self, error: io::Error) -> Error {
        let path = self.partial.clone();
        match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Unfinished { path },
            _ => Error::folder(&path, error),
        }
    }

    /// Gives a file its final name.
    pub(super) fn finish_file(self, file: &File) -> Result<(), Error> {
        sync_file(file).map_err(|error| Error::io("syncing", &self.partial, error))?;
        self.rename()
    }

    /// Gives a folder its final name, once all its content is durable.
    pub(super) fn finish_folder(self) -> Result<(), Error> {
        // One flush for all files where the system has that: nothing waits for a single one.
        sync_tree(&self.partial).map_err(|error| Error::io("syncing", &self.partial, error))?;
        self.rename()
    }

    fn rename(self) -> Result<(), Error> {
        stop_point(2);
        let (from, to) = (&self.partial, &self.path);
        rename::to_new(CWD, from, to).map_err(|error| match error {
            Errno::EXIST => Error::Exists { path: to.clone() },
            error => Error::io("renaming to", to, error),
        })?;
        let parent = folder_of(to);
        sync_folder_at(parent).map_err(|error| Error::io("syncing", parent, error))
    }
}

/// Creates a new file, readable by its owner alone.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Creates a folder and its parents.
pub(super) fn create_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).recursive(true).create(path)
}
