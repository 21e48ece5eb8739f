//! Lists every file of a Maildir and of the folders beside it, by name: the places of each message,
//! and who put it there.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Maildir;
use super::look::{base, is_hidden};
use super::ours::tag;
use super::siblings::{Reach, roots};

/// The maximum depth of sub-folders.
const DEPTH: usize = 8;

/// A file of a Maildir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filed {
    /// The part of its name that stays when a mail program flags the message.
    pub base: String,
    /// The path of the file.
    pub path: PathBuf,
    /// The tag of the account that popsync stored it for. None if another program named it.
    pub tag: Option<String>,
    /// True if it is in a folder beside the Maildir that does not bear its name.
    pub is_beside: bool,
}

/// Lists all files, those in the Maildir's own `cur` and `new` first. Skips what cannot be read.
pub(crate) fn census(root: &Path) -> Vec<Filed> {
    let mut taking = Taking::default();
    for folder in ["cur", "new"] {
        taking.folder(&root.join(folder), 0, false);
    }
    // Folders that bear its name may be inside one that does not.
    for (reach, is_beside) in [(Reach::Own, false), (Reach::All, true)] {
        for root in roots(root, reach) {
            taking.folder(&root, DEPTH, is_beside);
        }
    }
    taking.files
}

impl Maildir {
    /// The number of files of the account with this tag, also in folders that bear the Maildir's
    /// name. Only reads names.
    pub fn count_of(path: &Path, account: &str) -> u64 {
        let mut counting = Taking {
            only: Some(account.to_owned()),
            ..Taking::default()
        };
        for root in roots(path, Reach::Own) {
            counting.folder(&root, DEPTH, false);
        }
        counting.count
    }
}

#[derive(Default)]
struct Taking {
    /// Counts the files of this account, and keeps none of them.
    only: Option<String>,
    count: u64,
    files: Vec<Filed>,
    /// The folders seen: one may be reached twice, if a Maildir is inside a folder that is also
    /// read.
    folders: HashSet<(u64, u64)>,
}

impl Taking {
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
                let name = name.to_string_lossy();
                if let Some(only) = &self.only {
                    self.count += u64::from(tag(&name) == Some(only));
                } else if !is_hidden(&name) {
                    self.files.push(Filed {
                        base: base(&name).to_owned(),
                        path: entry.path(),
                        tag: tag(&name).map(str::to_owned),
                        is_beside,
                    });
                }
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
                let path = file.path.strip_prefix(mail.path()).unwrap().to_owned();
                (
                    path.to_str().unwrap().to_owned(),
                    file.is_beside,
                    file.tag.is_some(),
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
