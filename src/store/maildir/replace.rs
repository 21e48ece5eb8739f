//! Step 7: a whole message replaces its stub. It gets the stub's folder, wherever a mail program
//! has moved that, and its flags; then the stub is removed.
//!
//! The message is moved first, durably, so there is always the stub, the message, or both. After a
//! crash the step runs again: a message that is already beside its stub stays there.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::io::Errno;

use super::locate::locate;
use super::look::{base, inventory};
use crate::durable::sync_folder;
use crate::store::{Error, Name, stop_point};

/// The stubs that could not be replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Replaced {
    /// Stubs that may still be there: a mail program moved them meanwhile, or part of the Maildir
    /// cannot be read.
    pub left: HashSet<Name>,
    /// Stubs that are gone, at least under these names.
    pub gone: HashSet<Name>,
}

/// Puts messages in the places of their stubs, and removes the stubs. The first name of each pair
/// is the stub's. If there is no second one, the stub is only removed.
///
/// A message that a mail program has already moved or flagged stays as it is.
///
/// # Errors
/// [`Error::Io`]. All that was done before it stays done.
pub(crate) fn replace(root: &Path, pairs: &[(Name, Option<Name>)]) -> Result<Replaced, Error> {
    let stubs = locate(root, pairs.iter().map(|(stub, _)| stub));
    let mut folders = BTreeSet::new();
    for (stub, whole) in pairs {
        if let (Some(path), Some(whole)) = (stubs.get(stub.as_str()), whole) {
            folders.extend(move_to(root, whole, path)?);
        }
    }
    sync_all(&folders)?;
    stop_point(7);
    let missing = remove(pairs, &stubs)?;
    let mut replaced = Replaced::default();
    if missing.is_empty() {
        return Ok(replaced);
    }
    let inventory = inventory(root)?;
    for stub in missing {
        let may_be_there = inventory.is_doubtful().is_some() || inventory.holds(stub);
        let names = if may_be_there {
            &mut replaced.left
        } else {
            &mut replaced.gone
        };
        names.insert(stub.clone());
    }
    Ok(replaced)
}

/// Moves a message to the place of its stub, if it is where it was delivered. Returns the folders
/// that changed.
fn move_to(root: &Path, whole: &Name, stub: &Path) -> Result<Vec<PathBuf>, Error> {
    let new = root.join("new");
    let from = new.join(whole.as_str());
    let (Some(folder), Some(stub_name)) = (stub.parent(), stub.file_name()) else {
        return Ok(Vec::new());
    };
    let stub_name = stub_name.to_string_lossy();
    let to = folder.join(format!("{whole}{}", flags(&stub_name, folder)));
    if from == to {
        return Ok(Vec::new());
    }
    match rustix::fs::renameat(CWD, &from, CWD, &to) {
        Ok(()) => Ok(vec![folder.to_owned(), new]),
        // A mail program moved or flagged it, or the stub is in a folder on another volume.
        Err(Errno::NOENT | Errno::XDEV) => Ok(Vec::new()),
        Err(error) => Err(Error::io("renaming to", &to, error)),
    }
}

/// The flags that a message inherits from its stub's name: those after `2,`, with the separator
/// that the mail program uses. Sizes that Dovecot notes belong to the stub only. The mark for
/// deletion is left out: a person has asked for the message since.
fn flags(stub: &str, folder: &Path) -> String {
    let rest = &stub[base(stub).len()..];
    let info = rest.rfind("2,").filter(|&at| at > 0);
    let separator = info.and_then(|at| rest[..at].chars().next_back());
    let (Some(at), Some(separator)) = (info, separator) else {
        // In `cur` every name has some.
        return if folder.ends_with("cur") { ":2," } else { "" }.to_owned();
    };
    let flags = rest[at + 2..].chars();
    let flags: String = flags
        .take_while(char::is_ascii_alphabetic)
        // `Z` means that the stub is compressed.
        .filter(|flag| !"TZ".contains(*flag))
        .collect();
    format!("{separator}2,{flags}")
}

/// Removes the stubs that were found, durably. Returns those that were not there.
fn remove<'a>(
    pairs: &'a [(Name, Option<Name>)],
    found: &HashMap<String, PathBuf>,
) -> Result<Vec<&'a Name>, Error> {
    let mut missing = Vec::new();
    let mut folders = BTreeSet::new();
    for (stub, _) in pairs {
        let Some(path) = found.get(stub.as_str()) else {
            missing.push(stub);
            continue;
        };
        match fs::remove_file(path) {
            Ok(()) => folders.extend(path.parent().map(Path::to_owned)),
            // A mail program moved or flagged it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(stub),
            Err(error) => return Err(Error::io("removing", path, error)),
        }
    }
    sync_all(&folders)?;
    Ok(missing)
}

fn sync_all(folders: &BTreeSet<PathBuf>) -> Result<(), Error> {
    for folder in folders {
        let synced = File::open(folder).and_then(sync_folder);
        synced.map_err(|error| Error::io("syncing", folder, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Mail(tempfile::TempDir);

    impl Mail {
        fn with(files: &[&str]) -> Self {
            let mail = Self(tempfile::Builder::new().prefix("mail").tempdir().unwrap());
            for folder in ["tmp", "new", "cur"] {
                fs::create_dir(mail.0.path().join(folder)).unwrap();
            }
            for file in files {
                let path = mail.0.path().join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                File::create(path).unwrap();
            }
            mail
        }

        fn replace(&self, pairs: &[(&str, &str)]) -> Replaced {
            let name = |text: &str| Name(format!("{text}.popsync"));
            let whole = |text: &str| (!text.is_empty()).then(|| name(text));
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(stub, message)| (name(stub), whole(message)))
                .collect();
            replace(self.0.path(), &pairs).unwrap()
        }

        fn files(&self) -> Vec<String> {
            let mut found = Vec::new();
            let mut folders = vec![self.0.path().to_owned()];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_dir() {
                        folders.push(path);
                    } else {
                        let path = path.strip_prefix(self.0.path()).unwrap();
                        found.push(path.to_str().unwrap().to_owned());
                    }
                }
            }
            found.sort();
            found
        }
    }

    #[test]
    fn the_message_is_where_its_stub_was_and_flagged_as_that() {
        for (stub, whole) in [
            ("new/1.popsync", "new/2.popsync"),
            ("cur/1.popsync:2,", "cur/2.popsync:2,"),
            ("cur/1.popsync:2,FS", "cur/2.popsync:2,FS"),
            ("cur/1.popsync", "cur/2.popsync:2,"),
            ("cur/1.popsync!2,RS", "cur/2.popsync!2,RS"),
            ("cur/1.popsync,S=99,W=102:2,Sab", "cur/2.popsync:2,Sab"),
            ("cur/1.popsync,S=2,W=102:2,SZ", "cur/2.popsync:2,S"),
            ("cur/1.popsync:2,ST", "cur/2.popsync:2,S"),
            ("cur/1.popsync:2,S,x=1", "cur/2.popsync:2,S"),
            (".Archive/cur/1.popsync:2,S", ".Archive/cur/2.popsync:2,S"),
            (".Archive/new/1.popsync", ".Archive/new/2.popsync"),
            ("Lists/rust/cur/1.popsync:2,", "Lists/rust/cur/2.popsync:2,"),
        ] {
            let mail = Mail::with(&[stub, "new/2.popsync", "new/3.popsync"]);
            // A second call finds nothing to do.
            assert_eq!(mail.replace(&[("1", "2")]), Replaced::default());
            let mut expected = [whole, "new/3.popsync"];
            expected.sort_unstable();
            assert_eq!(mail.files(), expected, "{stub}");
            let again = mail.replace(&[("1", "2")]);
            assert_eq!((again.left.len(), again.gone.len()), (0, 1));
            assert_eq!(mail.files(), expected, "{stub}");
        }
    }

    /// A crash between the two halves.
    #[test]
    fn a_message_that_is_in_its_place_already_only_loses_its_stub() {
        let stub = ".Archive/cur/1.popsync:2,S";
        let mail = Mail::with(&[stub, "new/2.popsync"]);
        move_to(
            mail.0.path(),
            &Name("2.popsync".to_owned()),
            &mail.0.path().join(stub),
        )
        .unwrap();
        assert_eq!(mail.files(), [stub, ".Archive/cur/2.popsync:2,S"]);
        assert_eq!(mail.replace(&[("1", "2")]), Replaced::default());
        assert_eq!(mail.files(), [".Archive/cur/2.popsync:2,S"]);
    }

    #[test]
    fn a_message_that_a_person_has_moved_or_deleted_stays_so() {
        for whole in ["cur/2.popsync:2,S", ".Other/cur/2.popsync:2,F"] {
            let mail = Mail::with(&["cur/1.popsync:2,R", whole]);
            mail.replace(&[("1", "2")]);
            assert_eq!(mail.files(), [whole]);
        }
        let mail = Mail::with(&["cur/1.popsync:2,R"]);
        mail.replace(&[("1", "2")]);
        assert_eq!(mail.files(), [""; 0]);
    }

    #[test]
    fn stubs_that_are_gone_are_no_error_and_others_stay() {
        let mail = Mail::with(&["new/1.popsync", "cur/4.popsync:2,S", "new/6.popsync"]);
        let replaced = mail.replace(&[("1", ""), ("5", "6")]);
        let gone = HashSet::from([Name("5.popsync".to_owned())]);
        let left = HashSet::new();
        assert_eq!(replaced, Replaced { left, gone });
        assert_eq!(mail.files(), ["cur/4.popsync:2,S", "new/6.popsync"]);
        // If not everything can be read, nobody knows.
        let link = mail.0.path().join(".Unmounted");
        std::os::unix::fs::symlink("/nowhere/at/all", link).unwrap();
        let replaced = mail.replace(&[("5", "6")]);
        assert_eq!((replaced.left.len(), replaced.gone.len()), (1, 0));
        let pairs = [(Name("5.popsync".to_owned()), None)];
        assert!(replace(&mail.0.path().join("nowhere"), &pairs).is_err());
    }
}
