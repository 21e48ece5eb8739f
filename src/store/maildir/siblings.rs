//! Folders that belong to a Maildir and are beside it. In Maildir++ all folders are flat: those of
//! an account in `X/.work` are `X/.work.Archive` and the like. A mail program whose root is `X`
//! files mail in any `X/.FOLDER`, and in `X` itself.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{is_one, presence};

/// The folders in which an account's mail is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// All folders that a mail program shows beside the Maildir: mail may be filed there.
    All,
    /// Only folders that bear its name. Others may belong to other accounts.
    Own,
}

/// The Maildir itself, and the other folders that are read with all their sub-folders.
///
/// Beside a Maildir in a person's home there are many folders that hold no mail; these are left
/// out, readable or not. One that bears the Maildir's name is always included, so that it is
/// noticed if it cannot be read. A folder that everybody may write to, such as `/tmp`, is no mail
/// program's root: its other content belongs to other users.
pub(super) fn roots(path: &Path, reach: Reach) -> Vec<PathBuf> {
    let mut roots = vec![path.to_owned()];
    // A symbolic link and its target have different siblings, and both may be shown.
    let real = path.canonicalize().ok().filter(|real| real != path);
    for place in [Some(path), real.as_deref()].into_iter().flatten() {
        if let (Some(name), Some(parent)) = (place.file_name(), place.parent())
            && is_folder_name(name)
        {
            let here = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            add(here, name, reach, &mut roots);
        }
    }
    roots
}

fn is_folder_name(name: &OsStr) -> bool {
    name.len() > 1 && name.as_bytes().starts_with(b".")
}

fn add(parent: &Path, own: &OsStr, reach: Reach, roots: &mut Vec<PathBuf>) {
    let is_everybodys = fs::metadata(parent).is_ok_and(|found| found.mode() & 0o002 != 0);
    let reach = if is_everybodys { Reach::Own } else { reach };
    if reach == Reach::All && is_one(parent) {
        roots.push(parent.to_owned());
        return;
    }
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == own || !is_folder_name(&name) {
            continue;
        }
        let bears_the_name = name
            .as_bytes()
            .strip_prefix(own.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"."));
        let path = parent.join(&name);
        let is_maildir = presence::is_there(&path);
        if match is_maildir {
            Ok(is_maildir) => is_maildir || (bears_the_name && is_lost_link(&path)),
            Err(_) => bears_the_name,
        } && (bears_the_name || reach == Reach::All)
        {
            found.push(path);
        }
    }
    found.sort();
    roots.append(&mut found);
}

/// True for a link that leads nowhere, for example to a volume that is not mounted.
fn is_lost_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) && fs::metadata(path).is_err()
}

#[cfg(test)]
mod tests;
