//! An mbox: one file, in which every message stands between a line `From SENDER DATE` and a
//! blank line.
//!
//! Messages are quoted as mboxrd while they are written to a spool, so the spool has the form of
//! the file. popsync only appends the spool's content to the file, under the locks that other mail
//! programs use. It cuts off a part that could not be appended whole, but only while no other
//! program can have written behind it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::spool::Spool;
use super::{
    Draft, Error, Extent, Gap, Inventory, Name, Readers, Record, Recovered, Store, stop_point,
};
use crate::durable::{largest_file, sync_file};

mod anatomy;
mod check;
mod draft;
mod extract;
mod fields;
mod file;
mod lock;
mod lost;
mod quote;
mod recovery;
mod scan;
mod separator;
mod spooled;

pub use anatomy::Marks;
pub use check::{Checked, Seen};
use draft::Incoming;
pub use extract::Extract;
pub(in crate::store) use fields::is_field as is_record_field;
use file::{Begins, MailFile, missing_line_ends};
use lock::Locked;
pub(in crate::store) use quote::{Quoter, Unquoter, unquote};
use scan::Contents;
pub(in crate::store) use separator::separator;
use spooled::Spooled;

/// The time to wait for the locks of other programs.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// The size of a copy. Crash tests need to stop within a message.
const COPIED_AT_ONCE: usize = if cfg!(debug_assertions) {
    900
} else {
    256 << 10
};

/// An mbox, opened for delivery.
#[derive(Debug, Clone)]
pub struct Mbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The path as the account names it.
    path: PathBuf,
    mail: Mutex<Arc<MailFile>>,
    /// True if this run created the file.
    made: bool,
    /// True if the file ended in the middle of a message when the run began.
    cut: AtomicBool,
    spool: Spool,
    spooled: Mutex<Spooled>,
    /// The locked file, from step 2 to step 5.
    held: Mutex<Option<Held>>,
    patience: Duration,
    /// The size beyond which the file cannot grow.
    largest: Option<u64>,
}

/// The locked file, and the messages to append to it.
#[derive(Debug)]
struct Held {
    locked: Locked,
    /// The start of the first message: the size of the file.
    end: u64,
    extents: Vec<(Name, Extent)>,
}

impl Mbox {
    /// Opens the mbox at `path`, or creates it, readable by its owner alone. Its folder must exist.
    /// Messages are written in `spool` first. `tag` consists of letters and digits, and no other
    /// account ever uses it.
    ///
    /// # Errors
    /// [`Error::Folder`] and [`Error::Unfit`]; nothing was changed then.
    pub fn open(path: &Path, spool: &Path, tag: &str) -> Result<Self, Error> {
        Self::with_patience(path, spool, tag, LOCK_TIMEOUT)
    }

    /// As [`Readers::inventory`], without opening the mbox for delivery, and without its locks: a
    /// look may miss what another program writes meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Unfit`] if the mbox cannot be read at all.
    pub(crate) fn look(path: &Path) -> Result<Inventory, Error> {
        let mut inventory = Inventory::of_parts(spooled::parts);
        if let Some((file, path)) = file::open_to_look(path)? {
            let size = file.metadata();
            let size = size
                .map_err(|error| Error::io("looking at", &path, error))?
                .len();
            if missing_line_ends(&file, &path, size)?.is_some() {
                inventory.note_gap(Gap::Unreadable {
                    what: format!("`{}` ends in the middle of a message", path.display()),
                });
            }
            Contents::read(&file, &path)?.enter(&mut inventory, &path, false);
        }
        Ok(inventory)
    }

    /// Returns which of the messages with these keys and places the mbox has lost with its end,
    /// though nobody deleted them. Takes no lock. Nothing is lost if there is no file.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub(crate) fn lost_at(path: &Path, extents: &[(i64, Extent)]) -> Result<Vec<i64>, Error> {
        match file::open_to_look(path)? {
            Some((file, path)) => lost::lost(&file, &path, extents),
            None => Ok(Vec::new()),
        }
    }

    /// Shows the header and the size of every message, whoever put it there. A long header is cut.
    ///
    /// # Errors
    /// As `Self::look`.
    pub fn headers(path: &Path, show: &mut dyn FnMut(&[u8], u64)) -> Result<(), Error> {
        if let Some((file, path)) = file::open_to_look(path)? {
            scan::walk(&file, &path, &mut |message| {
                show(&unquote(message.header()), message.octets());
            })?;
        }
        Ok(())
    }

    fn with_patience(
        path: &Path,
        spool: &Path,
        tag: &str,
        patience: Duration,
    ) -> Result<Self, Error> {
        let spool = Spool::open(spool, tag)?;
        let (mail, made) = file::open(path)?;
        mail.check_start(Begins::InPart)?;
        let inner = Inner {
            path: path.to_owned(),
            mail: Mutex::new(mail),
            made,
            cut: AtomicBool::new(false),
            spool,
            spooled: Mutex::default(),
            held: Mutex::new(None),
            patience,
            largest: largest_file(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let spooled = self.spooled.get_mut();
        let spooled = spooled.unwrap_or_else(PoisonError::into_inner);
        spooled.end(&self.spool);
    }
}

impl Inner {
    fn spooled(&self) -> MutexGuard<'_, Spooled> {
        self.spooled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the file that is at the path now: another program may have replaced it.
    fn lock(&self) -> Result<Locked, Error> {
        let until = Instant::now() + self.patience;
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let locked = Locked::acquire(&mail, until)?;
            if locked.mail.is_current() {
                return Ok(locked);
            }
            drop(locked);
            let (found, _) = file::open(&self.path)?;
            found.check_start(Begins::Whole)?;
            *mail = found;
        }
    }

    /// Gives these messages their places at the end of the file. Adds the blank line that must be
    /// there, if another program left none.
    fn place(&self, locked: Locked, names: &[Name]) -> Result<Held, Error> {
        let mail = Arc::clone(&locked.mail);
        let mut end = mail.size()?;
        if let Some(missing) = missing_line_ends(&mail.file, &mail.path, end)? {
            if let Err(error) = (&mail.file).write_all(missing) {
                cut_off(&mail, end, missing.len() as u64);
                return Err(Error::io("writing", &mail.path, error));
            }
            end += missing.len() as u64;
        }
        let spooled = self.spooled();
        let mut start = end;
        let mut extents = Vec::with_capacity(names.len());
        for name in names {
            let message = spooled
                .message(name)
                .ok_or_else(|| self.not_spooled(name))?;
            let extent = Extent {
                start,
                length: message.length,
                sha256: message.sha256,
                marks: message.marks,
            };
            start += extent.length;
            extents.push((name.clone(), extent));
        }
        Ok(Held {
            locked,
            end,
            extents,
        })
    }

    /// Reads the whole file, while nobody else writes to it.
    fn inventory(&self) -> Result<Inventory, Error> {
        let mut inventory = Inventory::of_parts(spooled::parts);
        if self.made {
            inventory.note_gap(Gap::Unreadable {
                what: format!("`{}` was not there", self.path.display()),
            });
        }
        match self.lock() {
            Ok(locked) => {
                let contents = Contents::read(&locked.mail.file, &locked.mail.path)?;
                let cut = self.cut.load(Ordering::Relaxed);
                contents.enter(&mut inventory, &self.path, cut);
            }
            Err(Error::Locked { .. }) => inventory.note_gap(Gap::Changing),
            Err(error) => return Err(error),
        }
        Ok(inventory)
    }

    fn not_spooled(&self, name: &Name) -> Error {
        Error::io(
            "reading",
            &self.spool.path_of(name.as_str()),
            io::ErrorKind::NotFound,
        )
    }

    /// Steps 4 and 5, while the file is locked.
    fn append(&self, held: &mut Held) -> Result<(), Error> {
        let mail = Arc::clone(&held.locked.mail);
        let failed = |error| Error::io("writing", &mail.path, error);
        let end = mail.size()?;
        // The recorded places count from the end that the file had.
        if end != held.end {
            return Err(failed(io::Error::other(
                "another program wrote to it without its lock",
            )));
        }
        let ranges: Vec<(Arc<File>, u64, u64)> = {
            let spooled = self.spooled();
            let names = held.extents.iter().map(|(name, _)| name);
            names
                .map(|name| spooled.range(name).ok_or_else(|| self.not_spooled(name)))
                .collect::<Result<_, _>>()?
        };
        let mut written = 0;
        let mut buffer = vec![0; COPIED_AT_ONCE];
        let mut filled = 0;
        let result = (|| {
            for (file, start, length) in ranges {
                let mut done = 0;
                while done < length {
                    let room = (buffer.len() - filled) as u64;
                    let piece = room.min(length - done) as usize;
                    let piece = &mut buffer[filled..filled + piece];
                    file.read_exact_at(piece, start + done)?;
                    done += piece.len() as u64;
                    filled += piece.len();
                    if filled == buffer.len() {
                        // Step 4.
                        (&mail.file).write_all(&buffer)?;
                        written += filled as u64;
                        filled = 0;
                        held.locked.touch();
                        stop_point(4);
                    }
                }
            }
            (&mail.file).write_all(&buffer[..filled])?;
            written += filled as u64;
            stop_point(4);
            // Step 5.
            sync_file(&mail.file)
        })();
        result.map_err(|error| {
            // The write that failed may have written a part of the buffer.
            cut_off(&mail, end, written + buffer.len() as u64);
            failed(error)
        })?;
        stop_point(5);
        Ok(())
    }

    /// Still step 5, while the file is locked: checks that the appended messages are in the file at
    /// the path. Programs that use no locks write the file anew from what they read before, and
    /// rename the copy over it; then nobody sees the file that is open here. The messages stay in
    /// the spool, and the next run appends them to the new file.
    fn check_place(&self, held: &Held) -> Result<(), Error> {
        let mail = &held.locked.mail;
        let end = held
            .extents
            .last()
            .map_or(held.end, |(_, extent)| extent.start + extent.length);
        if mail.is_current() && mail.size()? >= end {
            return Ok(());
        }
        Err(Error::Replaced {
            path: self.path.clone(),
        })
    }
}

/// Cuts off what could not be written whole, at most this many octets after `end`. If there are
/// more, another program wrote there, and nothing is cut off.
fn cut_off(mail: &MailFile, end: u64, at_most: u64) {
    let cut = match mail.size() {
        Ok(size) if size > end && size - end <= at_most => mail
            .file
            .set_len(end)
            .and_then(|()| sync_file(&mail.file))
            .is_ok(),
        Ok(size) => size == end,
        Err(_) => false,
    };
    if !cut {
        // The records tell the next run where it is.
        tracing::warn!(path = %mail.path.display(), "a part of a message is left at the end");
    }
}

impl Store for Mbox {
    fn draft(&self) -> Result<Box<dyn Draft>, Error> {
        Ok(Box::new(Incoming::begin(&self.inner)?))
    }

    fn settle(&self, names: &[Name]) -> Result<Vec<Option<Extent>>, Error> {
        let inner = &self.inner;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        stop_point(1);
        // Step 2.
        inner.spooled().sync(&inner.spool, names)?;
        let held = inner.place(inner.lock()?, names)?;
        let extents = held.extents.iter().map(|(_, extent)| Some(*extent));
        let extents = extents.collect();
        *inner.held() = Some(held);
        stop_point(2);
        Ok(extents)
    }

    fn publish(&self, names: &[Name]) -> Result<(), Error> {
        let inner = &self.inner;
        // The lock is released in any case.
        let held = inner.held().take();
        let Some(mut held) =
            held.filter(|held| held.extents.iter().map(|(name, _)| name).eq(names))
        else {
            return match names.first() {
                Some(name) => Err(inner.not_spooled(name)),
                None => Ok(()),
            };
        };
        inner.append(&mut held)?;
        inner.check_place(&held)?;
        // The lock is not needed to clear the spool, and other programs may wait for it.
        drop(held);
        inner.spooled().forget(&inner.spool, names);
        Ok(())
    }

    fn discard(&self, names: &[Name]) {
        let mut held = self.inner.held();
        let concerned = |held: &Held| held.extents.iter().any(|(name, _)| names.contains(name));
        if held.as_ref().is_some_and(concerned) {
            *held = None;
        }
        drop(held);
        self.inner.spooled().forget(&self.inner.spool, names);
    }

    fn recover(&self, staged: &[Record], last: Option<&Extent>) -> Result<Recovered, Error> {
        self.inner.recover(staged, last)
    }

    fn is_cut(&self) -> bool {
        self.inner.cut.load(Ordering::Relaxed)
    }
}

impl Readers for Mbox {
    fn inventory(&self) -> Result<Option<Inventory>, Error> {
        self.inner.inventory().map(Some)
    }

    fn can_miss_moves(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
