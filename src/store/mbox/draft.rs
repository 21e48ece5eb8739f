//! A message being written to the spool.

use std::io::{self, Write as _};
use std::sync::Arc;

use jiff::Timestamp;
use memchr::memmem;
use sha2::{Digest, Sha256};

use super::Inner;
use super::anatomy::{Anatomy, KEPT};
use super::quote::Quoter;
use super::separator::separator;
use super::spooled::{Message, Writing};
use crate::store::{Draft, Error, Name};

/// This many octets are collected before a write.
const COLLECTED: usize = 128 << 10;

/// A message that is being written, in its form in the mbox.
pub(super) struct Incoming {
    inner: Arc<Inner>,
    writing: Option<Writing>,
    /// Its offset in the spool's file.
    start: u64,
    /// The header, until the line in front of it is written.
    header: Option<Vec<u8>>,
    quoter: Quoter,
    anatomy: Anatomy,
    sha256: Sha256,
    /// Quoted octets that are not yet written.
    collected: Vec<u8>,
    length: u64,
    /// The last octet; a line end at first.
    last: u8,
}

impl Incoming {
    pub(super) fn begin(inner: &Arc<Inner>) -> Result<Self, Error> {
        let writing = inner.spooled().take(&inner.spool)?;
        Ok(Self {
            inner: Arc::clone(inner),
            start: writing.end,
            writing: Some(writing),
            header: Some(Vec::new()),
            quoter: Quoter::new(),
            anatomy: Anatomy::new(),
            sha256: Sha256::new(),
            collected: Vec::new(),
            length: 0,
            last: b'\n',
        })
    }

    /// Writes the line in front of the message, and its header.
    fn end_header(&mut self) -> Result<(), Error> {
        let Some(header) = self.header.take() else {
            return Ok(());
        };
        let end = header_end(&header).unwrap_or(header.len());
        let line = separator(&header[..end], Timestamp::now());
        self.collected.extend_from_slice(line.as_bytes());
        self.sha256.update(line);
        self.content(&header)
    }

    fn content(&mut self, octets: &[u8]) -> Result<(), Error> {
        let from = self.collected.len();
        self.quoter.quote(octets, &mut self.collected);
        self.look_at(from);
        self.last = octets.last().copied().unwrap_or(self.last);
        if self.collected.len() >= COLLECTED {
            self.flush()?;
        }
        Ok(())
    }

    /// Updates the marks with the octets collected since `from`.
    fn look_at(&mut self, from: usize) {
        self.anatomy.take(&self.collected[from..]);
        self.sha256.update(&self.collected[from..]);
    }

    fn flush(&mut self) -> Result<(), Error> {
        let Some(writing) = &self.writing else {
            return Ok(());
        };
        self.check_room()?;
        // Step 1. Other readers of the spool's files read at offsets, so this write goes to the
        // end.
        (&*writing.file)
            .write_all(&self.collected)
            .map_err(|error| {
                let path = self.inner.spool.path_of(writing.name.as_str());
                Error::io("writing", &path, error)
            })?;
        self.length += self.collected.len() as u64;
        self.collected.clear();
        Ok(())
    }

    /// Refuses a message that the mbox has no room for. Here the others can go on without it.
    fn check_room(&self) -> Result<(), Error> {
        let Some(largest) = self.inner.largest else {
            return Ok(());
        };
        let spooled = self.inner.spooled().length();
        let ours = self.length + self.collected.len() as u64;
        if self.inner.mail().size()? + spooled + ours > largest {
            let too_large = io::ErrorKind::FileTooLarge;
            return Err(Error::io("writing", &self.inner.path, too_large));
        }
        Ok(())
    }
}

impl Draft for Incoming {
    fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        let Some(header) = &mut self.header else {
            return self.content(octets);
        };
        header.extend_from_slice(octets);
        if header.len() >= KEPT || header_end(header).is_some() {
            self.end_header()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Name, Error> {
        self.end_header()?;
        let from = self.collected.len();
        let quoter = std::mem::replace(&mut self.quoter, Quoter::new());
        quoter.finish(&mut self.collected);
        if self.last != b'\n' {
            self.collected.push(b'\n');
        }
        self.look_at(from);
        // The blank line after the message, which does not belong to it.
        self.collected.push(b'\n');
        self.sha256.update(b"\n");
        self.flush()?;
        let Some(mut writing) = self.writing.take() else {
            unreachable!("a draft is finished once, since finishing consumes it");
        };
        writing.end += self.length;
        let message = Message {
            file: writing.name.clone(),
            start: self.start,
            length: self.length,
            sha256: std::mem::take(&mut self.sha256).finalize().into(),
            marks: std::mem::replace(&mut self.anatomy, Anatomy::new()).finish(),
        };
        let inner = Arc::clone(&self.inner);
        let name = inner.spooled().add(&inner.spool, writing, message);
        Ok(name)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let Some(writing) = self.writing.take() else {
            return;
        };
        // If this fails, the file gets no more messages, and is removed with those in it.
        if writing.file.set_len(self.start).is_ok()
            && io::Seek::seek(&mut &*writing.file, io::SeekFrom::Start(self.start)).is_ok()
        {
            self.inner.spooled().give_back(&self.inner.spool, writing);
        }
    }
}

/// The offset of the blank line after a header, if it has come.
fn header_end(octets: &[u8]) -> Option<usize> {
    if octets.starts_with(b"\n") || octets.starts_with(b"\r\n") {
        return Some(0);
    }
    let lf = memmem::find(octets, b"\n\n");
    let crlf = memmem::find(octets, b"\n\r\n");
    let end = match (lf, crlf) {
        (Some(lf), Some(crlf)) => lf.min(crlf),
        (lf, crlf) => lf.or(crlf)?,
    };
    Some(end + 1)
}
