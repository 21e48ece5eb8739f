//! Shows the messages of a Maildir. Each file is read once, in little memory. Files that Dovecot or
//! a person compressed with gzip are shown uncompressed.
//!
//! A mail program may flag or move a file after its folder was read and before it is opened. So the
//! folders are read again until nothing changes; files that were read are not read again.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;

use flate2::bufread::MultiGzDecoder;
use rustix::fs::{Mode, OFlags};

use super::look::{LOOKS, PAUSE, Walk, base};
use super::presence::is_absence;
use super::siblings::Reach;
use crate::store::compression::{GZIP, TELLING, sealed_as};
use crate::store::{Error, Gap, Viewer};

/// The size of a read.
const READ_AT_ONCE: usize = 64 << 10;

/// Shows the messages whose names `known` does not know. Returns the reason why one that was not
/// shown may be any message, if there is one.
///
/// # Errors
/// If the Maildir itself cannot be read.
pub(super) fn messages(
    path: &Path,
    reach: Reach,
    known: &dyn Fn(&str) -> bool,
    viewer: &mut dyn Viewer,
) -> Result<Option<Gap>, Error> {
    let mut showing = Showing {
        viewer,
        seen: HashSet::new(),
        unsearchable: 0,
        first: None,
        missed: false,
    };
    for look in 1.. {
        let mut walk = Walk::default();
        showing.missed = false;
        walk.all(path, reach, &mut |folder: &Path, file_name: &str| {
            let in_folder = |name| folder.ends_with(name);
            if (in_folder("new") || in_folder("cur")) && !known(base(file_name)) {
                showing.file(folder, file_name);
            }
        })?;
        let is_settled = !walk.has_changed() && !showing.missed;
        if is_settled || look == LOOKS {
            let unsearchable = showing.first.map(|first| Gap::Unsearchable {
                files: showing.unsearchable,
                first,
            });
            let changing = (!is_settled).then_some(Gap::Changing);
            return Ok(walk.gap.or(unsearchable).or(changing));
        }
        thread::sleep(PAUSE);
    }
    unreachable!("the last look returns")
}

struct Showing<'a> {
    viewer: &'a mut dyn Viewer,
    /// The files that were read, by the metadata that a rename does not change.
    seen: HashSet<(u64, u64, i64, i64)>,
    /// The number of files that could not be read, and the first of them.
    unsearchable: u64,
    first: Option<String>,
    /// True if a file was gone when it was to be opened.
    missed: bool,
}

impl Showing<'_> {
    fn file(&mut self, folder: &Path, file_name: &str) {
        let path = folder.join(file_name);
        match self.show(&path, file_name) {
            Ok(Outcome::Shown) => {}
            Ok(Outcome::Sealed(form)) => self.refuse(&path, form),
            Err(error) if is_absence(&error) => self.missed = true,
            Err(error) => self.refuse(&path, &error.to_string()),
        }
    }

    fn refuse(&mut self, path: &Path, why: &str) {
        self.unsearchable += 1;
        self.first
            .get_or_insert_with(|| format!("{}: {why}", path.display()));
    }

    fn show(&mut self, path: &Path, file_name: &str) -> io::Result<Outcome> {
        // A pipe or device must not block the run.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut file: File = rustix::fs::open(path, flags, Mode::empty())?.into();
        let found = file.metadata()?;
        let key = (found.dev(), found.ino(), found.mtime(), found.mtime_nsec());
        if !found.is_file() || !self.seen.insert(key) {
            return Ok(Outcome::Shown);
        }
        let mut start = Vec::with_capacity(TELLING);
        file.by_ref().take(TELLING as u64).read_to_end(&mut start)?;
        let compressed = start.starts_with(GZIP);
        if let Some(form) = sealed(&start).filter(|_| !compressed) {
            return Ok(Outcome::Sealed(form));
        }
        let whole = Read::chain(&*start, file);
        let read = if compressed {
            let whole = io::BufReader::with_capacity(READ_AT_ONCE, whole);
            self.pour(&mut MultiGzDecoder::new(whole))
        } else {
            self.pour(&mut { whole })
        };
        match read {
            Ok(()) => self.viewer.end(base(file_name)),
            Err(_) => self.viewer.abandon(),
        }
        read.map(|()| Outcome::Shown)
    }

    fn pour(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut buffer = vec![0; READ_AT_ONCE];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) if self.viewer.content(&buffer[..read]) => {}
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

enum Outcome {
    Shown,
    /// It holds a message in a form that popsync cannot read.
    Sealed(&'static str),
}

/// The form of a file that is not a plain message. No message begins with control characters (RFC
/// 5322 §2.2), so a file that does has an unknown form.
fn sealed(start: &[u8]) -> Option<&'static str> {
    if let Some(form) = sealed_as(start) {
        return Some(form);
    }
    let is_control = |octet: &u8| octet.is_ascii_control() && !b"\t\r\n".contains(octet);
    start.iter().any(is_control).then_some("unknown form")
}

#[cfg(test)]
mod tests;
