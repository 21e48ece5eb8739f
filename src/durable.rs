//! Makes files and folders survive a power cut. This is the only place that syncs.

#![expect(
    clippy::disallowed_methods,
    reason = "everybody else syncs through this module"
)]

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
#[cfg(target_os = "linux")]
use std::sync::LazyLock;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

#[cfg(not(target_vendor = "apple"))]
use rustix::fs::Advice;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Resource, geteuid, getrlimit};

mod turns;
#[cfg(target_os = "linux")]
mod volume;

pub(crate) use turns::Turns;
#[cfg(target_os = "linux")]
pub(crate) use volume::Volume;

/// A file system, for one who writes to it: only Linux can be asked for one.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(crate) struct Volume(());

#[cfg(not(target_os = "linux"))]
impl Volume {
    /// The file system of this folder.
    pub(crate) fn of(_folder: impl AsFd) -> io::Result<Self> {
        Ok(Self(()))
    }
}

/// With this many files or more, one `syncfs` is cheaper than an fsync for each. A flush of the
/// disk costs the same for one file as for hundreds. What `syncfs` adds is the data of other
/// programs on the same file system that is not yet written.
#[cfg(target_os = "linux")]
const SYNCFS_FROM: usize = 16;

/// The part that was made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synced {
    /// Everything that was written to the file system before.
    FileSystem,
    /// The files and their entries.
    Files,
}

/// Makes the contents of these files of `folder` durable, and their entries in it. `volume` must be
/// that of the folder, and older than any of the files: it reports the failures since then.
pub(crate) fn sync_files<'n>(
    volume: &Volume,
    folder: impl AsFd,
    names: impl ExactSizeIterator<Item = &'n str>,
) -> io::Result<Synced> {
    #[cfg(target_os = "linux")]
    if names.len() >= SYNCFS_FROM && *SYNCFS_REPORTS_ERRORS {
        volume.sync()?;
        return Ok(Synced::FileSystem);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = volume;
    for name in names {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(&folder, name, flags, Mode::empty())?;
        sync_file(file)?;
    }
    sync_folder(folder)?;
    Ok(Synced::Files)
}

/// Makes the content of a file durable, and its size and times.
pub(crate) fn sync_file(file: impl AsFd) -> io::Result<()> {
    Ok(retry_on_intr(|| flush(&file))?)
}

/// Makes the content of a file durable, and its size.
pub(crate) fn sync_content(file: impl AsFd) -> io::Result<()> {
    #[cfg(target_vendor = "apple")]
    let flushed = retry_on_intr(|| flush(&file));
    #[cfg(not(target_vendor = "apple"))]
    let flushed = retry_on_intr(|| rustix::fs::fdatasync(&file));
    Ok(flushed?)
}

/// On Apple's systems fsync leaves the data in the cache of the drive, where a power cut takes it.
#[cfg(target_vendor = "apple")]
fn flush(file: impl AsFd) -> rustix::io::Result<()> {
    match rustix::fs::fcntl_fullfsync(&file) {
        // A network file system has no such call.
        Err(Errno::INVAL | Errno::NOTSUP | Errno::NOTTY) => rustix::fs::fsync(&file),
        result => result,
    }
}

#[cfg(not(target_vendor = "apple"))]
fn flush(file: impl AsFd) -> rustix::io::Result<()> {
    rustix::fs::fsync(&file)
}

/// Makes all data durable that was written to the file system of this folder.
#[cfg(target_os = "linux")]
fn sync_file_system(folder: impl AsFd) -> io::Result<()> {
    Ok(retry_on_intr(|| rustix::fs::syncfs(&folder))?)
}

/// Makes everything in a folder durable, and the folder's entries.
#[cfg(target_os = "linux")]
pub(crate) fn sync_tree(path: &Path) -> io::Result<()> {
    let folder = File::open(path)?;
    sync_file_system(&folder)?;
    sync_folder(folder)
}

/// The same, file by file: only Linux can be asked for one file system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync_tree(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_tree(&entry.path())?,
            false => sync_file(File::open(entry.path())?)?,
        }
    }
    sync_folder(File::open(path)?)
}

/// Replaces the file at `path` by one with this content, in one step: after a crash there is either
/// the old file or the new one. Only its owner can read the new file before it has its permission
/// bits, `mode`, and its whole content.
///
/// # Errors
/// The file system's; then either the old file or the new one is in its place.
pub(crate) fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path);
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let draft = folder.join(format!(".popsync-{:016x}", u64::from_ne_bytes(random)));
    let made = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        sync_file(&file)?;
        rename_over(CWD, &draft, path)?;
        sync_folder(File::open(folder)?)
    };
    made().inspect_err(|_| {
        // If it was never created, or was renamed already, there is nothing to remove.
        let _ = fs::remove_file(&draft);
    })
}

/// Renames `from` in `folder`, over the file `to` if there is one. This alone makes nothing durable.
pub(crate) fn rename_over(folder: impl AsFd, from: &Path, to: &Path) -> rustix::io::Result<()> {
    let look = |folder: BorrowedFd<'_>, path: &Path| {
        let found = rustix::fs::statat(folder, path, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((found.st_dev, found.st_ino))
    };
    let file = look(folder.as_fd(), from)?;
    match rustix::fs::renameat(&folder, from, CWD, to) {
        // On a network file system a rename may succeed and its answer be lost: when asked again,
        // the server finds no file to rename.
        Err(Errno::NOENT) if look(CWD, to) == Ok(file) => Ok(()),
        renamed => renamed,
    }
}

/// The folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}

/// The octets that this user may still write to the file system of `path`.
pub(crate) fn room(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The largest size that a file may have (`ulimit -f`), if there is a limit.
pub(crate) fn largest_file() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(folder: impl AsFd) -> io::Result<()> {
    match retry_on_intr(|| flush(&folder)) {
        // Some network file systems have no such call; they write their folders at once.
        Err(Errno::INVAL) => Ok(()),
        result => Ok(result?),
    }
}

/// Makes the entries of a folder durable, if this user may read it. Otherwise nobody can.
pub(crate) fn sync_folder_at(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(folder) => sync_folder(folder),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

/// Folders that this process has made durable entries of their parents: thousands of accounts may have
/// their Maildirs in one folder.
static KNOWN: Mutex<BTreeSet<Entry>> = Mutex::new(BTreeSet::new());

/// The entry of a folder in its parent.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// The device and the number of the parent, and those of the folder.
    inodes: [(u64, u64); 2],
    /// The name of the folder, which somebody may have changed.
    name: OsString,
    /// When the folder was made: the number of a folder that was removed is given to the next one.
    made: SystemTime,
}

impl Entry {
    /// None if the system does not know when the folder was made.
    fn of(parent: &Metadata, folder: &Metadata, name: &OsStr) -> Option<Self> {
        let inodes = [parent, folder].map(|found| (found.dev(), found.ino()));
        let made = folder.created().ok()?;
        let name = name.to_owned();
        Some(Self { inodes, name, made })
    }
}

/// Makes durable the entries of a folder and of its parents, up to a folder that is a mount or
/// belongs to another user. A run that was killed may have made any of these folders, and no
/// others. Call it before a record depends on them. What this process has made durable before is not
/// done again.
///
/// # Errors
/// The system's, if something could not be made durable.
pub(crate) fn sync_way_to(folder: &Path) -> io::Result<()> {
    let folder = folder.canonicalize()?;
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = folder.metadata()?;
    sync_folder_at(&folder)?;
    for (child, parent) in folder.ancestors().zip(folder.ancestors().skip(1)) {
        let above = parent.metadata()?;
        if found.uid() != geteuid().as_raw() || found.dev() != above.dev() {
            return Ok(());
        }
        let name = child.file_name().unwrap_or_default();
        let entry = Entry::of(&above, &found, name);
        if !entry.as_ref().is_some_and(|entry| known().contains(entry)) {
            sync_folder_at(parent)?;
            known().extend(entry);
        }
        found = above;
    }
    Ok(())
}

/// Makes the disk begin with a large file while the rest of it is still to come. Otherwise the sync
/// at the end would write all of it, and the server would have to wait.
#[derive(Debug, Default)]
pub(crate) struct WriteAhead {
    begun: u64,
    written: u64,
}

impl WriteAhead {
    /// The number of new octets after which the disk is told to begin.
    const STEP: u64 = 8 << 20;

    /// Counts octets that were written to the file.
    pub(crate) fn written(&mut self, file: &File, octets: usize) {
        self.written += octets as u64;
        let step = self.written - self.begun;
        if let Some(length) = NonZeroU64::new(step).filter(|_| step >= Self::STEP) {
            write_ahead(file, self.begun, length);
            self.begun = self.written;
        }
    }
}

/// On Linux this starts to write dirty pages, and does not wait. It is advice: it does not matter if
/// it is ignored.
#[cfg(not(target_vendor = "apple"))]
fn write_ahead(file: &File, from: u64, length: NonZeroU64) {
    let _ = rustix::fs::fadvise(file, from, Some(length), Advice::DontNeed);
}

/// Apple's systems take no such advice.
#[cfg(target_vendor = "apple")]
fn write_ahead(_: &File, _: u64, _: NonZeroU64) {}

/// True if `syncfs` reports write errors. Linux before 5.8 does not.
#[cfg(target_os = "linux")]
static SYNCFS_REPORTS_ERRORS: LazyLock<bool> = LazyLock::new(|| {
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy();
    let mut numbers = release
        .split(['.', '-'])
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= (5, 8)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_under_another_name_is_another_entry() {
        let above = tempfile::tempdir().unwrap();
        let [before, after] = ["before", "after"].map(|name| above.path().join(name));
        let entry = |path: &Path| {
            let [parent, folder] = [above.path(), path].map(|path| path.metadata().unwrap());
            Entry::of(&parent, &folder, path.file_name().unwrap())
        };
        fs::create_dir(&before).unwrap();
        let first = entry(&before);
        assert_eq!(first, entry(&before));
        fs::rename(&before, &after).unwrap();
        // Where the system does not know when it was made, nothing is known.
        assert!(first.is_none() || first != entry(&after));
    }
}
