//! The stamp: a small file in the Maildir's root that holds the key of the newest message stored
//! there by the last batch.
//!
//! It goes back with the Maildir when the Maildir is restored in place, and the state is not. So a
//! stamp older than the newest record distinguishes a restore from a person who deletes mail. It is
//! not made durable by itself: a stamp that is too old only makes popsync more careful.
//!
//! Its name begins with a dot, and it is no folder: Maildir++ takes only folders for mailboxes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{Inner, open_message};
use crate::store::{Error, Name, rename};

/// The prefix of the account's tag.
const PREFIX: &str = ".popsync-";

/// The longest stamp: a key and its line end.
const LONGEST: u64 = 32;

/// The stamp of the account with this tag in the Maildir at `path`. None if there is none, or if it
/// makes no sense.
///
/// # Errors
/// [`Error::Io`] if it cannot be read.
pub(super) fn read(path: &Path, tag: &str) -> Result<Option<i64>, Error> {
    let path = path.join(name(tag));
    let file = match open_message(&path) {
        Ok(file) => file,
        Err(error) if makes_no_sense(&error) => return Ok(None),
        Err(error) => return Err(Error::io("opening", &path, error)),
    };
    let mut text = Vec::new();
    file.take(LONGEST)
        .read_to_end(&mut text)
        .map_err(|error| Error::io("reading", &path, error))?;
    Ok(key(&text))
}

/// True if there is no stamp, or something that is not a file.
fn makes_no_sense(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput
    ) || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// The key in the text. Only a whole line counts: half a key would be a smaller one.
fn key(text: &[u8]) -> Option<i64> {
    let digits = str::from_utf8(text.strip_suffix(b"\n")?).ok()?;
    let is_plain = digits.bytes().all(|octet| octet.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

fn name(tag: &str) -> String {
    format!("{PREFIX}{tag}")
}

impl Inner {
    /// Writes a new stamp in `tmp`, and renames it over the old one: a reader sees one or the
    /// other, or none, and is more careful then. Recovery removes what a crash leaves in `tmp`.
    pub(super) fn set_stamp(&self, newest: i64) -> Result<(), Error> {
        let draft = self.names.next();
        let path = self.path.join(name(self.names.tag()));
        let written = self
            .write_stamp(&draft, newest)
            .and_then(|()| Ok(rename::over(&self.tmp, Path::new(draft.as_str()), &path)?));
        written.map_err(|error| {
            self.remove_draft(&draft);
            Error::io("writing", &path, error)
        })
    }

    fn write_stamp(&self, draft: &Name, newest: i64) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file: File = rustix::fs::openat(&self.tmp, draft.as_str(), flags, mode)?.into();
        file.write_all(format!("{newest}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests;
