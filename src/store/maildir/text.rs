//! A stored message as mail programs read it: uncompressed, if Dovecot or a person compressed it
//! with gzip.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::open_message;
use super::show::{GZIP, compressed_as};

/// The size of a read.
const PIECE: usize = 256 << 10;

/// This many octets show how a file is compressed.
const TELLING: u64 = 16;

/// A message that is read.
#[derive(Debug)]
pub enum Text {
    /// As it was stored.
    Plain(File),
    /// Compressed with gzip.
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
    /// In a form that popsync cannot read, with its name.
    Sealed(&'static str),
}

impl Text {
    /// Opens the message at this path.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = open_message(path)?;
        let mut start = Vec::with_capacity(TELLING as usize);
        (&file).take(TELLING).read_to_end(&mut start)?;
        if let Some(form) = compressed_as(&start) {
            return Ok(Self::Sealed(form));
        }
        file.seek(SeekFrom::Start(0))?;
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
            Self::Sealed(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
