//! What can go wrong with a store.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::exit::Exit;
use crate::failure::Failure;

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
    /// The delivery agent cannot be run.
    #[error("cannot run the delivery agent `{program}`")]
    Agent {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The delivery agent cannot take messages for now.
    #[error("{reason}")]
    AgentBusy {
        /// What it did with the last one, in words safe for a terminal.
        reason: String,
    },
    /// Another program has the lock, and did not give it up in time.
    #[error("`{}` is locked by another program", path.display())]
    Locked {
        /// The file that is to be written to.
        path: PathBuf,
        /// The lock file, or the same where the kernel has the lock.
        lock: PathBuf,
    },
    /// What is there is nothing to store mail in.
    #[error("`{}` {why}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Why.
        why: MailFileError,
    },
    /// Another program removed the file, or put one in its place, while messages were appended to it.
    #[error("`{}` was replaced or removed by another program while messages were appended to it", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// Something is there where a new file or folder is to be.
    #[error("`{}` exists already, and nothing is overwritten", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// An earlier export did not come to its end.
    #[error("`{}` is left from an export that did not finish", path.display())]
    Unfinished {
        /// What is there.
        path: PathBuf,
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

/// What is wrong with a file that mail is to be stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MailFileError {
    /// A link that leads nowhere.
    #[error("is a link that leads nowhere")]
    DanglingLink,
    /// A folder.
    #[error("is a folder")]
    Directory,
    /// Another user's link.
    #[error("is another user's link")]
    ForeignLink,
    /// Another user's file.
    #[error("belongs to another user")]
    ForeignOwner,
    /// A folder that is a Maildir.
    #[error("is a Maildir")]
    Maildir,
    /// The folder that it is to be in is not there.
    #[error("cannot be made: its folder is not there")]
    NoFolder,
    /// A file that holds something else.
    #[error("is not an mbox: its first line does not begin with `From `")]
    NotMbox,
    /// A device, a pipe or a socket.
    #[error("is not a regular file")]
    NotRegular,
    /// A file that somebody compressed or encrypted.
    #[error("was packed with {0}: popsync cannot read it")]
    Packed(&'static str),
    /// Anybody can write to it.
    #[error("can be written to by every user")]
    WritableByAll,
}

impl Failure for MailFileError {
    fn exit(&self) -> Exit {
        Exit::CannotCreate
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::DanglingLink => "remove the link, or make the file that it leads to",
            Self::Directory | Self::NotMbox | Self::NotRegular => {
                "an mbox is one file: name another file, which popsync makes if it is missing"
            }
            Self::ForeignLink | Self::ForeignOwner => {
                "is this the right user? run popsync as the one whose mail it is"
            }
            Self::Packed(_) => {
                "unpack it, for example with `gunzip`; or name another file, to which new mail goes"
            }
            Self::Maildir => "name it as `maildir` and not as `mbox`",
            Self::NoFolder => "make the folder, or mount its volume",
            Self::WritableByAll => {
                "take that permission away with `chmod o-w`; a file system without permissions, such \
                 as FAT or exFAT, must be mounted with `umask=077`"
            }
        };
        Some(hint.into())
    }
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

    pub(super) fn locked(path: &Path, lock: &Path) -> Self {
        Self::Locked {
            path: path.to_owned(),
            lock: lock.to_owned(),
        }
    }

    pub(super) fn unfit(path: &Path, why: MailFileError) -> Self {
        Self::Unfit {
            path: path.to_owned(),
            why,
        }
    }

    /// True if a file would be larger than it may be: other messages can go on.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::FileTooLarge)
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Agent { .. }
            | Self::Exists { .. }
            | Self::Folder { .. }
            | Self::Unfinished { .. }
            | Self::Unfit { .. } => Exit::CannotCreate,
            Self::Io { .. } => Exit::IoError,
            Self::AgentBusy { .. } | Self::Locked { .. } | Self::Replaced { .. } => {
                Exit::TemporaryFailure
            }
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let source = match self {
            Self::Agent { .. } => {
                return Some("`exec` names a program and its arguments; no shell is used".into());
            }
            Self::AgentBusy { .. } => {
                return Some(
                    "the message stays on the server, and the next run tries again".into(),
                );
            }
            Self::Exists { .. } => return Some("name another place".into()),
            Self::Unfinished { .. } => {
                return Some(
                    "it holds only a part of the messages: remove it, and export again".into(),
                );
            }
            Self::Folder { source, .. } | Self::Io { source, .. } => source,
            Self::Locked { path, lock } if path == lock => {
                return Some("try again when the program that has it open is done".into());
            }
            Self::Locked { lock, .. } => {
                let lock = lock.display();
                let hint =
                    format!("try again later; if no program is at work there, remove `{lock}`");
                return Some(hint.into());
            }
            Self::Replaced { .. } => {
                return Some(
                    "the next run appends the messages to the file that is there now; let no program \
                     write the mbox without its locks"
                        .into(),
                );
            }
            Self::Unfit { why, .. } => return why.hint(),
        };
        Some(match source.kind() {
            io::ErrorKind::FileTooLarge => {
                "files may not be that large here: see `ulimit -f`, or what the file system allows"
                    .into()
            }
            io::ErrorKind::QuotaExceeded => {
                "your quota is used up: make room and run it again; complete mail is stored".into()
            }
            io::ErrorKind::StorageFull => {
                "make room and run it again; complete mail is stored".into()
            }
            io::ErrorKind::PermissionDenied => {
                "is this the right user? whoever runs popsync must be able to write to the store"
                    .into()
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                "the file system is mounted read-only: mount it for writing".into()
            }
            io::ErrorKind::NotADirectory => {
                "a Maildir is a folder that holds the folders `tmp`, `new` and `cur`, none of them \
                 a link"
                    .into()
            }
            io::ErrorKind::CrossesDevices => {
                "`tmp`, `new` and `cur` must be on one file system".into()
            }
            io::ErrorKind::NotFound => "make the folder that it is in, or mount its volume".into(),
            _ if source.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                "see the system's log: the disk or the file system may be failing".into()
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quota of the user, the group or the project: to popsync all are one.
    #[test]
    fn a_quota_is_a_disk_that_is_full() {
        for (errno, words) in [(Errno::NOSPC, "make room"), (Errno::DQUOT, "your quota")] {
            let path = Path::new("/mail/new/1");
            for error in [
                Error::io("writing", path, errno),
                Error::folder(path, errno),
            ] {
                let hint = error.hint().unwrap();
                assert!(hint.starts_with(words), "{hint}");
                assert!(hint.contains("make room and run it again"), "{hint}");
            }
            let error = Error::io("writing", path, errno);
            assert_eq!(error.exit(), Exit::IoError);
        }
    }
}
