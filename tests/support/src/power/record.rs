//! Records what runs change below a folder.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use exchange_sim::Mailbox;
use nix::sys::signal::{Signal, kill};

use super::disk::Disk;
use crate::calls::{Pid, Watcher, libc, named, open, user_regs_struct};

/// A file or a folder, whatever its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inode(pub(super) usize);

/// One change, or a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A name more.
    Add {
        /// In this folder.
        folder: Inode,
        /// The name.
        name: OsString,
        /// What it names.
        inode: Inode,
        /// It names a folder.
        is_folder: bool,
    },
    /// A name less.
    Remove {
        /// In this folder.
        folder: Inode,
        /// The name.
        name: OsString,
    },
    /// Another name.
    Rename {
        /// The folder and the name before it.
        from: (Inode, OsString),
        /// The folder and the name after it.
        to: (Inode, OsString),
        /// What is renamed.
        inode: Inode,
    },
    /// Content.
    Write {
        /// Of this file.
        inode: Inode,
        /// At this octet.
        at: u64,
        /// The octets.
        octets: Vec<u8>,
    },
    /// Another size.
    Resize {
        /// Of this file.
        inode: Inode,
        /// In octets.
        size: u64,
    },
    /// The content of a file, or the names in a folder, are on the disk.
    Sync(Inode),
    /// Everything is.
    SyncAll,
}

/// A change, and the messages that the server had behind it.
pub(super) struct Entry {
    pub(super) change: Change,
    pub(super) on_server: Vec<String>,
}

/// The changes of one run or several, in order.
pub struct Journal {
    home: PathBuf,
    mailbox: Mailbox,
    /// The disk before them, all of it synced.
    pub(super) before: Disk,
    pub(super) entries: Vec<Entry>,
    /// By device and number. The system gives a number out again, but never two at a time.
    inodes: HashMap<(u64, u64), Inode>,
    count: usize,
    begun: HashMap<Pid, Begun>,
    kill_before: usize,
}

/// A call that has begun.
enum Begun {
    Open {
        path: PathBuf,
        is_there: bool,
        flags: i32,
    },
    Write {
        descriptor: i32,
        /// None where the file's own offset counts.
        at: Option<u64>,
    },
    Resize {
        descriptor: i32,
        size: u64,
    },
    Sync {
        descriptor: i32,
    },
    SyncAll,
    MakeFolder(PathBuf),
    Remove(PathBuf),
    Rename {
        from: PathBuf,
        to: PathBuf,
        inode: Inode,
    },
    Link {
        inode: Inode,
        to: PathBuf,
    },
}

impl Journal {
    /// Begins with everything below `home` synced, for a client of this mailbox.
    pub fn begin(home: &Path, mailbox: &Mailbox) -> Self {
        let mut journal = Self {
            home: home.to_owned(),
            mailbox: mailbox.clone(),
            before: Disk::default(),
            entries: Vec::new(),
            inodes: HashMap::new(),
            count: 0,
            begun: HashMap::new(),
            kill_before: usize::MAX,
        };
        let root = journal.new_inode(&fs::metadata(home).unwrap());
        journal.before = Disk::of(root);
        journal.look(home, root);
        journal
    }

    /// The number of changes and syncs so far.
    #[expect(clippy::len_without_is_empty, reason = "tests ask for the number")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Kills the next program that is recorded, and has come so far, before its next sync. All that
    /// was written stays in memory.
    pub fn kill_before_sync_behind(&mut self, changes: usize) {
        self.kill_before = changes;
    }

    /// The changes that are syncs: those of new files of this name, and the others.
    pub fn syncs(&self, name: &str) -> (Vec<usize>, Vec<usize>) {
        let (mut named, mut of_it, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for (at, entry) in self.entries.iter().enumerate() {
            match &entry.change {
                Change::Add {
                    name: of, inode, ..
                } if of.as_encoded_bytes() == name.as_bytes() => {
                    named.push(*inode);
                }
                Change::Sync(inode) if named.contains(inode) => of_it.push(at),
                Change::Sync(_) | Change::SyncAll => others.push(at),
                _ => {}
            }
        }
        (of_it, others)
    }

    /// The unique-ids that were on the server when the power went, behind so many changes. A
    /// deletion counts as early as it may have happened.
    pub fn on_server(&self, behind: usize) -> &[String] {
        let at = behind.min(self.entries.len() - 1);
        &self.entries[at].on_server
    }

    fn look(&mut self, folder: &Path, inode: Inode) {
        let mut names = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, found) = (entry.path(), entry.metadata().unwrap());
            let child = self.inode(&found).unwrap_or_else(|| {
                let child = self.new_inode(&found);
                if found.is_dir() {
                    self.look(&path, child);
                } else {
                    let content = fs::read(&path).unwrap();
                    self.before.files.insert(child, content);
                }
                child
            });
            names.insert(entry.file_name(), child);
        }
        self.before.folders.insert(inode, names);
    }

    fn new_inode(&mut self, found: &Metadata) -> Inode {
        let inode = Inode(self.count);
        self.count += 1;
        self.inodes.insert((found.dev(), found.ino()), inode);
        inode
    }

    fn inode(&self, found: &Metadata) -> Option<Inode> {
        self.inodes.get(&(found.dev(), found.ino())).copied()
    }

    fn inode_at(&self, path: &Path) -> Option<Inode> {
        self.inode(&fs::symlink_metadata(path).ok()?)
    }

    /// The folder and the name of a path.
    fn place(&self, path: &Path) -> (Inode, OsString) {
        let folder = self.inode_at(path.parent().unwrap());
        let folder = folder.unwrap_or_else(|| panic!("no folder of {}", path.display()));
        (folder, path.file_name().unwrap().to_owned())
    }

    fn push(&mut self, change: Change) {
        let on_server = self.mailbox.unique_ids();
        self.entries.push(Entry { change, on_server });
    }

    fn add(&mut self, path: &Path, inode: Inode, is_folder: bool) {
        let (folder, name) = self.place(path);
        self.push(Change::Add {
            folder,
            name,
            inode,
            is_folder,
        });
    }

    /// What the call will change, if it is below the folder.
    fn beginning(&self, thread: Pid, registers: &user_regs_struct) -> Option<Begun> {
        let user_regs_struct {
            rdi, rsi, rdx, r10, ..
        } = *registers;
        let here = libc::AT_FDCWD as u64;
        let below = |path: Option<PathBuf>| path.filter(|path| path.starts_with(&self.home));
        let named = |folder, path| below(named(thread, folder, path));
        let is_below = |descriptor| below(open(thread, descriptor)).is_some();
        let opened = |path: PathBuf, flags: u64| Begun::Open {
            is_there: fs::symlink_metadata(&path).is_ok(),
            path,
            flags: flags as i32,
        };
        let renamed = |from: PathBuf, to: Option<PathBuf>| Begun::Rename {
            inode: self.inode_at(&from).unwrap_or(Inode(usize::MAX)),
            from,
            to: to.unwrap(),
        };
        let written = |descriptor: u64, at: Option<u64>| {
            is_below(descriptor).then_some(Begun::Write {
                descriptor: descriptor as i32,
                at,
            })
        };
        let descriptor = rdi as i32;
        match registers.orig_rax.cast_signed() {
            libc::SYS_openat => Some(opened(named(rdi, rsi)?, rdx)),
            libc::SYS_open => Some(opened(named(here, rdi)?, rsi)),
            libc::SYS_write | libc::SYS_writev | libc::SYS_sendfile => written(rdi, None),
            libc::SYS_pwrite64 | libc::SYS_pwritev => written(rdi, Some(r10)),
            libc::SYS_copy_file_range => {
                let begun = written(rdx, None);
                assert!(begun.is_none() || r10 == 0, "an offset is not followed");
                begun
            }
            libc::SYS_ftruncate if is_below(rdi) => Some(Begun::Resize {
                descriptor,
                size: rsi,
            }),
            libc::SYS_fsync | libc::SYS_fdatasync if is_below(rdi) => {
                Some(Begun::Sync { descriptor })
            }
            libc::SYS_syncfs if is_below(rdi) => Some(Begun::SyncAll),
            libc::SYS_mkdir => named(here, rdi).map(Begun::MakeFolder),
            libc::SYS_mkdirat => named(rdi, rsi).map(Begun::MakeFolder),
            libc::SYS_rmdir | libc::SYS_unlink => named(here, rdi).map(Begun::Remove),
            libc::SYS_unlinkat => named(rdi, rsi).map(Begun::Remove),
            libc::SYS_rename => Some(renamed(named(here, rdi)?, named(here, rsi))),
            libc::SYS_renameat | libc::SYS_renameat2 => {
                Some(renamed(named(rdi, rsi)?, named(rdx, r10)))
            }
            libc::SYS_link => self.linked(thread, (here, rdi), named(here, rsi)?),
            libc::SYS_linkat => self.linked(thread, (rdi, rsi), named(rdx, r10)?),
            libc::SYS_fallocate | libc::SYS_creat | libc::SYS_symlink | libc::SYS_symlinkat => {
                panic!("the model does not know call {}", registers.orig_rax)
            }
            _ => None,
        }
    }

    /// A link to a file, which may have no name yet.
    fn linked(&self, thread: Pid, (folder, from): (u64, u64), to: PathBuf) -> Option<Begun> {
        let from = named(thread, folder, from)?;
        let from = match from.strip_prefix("/proc/self") {
            Ok(rest) => Path::new("/proc").join(thread.to_string()).join(rest),
            Err(_) => from,
        };
        let inode = self.inode(&fs::metadata(from).ok()?)?;
        Some(Begun::Link { inode, to })
    }

    fn done(&mut self, thread: Pid, begun: Begun, result: i64) {
        let opened = |descriptor: i32| PathBuf::from(format!("/proc/{thread}/fd/{descriptor}"));
        let found = |descriptor| fs::metadata(opened(descriptor)).unwrap();
        match begun {
            Begun::Open {
                path,
                is_there,
                flags,
            } => {
                let found = found(result as i32);
                if flags & libc::O_TMPFILE == libc::O_TMPFILE {
                    self.new_inode(&found);
                } else if !is_there && flags & libc::O_CREAT != 0 {
                    let inode = self.new_inode(&found);
                    self.add(&path, inode, false);
                } else if flags & libc::O_TRUNC != 0
                    && let Some(inode) = self.inode(&found)
                {
                    self.push(Change::Resize { inode, size: 0 });
                }
            }
            Begun::Write { descriptor, at } => {
                // A pipe or a device has no inode here.
                let Some(inode) = self.inode(&found(descriptor)) else {
                    return;
                };
                let end = || position(thread, descriptor) - result as u64;
                let at = at.unwrap_or_else(end);
                let mut octets = vec![0; result as usize];
                let file = File::open(opened(descriptor)).unwrap();
                file.read_exact_at(&mut octets, at).unwrap();
                self.push(Change::Write { inode, at, octets });
            }
            Begun::Resize { descriptor, size } => {
                let inode = self.inode(&found(descriptor)).unwrap();
                self.push(Change::Resize { inode, size });
            }
            Begun::Sync { descriptor } => {
                let inode = self.inode(&found(descriptor)).unwrap();
                self.push(Change::Sync(inode));
            }
            Begun::SyncAll => self.push(Change::SyncAll),
            Begun::MakeFolder(path) => {
                let inode = self.new_inode(&fs::metadata(&path).unwrap());
                self.add(&path, inode, true);
            }
            Begun::Remove(path) => {
                let (folder, name) = self.place(&path);
                self.push(Change::Remove { folder, name });
            }
            Begun::Rename { from, to, inode } => {
                let (from, to) = (self.place(&from), self.place(&to));
                self.push(Change::Rename { from, to, inode });
            }
            Begun::Link { inode, to } => self.add(&to, inode, false),
        }
    }
}

impl Watcher for Journal {
    fn begins(&mut self, thread: Pid, registers: &user_regs_struct) {
        if let Some(begun) = self.beginning(thread, registers) {
            let is_sync = matches!(begun, Begun::Sync { .. } | Begun::SyncAll);
            if is_sync && self.entries.len() >= self.kill_before {
                self.kill_before = usize::MAX;
                // The whole process, whichever thread this is.
                kill(thread, Signal::SIGKILL).unwrap();
                return;
            }
            self.begun.insert(thread, begun);
        }
    }

    fn ended(&mut self, thread: Pid, result: i64) {
        if let Some(begun) = self.begun.remove(&thread).filter(|_| result >= 0) {
            self.done(thread, begun, result);
        }
    }
}

/// Where a file is read or written next.
fn position(thread: Pid, descriptor: i32) -> u64 {
    let info = fs::read_to_string(format!("/proc/{thread}/fdinfo/{descriptor}")).unwrap();
    let position = info.lines().find_map(|line| line.strip_prefix("pos:"));
    position.unwrap().trim().parse().unwrap()
}
