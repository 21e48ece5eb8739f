//! Paths in settings: `~/` and `$HOME/` are the home folder, and what is relative starts at a base.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::Failure;

/// What paths are relative to.
#[derive(Debug, Clone)]
pub struct Base {
    /// The home folder, where there is one.
    pub home: Option<PathBuf>,
    /// The folder of the configuration file, or the current one for the command line; absolute.
    pub folder: PathBuf,
}

/// Why a path cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PathError {
    /// Nothing, or with a NUL inside.
    #[error("not a path")]
    Invalid,
    /// `~/` or `$HOME/` without a home folder.
    #[error("it begins with the home folder, and none is known")]
    NoHome,
    /// `~somebody`.
    #[error("`~NAME` is not understood")]
    OtherHome,
    /// `$NAME/`, which no shell sees.
    #[error("of variables only `$HOME` is understood, at the beginning")]
    Variable,
}

impl Failure for PathError {
    /// That of a file; on a command line the error that holds this one knows better.
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Invalid => "write a path such as `~/Mail/work`",
            Self::NoHome => "set HOME, or write the path in full",
            Self::OtherHome => "write the path in full, or `./~NAME` where that is its name",
            Self::Variable => "write the path in full, or `./$NAME` where that is its name",
        };
        Some(hint.into())
    }
}

impl Base {
    /// Paths of the command line: relative to the current folder.
    pub fn current() -> Self {
        Self {
            home: home(),
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        }
    }

    /// Paths of the configuration file `config`: relative to its folder.
    pub fn of_file(config: &Path) -> Self {
        let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
        Self {
            home: home(),
            folder: config.parent().unwrap_or(&config).to_owned(),
        }
    }

    /// Makes a path absolute. It need not exist.
    ///
    /// # Errors
    /// When it cannot be a path, or `~` or a variable has no meaning.
    pub(crate) fn expand(&self, path: &Path) -> Result<PathBuf, PathError> {
        if path.as_os_str().is_empty() || path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(PathError::Invalid);
        }
        let first = path.components().next().map(|first| first.as_os_str());
        let path = match first.map(|first| first.as_encoded_bytes()) {
            Some(b"~" | b"$HOME" | b"${HOME}") => {
                let home = self.home.as_ref().ok_or(PathError::NoHome)?;
                home.join(path.components().skip(1).collect::<PathBuf>())
            }
            Some([b'~', ..]) => return Err(PathError::OtherHome),
            // As a shell knows a variable; other names may begin with `$`.
            Some([b'$', b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'{', ..]) => {
                return Err(PathError::Variable);
            }
            _ => self.folder.join(path),
        };
        let path = std::path::absolute(path).map_err(|_| PathError::Invalid)?;
        // Without a slash at the end: the path of a store is its identity.
        Ok(path.components().collect())
    }
}

fn home() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_and_relative_paths_become_absolute() {
        let base = Base {
            home: Some("/home/anna".into()),
            folder: "/etc/popsync".into(),
        };
        let table = [
            ("~/Mail/work", Ok("/home/anna/Mail/work")),
            ("~", Ok("/home/anna")),
            ("/var/mail//x/", Ok("/var/mail/x")),
            ("Mail", Ok("/etc/popsync/Mail")),
            ("./~x", Ok("/etc/popsync/~x")),
            ("a/~/b", Ok("/etc/popsync/a/~/b")),
            ("~root/x", Err(PathError::OtherHome)),
            ("$HOME/Mail/work", Ok("/home/anna/Mail/work")),
            ("${HOME}//Mail/./work/", Ok("/home/anna/Mail/work")),
            ("$HOME", Ok("/home/anna")),
            ("./$HOME/Mail", Ok("/etc/popsync/$HOME/Mail")),
            ("a/$HOME/Mail", Ok("/etc/popsync/a/$HOME/Mail")),
            ("$5/$", Ok("/etc/popsync/$5/$")),
            ("$", Ok("/etc/popsync/$")),
            ("$HOMES/Mail", Err(PathError::Variable)),
            ("${HOME}s/Mail", Err(PathError::Variable)),
            ("$XDG_DATA_HOME/Mail", Err(PathError::Variable)),
            ("$_", Err(PathError::Variable)),
            ("${HOME/Mail", Err(PathError::Variable)),
            ("", Err(PathError::Invalid)),
            ("a\0b", Err(PathError::Invalid)),
        ];
        for (path, expected) in table {
            assert_eq!(
                base.expand(Path::new(path)),
                expected.map(PathBuf::from),
                "{path:?}"
            );
        }
        let homeless = Base { home: None, ..base };
        for path in ["~/x", "$HOME/x", "${HOME}"] {
            assert_eq!(homeless.expand(Path::new(path)), Err(PathError::NoHome));
        }
    }
}
