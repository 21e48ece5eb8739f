//! Finds the messages of a Maildir. Mail programs move them from `new` to `cur`, add flags to their
//! names, and file them in folders of either layout.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::look::{base, is_hidden};
use super::siblings::{Reach, roots};
use crate::store::Name;

/// The maximum depth of sub-folders.
const DEPTH: usize = 8;

/// The files of these messages below `root` and in the folders beside it. Skips what cannot be
/// read, and stops once all are found.
pub(crate) fn locate<'a>(
    root: &Path,
    names: impl IntoIterator<Item = &'a Name>,
) -> HashMap<String, PathBuf> {
    let mut search = Search {
        missing: names.into_iter().map(Name::as_str).collect(),
        found: HashMap::new(),
    };
    // Nearly always they are here.
    for folder in ["cur", "new"] {
        search.folder(&root.join(folder), 0);
    }
    for root in roots(root, Reach::All) {
        search.folder(&root, DEPTH);
    }
    search.found
}

struct Search<'a> {
    missing: HashSet<&'a str>,
    found: HashMap<String, PathBuf>,
}

impl Search<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) {
        if self.missing.is_empty() {
            return;
        }
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        let mut below = Vec::new();
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() && depth > 0 && entry.file_name() != "tmp" {
                below.push(entry.path());
            } else if kind.is_file() {
                let file_name = entry.file_name();
                let file_name = file_name.to_string_lossy();
                if !is_hidden(&file_name) {
                    self.note(&file_name, &entry.path());
                }
            }
        }
        for folder in below {
            self.folder(&folder, depth - 1);
        }
    }

    fn note(&mut self, file_name: &str, path: &Path) {
        let base = base(file_name);
        if self.missing.remove(base) {
            self.found.insert(base.to_owned(), path.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn messages_are_found_wherever_a_mail_program_puts_them() {
        let mail = tempfile::tempdir().unwrap();
        for folder in ["tmp", "new"] {
            fs::create_dir(mail.path().join(folder)).unwrap();
        }
        let root = mail.path().join(".work");
        let places = [
            "new/1.a",
            "cur/2.a:2,S",
            ".Archive/cur/3.a:2,FS",
            "Lists/rust/new/4.a",
            "../.work.Archive/cur/7.a:2,S",
            "../cur/8.a:2,S",
            "tmp/5.a",
            ".Archive/tmp/6.a",
        ];
        fs::create_dir(&root).unwrap();
        let path = |place: &str| match place.strip_prefix("../") {
            Some(beside) => mail.path().join(beside),
            None => root.join(place),
        };
        for place in places {
            fs::create_dir_all(path(place).parent().unwrap()).unwrap();
            File::create(path(place)).unwrap();
        }
        let names: Vec<_> = (1..10).map(|n| Name(format!("{n}.a"))).collect();
        let mut found: Vec<_> = locate(&root, &names).into_values().collect();
        found.sort();
        let mut expected: Vec<_> = places[..6].iter().map(|place| path(place)).collect();
        expected.sort();
        assert_eq!(found, expected);
        assert!(locate(&root.join("nowhere"), &names).is_empty());
    }
}
