//! One file: its text, its rights, and the places of the mistakes in it.

use std::cell::OnceCell;
use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::auth::private_file::FileError;
use crate::patient::{Patient, READ_TIMEOUT, without_mark};

use super::error::Cause;

/// The largest file that is read.
const LIMIT: u64 = 16 << 20;

/// Write permission of the group and of others.
const WRITTEN_BY_OTHERS: u32 = 0o022;

/// A file as it was read.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// Its text, without a byte order mark; up to the first octet that is not UTF-8.
    pub(super) text: String,
    /// False if there is more behind the text.
    pub(super) is_utf8: bool,
    /// That of the open file, so that it cannot be exchanged meanwhile. None for a text that was
    /// not read from a file.
    metadata: Option<Metadata>,
    /// The places of the line ends, once somebody asks.
    line_ends: OnceCell<Vec<usize>>,
}

impl ConfigFile {
    /// Reads a file of the configuration.
    ///
    /// # Errors
    /// [`Cause::Read`], [`Cause::TooLarge`].
    pub(super) fn read(path: &Path) -> Result<Self, Cause> {
        let failed = |source: io::Error| Cause::Read {
            path: path.to_owned(),
            source,
        };
        let (metadata, content) = read(path).map_err(failed)?;
        if content.len() as u64 > LIMIT {
            return Err(Cause::TooLarge {
                path: path.to_owned(),
                limit: LIMIT,
            });
        }
        Ok(Self {
            metadata: Some(metadata),
            ..Self::of_content(path, &content)
        })
    }

    /// The file with this content, which may begin with a byte order mark.
    pub(super) fn of_content(path: &Path, content: &[u8]) -> Self {
        let content = without_mark(content);
        let valid = match str::from_utf8(content) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        Self {
            path: path.to_owned(),
            text: String::from_utf8_lossy(&content[..valid]).into_owned(),
            is_utf8: valid == content.len(),
            metadata: None,
            line_ends: OnceCell::new(),
        }
    }

    /// The reasons not to do what the file says with the rights of whoever runs popsync.
    pub(super) fn objections(&self, runs_commands: bool) -> Vec<Cause> {
        let mut errors = Vec::new();
        let Some(metadata) = &self.metadata else {
            return errors;
        };
        // A terminal can be written to by more, and gives nobody what they write.
        if !metadata.file_type().is_char_device() {
            errors.extend(writable(&self.path, metadata));
        }
        if runs_commands && let Err(fault) = FileError::of_owner(&self.path, metadata) {
            errors.push(Cause::Foreign {
                path: self.path.clone(),
                fault,
            });
        }
        errors
    }

    /// The line of a place in the text, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        let ends = self
            .line_ends
            .get_or_init(|| memchr::memchr_iter(b'\n', self.text.as_bytes()).collect());
        ends.partition_point(|end| *end < at) + 1
    }
}

/// The objection to a file or a folder that others can write to.
pub(super) fn writable(path: &Path, metadata: &Metadata) -> Option<Cause> {
    (metadata.mode() & WRITTEN_BY_OTHERS != 0).then(|| Cause::Writable {
        path: path.to_owned(),
        mode: metadata.mode() & 0o777,
    })
}

/// Metadata and content of a file, both from the open file, so that it cannot be exchanged meanwhile.
/// Reads a little beyond the limit.
fn read(path: &Path) -> io::Result<(Metadata, Vec<u8>)> {
    let file = Patient::open(path, READ_TIMEOUT)?;
    let metadata = file.metadata()?;
    let mut content = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut content)?;
    Ok((metadata, content))
}
