//! What can go wrong with a store.

use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Exit;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder cannot be made or opened.
    #[error("cannot use the folder `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading or writing failed.
    #[error("{doing} `{}` failed", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    pub(super) fn folder(path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Folder {
            path: path.to_owned(),
            source: source.into(),
        }
    }

    pub(super) fn io(doing: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source: source.into(),
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Folder { source, .. } | Self::Io { source, .. } => source.kind(),
        }
    }

    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Folder { .. } => Exit::CannotCreate,
            Self::Io { .. } => Exit::IoError,
        }
    }

    /// What the user can do, for a line of its own.
    pub fn advice(&self) -> Option<String> {
        Some(match self.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "make room and run it again; whatever was complete is stored, and nothing that \
                 was not is deleted on the server"
                    .to_owned()
            }
            io::ErrorKind::PermissionDenied => {
                "is this the right user? the folder must be writable by whoever runs popsync"
                    .to_owned()
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                "the file system is mounted read-only; nothing was deleted on the server".to_owned()
            }
            io::ErrorKind::NotADirectory => {
                "a Maildir is a folder that holds the folders `tmp`, `new` and `cur`, none of them \
                 a link"
                    .to_owned()
            }
            io::ErrorKind::CrossesDevices => {
                "`tmp`, `new` and `cur` must be on one file system".to_owned()
            }
            _ => return None,
        })
    }
}
