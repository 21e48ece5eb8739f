//! Making files and folders survive a power cut: the only place that syncs.

use std::io;
use std::os::fd::AsFd;
use std::sync::LazyLock;

use rustix::fs::{Mode, OFlags};

use super::Name;

/// From how many files on one `syncfs` is cheaper than an fsync for each. A flush of the disk
/// costs the same for one file as for hundreds; what `syncfs` adds is other programs' unwritten
/// data on the same file system.
const SYNCFS_FROM: usize = 16;

/// Makes the contents of these files of `folder`, and their entries in it, durable. The folder
/// was opened before any of them was written: `syncfs` tells of failures since then.
pub(super) fn sync_files(folder: impl AsFd, names: &[Name]) -> io::Result<()> {
    if names.len() >= SYNCFS_FROM && *SYNCFS_REPORTS_ERRORS {
        return Ok(rustix::fs::syncfs(folder)?);
    }
    for name in names {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(&folder, name.as_str(), flags, Mode::empty())?;
        rustix::fs::fsync(file)?;
    }
    sync_folder(folder)
}

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(folder: impl AsFd) -> io::Result<()> {
    match rustix::fs::fsync(folder) {
        // Some network file systems have no such thing; their folders are written at once.
        Err(rustix::io::Errno::INVAL) => Ok(()),
        result => Ok(result?),
    }
}

/// Linux before 5.8 does not tell when `syncfs` could not write.
static SYNCFS_REPORTS_ERRORS: LazyLock<bool> = LazyLock::new(|| {
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy();
    let mut numbers = release
        .split(['.', '-'])
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    cfg!(target_os = "linux") && version >= (5, 8)
});
