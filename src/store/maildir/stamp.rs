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
use crate::store::{Error, Name};

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
    /// other. Recovery removes what a crash leaves in `tmp`.
    pub(super) fn set_stamp(&self, newest: i64) -> Result<(), Error> {
        let draft = self.names.next();
        let path = self.path.join(name(self.names.tag()));
        let written = self.write_stamp(&draft, newest).and_then(|()| {
            rustix::fs::renameat(&self.tmp, draft.as_str(), rustix::fs::CWD, &path)
                .map_err(io::Error::from)
        });
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
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::store::{Maildir, Store, locate, names_by_tag};

    const TAG: &str = "0123456789abcdef";

    fn put(path: &Path, content: &[u8]) {
        File::create(path).unwrap().write_all(content).unwrap();
    }

    #[test]
    fn a_stamp_holds_the_newest_key_of_its_account_alone() {
        let root = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(root.path(), TAG).unwrap();
        let other = Maildir::open(root.path(), "fedcba9876543210").unwrap();
        assert_eq!(maildir.stamp().unwrap(), None);
        for key in [1, 7, 7, i64::MAX, 3] {
            maildir.set_stamp(key).unwrap();
            assert_eq!(maildir.stamp().unwrap(), Some(key));
            assert_eq!(Maildir::stamp_at(root.path(), TAG).unwrap(), Some(key));
        }
        assert_eq!(other.stamp().unwrap(), None);
        other.set_stamp(12).unwrap();
        assert_eq!(maildir.stamp().unwrap(), Some(3));
        // Nothing is left behind in `tmp`.
        assert_eq!(fs::read_dir(root.path().join("tmp")).unwrap().count(), 0);
        let nowhere = root.path().join("nowhere");
        assert_eq!(Maildir::stamp_at(&nowhere, TAG).unwrap(), None);
    }

    #[test]
    fn what_makes_no_sense_is_no_stamp_and_is_written_over() {
        let root = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(root.path(), TAG).unwrap();
        let path = root.path().join(name(TAG));
        for content in [
            &b""[..],
            b"\n",
            b"12",
            b"12\n\n",
            b"-12\n",
            b"+12\n",
            b" 12\n",
            b"12\r\n",
            b"\0\0\0\n",
            b"99999999999999999999\n",
            b"000000000000000000000000000000000000000000000012\n",
            b"From a\n",
        ] {
            put(&path, content);
            assert_eq!(maildir.stamp().unwrap(), None, "{content:?}");
        }
        // A link is neither read nor written through.
        let elsewhere = root.path().join("elsewhere");
        put(&elsewhere, b"5\n");
        fs::remove_file(&path).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert_eq!(maildir.stamp().unwrap(), None);
        maildir.set_stamp(6).unwrap();
        assert_eq!(fs::read(&elsewhere).unwrap(), b"5\n");
        assert_eq!(maildir.stamp().unwrap(), Some(6));
        // A folder cannot be overwritten.
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(maildir.stamp().unwrap(), None);
        assert!(maildir.set_stamp(7).is_err());
        assert_eq!(fs::read_dir(root.path().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn nobody_takes_a_stamp_for_a_message_or_for_another_store() {
        let root = tempfile::tempdir().unwrap();
        let maildir = Maildir::open(root.path(), TAG).unwrap();
        let before = Maildir::identity(root.path()).unwrap();
        maildir.set_stamp(1).unwrap();
        assert_eq!(Maildir::identity(root.path()).unwrap(), before);
        assert!(names_by_tag(root.path()).is_empty());
        // The part of its name that would stay the same in a message's.
        let names = [Name(".popsync".to_owned()), Name(name(TAG))];
        assert!(locate(root.path(), &names).is_empty());
        let seen = Maildir::look(root.path()).unwrap();
        assert!(names.iter().all(|name| !seen.holds(name)));
        // Recovery leaves it where it is.
        maildir.recover(&[], None).unwrap();
        assert_eq!(maildir.stamp().unwrap(), Some(1));
    }
}
