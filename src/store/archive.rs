//! Archives: messages written out for other programs, in forms that they know.
//!
//! Writing the same messages twice gives the same octets: they depend neither on the clock nor on
//! the order of a folder nor on the machine. Existing files are never overwritten, and nothing gets
//! its final name before it is whole and durable.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Error;

mod expand;
mod folder;
mod mbox;
mod sums;
#[cfg(feature = "archive")]
mod tarball;
mod target;

pub(crate) use expand::Expand;
use sums::Sums;
use target::Target;

/// The form of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A folder with a file for each message, as it was sent.
    Eml,
    /// A Maildir.
    Maildir,
    /// One file, quoted as mboxrd.
    Mboxrd,
    /// The files of [`Form::Eml`] in one file, compressed.
    #[cfg(feature = "archive")]
    TarZst,
}

/// A message of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// The time of writing, in seconds since 1970.
    pub date: i64,
    /// The digest of its octets with CRLF for every LF.
    pub sha256: [u8; 32],
    /// The number of these octets.
    pub octets: u64,
    /// True if it was stored with LF for CRLF.
    pub has_lf: bool,
    /// The flags that a mail program gave it in a Maildir, such as `FS`.
    pub flags: String,
    /// The number of messages before it with the same date and content.
    pub twins: u64,
}

/// Takes messages, account by account.
pub(crate) trait Archive {
    /// Begins the messages of this account.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn begin(&mut self, account: &str) -> Result<(), Error>;

    /// Writes a message. `text` gives it as it was stored.
    ///
    /// # Errors
    /// [`Error::Io`], also if it differs from `item` by now.
    fn add(&mut self, item: &Item, text: &mut dyn Read) -> Result<(), Error>;

    /// Ends the archive, and gives it its final name, durably.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Exists`].
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Begins an archive at this path. The archive of one account is the path itself. The archive of
/// `several` accounts is a folder with one archive for each.
///
/// # Errors
/// [`Error::Exists`] and [`Error::Unfinished`] if something is at the path; [`Error::Io`].
pub(crate) fn begin(path: &Path, form: Form, several: bool) -> Result<Box<dyn Archive>, Error> {
    Ok(match form {
        Form::Eml => Box::new(folder::Folder::begin(path, folder::Kind::Eml, several)?),
        Form::Maildir => Box::new(folder::Folder::begin(path, folder::Kind::Maildir, several)?),
        Form::Mboxrd => Box::new(mbox::Mboxes::begin(path, several)?),
        #[cfg(feature = "archive")]
        Form::TarZst => Box::new(tarball::Tarball::begin(path)?),
    })
}

impl Item {
    /// The first half of its digest: enough to be unique.
    fn short(&self) -> String {
        hex(&self.sha256[..16])
    }

    /// Numbers messages of the same date and content.
    fn twin(&self) -> String {
        match self.twins {
            0 => String::new(),
            twins => format!("-{}", twins + 1),
        }
    }

    /// Its path in a folder of files: by year, and in order of the dates.
    fn eml(&self) -> PathBuf {
        let date = self.timestamp().to_zoned(jiff::tz::TimeZone::UTC);
        let (year, date) = (date.strftime("%Y"), date.strftime("%Y%m%dT%H%M%SZ"));
        format!("{year}/{date}-{}{}.eml", self.short(), self.twin()).into()
    }

    /// Its date. A date beyond all calendars counts as none.
    fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.date.max(0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

/// The name of an account as a file name.
fn file_name(account: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "@+-_.=".contains(letter);
    let plain = account
        .chars()
        .map(|letter| if is_plain(letter) { letter } else { '_' });
    let name: String = plain.collect();
    match name.starts_with('.') || name.is_empty() {
        true => format!("_{name}"),
        false => name,
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Digests all that is read.
struct Digesting<R> {
    from: R,
    sha256: Sha256,
}

impl<R: Read> Digesting<R> {
    fn new(from: R) -> Self {
        Self {
            from,
            sha256: Sha256::new(),
        }
    }

    fn finish(self) -> [u8; 32] {
        self.sha256.finalize().into()
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(buffer)?;
        self.sha256.update(&buffer[..length]);
        Ok(length)
    }
}

/// The error for a file that has changed since it was first read.
fn changed(path: &Path) -> Error {
    let why = io::Error::other("a message has changed while it was exported");
    Error::io("writing", path, why)
}
