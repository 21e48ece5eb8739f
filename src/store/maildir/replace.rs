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
        let may_be_there = inventory.gap().is_some() || inventory.holds(stub);
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
mod tests;
