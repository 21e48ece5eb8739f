//! Which Maildir is at a path, if there is one.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::store::Error;

/// True if there is a Maildir at this path: a folder with `new` or `cur` in it.
///
/// # Errors
/// If nobody can tell.
pub(super) fn is_there(path: &Path) -> Result<bool, Error> {
    for name in ["new", "cur"] {
        let folder = path.join(name);
        match fs::metadata(&folder) {
            Ok(metadata) if metadata.is_dir() => return Ok(true),
            Ok(_) => {}
            Err(error) if is_absence(&error) => {}
            Err(error) => return Err(Error::io("looking at", &folder, error)),
        }
    }
    Ok(false)
}

/// The identity of a Maildir: its file system and its folders. Another one at the same path has
/// another identity, as when a volume is mounted there or not; so has a copy, or an archive that
/// was unpacked.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn identity(path: &Path) -> Result<String, Error> {
    let failed = |error: io::Error| Error::io("looking at", path, error);
    let root = fs::metadata(path).map_err(failed)?;
    let system = rustix::fs::statvfs(path).map_err(|error| failed(error.into()))?;
    let below = |name| fs::metadata(path.join(name)).map_or(0, |folder| folder.ino());
    Ok(format!(
        "{:x}-{:x}-{:x}-{:x}",
        system.f_fsid,
        root.ino(),
        below("new"),
        below("cur")
    ))
}

pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
