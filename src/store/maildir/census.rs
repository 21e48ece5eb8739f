//! Lists every file of a Maildir and of the folders beside it, by name: the places of each message,
//! and who put it there.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Maildir;
use super::look::{base, is_hidden};
use super::ours::tag;
use super::siblings::{Reach, roots};

/// The maximum depth of sub-folders.
const DEPTH: usize = 8;

/// A file of a Maildir. There may be very many: what they share is held once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filed {
    folder: Arc<Path>,
    name: Box<OsStr>,
    /// True if it is in a folder beside the Maildir that does not bear its name.
    pub is_beside: bool,
}

impl Filed {
    /// The path of the file.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(&*self.name)
    }

    /// The part of its name that stays when a mail program flags the message.
    pub(crate) fn base(&self) -> &str {
        base(self.name())
    }

    /// The tag of the account that popsync stored it for. None if another program named it.
    pub(crate) fn tag(&self) -> Option<&str> {
        tag(self.name())
    }

    /// Its name. A file whose name is no text is not listed.
    fn name(&self) -> &str {
        self.name.to_str().unwrap_or_default()
    }
}

/// Lists all files, those in the Maildir's own `cur` and `new` first. Skips what cannot be read.
pub(crate) fn census(root: &Path) -> Vec<Filed> {
    let mut files = Vec::new();
    let mut folder: Arc<Path> = Arc::from(root);
    let mut file = |entry: &DirEntry, name: &str, is_beside: bool| {
        if is_hidden(name) {
            return;
        }
        let path = entry.path();
        let Some(parent) = path.parent() else {
            return;
        };
        if *folder != *parent {
            folder = Arc::from(parent);
        }
        files.push(Filed {
            folder: Arc::clone(&folder),
            name: entry.file_name().into_boxed_os_str(),
            is_beside,
        });
    };
    let mut walk = Walk::new(&mut file);
    for folder in ["cur", "new"] {
        walk.folder(&root.join(folder), 0, false);
    }
    // Folders that bear its name may be inside one that does not.
    for (reach, is_beside) in [(Reach::Own, false), (Reach::All, true)] {
        for root in roots(root, reach) {
            walk.folder(&root, DEPTH, is_beside);
        }
    }
    files
}

impl Maildir {
    /// The number of files of the account with this tag, also in folders that bear the Maildir's
    /// name. Only reads names.
    pub fn count_of(path: &Path, account: &str) -> u64 {
        let mut count = 0;
        Self::each_of(path, account, &mut |_| count += 1);
        count
    }

    /// Shows these files, one after another, and keeps none of them.
    pub(crate) fn each_of(path: &Path, account: &str, show: &mut dyn FnMut(&DirEntry)) {
        let mut file = |entry: &DirEntry, name: &str, _: bool| {
            if tag(name) == Some(account) {
                show(entry);
            }
        };
        let mut walk = Walk::new(&mut file);
        for root in roots(path, Reach::Own) {
            walk.folder(&root, DEPTH, false);
        }
    }
}

/// Shows a file: the entry, its name, and true if it is in a folder beside the Maildir.
type Show<'a> = dyn FnMut(&DirEntry, &str, bool) + 'a;

/// A walk through folders.
struct Walk<'a> {
    show: &'a mut Show<'a>,
    /// The folders seen: one may be reached twice, if a Maildir is inside a folder that is also
    /// read.
    folders: HashSet<(u64, u64)>,
}

impl<'a> Walk<'a> {
    fn new(show: &'a mut Show<'a>) -> Self {
        Self {
            show,
            folders: HashSet::new(),
        }
    }

    fn folder(&mut self, folder: &Path, depth: usize, is_beside: bool) {
        let Ok(found) = fs::metadata(folder) else {
            return;
        };
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        if !self.folders.insert((found.dev(), found.ino())) {
            return;
        }
        let mut below = Vec::new();
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let name = entry.file_name();
            if kind.is_dir() && depth > 0 && name != "tmp" {
                below.push(entry.path());
            } else if kind.is_file() {
                (self.show)(&entry, &name.to_string_lossy(), is_beside);
            }
        }
        below.sort();
        for folder in below {
            self.folder(&folder, depth - 1, is_beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_counted_once_wherever_it_lies() {
        let mail = tempfile::tempdir().unwrap();
        let files = [
            ("cur/parent:2,S", true),
            (".work/new/1700000000.A0123456789abcdefR1Q1.popsync", false),
            (
                ".work/cur/1700000000.A0123456789abcdefR1Q2.popsync:2,S",
                false,
            ),
            (".work/.Archive/cur/any", false),
            (".work.Lists/new/list", false),
            (".home/cur/home", true),
        ];
        for file in files
            .iter()
            .map(|(file, _)| *file)
            .chain([".work/tmp/x", ".work/.hidden"])
        {
            let path = mail.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::File::create(path).unwrap();
        }
        for folder in ["new", "tmp"] {
            fs::create_dir_all(mail.path().join(folder)).unwrap();
        }
        let mut found: Vec<_> = census(&mail.path().join(".work"))
            .into_iter()
            .map(|file| {
                let path = file.path().strip_prefix(mail.path()).unwrap().to_owned();
                (
                    path.to_str().unwrap().to_owned(),
                    file.is_beside,
                    file.tag().is_some(),
                )
            })
            .collect();
        found.sort();
        let mut expected: Vec<_> = files
            .map(|(file, is_beside)| (file.to_owned(), is_beside, file.contains("popsync")))
            .to_vec();
        expected.sort();
        assert_eq!(found, expected);
        let own = mail.path().join(".work");
        assert_eq!(Maildir::count_of(&own, "0123456789abcdef"), 2);
        assert_eq!(Maildir::count_of(&own, "fedcba9876543210"), 0);
    }
}
