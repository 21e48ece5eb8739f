//! A file that a command replaces for others to read: the page of `--html`, the numbers of
//! `--metrics`.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{self, Base};
use crate::exit::Exit;
use crate::failure::Failure;

use super::target;

/// The reason why there is no such file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The accounts or their records.
    #[error(transparent)]
    Target(target::Error),
    /// The file itself.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The option that names it.
        option: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl<E: Into<target::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Target(error.into())
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Target(error) => error.exit(),
            Self::Write { .. } => Exit::IoError,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Target(error) => error.hint(),
            Self::Write { option, .. } => {
                let hint = format!("`{option}` must name a file that you may write");
                Some(format!("{hint}; `-` is standard output").into())
            }
        }
    }

    fn snippet(&self) -> Option<String> {
        match self {
            Self::Target(error) => error.snippet(),
            Self::Write { .. } => None,
        }
    }
}

/// Replaces the file that `option` names in one step, so that a reader gets the old text or the
/// new one. A new file has these permission bits.
///
/// # Errors
/// [`Error::Write`].
pub(super) fn replace(
    option: &'static str,
    path: &Path,
    text: &str,
    mode: u32,
) -> Result<(), Error> {
    let written = || {
        let path = Base::current().expand(path).map_err(io::Error::other)?;
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::other("it is no file"));
        }
        config::publish(&path, text, mode)
    };
    written().map_err(|source| Error::Write {
        option,
        path: path.to_owned(),
        source,
    })
}
