//! Renames files, on file systems with and without the usual manners.

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

#[cfg(any(target_os = "android", target_os = "linux", target_vendor = "apple"))]
use rustix::fs::{CWD, RenameFlags};
use rustix::io::{Errno, Result};

use crate::durable::rename_over;

/// Renames `from` in `folder`. If something has the name already, nothing happens.
///
/// # Errors
/// [`Errno::EXIST`] then, and those of the file system.
pub(super) fn to_new(folder: impl AsFd, from: &Path, to: &Path) -> Result<()> {
    match at_once(&folder, from, to) {
        // Some file systems and systems do not have it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match fs::symlink_metadata(to) {
            Ok(_) => Err(Errno::EXIST),
            Err(_) => rename_over(folder, from, to),
        },
        renamed => renamed,
    }
}

/// Renames `from` in `folder`, over the file `to` if there is one. Where that is impossible, a crash
/// in between leaves no file `to`.
pub(super) fn over(folder: impl AsFd, from: &Path, to: &Path) -> Result<()> {
    match rename_over(&folder, from, to) {
        // SFTP by itself knows no rename over another file, and says no more than that it failed.
        Err(Errno::EXIST | Errno::PERM) => {
            rustix::fs::unlink(to)?;
            rename_over(folder, from, to)
        }
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
