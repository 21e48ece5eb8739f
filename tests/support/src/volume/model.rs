//! A file system that keeps its files in a folder, with the manners of another one.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, FileHandle, FileType, INodeNo, RenameFlags, TimeOrNow};

use super::manners::{Answer, Manners, Request};

/// Decides on requests.
pub(super) type Hook = Arc<Mutex<Option<Box<dyn FnMut(&Request) -> Answer + Send>>>>;

/// Each mount counts its files from another number on.
static MOUNTS: AtomicU64 = AtomicU64::new(1);

pub(super) struct Model {
    pub(super) manners: Manners,
    hook: Hook,
    pub(super) tree: Mutex<Tree>,
}

/// The files that the kernel knows by number. Paths are in the real folder.
pub(super) struct Tree {
    paths: HashMap<u64, PathBuf>,
    numbers: HashMap<PathBuf, u64>,
    pub(super) open: HashMap<u64, Arc<File>>,
    newest: u64,
}

impl Model {
    pub(super) fn new(folder: &Path, manners: Manners, hook: Hook) -> Self {
        let root = INodeNo::ROOT.0;
        let tree = Tree {
            paths: HashMap::from([(root, folder.to_owned())]),
            numbers: HashMap::from([(folder.to_owned(), root)]),
            open: HashMap::new(),
            newest: MOUNTS.fetch_add(1, Ordering::Relaxed) << 32,
        };
        Self {
            manners,
            hook,
            tree: Mutex::new(tree),
        }
    }

    /// Carries a request out, or not, as the hook says.
    pub(super) fn decide<T>(
        &self,
        request: &Request,
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let mut hook = self.hook.lock().unwrap();
        let answer = hook.as_mut().map_or(Answer::Done, |hook| hook(request));
        drop(hook);
        match answer {
            Answer::Done => act(),
            Answer::Fails(errno) => Err(errno.into()),
            Answer::Lost(errno) => {
                act()?;
                Err(errno.into())
            }
        }
    }

    pub(super) fn path(&self, number: INodeNo) -> io::Result<PathBuf> {
        let tree = self.tree.lock().unwrap();
        let path = tree.paths.get(&number.0).cloned();
        path.ok_or_else(|| rustix::io::Errno::STALE.into())
    }

    /// The path of a name in a folder, as it is written there.
    pub(super) fn child(&self, parent: INodeNo, name: &OsStr) -> io::Result<PathBuf> {
        let folder = self.path(parent)?;
        let text = name.to_string_lossy();
        let is_bad = |c: char| self.manners.forbidden.contains(c) || c.is_control();
        if !self.manners.forbidden.is_empty() && text.contains(is_bad) {
            return Err(rustix::io::Errno::INVAL.into());
        }
        if self.manners.ignores_case {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?.file_name();
                if entry.to_string_lossy().eq_ignore_ascii_case(&text) {
                    return Ok(folder.join(entry));
                }
            }
        }
        Ok(folder.join(name))
    }

    pub(super) fn file(&self, handle: FileHandle) -> io::Result<Arc<File>> {
        let tree = self.tree.lock().unwrap();
        let file = tree.open.get(&handle.0).cloned();
        file.ok_or_else(|| rustix::io::Errno::BADF.into())
    }

    pub(super) fn hold(&self, file: File) -> FileHandle {
        let mut tree = self.tree.lock().unwrap();
        tree.newest += 1;
        let handle = tree.newest;
        tree.open.insert(handle, Arc::new(file));
        FileHandle(handle)
    }

    pub(super) fn attributes(&self, path: &Path) -> io::Result<FileAttr> {
        let found = fs::symlink_metadata(path)?;
        let number = self.tree.lock().unwrap().number(path, &found, self.manners);
        Ok(self.shown(&found, number))
    }

    pub(super) fn shown(&self, found: &Metadata, number: u64) -> FileAttr {
        let rounded = |time: io::Result<SystemTime>| {
            let since = time
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let seconds = since.unwrap_or_default().as_secs();
            UNIX_EPOCH + Duration::from_secs(seconds - seconds % self.manners.seconds)
        };
        let perm = match (self.manners.permissions, found.is_dir()) {
            (true, _) => found.mode() & 0o7777,
            (false, _) => 0o700,
        };
        let modified = rounded(found.modified());
        FileAttr {
            ino: INodeNo(number),
            size: found.size(),
            blocks: found.blocks(),
            atime: modified,
            mtime: modified,
            ctime: modified,
            crtime: modified,
            kind: if found.is_dir() {
                FileType::Directory
            } else {
                FileType::RegularFile
            },
            perm: perm as u16,
            nlink: found.nlink() as u32,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }

    pub(super) fn make(
        &self,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        flags: i32,
    ) -> io::Result<(FileAttr, FileHandle)> {
        let path = self.child(parent, name)?;
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .mode(mode | 0o600);
        if flags & rustix::fs::OFlags::EXCL.bits().cast_signed() != 0 {
            options.create_new(true);
        }
        let made = self.decide(&Request::Create(text(name)), || options.open(&path))?;
        let attributes = self.attributes(&path)?;
        Ok((attributes, self.hold(made)))
    }

    pub(super) fn move_to(
        &self,
        (parent, name): (INodeNo, &OsStr),
        (new_parent, new_name): (INodeNo, &OsStr),
        flags: RenameFlags,
    ) -> io::Result<()> {
        let (from, to) = (self.child(parent, name)?, self.child(new_parent, new_name)?);
        // Another spelling of the name replaces the old one.
        let to_exact = to.with_file_name(new_name);
        if !flags.is_empty() && !self.manners.spares {
            return Err(rustix::io::Errno::INVAL.into());
        }
        let is_taken = to != from && fs::symlink_metadata(&to).is_ok();
        if is_taken && !flags.is_empty() {
            return Err(rustix::io::Errno::EXIST.into());
        }
        // SSH_FX_FAILURE tells no more.
        if is_taken && !self.manners.replaces {
            return Err(rustix::io::Errno::PERM.into());
        }
        self.decide(&Request::Rename(text(name), text(new_name)), || {
            if is_taken && to != to_exact {
                fs::remove_file(&to)?;
            }
            rustix::fs::rename(&from, &to_exact)?;
            self.tree.lock().unwrap().moved(&from, &to_exact);
            Ok(())
        })
    }

    pub(super) fn change(
        &self,
        number: INodeNo,
        (mode, size): (Option<u32>, Option<u64>),
        modified: Option<TimeOrNow>,
        handle: Option<FileHandle>,
    ) -> io::Result<FileAttr> {
        let path = self.path(number)?;
        // Linux says yes to every mode on FAT, and changes none.
        if let Some(mode) = mode.filter(|_| self.manners.permissions) {
            fs::set_permissions(&path, Permissions::from_mode(mode & 0o7777))?;
        }
        let file = match handle {
            Some(handle) => self.file(handle)?,
            None if size.is_some() || modified.is_some() => Arc::new(
                OpenOptions::new()
                    .read(true)
                    .write(!path.is_dir())
                    .open(&path)?,
            ),
            None => return self.attributes(&path),
        };
        if let Some(size) = size {
            file.set_len(size)?;
        }
        match modified {
            Some(TimeOrNow::SpecificTime(time)) => file.set_modified(time)?,
            Some(TimeOrNow::Now) => file.set_modified(SystemTime::now())?,
            None => {}
        }
        let found = file.metadata()?;
        Ok(self.shown(&found, number.0))
    }

    pub(super) fn list(
        &self,
        number: INodeNo,
    ) -> io::Result<Vec<(u64, FileType, std::ffi::OsString)>> {
        let path = self.path(number)?;
        let mut entries = vec![
            (number.0, FileType::Directory, ".".into()),
            (number.0, FileType::Directory, "..".into()),
        ];
        let mut names = Vec::new();
        for entry in fs::read_dir(&path)? {
            names.push(entry?.file_name());
        }
        names.sort();
        for name in names {
            let shown = self.attributes(&path.join(&name))?;
            entries.push((shown.ino.0, shown.kind, name));
        }
        Ok(entries)
    }
}

impl Tree {
    /// The number of a file, which it keeps while it is mounted.
    fn number(&mut self, path: &Path, found: &Metadata, manners: Manners) -> u64 {
        if let Some(&number) = self.numbers.get(path) {
            return number;
        }
        let number = if manners.numbers {
            found.ino()
        } else {
            self.newest += 1;
            self.newest
        };
        self.paths.insert(number, path.to_owned());
        self.numbers.insert(path.to_owned(), number);
        number
    }

    fn moved(&mut self, from: &Path, to: &Path) {
        self.gone(to);
        let below = |path: &PathBuf| path.starts_with(from);
        let moved: Vec<PathBuf> = self
            .numbers
            .keys()
            .filter(|path| below(path))
            .cloned()
            .collect();
        for path in moved {
            let Some(number) = self.numbers.remove(&path) else {
                continue;
            };
            let rest = path.strip_prefix(from).unwrap();
            let path = if rest.as_os_str().is_empty() {
                to.to_owned()
            } else {
                to.join(rest)
            };
            self.paths.insert(number, path.clone());
            self.numbers.insert(path, number);
        }
    }

    /// A path that is no more.
    pub(super) fn gone(&mut self, path: &Path) {
        self.numbers.remove(path);
    }
}

pub(super) fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}
