//! Files that hold a secret: they belong to the user or to root, and nobody else can read them.
//! Also public files, with the same limits.
//!
//! All buffers are overwritten before they are freed.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::wiped;
use crate::durable;
use crate::patient::{Patient, READ_TIMEOUT, without_mark};
use crate::words;

/// Read permission of the group and of others.
const READ_BY_OTHERS: u32 = 0o044;

/// The reason why a file that holds a secret is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// It cannot be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Others can read it. These are its permission bits.
    #[error("it can be read by others (mode {0:03o})")]
    Mode(u32),
    /// It belongs to this user, who is neither the caller nor root.
    #[error("it belongs to user {0}, neither you nor root")]
    Owner(u32),
    /// It is larger than this many octets.
    #[error("it is larger than {0} octets")]
    TooLarge(usize),
}

impl FileFault {
    /// Checks that a file of this metadata belongs to the caller or to root.
    ///
    /// # Errors
    /// [`Self::Owner`].
    pub(crate) fn of_owner(metadata: &Metadata) -> Result<(), Self> {
        let us = rustix::process::geteuid().as_raw();
        match metadata.uid() {
            owner if owner == us || owner == 0 => Ok(()),
            owner => Err(Self::Owner(owner)),
        }
    }

    /// The hint for this file.
    pub fn advice(&self, path: &Path) -> Option<String> {
        match self {
            Self::Io(_) | Self::TooLarge(_) => None,
            Self::Mode(_) => Some(format!("run `chmod 600 {}`", quoted(path))),
            Self::Owner(_) => Some(format!(
                "run `chown \"$USER\" {}`, or copy it",
                quoted(path)
            )),
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
/// See [`FileFault`].
pub fn open(path: &Path) -> Result<Patient, FileFault> {
    let file = Patient::open(path, READ_TIMEOUT)?;
    // Checks the open file, so that it cannot be exchanged between the check and the reading.
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    FileFault::of_owner(&metadata)?;
    if metadata.mode() & READ_BY_OTHERS != 0 {
        return Err(FileFault::Mode(metadata.mode() & 0o777));
    }
    Ok(file)
}

/// Reads a file that nobody else can read, of at most this many octets.
///
/// # Errors
/// See [`FileFault`].
pub fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileFault> {
    content(open(path)?, limit)
}

/// Reads a file that anybody may read, of at most this many octets.
///
/// # Errors
/// [`FileFault::Io`], [`FileFault::TooLarge`].
pub fn read_public(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileFault> {
    content(Patient::open(path, READ_TIMEOUT)?, limit)
}

fn content(file: Patient, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileFault> {
    let content = wiped::read_until(file, limit + 1, |_| false)?;
    if content.len() > limit {
        return Err(FileFault::TooLarge(limit));
    }
    Ok(content)
}

/// The first line of a file that nobody else can read, without its end. Does not wait for the rest
/// of a pipe.
///
/// # Errors
/// See [`FileFault`].
pub fn first_line(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileFault> {
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
        return Err(FileFault::TooLarge(limit));
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
