//! The kernel's requests, and the answers to them.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileHandle, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, TimeOrNow, WriteFlags,
};

use super::manners::Request;
use super::model::{Model, text};

/// The kernel asks again each time.
const AT_ONCE: Duration = Duration::ZERO;

const GENERATION: Generation = Generation(0);

/// Answers a request, or with an error.
macro_rules! answer {
    ($reply:ident, $result:expr, $done:expr) => {
        match $result {
            Ok(value) => $done($reply, value),
            Err(error) => $reply.error(Errno::from(error)),
        }
    };
}

impl Model {
    fn open_flags(&self) -> FopenFlags {
        match self.manners.maps {
            true => FopenFlags::empty(),
            false => FopenFlags::FOPEN_DIRECT_IO,
        }
    }
}

impl Filesystem for Model {
    fn lookup(&self, _: &fuser::Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self
            .child(parent, name)
            .and_then(|path| self.attributes(&path));
        answer!(reply, found, |reply: ReplyEntry, found| reply
            .entry(&AT_ONCE, &found, GENERATION));
    }

    fn getattr(
        &self,
        _: &fuser::Request,
        number: INodeNo,
        handle: Option<FileHandle>,
        reply: ReplyAttr,
    ) {
        // A file that is open may have no name any more.
        let found = match handle {
            Some(handle) => self
                .file(handle)
                .and_then(|file| Ok(self.shown(&file.metadata()?, number.0))),
            None => self.path(number).and_then(|path| self.attributes(&path)),
        };
        answer!(reply, found, |reply: ReplyAttr, found| reply
            .attr(&AT_ONCE, &found));
    }

    fn setattr(
        &self,
        _: &fuser::Request,
        number: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _: Option<SystemTime>,
        handle: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let changed = self.change(number, (mode, size), modified, handle);
        answer!(reply, changed, |reply: ReplyAttr, found| reply
            .attr(&AT_ONCE, &found));
    }

    fn mkdir(
        &self,
        _: &fuser::Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let made = self.child(parent, name).and_then(|path| {
            self.decide(&Request::Mkdir(text(name)), || {
                DirBuilder::new().mode(mode).create(&path)
            })?;
            self.attributes(&path)
        });
        answer!(reply, made, |reply: ReplyEntry, found| reply
            .entry(&AT_ONCE, &found, GENERATION));
    }

    fn unlink(&self, _: &fuser::Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.child(parent, name).and_then(|path| {
            self.decide(&Request::Unlink(text(name)), || fs::remove_file(&path))?;
            self.tree.lock().unwrap().gone(&path);
            Ok(())
        });
        answer!(reply, removed, |reply: ReplyEmpty, ()| reply.ok());
    }

    fn rmdir(&self, _: &fuser::Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.child(parent, name).and_then(|path| {
            fs::remove_dir(&path)?;
            self.tree.lock().unwrap().gone(&path);
            Ok(())
        });
        answer!(reply, removed, |reply: ReplyEmpty, ()| reply.ok());
    }

    fn rename(
        &self,
        _: &fuser::Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let renamed = self.move_to((parent, name), (new_parent, new_name), flags);
        answer!(reply, renamed, |reply: ReplyEmpty, ()| reply.ok());
    }

    fn link(
        &self,
        _: &fuser::Request,
        number: INodeNo,
        parent: INodeNo,
        name: &OsStr,
        reply: ReplyEntry,
    ) {
        if !self.manners.links {
            return reply.error(Errno::EPERM);
        }
        let linked = self.path(number).and_then(|from| {
            let to = self.child(parent, name)?;
            self.decide(&Request::Link(text(name)), || fs::hard_link(&from, &to))?;
            self.attributes(&to)
        });
        answer!(reply, linked, |reply: ReplyEntry, found| reply
            .entry(&AT_ONCE, &found, GENERATION));
    }

    fn create(
        &self,
        _: &fuser::Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        let made = self.make(parent, name, mode, flags);
        answer!(reply, made, |reply: ReplyCreate, (found, handle)| reply
            .created(
                &AT_ONCE,
                &found,
                GENERATION,
                handle,
                self.open_flags()
            ));
    }

    fn open(&self, _: &fuser::Request, number: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let opened = self.path(number).and_then(|path| {
            let writes = flags.0 & 0o3 != 0;
            OpenOptions::new().read(true).write(writes).open(path)
        });
        answer!(reply, opened, |reply: ReplyOpen, file| reply
            .opened(self.hold(file), self.open_flags()));
    }

    fn read(
        &self,
        _: &fuser::Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let octets = self.file(handle).and_then(|file| {
            let mut octets = vec![0; size as usize];
            let mut filled = 0;
            while let read @ 1.. = file.read_at(&mut octets[filled..], offset + filled as u64)? {
                filled += read;
            }
            octets.truncate(filled);
            Ok(octets)
        });
        answer!(reply, octets, |reply: ReplyData, octets: Vec<u8>| reply
            .data(&octets));
    }

    fn write(
        &self,
        _: &fuser::Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.file(handle).and_then(|file| {
            self.decide(&Request::Write(data.len()), || {
                file.write_all_at(data, offset)
            })
        });
        answer!(reply, written, |reply: ReplyWrite, ()| reply
            .written(data.len() as u32));
    }

    fn flush(
        &self,
        _: &fuser::Request,
        _: INodeNo,
        _: FileHandle,
        _: LockOwner,
        reply: ReplyEmpty,
    ) {
        let closed = self.decide(&Request::Close, || Ok(()));
        answer!(reply, closed, |reply: ReplyEmpty, ()| reply.ok());
    }

    fn fsync(&self, _: &fuser::Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let synced = self.decide(&Request::Sync, || Ok(()));
        answer!(reply, synced, |reply: ReplyEmpty, ()| reply.ok());
    }

    fn release(
        &self,
        _: &fuser::Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.tree.lock().unwrap().open.remove(&handle.0);
        reply.ok();
    }

    fn readdir(
        &self,
        _: &fuser::Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        match self.list(number) {
            Ok(entries) => {
                let entries = entries.into_iter().enumerate().skip(offset as usize);
                for (at, (number, kind, name)) in entries {
                    if reply.add(INodeNo(number), at as u64 + 1, kind, name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(error) => reply.error(Errno::from(error)),
        }
    }

    fn statfs(&self, _: &fuser::Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 4096, 255, 4096);
    }
}
