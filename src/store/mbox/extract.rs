//! Reads one message of an mbox as it was stored: without the line in front of it, without quotes,
//! and without the additions of mail programs.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use memchr::memchr;

use super::file::open_to_look;
use super::quote::Unquoter;
use crate::store::forms::{split_blank, trimmed};
use crate::store::{Error, IsAdded, Trim};

/// The size of a read.
const READ_AT_ONCE: usize = 64 << 10;

/// The longest header that is split into fields.
const LONGEST_HEADER: usize = 1 << 20;

/// A message that is being read.
#[derive(Debug)]
pub struct Extract {
    file: Arc<File>,
    at: u64,
    end: u64,
    trim: Trim,
    is_added: IsAdded,
    /// True within the line in front of the message.
    in_separator: bool,
    /// The header, until its end has come.
    header: Option<Vec<u8>>,
    /// The unquoter. None once the end has come.
    unquoter: Option<Unquoter>,
    /// Octets without quotes, and the number of them that were given out. The last ones stay until
    /// more come: they may have to be left out.
    text: Vec<u8>,
    given: usize,
}

impl Extract {
    /// Opens an mbox to read messages of it.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Unfit`].
    pub fn open(path: &Path) -> Result<Option<Arc<File>>, Error> {
        let file = open_to_look(path)?;
        Ok(file.map(|(file, _)| Arc::new(file)))
    }

    /// Reads the message in this part of the file.
    pub(crate) fn of(
        file: Arc<File>,
        start: u64,
        length: u64,
        trim: Trim,
        is_added: IsAdded,
    ) -> Self {
        Self {
            file,
            at: start,
            end: start.saturating_add(length),
            trim,
            is_added,
            in_separator: true,
            header: Some(Vec::new()),
            unquoter: Some(Unquoter::default()),
            text: Vec::new(),
            given: 0,
        }
    }

    fn take(&mut self, octets: &[u8]) {
        let mut rest = octets;
        if self.in_separator {
            let Some(end) = memchr(b'\n', rest) else {
                return;
            };
            self.in_separator = false;
            rest = &rest[end + 1..];
        }
        while let Some(header) = &mut self.header {
            let end = memchr(b'\n', rest);
            let (line, behind) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            let begun = header.last().is_none_or(|last| *last == b'\n');
            header.extend_from_slice(line);
            let is_blank = begun && matches!(line, b"\n" | b"\r\n");
            if is_blank || header.len() > LONGEST_HEADER {
                self.end_header();
            } else if end.is_none() {
                return;
            }
            rest = behind;
        }
        if let Some(unquoter) = &mut self.unquoter {
            unquoter.take(rest, &mut self.text);
        }
    }

    fn end_header(&mut self) {
        if let Some(header) = self.header.take() {
            let (header, blank) = split_blank(&header);
            let header = trimmed(header, self.trim.fields, true, self.is_added);
            self.text.extend_from_slice(&header);
            self.text.extend_from_slice(blank);
        }
    }

    fn finish(&mut self) {
        self.end_header();
        if let Some(unquoter) = self.unquoter.take() {
            unquoter.finish(&mut self.text);
            let left = self.text.len().saturating_sub(self.trim.end);
            self.text.truncate(left.max(self.given));
        }
    }

    /// The number of octets of the text that may be given out.
    fn ready(&self) -> usize {
        let held = match self.unquoter {
            Some(_) => self.trim.end,
            None => 0,
        };
        self.text.len().saturating_sub(held)
    }
}

impl Read for Extract {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready() <= self.given && self.unquoter.is_some() {
            self.text.drain(..self.given);
            self.given = 0;
            let mut piece = vec![0; READ_AT_ONCE];
            let room = (self.end - self.at).min(READ_AT_ONCE as u64) as usize;
            match self.file.read_at(&mut piece[..room], self.at)? {
                0 => self.finish(),
                read => {
                    self.at += read as u64;
                    self.take(&piece[..read]);
                }
            }
        }
        let ready = &self.text[self.given..self.ready().max(self.given)];
        let length = ready.len().min(buffer.len());
        buffer[..length].copy_from_slice(&ready[..length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::store::Fields;

    #[test]
    fn a_message_is_read_without_what_other_programs_have_added() {
        let mbox =
            b"From a\n>Status: x\nStatus: RO\nLines: 7\nA: b\n\n>From c\n>>From d\n\nend\n\n";
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"in front\n").unwrap();
        file.write_all(mbox).unwrap();
        file.write_all(b"From next\n").unwrap();
        let file = Arc::new(file);
        for (fields, end, expected) in [
            (
                Fields::None,
                0,
                "Status: x\nStatus: RO\nLines: 7\nA: b\n\nFrom c\n>From d\n\nend\n\n",
            ),
            (
                Fields::Records,
                1,
                "Status: x\nLines: 7\nA: b\n\nFrom c\n>From d\n\nend\n",
            ),
            (Fields::All, 2, "Status: x\nA: b\n\nFrom c\n>From d\n\nend"),
        ] {
            let trim = Trim { fields, end };
            let is_added: IsAdded = |name| name == "lines";
            let length = mbox.len() as u64;
            let mut extract = Extract::of(Arc::clone(&file), 9, length, trim, is_added);
            let mut text = String::new();
            extract.read_to_string(&mut text).unwrap();
            assert_eq!(text, expected);
            let mut extract = Extract::of(Arc::clone(&file), 9, length, trim, is_added);
            let mut by_octet = Vec::new();
            let mut octet = [0];
            while extract.read(&mut octet).unwrap() > 0 {
                by_octet.push(octet[0]);
            }
            assert_eq!(by_octet, expected.as_bytes());
        }
    }
}
