//! An archive that is one compressed file: the files of [`Form::Eml`](super::Form::Eml) and their
//! manifest.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};
use zstd::stream::write::Encoder;

use super::{Archive, Digesting, Expand, Item, Sums, Target, changed, file_name, sums};
use crate::store::Error;

/// zstd's own default. A higher level makes mail little smaller, and takes much longer.
const LEVEL: i32 = 3;

/// The largest date in a tar file without an extension.
const LAST_DATE: u64 = (1 << 33) - 1;

/// A file that is being written.
pub(super) struct Tarball {
    target: Target,
    tar: Builder<Encoder<'static, File>>,
    place: PathBuf,
    sums: Sums,
}

impl Tarball {
    pub(super) fn begin(path: &Path) -> Result<Self, Error> {
        let (target, file) = Target::file(path)?;
        let encoder = Encoder::new(file, LEVEL).and_then(|mut encoder| {
            encoder.include_checksum(true)?;
            Ok(encoder)
        });
        let encoder = encoder.map_err(|error| Error::io("writing", &target.partial, error))?;
        Ok(Self {
            target,
            tar: Builder::new(encoder),
            place: PathBuf::new(),
            sums: Sums::default(),
        })
    }

    fn append(&mut self, path: &Path, octets: u64, date: i64, text: impl Read) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(octets);
        header.set_mode(0o600);
        header.set_mtime(date.max(0).cast_unsigned().min(LAST_DATE));
        header.set_uid(0);
        header.set_gid(0);
        self.tar.append_data(&mut header, path, text)
    }
}

impl Archive for Tarball {
    fn begin(&mut self, account: &str) -> Result<(), Error> {
        self.place = file_name(account).into();
        Ok(())
    }

    fn add(&mut self, item: &Item, text: &mut dyn Read) -> Result<(), Error> {
        let path = self.place.join(item.eml());
        let partial = self.target.partial.clone();
        let mut from = Digesting::new(Expand::new(text, item.has_lf));
        let appended = self.append(
            &path,
            item.octets,
            item.date,
            from.by_ref().take(item.octets),
        );
        appended.map_err(|error| Error::io("writing", &partial, error))?;
        // The message must end here.
        let left = io::copy(&mut from, &mut io::sink());
        if left.map_err(|error| Error::io("reading", &partial, error))? > 0
            || from.finish() != item.sha256
        {
            return Err(changed(&partial));
        }
        self.sums.add(&path, item.sha256);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        let text = std::mem::take(&mut self.sums).text();
        let partial = self.target.partial.clone();
        let failed = |error| Error::io("writing", &partial, error);
        self.append(Path::new(sums::NAME), text.len() as u64, 0, text.as_bytes())
            .map_err(failed)?;
        let this = *self;
        let file = this
            .tar
            .into_inner()
            .and_then(Encoder::finish)
            .map_err(failed)?;
        this.target.finish_file(&file)
    }
}
