//! Files that popsync stored, recognised by their names alone, even if no record of them is left.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::look::base;
use super::siblings::{Reach, roots};

/// The maximum depth of sub-folders.
const DEPTH: usize = 8;

/// The names of the messages that popsync stored, below `root` and in folders beside it that bear
/// its name, by the tag of their account. Skips what cannot be read.
pub(crate) fn names_by_tag(root: &Path) -> HashMap<String, Vec<String>> {
    let mut found = HashMap::new();
    for root in roots(root, Reach::Own) {
        walk(&root, DEPTH, &mut found);
    }
    found
}

fn walk(folder: &Path, depth: usize, found: &mut HashMap<String, Vec<String>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 && name != "tmp" => {
                walk(&entry.path(), depth - 1, found);
            }
            Ok(kind) if kind.is_file() => {
                let name = name.to_string_lossy();
                if let Some(tag) = tag(&name) {
                    let names = found.entry(tag.to_owned()).or_default();
                    names.push(base(&name).to_owned());
                }
            }
            _ => {}
        }
    }
}

/// The tag in a name that popsync made: `SECOND.ATAGRRUNQNUMBER.popsync`.
pub(super) fn tag(file_name: &str) -> Option<&str> {
    let (second, rest) = base(file_name).strip_suffix(".popsync")?.split_once('.')?;
    let (tag, _) = rest.strip_prefix('A')?.split_once('R')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let hex = tag.len() == 16 && tag.bytes().all(|octet| octet.is_ascii_hexdigit());
    (digits(second) && hex).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Maildir, Store};

    #[test]
    fn names_that_a_store_makes_are_known_wherever_they_are() {
        let root = tempfile::tempdir().unwrap();
        let tag = "0123456789abcdef";
        let maildir = Maildir::open(root.path(), tag).unwrap();
        let names = [(); 3].map(|()| maildir.draft().unwrap().finish().unwrap());
        maildir.settle(&names).unwrap();
        maildir.publish(&names[..2]).unwrap();
        fs::create_dir_all(root.path().join(".Archive/cur")).unwrap();
        let [first, second, _] = names.map(|name| name.as_str().to_owned());
        rustix::fs::rename(
            root.path().join("new").join(&first),
            root.path()
                .join(".Archive/cur")
                .join(format!("{first}:2,S")),
        )
        .unwrap();
        fs::File::create(root.path().join("new/1700000000.M1P2.host")).unwrap();
        fs::File::create(root.path().join("new/1.A12R3Q4.popsync")).unwrap();
        let found = names_by_tag(root.path());
        assert_eq!(found.len(), 1);
        let mut found = found[tag].clone();
        found.sort();
        assert_eq!(found, [first, second]);
    }
}
