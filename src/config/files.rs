//! The files of a configuration: config.toml, and those of the folder `conf.d` beside it.
//!
//! The files of the folder hold accounts and nothing else. They are read in the order of their
//! names; those that are hidden, or do not end in `.toml`, are other programs' and are left out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Cause;
use super::faults::{Fault, Faults, MAX_TOLD};
use super::file::{ConfigFile, writable};
use super::location::Location;
use super::origin::{FileId, Origin};
use super::problem::Problem;

/// The folder beside the configuration file.
const FOLDER: &str = "conf.d";

/// The files, and why others of them cannot be read.
pub(super) struct Files {
    /// The configuration file, then those of the folder.
    all: Vec<ConfigFile>,
    pub(super) refused: Vec<Cause>,
}

impl Files {
    /// Reads the configuration file and those beside it.
    ///
    /// # Errors
    /// When the configuration file itself cannot be read.
    pub(super) fn read(path: &Path) -> Result<Self, Cause> {
        let main = ConfigFile::read(path).map_err(|error| match error {
            Cause::Read { path, source } if source.kind() == io::ErrorKind::NotFound => {
                Cause::Missing { path }
            }
            error => error,
        })?;
        Ok(Self::beside(main))
    }

    /// The same with this text in place of the file's.
    pub(super) fn with_text(path: &Path, text: &str) -> Self {
        Self::beside(ConfigFile::of_content(path, text.as_bytes()))
    }

    /// A configuration file alone.
    pub(super) fn alone(main: ConfigFile) -> Self {
        Self {
            all: vec![main],
            refused: Vec::new(),
        }
    }

    fn beside(main: ConfigFile) -> Self {
        let folder = main.path.with_file_name(FOLDER);
        let mut files = Self::alone(main);
        match paths(&folder) {
            Ok(paths) => {
                for path in paths {
                    match ConfigFile::read(&path) {
                        Ok(file) => files.all.push(file),
                        Err(error) => files.refused.push(error),
                    }
                }
            }
            Err(error) => files.refused.push(error),
        }
        files
    }

    /// The configuration file itself.
    pub(super) fn main(&self) -> &ConfigFile {
        self.get(FileId::MAIN)
    }

    /// The others.
    pub(super) fn others(&self) -> impl Iterator<Item = (FileId, &ConfigFile)> {
        let all = self.all.iter().enumerate();
        all.skip(1).map(|(number, file)| (FileId(number), file))
    }

    pub(super) fn get(&self, id: FileId) -> &ConfigFile {
        &self.all[id.0]
    }

    /// Finds the places of mistakes in the texts. Very many are not told.
    pub(super) fn mistakes(&self, faults: Faults) -> Vec<Cause> {
        let faults = faults.distinct(MAX_TOLD).into_iter();
        faults.map(|fault| self.mistake(fault)).collect()
    }

    fn mistake(&self, fault: Fault) -> Cause {
        let at = match &fault.origin {
            Origin::File(file, span) => {
                // What follows such a key may be a password.
                let hide = matches!(
                    *fault.problem,
                    Problem::UnknownKey { .. } | Problem::Password
                );
                let file = self.get(*file);
                Location::new(&file.path, &file.text, span, hide)
            }
            Origin::Row(list, line) => Location::of_row(list, *line),
            Origin::Flag(_) | Origin::Url => return fault.into(),
        };
        Cause::Invalid {
            at: Box::new(at),
            account: fault.account,
            problem: fault.problem,
        }
    }
}

/// The files of the folder, in their order; none if there is no such folder.
fn paths(folder: &Path) -> Result<Vec<PathBuf>, Cause> {
    let failed = |source| Cause::Read {
        path: folder.to_owned(),
        source,
    };
    let metadata = match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        // `--config` may be no place for a folder.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    // Others could put files of their own into it.
    if let Some(objection) = writable(folder, &metadata) {
        return Err(objection);
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if !name.starts_with(b".") && name.ends_with(b".toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
