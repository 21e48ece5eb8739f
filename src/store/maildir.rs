//! A Maildir: deliveries are written in `tmp` and renamed to `new`; mail programs move what they
//! have seen to `cur`.
//!
//! Works on any file system that can rename: no hard links. Folders are opened once and used by
//! descriptor, so that nobody can swap them under a run.

use std::collections::HashSet;
use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::names::Names;
use super::{
    Draft, Error, Extent, Gap, Inventory, Name, Readers, Record, Recovered, Store, Viewer,
    stop_point,
};
use crate::durable::{
    Synced, Volume, WriteAhead, room, sync_files, sync_folder, sync_tree, sync_way_to,
};

mod census;
mod locate;
mod look;
mod ours;
mod prefix;
mod presence;
mod replace;
mod restore;
mod show;
mod siblings;
mod stamp;
mod text;

pub(crate) use census::{Filed, census};
pub(crate) use locate::locate;
pub(crate) use ours::names_by_tag;
pub(crate) use replace::replace;
pub(crate) use restore::{Put, Restored, open_message};
use siblings::Reach;
pub(crate) use text::Text;

/// A Maildir, opened for delivery.
#[derive(Debug, Clone)]
pub struct Maildir {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    tmp: OwnedFd,
    new: OwnedFd,
    cur: OwnedFd,
    volume: Volume,
    names: Names,
    /// True if the entries of the Maildir and of its parents are durable, whichever run made them.
    is_found: AtomicBool,
}

impl Maildir {
    /// Opens the Maildir at `path`, and creates what is missing of it, readable by its owner alone.
    /// `tag` consists of letters and digits, and no other account ever uses it.
    ///
    /// # Errors
    /// [`Error::Folder`].
    pub fn open(path: &Path, tag: &str) -> Result<Self, Error> {
        create_folders(path)?;
        let root =
            open_folder(path, OFlags::empty()).map_err(|error| Error::folder(path, error))?;
        let mut is_made = false;
        let mut sub_folder = |name: &str| {
            let whole = path.join(name);
            match rustix::fs::mkdirat(&root, name, Mode::RWXU) {
                Ok(()) => is_made = true,
                Err(Errno::EXIST) => {}
                Err(error) => return Err(Error::folder(&whole, error)),
            }
            // A symbolic link here could lead the mail anywhere.
            rustix::fs::openat(&root, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()).map_err(
                |error| match error {
                    Errno::LOOP => Error::folder(&whole, Errno::NOTDIR),
                    _ => Error::folder(&whole, error),
                },
            )
        };
        let tmp = sub_folder("tmp")?;
        let (new, cur) = (sub_folder("new")?, sub_folder("cur")?);
        let failed = |error: io::Error| Error::folder(path, error);
        let inner = Inner {
            volume: Volume::of(&tmp).map_err(failed)?,
            path: path.to_owned(),
            names: Names::new(tag).map_err(failed)?,
            // The way was durable before the stamp was made. Without one, a run that was killed before
            // this account's first batch may have made any of these folders.
            is_found: AtomicBool::new(stamp::read(path, tag)?.is_some()),
            tmp,
            new,
            cur,
        };
        let is_found = inner.is_found.load(Ordering::Relaxed);
        if is_found && is_made {
            sync_folder(&root).map_err(failed)?;
        }
        if !is_found && !are_together(&root, &inner.tmp).map_err(failed)? {
            inner.find()?;
        }
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// True if there is a Maildir at this path, or at least a part of one that cannot be anything
    /// else.
    ///
    /// # Errors
    /// [`Error::Io`] if nobody can tell.
    pub fn is_there(path: &Path) -> Result<bool, Error> {
        presence::is_there(path)
    }

    /// Makes durable what other programs have put into a Maildir. Call it before such a file is
    /// recorded as stored: only they know if they have synced it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn sync_foreign(path: &Path) -> Result<(), Error> {
        sync_tree(path).map_err(|error| Error::io("syncing", path, error))
    }

    /// The identity of this Maildir, which another one at the same path does not have: its file
    /// system and its folder.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn identity(path: &Path) -> Result<String, Error> {
        presence::identity(path)
    }

    /// Shows every message in the Maildir and in folders that bear its name, whoever put it there.
    /// Returns the reason why some could not be shown, if there is one.
    ///
    /// # Errors
    /// [`Error::Io`] if the Maildir itself cannot be read.
    pub(crate) fn show(path: &Path, viewer: &mut dyn Viewer) -> Result<Option<Gap>, Error> {
        show::messages(path, Reach::Own, &|_| false, viewer)
    }

    /// As [`Readers::strangers`], without opening the Maildir for delivery.
    ///
    /// # Errors
    /// [`Error::Io`] if the Maildir itself cannot be read.
    pub(crate) fn strangers_at(
        path: &Path,
        known: &dyn Fn(&str) -> bool,
        viewer: &mut dyn Viewer,
    ) -> Result<Option<Gap>, Error> {
        show::messages(path, Reach::All, known, viewer)
    }

    /// The stamp of the account with this tag, as [`Store::stamp`], without opening the Maildir for
    /// delivery.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read.
    pub fn stamp_at(path: &Path, tag: &str) -> Result<Option<i64>, Error> {
        stamp::read(path, tag)
    }

    /// As [`Readers::inventory`], without opening the Maildir for delivery.
    ///
    /// # Errors
    /// [`Error::Io`] if the Maildir cannot be read at all.
    pub(crate) fn look(path: &Path) -> Result<Inventory, Error> {
        look::inventory(path)
    }
}

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

fn open_folder(path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(path, FOLDER | flags, Mode::empty())
}

/// True if a folder is a Maildir.
pub(super) fn is_one(path: &Path) -> bool {
    ["tmp", "new", "cur"]
        .iter()
        .all(|name| path.join(name).is_dir())
}

/// True if two folders are on the same file system.
fn are_together(one: impl AsFd, other: impl AsFd) -> io::Result<bool> {
    Ok(rustix::fs::fstat(one)?.st_dev == rustix::fs::fstat(other)?.st_dev)
}

/// Creates a folder and its parents. This alone makes nothing durable.
pub(super) fn create_folders(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_folders(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::folder(path, error))
        }
        _ => Ok(()),
    }
}

impl Inner {
    fn path_of(&self, folder: &str, name: &Name) -> PathBuf {
        self.path.join(folder).join(name.as_str())
    }

    /// Makes the entries of the Maildir and of its parents durable, once.
    fn find(&self) -> Result<(), Error> {
        if !self.is_found.load(Ordering::Relaxed) {
            sync_way_to(&self.path).map_err(|error| Error::folder(&self.path, error))?;
            self.is_found.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Removes a draft. If that fails, recovery removes it.
    fn remove_draft(&self, name: &Name) {
        let _ = rustix::fs::unlinkat(&self.tmp, name.as_str(), AtFlags::empty());
    }

    /// Step 4 for one message. Returns false if there was no file to rename.
    fn rename(&self, name: &Name) -> Result<bool, Error> {
        match rustix::fs::renameat(&self.tmp, name.as_str(), &self.new, name.as_str()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(Error::io("renaming", &self.path_of("tmp", name), error)),
        }
    }

    /// Returns those of these messages that are in `new`, `cur` or a sub-folder.
    fn visible(&self, names: &[&Name]) -> Result<HashSet<String>, Error> {
        let mut missing: HashSet<&str> = names.iter().map(|name| name.as_str()).collect();
        let mut found = HashSet::new();
        for (folder, path) in [(&self.new, "new"), (&self.cur, "cur")] {
            let failed = |error| Error::io("reading", &self.path.join(path), error);
            for entry in Dir::read_from(folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                note(
                    &entry.file_name().to_string_lossy(),
                    &mut missing,
                    &mut found,
                );
            }
        }
        if !missing.is_empty() {
            let missing: Vec<Name> = missing.into_iter().map(|name| Name(name.into())).collect();
            found.extend(locate(&self.path, &missing).into_keys());
        }
        Ok(found)
    }
}

/// Moves the name of this file from `missing` to `found`. A mail program may have added flags to
/// it.
fn note(file_name: &str, missing: &mut HashSet<&str>, found: &mut HashSet<String>) {
    let base = look::base(file_name);
    if missing.remove(base) {
        found.insert(base.to_owned());
    }
}

impl Store for Maildir {
    fn draft(&self) -> Result<Box<dyn Draft>, Error> {
        let inner = &self.inner;
        let name = inner.names.next();
        // Step 1.
        let file = rustix::fs::openat(
            &inner.tmp,
            name.as_str(),
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::RUSR | Mode::WUSR,
        )
        .map_err(|error| Error::io("creating", &inner.path_of("tmp", &name), error))?;
        Ok(Box::new(Delivery {
            maildir: self.clone(),
            open: Some((name, file.into())),
            ahead: WriteAhead::default(),
        }))
    }

    fn settle(&self, names: &[Name]) -> Result<Vec<Option<Extent>>, Error> {
        stop_point(1);
        let inner = &self.inner;
        // Step 2.
        let synced = sync_files(&inner.volume, &inner.tmp, names.iter().map(Name::as_str))
            .map_err(|error| Error::io("syncing", &inner.path.join("tmp"), error))?;
        match synced {
            // The way to the Maildir, too: its root is on the same file system, and where another
            // one begins, the way ends.
            Synced::FileSystem => inner.is_found.store(true, Ordering::Relaxed),
            Synced::Files => inner.find()?,
        }
        stop_point(2);
        Ok(vec![None; names.len()])
    }

    fn publish(&self, names: &[Name]) -> Result<(), Error> {
        let inner = &self.inner;
        let mut gone = Vec::new();
        for name in names {
            // Step 4.
            if !inner.rename(name)? {
                gone.push(name);
            }
            stop_point(4);
        }
        if !gone.is_empty() {
            // On a network file system a rename may succeed and its answer be lost: when asked
            // again, the server finds no file to rename. A mail program may also have moved the
            // message by now.
            let visible = inner.visible(&gone)?;
            if let Some(name) = gone.iter().find(|name| !visible.contains(name.as_str())) {
                let missing = inner.path_of("tmp", name);
                return Err(Error::io("renaming", &missing, Errno::NOENT));
            }
        }
        // Step 5.
        sync_folder(&inner.new)
            .map_err(|error| Error::io("syncing", &inner.path.join("new"), error))?;
        stop_point(5);
        Ok(())
    }

    fn discard(&self, names: &[Name]) {
        for name in names {
            self.inner.remove_draft(name);
        }
    }

    fn recover(&self, staged: &[Record], _: Option<&Extent>) -> Result<Recovered, Error> {
        let inner = &self.inner;
        let mut elsewhere = Vec::new();
        for Record { name, .. } in staged {
            // Step 4, once more.
            if !inner.rename(name)? {
                elsewhere.push(name);
            }
        }
        let mut lost = Vec::new();
        if !elsewhere.is_empty() {
            let visible = inner.visible(&elsewhere)?;
            lost.extend(
                elsewhere
                    .into_iter()
                    .filter(|name| !visible.contains(name.as_str()))
                    .cloned(),
            );
        }
        if !staged.is_empty() {
            // Step 5, once more.
            sync_folder(&inner.new)
                .map_err(|error| Error::io("syncing", &inner.path.join("new"), error))?;
        }
        let failed = |error| Error::io("reading", &inner.path.join("tmp"), error);
        for entry in Dir::read_from(&inner.tmp).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy();
            let regular = matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown);
            if regular && inner.names.is_ours(&name) {
                self.discard(&[Name(name.into_owned())]);
            }
        }
        Ok(Recovered {
            lost,
            ..Recovered::default()
        })
    }

    fn stamp(&self) -> Result<Option<i64>, Error> {
        stamp::read(&self.inner.path, self.inner.names.tag())
    }

    fn set_stamp(&self, newest: i64) -> Result<(), Error> {
        // The next run takes a stamp for a sign that the way is durable.
        self.inner.find()?;
        self.inner.set_stamp(newest)
    }

    fn goes_on_from(&self, whole: &Name, part: &Name) -> Result<bool, Error> {
        let paths = locate(&self.inner.path, [part]);
        let Some(path) = paths.get(part.as_str()) else {
            return Ok(false);
        };
        let whole = self.inner.path_of("tmp", whole);
        prefix::is_prefix(path, &whole).map_err(|error| Error::io("comparing", path, error))
    }

    fn room(&self) -> Option<u64> {
        room(&self.inner.path)
    }
}

impl Readers for Maildir {
    fn inventory(&self) -> Result<Option<Inventory>, Error> {
        look::inventory(&self.inner.path).map(Some)
    }

    fn strangers(
        &self,
        known: &dyn Fn(&str) -> bool,
        viewer: &mut dyn Viewer,
    ) -> Result<Option<Gap>, Error> {
        show::messages(&self.inner.path, Reach::All, known, viewer)
    }
}

/// A message being written into `tmp`.
struct Delivery {
    maildir: Maildir,
    open: Option<(Name, File)>,
    ahead: WriteAhead,
}

impl Draft for Delivery {
    fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        let Some((name, file)) = &mut self.open else {
            return Ok(());
        };
        // Step 1.
        file.write_all(octets).map_err(|error| {
            Error::io("writing", &self.maildir.inner.path_of("tmp", name), error)
        })?;
        self.ahead.written(file, octets.len());
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Name, Error> {
        match self.open.take() {
            Some((name, _)) => Ok(name),
            None => unreachable!("a draft is finished once, since finishing consumes it"),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some((name, _)) = self.open.take() {
            self.maildir.discard(&[name]);
        }
    }
}

#[cfg(test)]
mod tests;
