//! What can go wrong with the cache.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::{Holder, group_commit};
use crate::exit::Exit;
use crate::failure::Failure;

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the state in its hands, and stands still.
    #[error("another process holds `{}`", path.display())]
    Busy {
        /// The file that it holds.
        path: PathBuf,
    },
    /// SQLite finds the file to contradict itself.
    #[error("the state is damaged: {findings}")]
    Damaged {
        /// What it says.
        findings: String,
    },
    /// Another run works on this account.
    #[error("another run is active for this account{}", match holder {
        Some(holder) => format!(" (process {}, since {})", holder.pid, holder.since),
        None => String::new(),
    })]
    Locked {
        /// Which, where it can be told.
        holder: Option<Holder>,
    },
    /// The system could not write what was recorded.
    #[error("the state could not be made durable")]
    NotDurable(#[source] io::Error),
    /// SQLite failed.
    #[error("reading or writing the state failed")]
    Sqlite(#[source] rusqlite::Error),
    /// The state folder cannot be used.
    #[error("cannot use the state at `{}`", path.display())]
    StateDir {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A newer popsync wrote the file.
    #[error(
        "`{}` has version {version}, and this popsync knows versions up to {known}", path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: usize,
        /// The newest version known.
        known: usize,
    },
    /// The file is damaged, or no SQLite file at all.
    #[error("the state in `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        group_commit::cause(&source).unwrap_or(Self::Sqlite(source))
    }
}

/// The way out of a damaged state.
const DAMAGED: &str = "nothing was changed. Put the state folder back from a backup, then run `popsync verify`; \
     without one, move it away and run `popsync import ACCOUNT --from-store`, so that what the \
     store holds does not come again";

/// The questions when the disk does not do its work.
const FAILING: &str =
    "is the disk of the state folder full or failing, your quota used up, or `ulimit -f` too low?";

impl Error {
    /// True if the change may be read all the same, as after a kill: the next run takes up what it
    /// speaks of, so that must stay.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self, Self::NotDurable(_))
    }

    pub(super) fn unreadable(path: &Path, source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Unreadable {
                path: path.to_owned(),
                source,
            },
            _ => Self::Sqlite(source),
        }
    }

    /// Whether a record holds what popsync never wrote.
    fn is_bad_record(&self) -> bool {
        use rusqlite::Error as E;
        matches!(
            self,
            Self::Sqlite(
                E::FromSqlConversionFailure(..)
                    | E::IntegralValueOutOfRange(..)
                    | E::InvalidColumnType(..)
                    | E::Utf8Error(..)
            )
        )
    }

    /// True if another process held a lock that all share for too long.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. }) || self.code() == Some(ErrorCode::DatabaseBusy)
    }

    fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Sqlite(source) => source.sqlite_error_code(),
            _ => None,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Busy { .. } | Self::Locked { .. } => Exit::TemporaryFailure,
            Self::StateDir { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => {
                Exit::IoError
            }
            Self::StateDir { .. } => Exit::CannotCreate,
            Self::TooNew { .. } => Exit::Config,
            Self::Sqlite(_) if self.code() == Some(ErrorCode::DatabaseBusy) => {
                Exit::TemporaryFailure
            }
            Self::Damaged { .. }
            | Self::NotDurable(_)
            | Self::Sqlite(_)
            | Self::Unreadable { .. } => Exit::IoError,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Busy { .. } => "is a popsync suspended? end it, or let it go on".into(),
            Self::Locked { .. } => "wait until it is done, or end it".into(),
            Self::TooNew { .. } => {
                "use the newer popsync that wrote it; the file was left untouched".into()
            }
            Self::Damaged { .. } | Self::Unreadable { .. } => DAMAGED.into(),
            Self::StateDir { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room and run it again".into()
            }
            Self::StateDir { source, .. } if source.kind() == io::ErrorKind::QuotaExceeded => {
                "your quota is used up: make room and run it again".into()
            }
            Self::StateDir { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => {
                "allow larger files with `ulimit -f`".into()
            }
            Self::StateDir { .. } => {
                "name another folder with `--state-dir`, or make this one writable".into()
            }
            Self::NotDurable(_) => FAILING.into(),
            Self::Sqlite(_) if self.is_bad_record() => DAMAGED.into(),
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _))
                if error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMMAP =>
            {
                "the file system of the state folder lets no programs share memory, as those of \
                 some networks and of virtual machines: name a folder on a local disk with \
                 `--state-dir`"
                    .into()
            }
            Self::Sqlite(_) => match self.code()? {
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => DAMAGED.into(),
                ErrorCode::DiskFull => "make room and run it again".into(),
                ErrorCode::SystemIoFailure => FAILING.into(),
                ErrorCode::DatabaseBusy => "try again later".into(),
                ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                    "whoever runs popsync must be able to write to the state folder".into()
                }
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_quota_is_a_disk_that_is_full() {
        for errno in [Errno::NOSPC, Errno::DQUOT] {
            let error = Error::StateDir {
                path: "/state".into(),
                source: errno.into(),
            };
            let hint = error.hint().unwrap();
            assert!(hint.contains("make room and run it again"), "{hint}");
        }
    }
}
