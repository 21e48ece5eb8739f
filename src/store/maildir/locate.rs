//! Where the messages of a Maildir are now. Mail programs move them from `new` to `cur`, add
//! flags to their names, and file them in sub-folders of either layout.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::look::{base, inventory};
use crate::store::durable::sync_folder;
use crate::store::{Error, Name};

/// How deep sub-folders may lie.
const DEPTH: usize = 8;

/// The files of these messages below `root`. What cannot be read holds none of them, and the
/// search ends with the last one found.
pub fn locate<'a>(
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
    search.folder(root, DEPTH);
    search.found
}

/// Takes these messages away, wherever a mail program put them, and gives those of which it is
/// in doubt whether they are still there: a file that is moved during the search is not found.
/// That a message is gone already is no error.
///
/// # Errors
/// [`Error::Io`].
pub fn remove(root: &Path, names: &[&Name]) -> Result<HashSet<Name>, Error> {
    let found = locate(root, names.iter().copied());
    let mut folders = HashSet::new();
    for path in found.values() {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("removing", path, error));
            }
            Ok(()) | Err(_) => folders.extend(path.parent()),
        }
    }
    for folder in folders {
        let failed = |error: io::Error| Error::io("syncing", folder, error);
        let open = File::open(folder).map_err(failed)?;
        sync_folder(&open).map_err(failed)?;
    }
    let missing = names
        .iter()
        .filter(|name| !found.contains_key(name.as_str()));
    let missing: Vec<&Name> = missing.copied().collect();
    if missing.is_empty() {
        return Ok(HashSet::new());
    }
    let inventory = inventory(root)?;
    let left = missing
        .into_iter()
        .filter(|name| inventory.is_doubtful().is_some() || inventory.holds(name));
    Ok(left.cloned().collect())
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
                self.note(&entry.file_name().to_string_lossy(), &entry.path());
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
    use super::*;

    #[test]
    fn what_is_removed_is_gone_wherever_it_was_and_what_was_gone_is_no_error() {
        let root = tempfile::tempdir().unwrap();
        for place in ["new", "cur", ".Archive/cur"] {
            fs::create_dir_all(root.path().join(place)).unwrap();
        }
        let files = [
            "new/1.popsync",
            "cur/2.popsync:2,S",
            ".Archive/cur/3.popsync:2,",
        ];
        for file in files.iter().chain(&["cur/4.popsync:2,S"]) {
            File::create(root.path().join(file)).unwrap();
        }
        let names = [1, 2, 3, 5].map(|number| Name(format!("{number}.popsync")));
        let names: Vec<&Name> = names.iter().collect();
        assert_eq!(remove(root.path(), &names).unwrap(), HashSet::new());
        for file in files {
            assert!(!root.path().join(file).exists(), "{file}");
        }
        assert!(root.path().join("cur/4.popsync:2,S").exists());
        assert!(remove(&root.path().join("nowhere"), &names).is_err());
    }

    #[test]
    fn messages_are_found_wherever_a_mail_program_puts_them() {
        let root = tempfile::tempdir().unwrap();
        let places = [
            "new/1.a",
            "cur/2.a:2,S",
            ".Archive/cur/3.a:2,FS",
            "Lists/rust/new/4.a",
            "tmp/5.a",
            ".Archive/tmp/6.a",
        ];
        for place in places {
            let path = root.path().join(place);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap();
        }
        let names: Vec<_> = (1..8).map(|n| Name(format!("{n}.a"))).collect();
        let mut found: Vec<_> = locate(root.path(), &names).into_values().collect();
        found.sort();
        let mut expected: Vec<_> = places[..4]
            .iter()
            .map(|place| root.path().join(place))
            .collect();
        expected.sort();
        assert_eq!(found, expected);
        assert!(locate(&root.path().join("nowhere"), &names).is_empty());
    }
}
