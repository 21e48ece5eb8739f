//! Files that hold a secret: they belong to the user or to root, and nobody else can read them.
//! Also public files, with the same limits.
//!
//! All buffers are overwritten before they are freed.

use std::borrow::Cow;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::wiped;
use crate::durable;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::patient::{Patient, READ_TIMEOUT, without_mark};
use crate::words;

/// Read permission of the group and of others.
const READ_BY_OTHERS: u32 = 0o044;

/// The reason why a file that holds a secret is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Others can read it.
    #[error("it can be read by others (mode {mode:03o})")]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs neither to the caller nor to root.
    #[error("it belongs to user {owner}, neither you nor root")]
    Owner {
        /// The file.
        path: PathBuf,
        /// The owner's number.
        owner: u32,
    },
    /// It is larger than this many octets.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
}

impl FileError {
    /// Checks that the file at `path`, which has this metadata, belongs to the caller or to root.
    ///
    /// # Errors
    /// [`Self::Owner`].
    pub(crate) fn of_owner(path: &Path, metadata: &Metadata) -> Result<(), Self> {
        let us = rustix::process::geteuid().as_raw();
        match metadata.uid() {
            owner if owner == us || owner == 0 => Ok(()),
            owner => Err(Self::Owner {
                path: path.to_owned(),
                owner,
            }),
        }
    }
}

impl Failure for FileError {
    fn exit(&self) -> Exit {
        match self {
            Self::Io(_) | Self::TooLarge(_) => Exit::NoPermission,
            Self::Mode { .. } | Self::Owner { .. } => Exit::Config,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Io(_) | Self::TooLarge(_) => None,
            Self::Mode { path, .. } => {
                let hint = format!("run `chmod 600 {}`", quoted(path));
                Some(hint.into())
            }
            Self::Owner { path, .. } => {
                let hint = format!("run `chown \"$USER\" {}`, or copy it", quoted(path));
                Some(hint.into())
            }
        }
    }
}

/// A path, quoted for a shell.
pub(crate) fn quoted(path: &Path) -> String {
    words::quoted(&path.display().to_string())
}

/// Opens a file that nobody else can read. It may be a pipe.
///
/// # Errors
/// See [`FileError`].
pub(crate) fn open(path: &Path) -> Result<Patient, FileError> {
    let file = Patient::open(path, READ_TIMEOUT)?;
    // Checks the open file, so that it cannot be exchanged between the check and the reading.
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    FileError::of_owner(path, &metadata)?;
    if metadata.mode() & READ_BY_OTHERS != 0 {
        return Err(FileError::Mode {
            path: path.to_owned(),
            mode: metadata.mode() & 0o777,
        });
    }
    Ok(file)
}

/// Reads a file that nobody else can read, of at most this many octets.
///
/// # Errors
/// See [`FileError`].
pub(crate) fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    content(open(path)?, limit)
}

/// Reads a file that anybody may read, of at most this many octets.
///
/// # Errors
/// [`FileError::Io`], [`FileError::TooLarge`].
pub(crate) fn read_public(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    content(Patient::open(path, READ_TIMEOUT)?, limit)
}

fn content(file: Patient, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let content = wiped::read_until(file, limit + 1, |_| false)?;
    if content.len() > limit {
        return Err(FileError::TooLarge(limit));
    }
    Ok(content)
}

/// The first line of a file that nobody else can read, without its end. Does not wait for the rest
/// of a pipe.
///
/// # Errors
/// See [`FileError`].
pub(crate) fn first_line(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    // Room for CRLF, for a byte order mark, and for one octet more, to see that it is too long.
    let mut line = wiped::read_until(open(path)?, limit + 6, |read| read.contains(&b'\n'))?;
    if let Some(end) = line.iter().position(|octet| *octet == b'\n') {
        line.truncate(end);
    }
    let mark = line.len() - without_mark(&line).len();
    line.drain(..mark);
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    if line.len() > limit {
        return Err(FileError::TooLarge(limit));
    }
    Ok(line)
}

/// Writes a secret to a file that only its owner can read. It replaces an old file at once: after a
/// crash there is either one.
///
/// # Errors
/// The file system's.
pub(crate) fn write(path: &Path, secret: &SecretString) -> io::Result<()> {
    durable::replace(path, secret.expose_secret().as_bytes(), 0o600)
}
