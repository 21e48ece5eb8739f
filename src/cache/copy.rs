//! A copy of the cache for reading only, if the cache cannot be read in place: its folder is not
//! writable and SQLite would have to write beside the file, or an older popsync wrote it and a
//! command that only reads must not migrate it.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{Error, FILE_NAME, connect, migrate};

/// A temporary folder, removed on drop.
#[derive(Debug)]
pub(super) struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Copies the cache at `path`, with its WAL, and migrates the copy.
    pub(super) fn of(path: &Path) -> Result<(Connection, Self), Error> {
        let failed = |source| Error::StateDir {
            path: path.to_owned(),
            source,
        };
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| failed(io::Error::other(error)))?;
        let name = format!("popsync-{:016x}", u64::from_ne_bytes(random));
        let folder = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(failed)?;
        let copy = Self { folder };
        let to = copy.folder.join(FILE_NAME);
        copy_file(path, &to).map_err(failed)?;
        match copy_file(&beside(path), &beside(&to)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut connection = connect(&to, OpenFlags::default())?;
        migrate::check(&connection, path)?;
        migrate::to_latest(&mut connection)?;
        Ok((connection, copy))
    }
}

/// The path of the WAL: changes that SQLite has not yet merged into a file. Where `path` is a link, it
/// is beside the file itself.
pub(super) fn beside(path: &Path) -> PathBuf {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = path.into_os_string();
    name.push("-wal");
    name.into()
}

fn copy_file(from: &Path, to: &Path) -> io::Result<u64> {
    let mut from = File::open(from)?;
    io::copy(&mut from, &mut File::create_new(to)?)
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It is in a folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
