//! What can be wrong with a list of unique-ids.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use super::Mailbox;
use crate::exit::Exit;
use crate::failure::Failure;

/// Why nothing was taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no unique-id in it.
    #[error("`{}` holds no unique-ids", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("line {line} of `{}` is not what {format} writes: {fault}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The program that should have written it.
        format: &'static str,
        /// What is wrong.
        fault: LineError,
    },
    /// It is about other mailboxes.
    #[error(
        "`{}` has no unique-ids of {}@{}, but of {}",
        path.display(), mailbox.user, mailbox.host, found.join(", ")
    )]
    OtherMailbox {
        /// The file.
        path: PathBuf,
        /// The mailbox that is wanted.
        mailbox: Mailbox,
        /// Those that it is about, or the first of them.
        found: Vec<String>,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The file ends where more is announced.
    #[error("the file ends, and {left} unique-ids are still to come")]
    EndsEarly {
        /// How many.
        left: u64,
    },
    /// The length in front of a unique-id is not its length.
    #[error("the number is not the length of the unique-id")]
    Length,
    /// It is not built as such lines are.
    #[error("expected {expected}")]
    Form {
        /// What should stand there.
        expected: &'static str,
    },
    /// A unique-id comes before the mailbox that it belongs to.
    #[error("there is no mailbox before this unique-id")]
    NoMailbox,
    /// A unique-id is empty.
    #[error("the unique-id is missing")]
    NoUniqueId,
    /// It is longer than any such line can be.
    #[error("the line is too long")]
    TooLong,
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Io { .. } => Exit::IoError,
            Self::Empty { .. } | Self::Malformed { .. } | Self::OtherMailbox { .. } => {
                Exit::DataError
            }
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Empty { .. } | Self::Malformed { .. } => {
                "nothing was taken over; `popsync man import` says which file each program keeps"
                    .into()
            }
            Self::Io { .. } => "nothing was taken over".into(),
            Self::OtherMailbox { .. } => {
                "nothing was taken over; if one of them is the same mailbox, name it with `--mailbox \
                 USER@HOST`"
                    .into()
            }
        })
    }
}
