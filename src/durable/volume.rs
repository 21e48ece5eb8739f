//! File systems that several accounts store in: one `syncfs` is for all who wait for one.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::fs::{Mode, OFlags};
use rustix::io::retry_on_intr;

use super::Turns;

/// All file systems with a [`Volume`], by the number of the device.
static ALL: Mutex<Vec<(u64, Weak<FileSystem>)>> = Mutex::new(Vec::new());

/// A file system, for one who writes to it from now on.
#[derive(Debug)]
pub(crate) struct Volume {
    file_system: Arc<FileSystem>,
    /// The first turn whose failure may concern it.
    since: u64,
}

#[derive(Debug)]
struct FileSystem {
    /// Any of its folders. The system reports each failed write once, to those who had something of the
    /// file system open when it failed.
    folder: File,
    turns: Turns,
}

impl Volume {
    /// The file system of this folder. Call it before anything is written that is to be made durable.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn of(folder: impl AsFd) -> io::Result<Self> {
        let device = rustix::fs::fstat(&folder)?.st_dev;
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, file_system)| file_system.strong_count() > 0);
        let known = all.iter().find(|(number, _)| *number == device);
        let file_system = match known.and_then(|(_, file_system)| file_system.upgrade()) {
            Some(file_system) => file_system,
            None => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let folder = rustix::fs::openat(folder, ".", flags, Mode::empty())?;
                let file_system = Arc::new(FileSystem {
                    folder: folder.into(),
                    turns: Turns::default(),
                });
                all.push((device, Arc::downgrade(&file_system)));
                file_system
            }
        };
        Ok(Self {
            since: file_system.turns.first_to_heed(),
            file_system,
        })
    }

    /// Makes durable all that was written to the file system.
    ///
    /// # Errors
    /// The system's; also if another one was told, since this volume was asked for, that something of
    /// the file system could not be written: nobody can tell whose it was.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let FileSystem { folder, turns } = &*self.file_system;
        turns.wait(|| Ok(retry_on_intr(|| rustix::fs::syncfs(folder))?))?;
        turns.failed_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A write that failed before somebody came is no matter of theirs; one that failed since then is,
    /// even if it was told to another.
    #[test]
    fn a_failure_is_told_to_all_who_may_have_written() {
        let folder = tempfile::tempdir().unwrap();
        let open = || File::open(folder.path()).unwrap();
        let early = Volume::of(open()).unwrap();
        early.sync().unwrap();
        let other = Volume::of(open()).unwrap();
        assert!(Arc::ptr_eq(&early.file_system, &other.file_system));
        let fails = || Err(io::Error::from_raw_os_error(5));
        other.file_system.turns.wait(fails).unwrap_err();
        let late = Volume::of(open()).unwrap();
        assert_eq!(early.sync().unwrap_err().raw_os_error(), Some(5));
        assert_eq!(other.sync().unwrap_err().raw_os_error(), Some(5));
        late.sync().unwrap();
    }
}
