//! After a crash: finds out what became of the messages that were being appended.
//!
//! The records say where each message was to be, and the spool holds all its octets. So the end of
//! the file can be recognised as the beginning of such a message, and cut off. Octets of another
//! program are never touched. A message that is not in the file gets a new place, and is appended
//! from the spool. A message that is in neither is retrieved again.
//!
//! After a power cut any part of the appended octets may be NULs: the file has grown, but not all
//! its content was written, and there may be valid octets after the NULs.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use super::anatomy::{Anatomy, KEPT};
use super::file::{Begins, MailFile};
use super::scan::Contents;
use super::spooled::{Message, place};
use super::{Inner, Marks};
use crate::durable::sync_file;
use crate::store::{Error, Extent, Name, Notice, Record, Recovered};

/// The size of a comparison.
const COMPARED_AT_ONCE: usize = 64 << 10;

/// The longest line in front of a message. Two messages may have the same line.
const LONGEST_SEPARATOR: u64 = 300;

/// A record of a message that was to be appended.
struct Placed {
    name: Name,
    extent: Extent,
    /// True if it is in its place.
    whole: bool,
    spooled: Option<(Arc<File>, Message)>,
}

impl Inner {
    pub(super) fn recover(
        &self,
        staged: &[Record],
        last: Option<&Extent>,
    ) -> Result<Recovered, Error> {
        let mut recovered = Recovered::default();
        let is_new = last.is_none() || self.mail().size()? == 0;
        if is_new {
            // A run that was killed may have created the file and done no more.
            self.mail().sync_entry()?;
        }
        if self.made && last.is_some() {
            recovered.notices.push(Notice::MadeAnew);
        }
        if staged.is_empty() {
            self.notice_changes(last)?;
            self.notice_cut(last)?;
        } else {
            self.take_up(staged, last.copied(), &mut recovered)?;
        }
        self.mail().check_start(Begins::Whole)?;
        let again = &recovered.again;
        self.spool.sweep(|file| {
            let names = again.iter().filter_map(|record| place(&record.name));
            names.map(|(name, ..)| name).any(|name| name == file)
        })?;
        Ok(recovered)
    }

    /// Warns of changes. Other programs may change the file as they like.
    fn notice_changes(&self, last: Option<&Extent>) -> Result<(), Error> {
        let Some(last) = last else { return Ok(()) };
        let mail = self.mail();
        if !self.made && !is_whole(&mail, last)? {
            tracing::info!(
                path = %mail.path.display(),
                "another program has changed the mbox since the last message was stored in it"
            );
        }
        Ok(())
    }

    /// Detects a cut file. A mail program that deletes messages leaves whole ones. If a file ends
    /// within a message, nobody deleted the messages that it lacks.
    fn notice_cut(&self, last: Option<&Extent>) -> Result<(), Error> {
        if last.is_none() || !self.mail().is_cut()? {
            return Ok(());
        }
        // Another program may be writing there.
        let locked = match self.lock() {
            Err(Error::Locked { .. }) => return Ok(()),
            locked => locked?,
        };
        self.cut.store(locked.mail.is_cut()?, Ordering::Relaxed);
        Ok(())
    }

    fn take_up(
        &self,
        staged: &[Record],
        last: Option<Extent>,
        recovered: &mut Recovered,
    ) -> Result<(), Error> {
        let locked = self.lock()?;
        let mail = Arc::clone(&locked.mail);
        let mut placed = Vec::new();
        let mut files = HashMap::new();
        for record in staged {
            match record.extent {
                Some(extent) => placed.push(Placed {
                    name: record.name.clone(),
                    extent,
                    whole: is_whole(&mail, &extent)?,
                    spooled: self.spooled_message(&mut files, &record.name, &extent)?,
                }),
                None => recovered.lost.push(record.name.clone()),
            }
        }
        placed.sort_by_key(|placed| placed.extent.start);
        // The messages in front of the first missing one stay in any case.
        let first = placed.iter().position(|placed| !placed.whole);
        let mut missing = placed.split_off(first.unwrap_or(placed.len()));
        if !missing.is_empty() {
            let is_cut = cut_off_part(&mail, &missing, recovered)?;
            if !is_cut {
                missing.retain(|placed| !placed.whole);
            }
            // Another program may have rewritten the file with the messages in it.
            let mut contents = Contents::read(&mail.file, &mail.path)?;
            // A message in its recorded place may have the same marks as a missing one, or begin in
            // the same way. Then the marks prove nothing.
            let mut kept: HashSet<Marks> = placed.iter().map(|one| one.extent.marks).collect();
            if let Some(last) = last
                && is_whole(&mail, &last)?
            {
                kept.insert(last.marks);
            }
            let is_kept = contents.last.is_some_and(|last| kept.contains(&last));
            if !is_cut && !is_kept && cut_off_moved_part(&mail, &missing, &contents)? {
                contents = Contents::read(&mail.file, &mail.path)?;
            }
            let mut nowhere = Vec::with_capacity(missing.len());
            for one in missing {
                let is_elsewhere = !kept.contains(&one.extent.marks)
                    && is_elsewhere(&contents, &one)
                        .map_err(|error| Error::io("reading", &self.spool.path_of(""), error))?;
                if !is_elsewhere {
                    nowhere.push(one);
                }
            }
            missing = nowhere;
        }
        // Step 5, once more: the content may not have been made durable.
        sync_file(&mail.file).map_err(|error| Error::io("syncing", &mail.path, error))?;
        let mut again = Vec::new();
        for Placed { name, spooled, .. } in missing {
            match spooled {
                Some((file, message)) => {
                    self.spooled().take_up(&file, message);
                    again.push(name);
                }
                None => recovered.lost.push(name),
            }
        }
        if !again.is_empty() {
            let held = self.place(locked, &again)?;
            let records = held.extents.iter().map(|(name, extent)| Record {
                name: name.clone(),
                extent: Some(*extent),
            });
            recovered.again = records.collect();
            *self.held() = Some(held);
        }
        Ok(())
    }

    pub(super) fn mail(&self) -> Arc<MailFile> {
        let mail = self.mail.lock();
        Arc::clone(&mail.unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The message in the spool, if it is there as recorded.
    fn spooled_message(
        &self,
        files: &mut HashMap<String, Option<Arc<File>>>,
        name: &Name,
        extent: &Extent,
    ) -> Result<Option<(Arc<File>, Message)>, Error> {
        let Some((file_name, start, length)) = place(name) else {
            return Ok(None);
        };
        if !files.contains_key(file_name) {
            let file = self.spool.read(file_name)?.map(Arc::new);
            files.insert(file_name.to_owned(), file);
        }
        let Some(Some(file)) = files.get(file_name) else {
            return Ok(None);
        };
        let found = digest(file, start, length)
            .map_err(|error| Error::io("reading", &self.spool.path_of(file_name), error))?;
        if length != extent.length || found != Some(extent.sha256) {
            return Ok(None);
        }
        let message = Message {
            file: Name(file_name.to_owned()),
            start,
            length,
            sha256: extent.sha256,
            marks: extent.marks,
        };
        Ok(Some((Arc::clone(file), message)))
    }
}

/// Cuts off the end of the file if it is the beginning of the first of these messages, which is
/// missing, and of those after it, or NULs in their place, and nothing else. Returns true if it
/// did.
fn cut_off_part(
    mail: &MailFile,
    placed: &[Placed],
    recovered: &mut Recovered,
) -> Result<bool, Error> {
    let Some(first) = placed.first() else {
        return Ok(false);
    };
    let failed = |error| Error::io("reading", &mail.path, error);
    let start = first.extent.start;
    let size = mail.size()?;
    let mut at = start;
    for message in placed {
        let Some((file, spooled)) = &message.spooled else {
            break;
        };
        if message.extent.start != at || at >= size {
            break;
        }
        let length = spooled.length.min(size - at);
        let ours = alike(
            &mail.file,
            at,
            file,
            spooled.start,
            length,
            OrUnwritten::Yes,
        );
        let ours = ours.map_err(failed)?;
        at += ours;
        if ours < spooled.length {
            break;
        }
    }
    if at < size && at >= start && is_unwritten(&mail.file, at, size).map_err(failed)? {
        at = size;
    }
    if at == size && size > start {
        // Nobody wrote behind it, and all of it is ours.
        mail.file
            .set_len(start)
            .map_err(|error| Error::io("truncating", &mail.path, error))?;
        return Ok(true);
    }
    if at < size && at - start > LONGEST_SEPARATOR {
        recovered.notices.push(Notice::PartStays { at: start });
    }
    Ok(false)
}

/// True if another program has rewritten the file with this message in it. The marks say nothing
/// about the rest of the header, nor about the line in front of it: NULs there that the message itself
/// does not have are a hole from a power cut.
fn is_elsewhere(contents: &Contents, missing: &Placed) -> std::io::Result<bool> {
    let marks = &missing.extent.marks;
    if !contents.hold(marks) {
        return Ok(false);
    }
    if !contents.is_torn(marks) {
        return Ok(true);
    }
    let Some((file, message)) = &missing.spooled else {
        return Ok(false);
    };
    let mut start = vec![0; message.length.min(KEPT as u64) as usize];
    file.read_exact_at(&mut start, message.start)?;
    let mut anatomy = Anatomy::new();
    anatomy.take(&start);
    Ok(anatomy.has_nul_before_body())
}

/// If another program has moved the content of the file, the part may still be at its end. Compares
/// the last message, or the start of the line in front of one, with the missing messages. Returns
/// true if the part was cut off.
fn cut_off_moved_part(
    mail: &MailFile,
    missing: &[Placed],
    contents: &Contents,
) -> Result<bool, Error> {
    for start in [contents.ends.may_begin, contents.ends.last_begins]
        .into_iter()
        .flatten()
    {
        if is_part(mail, start, missing).map_err(|error| Error::io("reading", &mail.path, error))? {
            mail.file
                .set_len(start)
                .map_err(|error| Error::io("truncating", &mail.path, error))?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// True if the file holds only the beginning of a missing message from here on.
fn is_part(mail: &MailFile, start: u64, missing: &[Placed]) -> std::io::Result<bool> {
    // In front of every message there is a blank line, or nothing.
    let before = start.min(2);
    let mut blank = [0; 2];
    let blank = &mut blank[..before as usize];
    mail.file.read_exact_at(blank, start - before)?;
    if blank != &b"\n\n"[..blank.len()] {
        return Ok(false);
    }
    let length = mail.file.metadata()?.len().saturating_sub(start);
    for missing in missing {
        if let Some((file, message)) = &missing.spooled
            && length < message.length
            && alike(
                &mail.file,
                start,
                file,
                message.start,
                length,
                OrUnwritten::No,
            )? == length
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// True if the message is in its place as recorded.
fn is_whole(mail: &MailFile, extent: &Extent) -> Result<bool, Error> {
    let found = digest(&mail.file, extent.start, extent.length)
        .map_err(|error| Error::io("reading", &mail.path, error))?;
    Ok(found == Some(extent.sha256))
}

/// The digest of a part of a file. None if the file ends before it.
pub(super) fn digest(file: &File, start: u64, length: u64) -> std::io::Result<Option<[u8; 32]>> {
    let Some(end) = start.checked_add(length) else {
        return Ok(None);
    };
    if file.metadata()?.len() < end {
        return Ok(None);
    }
    let mut digest = Sha256::new();
    let mut buffer = vec![0; COMPARED_AT_ONCE];
    let mut at = start;
    while at < end {
        let piece = (end - at).min(buffer.len() as u64) as usize;
        file.read_exact_at(&mut buffer[..piece], at)?;
        digest.update(&buffer[..piece]);
        at += piece as u64;
    }
    Ok(Some(digest.finalize().into()))
}

/// Tells if NULs may stand for octets that a power cut kept from being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OrUnwritten {
    No,
    Yes,
}

/// The number of octets that two files have in common from these places on, at most `length`.
fn alike(
    found: &File,
    found_start: u64,
    expected: &File,
    expected_start: u64,
    length: u64,
    or_unwritten: OrUnwritten,
) -> std::io::Result<u64> {
    let (mut a_piece, mut b_piece) = (vec![0; COMPARED_AT_ONCE], vec![0; COMPARED_AT_ONCE]);
    let may_be_nul = or_unwritten == OrUnwritten::Yes;
    let mut done = 0;
    while done < length {
        let piece = (length - done).min(COMPARED_AT_ONCE as u64) as usize;
        found.read_exact_at(&mut a_piece[..piece], found_start + done)?;
        expected.read_exact_at(&mut b_piece[..piece], expected_start + done)?;
        let pairs = a_piece[..piece].iter().zip(&b_piece[..piece]);
        let same = pairs.take_while(|(a, b)| a == b || may_be_nul && **a == 0);
        let same = same.count();
        done += same as u64;
        if same < piece {
            break;
        }
    }
    Ok(done)
}

/// True if a part of a file is only NULs.
fn is_unwritten(file: &File, start: u64, end: u64) -> std::io::Result<bool> {
    let mut buffer = vec![0; COMPARED_AT_ONCE];
    let mut at = start;
    while at < end {
        let piece = (end - at).min(buffer.len() as u64) as usize;
        file.read_exact_at(&mut buffer[..piece], at)?;
        if buffer[..piece].iter().any(|&octet| octet != 0) {
            return Ok(false);
        }
        at += piece as u64;
    }
    Ok(true)
}
