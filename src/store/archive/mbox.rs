//! An archive that is an mbox, or several in a folder. Messages are quoted as in a store that is
//! one: lines of `From `, and the fields in which mail programs keep their records.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::folder::Both;
use super::target::create;
use super::{Archive, Item, Sums, Target, changed, file_name, sums};
use crate::store::Error;
use crate::store::mbox::{Quoter, separator};

/// At most this much of a header is kept, to find the sender in.
const KEPT: usize = 64 << 10;

/// The size of a read.
const READ_AT_ONCE: usize = 64 << 10;

/// The mboxes that are being written.
#[derive(Debug)]
pub(super) struct Mboxes {
    target: Target,
    several: bool,
    current: Option<Current>,
    sums: Sums,
    /// The manifest of one file lies beside it.
    beside: Option<(Target, File)>,
}

#[derive(Debug)]
struct Current {
    /// The path in the manifest.
    name: PathBuf,
    file: BufWriter<Summed>,
}

/// A file that is digested while it is written.
#[derive(Debug)]
struct Summed {
    file: File,
    sha256: sha2::Sha256,
}

impl Write for Summed {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let length = self.file.write(octets)?;
        sha2::Digest::update(&mut self.sha256, &octets[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Mboxes {
    pub(super) fn begin(path: &Path, several: bool) -> Result<Self, Error> {
        if several {
            return Ok(Self {
                target: Target::folder(path)?,
                several,
                current: None,
                sums: Sums::default(),
                beside: None,
            });
        }
        let mut manifest = path.components().collect::<PathBuf>().into_os_string();
        manifest.push(format!(".{}", sums::NAME));
        let beside = Target::file(manifest.as_ref())?;
        let (target, file) = match Target::file(path) {
            Ok(target) => target,
            Err(error) => {
                // The manifest is still empty.
                let _ = std::fs::remove_file(&beside.0.partial);
                return Err(error);
            }
        };
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        Ok(Self {
            target,
            several,
            current: Some(Current::new(name, file)),
            sums: Sums::default(),
            beside: Some(beside),
        })
    }

    fn end_current(&mut self) -> Result<Option<File>, Error> {
        let Some(current) = self.current.take() else {
            return Ok(None);
        };
        let summed = current.file.into_inner();
        let summed = summed
            .map_err(|error| Error::io("writing", &self.target.partial, io::Error::from(error)))?;
        self.sums
            .add(&current.name, sha2::Digest::finalize(summed.sha256).into());
        Ok(Some(summed.file))
    }
}

impl Current {
    fn new(name: PathBuf, file: File) -> Self {
        let file = Summed {
            file,
            sha256: sha2::Digest::new(),
        };
        Self {
            name,
            file: BufWriter::with_capacity(READ_AT_ONCE, file),
        }
    }
}

impl Archive for Mboxes {
    fn begin(&mut self, account: &str) -> Result<(), Error> {
        if !self.several {
            return Ok(());
        }
        self.end_current()?;
        let name = PathBuf::from(format!("{}.mbox", file_name(account)));
        let path = self.target.partial.join(&name);
        let file = create(&path).map_err(|error| Error::io("creating", &path, error))?;
        self.current = Some(Current::new(name, file));
        Ok(())
    }

    fn add(&mut self, item: &Item, text: &mut dyn Read) -> Result<(), Error> {
        let partial = self.target.partial.clone();
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let sent = append(&mut current.file, item, text);
        match sent.map_err(|error| Error::io("writing", &partial, error))? {
            sent if sent == item.sha256 => Ok(()),
            _ => Err(changed(&partial)),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        let file = self.end_current()?;
        let text = self.sums.text();
        let failed = |error| Error::io("writing", &self.target.partial, error);
        match (self.beside, file) {
            (Some((manifest, mut sums)), Some(file)) => {
                sums.write_all(text.as_bytes()).map_err(failed)?;
                manifest.finish_file(&sums)?;
                self.target.finish_file(&file)
            }
            _ => {
                let path = self.target.partial.join(sums::NAME);
                create(&path)
                    .and_then(|mut file| file.write_all(text.as_bytes()))
                    .map_err(failed)?;
                self.target.finish_folder()
            }
        }
    }
}

/// Appends a message with the lines around it. Returns the digest of the message as sent.
fn append(to: &mut impl Write, item: &Item, text: &mut dyn Read) -> io::Result<[u8; 32]> {
    let mut sent = Both::new(io::sink(), item.has_lf);
    let mut quoter = Quoter::new();
    let mut header = Some(Vec::new());
    let mut piece = vec![0; READ_AT_ONCE];
    let (mut quoted, mut last) = (Vec::new(), b'\n');
    loop {
        let length = text.read(&mut piece)?;
        let octets = &piece[..length];
        sent.write_all(octets)?;
        if let Some(kept) = &mut header {
            kept.extend_from_slice(&octets[..octets.len().min(KEPT)]);
            if length > 0 && kept.len() < KEPT {
                // The line in front needs the header, and most headers are in the first piece.
                quoter.quote(octets, &mut quoted);
                last = octets.last().copied().unwrap_or(last);
                continue;
            }
            to.write_all(separator(header_of(kept), item.timestamp()).as_bytes())?;
            header = None;
        }
        if length == 0 {
            break;
        }
        quoter.quote(octets, &mut quoted);
        last = octets.last().copied().unwrap_or(last);
        to.write_all(&quoted)?;
        quoted.clear();
    }
    quoter.finish(&mut quoted);
    if last != b'\n' {
        quoted.push(b'\n');
    }
    quoted.push(b'\n');
    to.write_all(&quoted)?;
    Ok(sent.finish())
}

/// The header at the beginning of a message.
fn header_of(start: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in start.split_inclusive(|&octet| octet == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        end += line.len();
    }
    &start[..end]
}
