//! Making files and folders survive a power cut: the only place that syncs.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::LazyLock;

use rustix::fs::{Advice, Mode, OFlags};
use rustix::process::{Resource, geteuid, getrlimit};

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

/// How many octets this user may still write to the file system of `path`.
pub(super) fn room(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The size beyond which no file may grow (`ulimit -f`), where there is such a limit.
pub(super) fn largest_file() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(folder: impl AsFd) -> io::Result<()> {
    match rustix::fs::fsync(folder) {
        // Some network file systems have no such thing; their folders are written at once.
        Err(rustix::io::Errno::INVAL) => Ok(()),
        result => Ok(result?),
    }
}

/// Makes the entries of a folder durable, where this user may read it. Else nobody can.
pub(super) fn sync_folder_at(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(folder) => sync_folder(folder),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the entries of a folder durable, and those that lead to it, up to a folder that is another
/// user's or a mount: a run that was killed may have made any of them, and no more. To be called
/// before anything is recorded that depends on them.
///
/// # Errors
/// The system's, where something could not be made durable.
pub fn sync_way_to(folder: &Path) -> io::Result<()> {
    let folder = folder.canonicalize()?;
    for (at, parent) in folder.ancestors().zip(folder.ancestors().skip(1)) {
        sync_folder_at(at)?;
        let found = at.metadata()?;
        if found.uid() != geteuid().as_raw() || found.dev() != parent.metadata()?.dev() {
            return Ok(());
        }
    }
    // The root is nobody's entry, and all lie below it.
    sync_folder_at(Path::new("/"))
}

/// Lets the disk begin with a large file while the rest of it is still to come. Otherwise all
/// of it would wait for the sync at its end, and the server for that.
#[derive(Debug, Default)]
pub(super) struct WriteAhead {
    begun: u64,
    written: u64,
}

impl WriteAhead {
    /// How much is collected before the disk is set to work.
    const STEP: u64 = 8 << 20;

    /// So many octets more were written to the file.
    pub(super) fn written(&mut self, file: &File, octets: usize) {
        self.written += octets as u64;
        let step = self.written - self.begun;
        if let Some(length) = NonZeroU64::new(step).filter(|_| step >= Self::STEP) {
            // On Linux this begins to write what is dirty, and does not wait. It is advice:
            // whether anybody takes it does not matter here.
            let _ = rustix::fs::fadvise(file, self.begun, Some(length), Advice::DontNeed);
            self.begun = self.written;
        }
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
