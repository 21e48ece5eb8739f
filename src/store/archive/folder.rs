//! Archives that are folders: a file for each message, or a Maildir.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::expand::expand;
use super::target::{create, create_folders};
use super::{Archive, Digesting, Expand, Item, Sums, Target, changed, file_name};
use crate::store::Error;

/// The layout of the messages in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Eml,
    Maildir,
}

/// A folder that is being written.
#[derive(Debug)]
pub(super) struct Folder {
    target: Target,
    kind: Kind,
    several: bool,
    /// The folder for the current account's messages, inside this one.
    place: PathBuf,
    sums: Sums,
}

impl Folder {
    pub(super) fn begin(path: &Path, kind: Kind, several: bool) -> Result<Self, Error> {
        Ok(Self {
            target: Target::folder(path)?,
            kind,
            several,
            place: PathBuf::new(),
            sums: Sums::default(),
        })
    }

    /// The path of a message in the folder of its account.
    fn path(&self, item: &Item) -> PathBuf {
        match self.kind {
            Kind::Eml => item.eml(),
            Kind::Maildir => {
                let (second, flags) = (item.date.max(0), &item.flags);
                // The ending tells popsync that the message is as the server sent it, should the
                // Maildir become an account's.
                let name = format!("{second}.{}{}.popsync", item.short(), item.twin());
                Path::new("cur").join(format!("{name}:2,{flags}"))
            }
        }
    }
}

impl Archive for Folder {
    fn begin(&mut self, account: &str) -> Result<(), Error> {
        if self.several {
            self.place = file_name(account).into();
        }
        let place = self.target.partial.join(&self.place);
        let folders: &[&str] = match self.kind {
            Kind::Eml => &[""],
            Kind::Maildir => &["cur", "new", "tmp"],
        };
        for folder in folders {
            let folder = place.join(folder);
            create_folders(&folder).map_err(|error| Error::folder(&folder, error))?;
        }
        Ok(())
    }

    fn add(&mut self, item: &Item, text: &mut dyn Read) -> Result<(), Error> {
        let inside = self.place.join(self.path(item));
        let path = self.target.partial.join(&inside);
        let failed = |error| Error::io("writing", &path, error);
        if let (Kind::Eml, Some(folder)) = (self.kind, path.parent()) {
            create_folders(folder).map_err(failed)?;
        }
        let mut file = create(&path).map_err(failed)?;
        // The file and the message as sent have a digest each.
        let (written, sent) = match self.kind {
            Kind::Eml => {
                let mut from = Digesting::new(Expand::new(text, item.has_lf));
                io::copy(&mut from, &mut file).map_err(failed)?;
                let digest = from.finish();
                (digest, digest)
            }
            Kind::Maildir => {
                let mut both = Both::new(&mut file, item.has_lf);
                let mut from = Digesting::new(text);
                io::copy(&mut from, &mut both).map_err(failed)?;
                (from.finish(), both.finish())
            }
        };
        if sent != item.sha256 {
            return Err(changed(&path));
        }
        self.sums.add(&inside, written);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        let Self { target, sums, .. } = *self;
        let path = target.partial.join(super::sums::NAME);
        create(&path)
            .and_then(|mut file| file.write_all(sums.text().as_bytes()))
            .map_err(|error| Error::io("writing", &path, error))?;
        target.finish_folder()
    }
}

/// Writes what was stored, and digests what was sent.
pub(super) struct Both<W> {
    to: W,
    has_lf: bool,
    sha256: Sha256,
}

impl<W: Write> Both<W> {
    pub(super) fn new(to: W, has_lf: bool) -> Self {
        Self {
            to,
            has_lf,
            sha256: Sha256::new(),
        }
    }

    pub(super) fn finish(self) -> [u8; 32] {
        self.sha256.finalize().into()
    }
}

impl<W: Write> Write for Both<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.to.write_all(octets)?;
        let sha256 = &mut self.sha256;
        match self.has_lf {
            true => expand(octets, |octets| sha256.update(octets)),
            false => sha256.update(octets),
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
