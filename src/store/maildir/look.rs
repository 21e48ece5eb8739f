//! Looking at a Maildir as a whole: which messages are in any of its folders, of either layout,
//! and in those beside it.
//!
//! If a mail program moves a message during the look, from a folder not yet read to one already
//! read, the look misses it. So a look counts only if no folder changed between the start of its
//! reading and the end of the look; otherwise it is repeated. Clocks of file systems tick slowly,
//! so a folder that changed just before also counts as changing.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use super::presence::is_absence;
use super::siblings::{Reach, roots};
use crate::store::{Error, Gap, Inventory};

/// The end of every name that popsync makes; mail programs add to it.
const OURS: &str = ".popsync";

/// The maximum number of looks at a store that keeps changing.
pub(super) const LOOKS: u32 = 8;

/// The pause before another look.
pub(super) const PAUSE: Duration = Duration::from_millis(40);

/// A folder that changed less than this ago may change again without showing it.
const TICK: Duration = Duration::from_millis(25);

/// More folders than anybody has; a file system may have links that lead around without end.
const MOST_FOLDERS: usize = 100_000;

/// The part of a file's name that stays when a mail program flags the message.
pub(super) fn base(file_name: &str) -> &str {
    if let Some(at) = file_name.find(OURS) {
        return &file_name[..at + OURS.len()];
    }
    file_name
        .split_once(':')
        .map_or(file_name, |(base, _)| base)
}

/// True if a file of this name is no message, as every reader of a Maildir has it: the remains of a
/// file that NFS removes while it is open, files of editors and other systems, and our stamp.
/// Folders with such a name may hold mail.
pub(super) fn is_hidden(file_name: &str) -> bool {
    file_name.starts_with('.')
}

/// True if this folder holds messages and nothing else.
fn is_of_messages(folder: &Path) -> bool {
    folder.ends_with("new") || folder.ends_with("cur")
}

/// Looks until nothing changes during the look, but not for ever.
///
/// # Errors
/// If the Maildir itself cannot be read.
pub(super) fn inventory(path: &Path) -> Result<Inventory, Error> {
    for look in 1.. {
        let mut inventory = Inventory::default();
        let mut walk = Walk::default();
        let mut note = |_: &Path, file_name: &str| inventory.add(base(file_name));
        walk.all(path, Reach::All, &mut note)?;
        if !walk.has_changed() {
            if let Some(gap) = walk.gap {
                inventory.note_gap(gap);
            }
            return Ok(inventory);
        }
        if look == LOOKS {
            inventory.note_gap(Gap::Changing);
            return Ok(inventory);
        }
        thread::sleep(PAUSE);
    }
    unreachable!("the last look returns")
}

/// One look at all folders.
#[derive(Default)]
pub(super) struct Walk {
    /// The folders read, and the stamp of each before that.
    folders: Vec<(PathBuf, Stamp)>,
    seen: HashSet<(u64, u64)>,
    pub(super) gap: Option<Gap>,
    changed: bool,
}

/// The metadata of a folder that changes when an entry is added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn is_fresh(self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_nanos().cast_signed());
        [self.modified, self.changed].iter().any(|(second, nano)| {
            let then = i128::from(*second) * 1_000_000_000 + i128::from(*nano);
            now.abs_diff(then) < TICK.as_nanos()
        })
    }
}

impl Walk {
    /// Reads all folders of the Maildir at `root`, and those beside it.
    pub(super) fn all(
        &mut self,
        root: &Path,
        reach: Reach,
        note: &mut dyn FnMut(&Path, &str),
    ) -> Result<(), Error> {
        let metadata = fs::metadata(root).map_err(|error| Error::io("reading", root, error))?;
        let mut waiting = Vec::new();
        let roots = roots(root, reach);
        for sibling in &roots[1..] {
            match fs::metadata(sibling) {
                Ok(metadata) => self.enter(sibling.clone(), &metadata, &mut waiting),
                Err(error) => self.failed(sibling, &error),
            }
        }
        // The root was entered last, so it is read first.
        self.enter(root.to_owned(), &metadata, &mut waiting);
        while let Some(folder) = waiting.pop() {
            if let Err(error) = self.folder(&folder, &mut waiting, note) {
                if folder == root {
                    return Err(Error::io("reading", root, error));
                }
                self.failed(&folder, &error);
            }
        }
        // A mail program may have moved mail to a folder that it has just made.
        self.changed |= self::roots(root, reach) != roots;
        Ok(())
    }

    /// Enters a folder once: a link may lead to it a second time.
    fn enter(&mut self, folder: PathBuf, metadata: &Metadata, waiting: &mut Vec<PathBuf>) {
        if self.folders.len() >= MOST_FOLDERS {
            self.gap = Some(Gap::Endless);
        } else if self.seen.insert((metadata.dev(), metadata.ino())) {
            self.folders.push((folder.clone(), Stamp::of(metadata)));
            waiting.push(folder);
        }
    }

    fn folder(
        &mut self,
        folder: &Path,
        waiting: &mut Vec<PathBuf>,
        note: &mut dyn FnMut(&Path, &str),
    ) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let file_name = entry.file_name();
            if kind.is_file() {
                let file_name = file_name.to_string_lossy();
                if !is_hidden(&file_name) {
                    note(folder, &file_name);
                }
            } else if kind.is_dir() || kind.is_symlink() {
                self.below(folder, &file_name, waiting, note);
            }
        }
        Ok(())
    }

    /// Enters a folder below another, or follows a link to a folder or a file: mail may be filed
    /// there.
    fn below(
        &mut self,
        folder: &Path,
        file_name: &OsStr,
        waiting: &mut Vec<PathBuf>,
        note: &mut dyn FnMut(&Path, &str),
    ) {
        let path = folder.join(file_name);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.enter(path, &metadata, waiting),
            Ok(_) => {
                let file_name = file_name.to_string_lossy();
                if !is_hidden(&file_name) {
                    note(folder, &file_name);
                }
            }
            // For example the lock of an editor, which is a link to nowhere.
            Err(_) if is_hidden(&file_name.to_string_lossy()) && is_of_messages(folder) => {}
            Err(error) => self.failed(&path, &error),
        }
    }

    fn failed(&mut self, path: &Path, error: &io::Error) {
        // If it is gone, it was there a moment ago, or is a link that leads nowhere now.
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        if is_absence(error) && !is_link {
            self.changed = true;
        } else {
            self.gap.get_or_insert_with(|| Gap::Unreadable {
                what: format!("{}: {error}", path.display()),
            });
        }
    }

    /// True if any folder has changed since before it was read, or may have.
    pub(super) fn has_changed(&self) -> bool {
        self.changed
            || self.folders.iter().any(|(folder, before)| {
                before.is_fresh()
                    || !fs::metadata(folder).is_ok_and(|now| Stamp::of(&now) == *before)
            })
    }
}

#[cfg(test)]
mod tests;
