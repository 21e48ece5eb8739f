//! Compares an mbox with the records of its messages.
//!
//! Nearly always each message is where it was appended, octet for octet. If it is not, another
//! program has moved, changed, damaged or deleted it. So the text between the messages that are in
//! their places is split into messages, and each is shown with all its marks.

use std::fs::{File, Metadata};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::anatomy::{Anatomy, Marks};
use super::recovery::digest;
use super::scan::{Sight, walk_part};
use super::{Mbox, file};
use crate::store::{Error, Extent, Forms, IsAdded, Proof};

/// The maximum number of reads of a file that keeps changing.
const LOOKS: u32 = 4;

/// The pause before it is read again.
const PAUSE: Duration = Duration::from_millis(40);

/// The messages of an mbox: those in their recorded places, and all others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// For each place asked for: true if the message is there, octet for octet.
    pub whole: Vec<bool>,
    /// The messages in other places.
    pub others: Vec<Seen>,
    /// True if another program wrote to the file during every read.
    pub is_changing: bool,
}

/// A message of an mbox in a place where no message, or another one, was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The offset of the line in front of it.
    pub start: u64,
    /// Its length, with that line.
    pub length: u64,
    /// The digests that it may have had before a mail program changed it.
    pub(crate) forms: Vec<Proof>,
    /// The marks that it is found by.
    pub marks: Marks,
}

impl Mbox {
    /// Reads the messages at these places. Reads all others too, if `all` is set or a message is
    /// not as recorded. None if there is no file. Takes no locks. Calls `on_compared` for each place.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Unfit`].
    pub(crate) fn check(
        path: &Path,
        extents: &[Extent],
        all: bool,
        is_added: IsAdded,
        on_compared: &mut dyn FnMut(&Extent),
    ) -> Result<Option<Checked>, Error> {
        for look in 1.. {
            let Some((file, path)) = file::open_to_look(path)? else {
                return Ok(None);
            };
            let failed = |error| Error::io("reading", &path, error);
            let before = Stamp::of(&file.metadata().map_err(failed)?);
            let mut checked = read(&file, &path, extents, all, is_added, on_compared)?;
            // Another program may have put a new file in its place.
            let now = std::fs::metadata(&path).map(|found| Stamp::of(&found));
            checked.is_changing = !now.is_ok_and(|now| now == before);
            if !checked.is_changing || look == LOOKS {
                return Ok(Some(checked));
            }
            thread::sleep(PAUSE);
        }
        unreachable!("the last look returns")
    }
}

/// The metadata that changes when another program writes to a file.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self {
            file: (found.dev(), found.ino()),
            size: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
        }
    }
}

fn read(
    file: &File,
    path: &Path,
    extents: &[Extent],
    all: bool,
    is_added: IsAdded,
    on_compared: &mut dyn FnMut(&Extent),
) -> Result<Checked, Error> {
    let failed = |error| Error::io("reading", path, error);
    let mut checked = Checked::default();
    for extent in extents {
        let found = digest(file, extent.start, extent.length).map_err(failed)?;
        checked.whole.push(found == Some(extent.sha256));
        on_compared(extent);
    }
    if all || checked.whole.contains(&false) {
        let size = file.metadata().map_err(failed)?.len();
        let places = extents.iter().zip(&checked.whole);
        let places = places.filter(|(_, is_whole)| **is_whole);
        let taken = places.map(|(extent, _)| extent.start..extent.start + extent.length);
        for gap in gaps(taken.collect(), size) {
            let mut sight = Sighting {
                is_added,
                begun: None,
                seen: &mut checked.others,
            };
            walk_part(file, path, gap, &mut sight)?;
        }
    }
    Ok(checked)
}

/// The gaps between these parts of a file.
fn gaps(mut taken: Vec<Range<u64>>, size: u64) -> Vec<Range<u64>> {
    taken.sort_unstable_by_key(|part| part.start);
    let mut gaps = Vec::new();
    let mut end = 0;
    for part in taken {
        if part.start > end {
            gaps.push(end..part.start);
        }
        end = end.max(part.end);
    }
    if size > end {
        gaps.push(end..size);
    }
    gaps
}

struct Sighting<'a> {
    is_added: IsAdded,
    begun: Option<(u64, Forms, Anatomy)>,
    seen: &'a mut Vec<Seen>,
}

impl Sight for Sighting<'_> {
    fn begin(&mut self, at: u64) {
        self.begun = Some((at, Forms::of_mbox(self.is_added), Anatomy::new()));
    }

    fn text(&mut self, octets: &[u8]) {
        if let Some((_, forms, anatomy)) = &mut self.begun {
            forms.take(octets);
            anatomy.take(octets);
        }
    }

    fn end(&mut self, at: u64) {
        if let Some((start, forms, anatomy)) = self.begun.take() {
            self.seen.push(Seen {
                start,
                length: at - start,
                forms: forms.finish(),
                marks: anatomy.finish(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_what_no_message_takes() {
        for (taken, size, expected) in [
            (&[][..], 0, &[][..]),
            (&[], 9, &[(0, 9)]),
            (&[(5, 7), (0, 2), (2, 3)], 9, &[(3, 5), (7, 9)]),
            (&[(0, 9)], 9, &[]),
            (&[(0, 9), (2, 4)], 9, &[]),
        ] {
            let taken = taken.iter().map(|(start, end)| *start..*end).collect();
            let found = gaps(taken, size).into_iter();
            let found: Vec<_> = found.map(|gap| (gap.start, gap.end)).collect();
            assert_eq!(found, expected);
        }
    }
}
