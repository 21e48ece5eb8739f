//! Renames a file to a name that nothing has.

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::CWD;
#[cfg(any(target_os = "android", target_os = "linux", target_vendor = "apple"))]
use rustix::fs::RenameFlags;
use rustix::io::{Errno, Result};

/// Renames `from` in `folder`. If something has the name already, nothing happens.
///
/// # Errors
/// [`Errno::EXIST`] then, and those of the file system.
pub(super) fn to_new(folder: impl AsFd, from: &Path, to: &Path) -> Result<()> {
    match at_once(&folder, from, to) {
        // Some file systems and systems do not have it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match fs::symlink_metadata(to) {
            Ok(_) => Err(Errno::EXIST),
            Err(_) => rustix::fs::renameat(folder, from, CWD, to),
        },
        renamed => renamed,
    }
}

#[cfg(any(target_os = "android", target_os = "linux", target_vendor = "apple"))]
fn at_once(folder: impl AsFd, from: &Path, to: &Path) -> Result<()> {
    rustix::fs::renameat_with(folder, from, CWD, to, RenameFlags::NOREPLACE)
}

/// FreeBSD cannot look and rename at once.
#[cfg(not(any(target_os = "android", target_os = "linux", target_vendor = "apple")))]
fn at_once(_: impl AsFd, _: &Path, _: &Path) -> Result<()> {
    Err(Errno::NOSYS)
}
