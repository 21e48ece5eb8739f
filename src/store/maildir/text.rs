//! A stored message as mail programs read it: uncompressed, if Dovecot or a person compressed it
//! with gzip.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use rustix::io::{pread, retry_on_intr};

use super::open_message;
use crate::store::compression::{GZIP, TELLING, sealed_as};

/// The size of a read.
const PIECE: usize = 256 << 10;

/// A message that is read.
#[derive(Debug)]
pub(crate) enum Text {
    /// As it was stored.
    Plain(File),
    /// Compressed with gzip.
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
    /// In a form that popsync cannot read.
    Sealed,
}

impl Text {
    /// Opens the message at this path.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = open_message(path)?;
        let mut start = [0; TELLING];
        let length = retry_on_intr(|| pread(&file, &mut start, 0))?;
        let start = &start[..length];
        if sealed_as(start).is_some() {
            return Ok(Self::Sealed);
        }
        if start.starts_with(GZIP) {
            let file = BufReader::with_capacity(PIECE, file);
            return Ok(Self::Gzip(Box::new(MultiGzDecoder::new(file))));
        }
        Ok(Self::Plain(file))
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Gzip(text) => text.read(buffer),
            Self::Sealed => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
