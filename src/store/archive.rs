//! Archives: messages written out for other programs, in forms that they know.
//!
//! Whoever writes the same messages twice gets the same octets: nothing of the clock, of the order
//! of a folder or of the machine is in them. What is there already is never written over, and
//! nothing has its final name before it is whole and durable.

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

pub use expand::Expand;
use sums::Sums;
use target::Target;

/// The form of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A folder with a file for each message, as it was sent.
    Eml,
    /// A Maildir.
    Maildir,
    /// One file, quoted as mboxrd has it.
    Mboxrd,
    /// The files of [`Form::Eml`] in one, compressed.
    #[cfg(feature = "archive")]
    TarZst,
}

/// A message of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// When it was written, in seconds since 1970.
    pub date: i64,
    /// Digest of its octets with CRLF for every LF.
    pub sha256: [u8; 32],
    /// How many these are.
    pub octets: u64,
    /// It was stored with LF for CRLF.
    pub has_lf: bool,
    /// The flags that a mail program gave it in a Maildir, such as `FS`.
    pub flags: String,
    /// How many messages of the same date and content come before it.
    pub twins: u64,
}

/// Takes messages, account by account.
pub trait Archive {
    /// The messages that follow belong to this account.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn begin(&mut self, account: &str) -> Result<(), Error>;

    /// Writes a message, which `text` gives as it was stored.
    ///
    /// # Errors
    /// [`Error::Io`], also where it is not what `item` says any more.
    fn add(&mut self, item: &Item, text: &mut dyn Read) -> Result<(), Error>;

    /// Ends the archive, and gives it its name, durably.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Exists`].
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Begins an archive at this path. That of one account is what the path names; that of `several`
/// holds one for each in a folder.
///
/// # Errors
/// [`Error::Exists`] and [`Error::Unfinished`] where something is there; [`Error::Io`].
pub fn begin(path: &Path, form: Form, several: bool) -> Result<Box<dyn Archive>, Error> {
    Ok(match form {
        Form::Eml => Box::new(folder::Folder::begin(path, folder::Kind::Eml, several)?),
        Form::Maildir => Box::new(folder::Folder::begin(path, folder::Kind::Maildir, several)?),
        Form::Mboxrd => Box::new(mbox::Mboxes::begin(path, several)?),
        #[cfg(feature = "archive")]
        Form::TarZst => Box::new(tarball::Tarball::begin(path)?),
    })
}

impl Item {
    /// Half of its digest tells it from every other.
    fn short(&self) -> String {
        hex(&self.sha256[..16])
    }

    /// Tells it from messages of the same date and content.
    fn twin(&self) -> String {
        match self.twins {
            0 => String::new(),
            twins => format!("-{}", twins + 1),
        }
    }

    /// Where it is in a folder of files: by year, and in order of their dates.
    fn eml(&self) -> PathBuf {
        let date = self.timestamp().to_zoned(jiff::tz::TimeZone::UTC);
        let (year, date) = (date.strftime("%Y"), date.strftime("%Y%m%dT%H%M%SZ"));
        format!("{year}/{date}-{}{}.eml", self.short(), self.twin()).into()
    }

    /// Dates beyond all calendars are none.
    fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.date.max(0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

/// The name of an account, as that of a file.
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

/// Digests what is read.
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

/// It was another one when it was read first.
fn changed(path: &Path) -> Error {
    let why = io::Error::other("a message has changed while it was exported");
    Error::io("writing", path, why)
}
