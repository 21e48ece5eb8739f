//! The file: its text, its rights, and the places of the mistakes in it.

use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use crate::account::Account;
use crate::auth::private_file::FileError;
use crate::patient::{Patient, READ_TIMEOUT, without_mark};

use super::document::Document;
use super::error::Cause;
use super::faults::{Fault, Faults, MAX_TOLD};
use super::location::Location;
use super::origin::Origin;
use super::paths::Base;
use super::problem::Problem;
use super::rows;

/// The largest file that is read.
const LIMIT: u64 = 16 << 20;

/// Write permission of the group and of others.
const WRITTEN_BY_OTHERS: u32 = 0o022;

/// A configuration file as it was read.
pub(super) struct ConfigFile {
    /// Those of the open file, so that it cannot be exchanged meanwhile.
    metadata: Metadata,
    pub(super) content: Vec<u8>,
}

impl ConfigFile {
    pub(super) fn read(path: &Path) -> Result<Self, Cause> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => Cause::Missing {
                path: path.to_owned(),
            },
            _ => Cause::Read {
                path: path.to_owned(),
                source,
            },
        };
        let (metadata, content) = read(path).map_err(failed)?;
        if content.len() as u64 > LIMIT {
            return Err(Cause::TooLarge {
                path: path.to_owned(),
                limit: LIMIT,
            });
        }
        Ok(Self { metadata, content })
    }

    /// The reasons not to do what the file says with the rights of whoever runs popsync.
    pub(super) fn objections(&self, path: &Path, accounts: &[Account]) -> Vec<Cause> {
        let mut errors = Vec::new();
        let metadata = &self.metadata;
        // A terminal can be written to by more, and gives nobody what they write.
        let is_device = metadata.file_type().is_char_device();
        if !is_device && metadata.mode() & WRITTEN_BY_OTHERS != 0 {
            errors.push(Cause::Writable {
                path: path.to_owned(),
                mode: metadata.mode() & 0o777,
            });
        }
        if accounts.iter().any(Account::runs_commands)
            && let Err(fault) = FileError::of_owner(path, metadata)
        {
            errors.push(Cause::Foreign {
                path: path.to_owned(),
                fault,
            });
        }
        errors
    }
}

/// Reads the content of a file, which may begin with a byte order mark.
pub(super) fn document<'t>(
    path: &Path,
    content: &'t [u8],
    base: &Base,
) -> Result<(&'t str, Document), Cause> {
    let content = without_mark(content);
    let text = str::from_utf8(content).map_err(|error| {
        let valid = String::from_utf8_lossy(&content[..error.valid_up_to()]);
        let span = valid.len()..valid.len();
        let fault = Fault::new(&Origin::File(span), Problem::NotUtf8);
        invalid(path, &valid, fault)
    })?;
    Ok((text, Document::read(text, base, &rows::ACCOUNT)))
}

/// Finds the places of mistakes in the text. Very many are not told.
pub(super) fn mistakes(path: &Path, text: &str, faults: Faults) -> Vec<Cause> {
    let faults = faults.distinct(MAX_TOLD).into_iter();
    faults.map(|fault| invalid(path, text, fault)).collect()
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

fn invalid(path: &Path, text: &str, fault: Fault) -> Cause {
    let Origin::File(span) = &fault.origin else {
        return fault.into();
    };
    // What follows such a key may be a password.
    let hide = matches!(
        *fault.problem,
        Problem::UnknownKey { .. } | Problem::Password
    );
    Cause::Invalid {
        at: Box::new(Location::new(path, text, span, hide)),
        account: fault.account,
        problem: fault.problem,
    }
}
