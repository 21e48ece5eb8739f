//! Reads an mbox that other programs may have changed, and collects the marks of its messages.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memchr::memchr;

use super::anatomy::{Anatomy, Marks};
use crate::store::{Error, Gap, Inventory};

pub(super) const FROM: &[u8] = b"From ";

/// The size of a read.
const READ_AT_ONCE: usize = 256 << 10;

/// The marks of the messages of an mbox.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) marks: HashSet<Marks>,
    /// The marks of messages with NULs in front of the body: perhaps a power cut kept them from
    /// being written.
    torn: HashSet<Marks>,
    /// The marks of the last message.
    pub(super) last: Option<Marks>,
    pub(super) ends: Ends,
}

/// The beginning and the end of an mbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ends {
    /// True if it begins with something that is no message.
    pub(super) odd: bool,
    /// The offset of the last message.
    pub(super) last_begins: Option<u64>,
    /// The offset of the last line, if one more message may begin with it: so far it is only the
    /// start of [`FROM`].
    pub(super) may_begin: Option<u64>,
}

impl Contents {
    /// Reads the whole file, in little memory.
    pub(super) fn read(file: &File, path: &Path) -> Result<Self, Error> {
        let mut contents = Self::default();
        contents.ends = walk(file, path, &mut |message| contents.note(message))?;
        Ok(contents)
    }

    fn note(&mut self, message: Anatomy) {
        let is_torn = message.has_nul_before_body();
        let marks = message.finish();
        self.marks.insert(marks);
        if is_torn {
            self.torn.insert(marks);
        }
        self.last = Some(marks);
    }

    /// Adds the messages to an inventory. In a file that is `cut`, the last message counts only if
    /// its body is there: its Message-ID comes before that.
    pub(super) fn enter(self, inventory: &mut Inventory, path: &Path, cut: bool) {
        let last = self.last.filter(|_| cut);
        for marks in self.marks {
            let whole = Marks {
                message_id: marks.message_id.filter(|_| Some(marks) != last),
                ..marks
            };
            for part in whole.parts() {
                inventory.add(&part);
            }
        }
        if self.ends.odd {
            inventory.note_gap(Gap::Unreadable {
                what: format!("`{}` does not begin with a message", path.display()),
            });
        }
    }

    /// True if a message with these marks is there. Without marks nobody can tell.
    pub(super) fn hold(&self, marks: &Marks) -> bool {
        marks.tell() && self.marks.contains(marks)
    }

    /// True if a message with these marks has NULs in front of its body.
    pub(super) fn is_torn(&self, marks: &Marks) -> bool {
        self.torn.contains(marks)
    }
}

/// Sees the messages of an mbox, one after another.
pub(super) trait Sight {
    /// Begins a message, with the line in front of it.
    fn begin(&mut self, at: u64);

    /// The next octets of that line, behind [`FROM`].
    fn separator(&mut self, _octets: &[u8]) {}

    /// The next octets of the message in its form in the file, without that line.
    fn text(&mut self, octets: &[u8]);

    /// Ends the message.
    fn end(&mut self, at: u64);
}

/// Collects the marks of each message.
struct Anatomies<'a> {
    message: Anatomy,
    show: &'a mut dyn FnMut(Anatomy),
}

impl Sight for Anatomies<'_> {
    fn begin(&mut self, _: u64) {}

    fn separator(&mut self, octets: &[u8]) {
        self.message.take_separator(octets);
    }

    fn text(&mut self, octets: &[u8]) {
        self.message.take(octets);
    }

    fn end(&mut self, _: u64) {
        (self.show)(std::mem::take(&mut self.message));
    }
}

/// Shows every message of a file, in little memory.
pub(super) fn walk(file: &File, path: &Path, show: &mut dyn FnMut(Anatomy)) -> Result<Ends, Error> {
    let mut sight = Anatomies {
        message: Anatomy::new(),
        show,
    };
    walk_part(file, path, 0..u64::MAX, &mut sight)
}

/// Shows the messages of a part of a file that begins at a line.
pub(super) fn walk_part(
    file: &File,
    path: &Path,
    part: Range<u64>,
    sight: &mut dyn Sight,
) -> Result<Ends, Error> {
    let mut reader = Reader::at(part.start);
    let mut buffer = vec![0; READ_AT_ONCE];
    let mut at = part.start;
    while at < part.end {
        let room = (part.end - at).min(READ_AT_ONCE as u64) as usize;
        match file.read_at(&mut buffer[..room], at) {
            Ok(0) => break,
            Ok(read) => {
                at += read as u64;
                reader.take(&buffer[..read], sight);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("reading", path, error)),
        }
    }
    Ok(reader.finish(sight))
}

/// Splits an mbox into messages as it streams by.
#[derive(Debug, Default)]
struct Reader {
    ends: Ends,
    in_message: bool,
    /// The number of octets that have streamed by.
    at: u64,
    /// The start of a line, while it may be that of a message; always shorter than [`FROM`].
    start: Vec<u8>,
    /// The kind of line, in the middle of one: the one in front of a message, or any other.
    within: Option<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Separator,
    Other,
}

impl Reader {
    fn at(at: u64) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    fn take(&mut self, octets: &[u8], sight: &mut dyn Sight) {
        let mut rest = octets;
        while let Some(&first) = rest.first() {
            let Some(line) = self.within else {
                if first == FROM[self.start.len()] {
                    self.start.push(first);
                    rest = &rest[1..];
                    self.at += 1;
                    if self.start == FROM {
                        self.start.clear();
                        let begin = self.at - FROM.len() as u64;
                        self.ends.last_begins = Some(begin);
                        self.end_message(begin, sight);
                        sight.begin(begin);
                        self.in_message = true;
                        self.within = Some(Line::Separator);
                    }
                } else {
                    self.put_start(sight);
                    self.within = Some(Line::Other);
                }
                continue;
            };
            let end = memchr(b'\n', rest);
            let (text, behind) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            match line {
                Line::Separator => sight.separator(text),
                Line::Other if self.in_message => sight.text(text),
                Line::Other => self.ends.odd = true,
            }
            self.at += text.len() as u64;
            if end.is_some() {
                self.within = None;
            }
            rest = behind;
        }
    }

    fn finish(mut self, sight: &mut dyn Sight) -> Ends {
        if !self.start.is_empty() {
            self.ends.may_begin = Some(self.at - self.start.len() as u64);
        }
        self.put_start(sight);
        self.end_message(self.at, sight);
        self.ends
    }

    fn put_start(&mut self, sight: &mut dyn Sight) {
        if self.in_message {
            sight.text(&self.start);
        }
        self.start.clear();
    }

    fn end_message(&mut self, at: u64, sight: &mut dyn Sight) {
        if std::mem::take(&mut self.in_message) {
            sight.end(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_in_pieces_of_every_size() {
        let mbox = b"From a Thu Jan  1 00:00:00 1970\nMessage-ID: <1@x>\n\nFro\n>From b\nFrom\n\n\
            From c Thu Jan  1 00:00:00 1970\nSubject: From d\nMessage-ID: <2@x>\n\n\
            From e Thu Jan  1 00:00:00 1970\nMessage-ID: <3@x>\n\nF";
        let marks = |message: &[u8]| {
            let mut anatomy = Anatomy::new();
            anatomy.take(message);
            anatomy.finish()
        };
        for size in 1..=mbox.len() {
            let mut contents = Contents::default();
            let mut reader = Reader::default();
            let mut show = |message| contents.note(message);
            let mut sight = Anatomies {
                message: Anatomy::new(),
                show: &mut show,
            };
            for piece in mbox.chunks(size) {
                reader.take(piece, &mut sight);
            }
            contents.ends = reader.finish(&mut sight);
            assert_eq!(contents.marks.len(), 3, "{size}");
            let last = mbox
                .windows(6)
                .rposition(|window| window == b"From e")
                .unwrap();
            assert_eq!(contents.ends.last_begins, Some(last as u64), "{size}");
            assert_eq!(
                contents.ends.may_begin,
                Some(mbox.len() as u64 - 1),
                "{size}"
            );
            for message in [
                &b"Message-ID: <1@x>\n\nFro\n>From b\nFrom\n"[..],
                b"Message-ID: <2@x>\n\n",
                b"Message-ID: <3@x>\n\nF",
            ] {
                assert!(contents.hold(&marks(message)), "{size}");
            }
            assert!(!contents.hold(&marks(b"")));
        }
    }
}
