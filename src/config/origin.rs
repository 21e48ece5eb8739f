//! A value and its place in the file or on the command line, so that a mistake can point there.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// The number of a file among those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId(pub(super) usize);

impl FileId {
    /// The configuration file itself.
    pub(super) const MAIN: Self = Self(0);
}

/// The place of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// Octets of a configuration file.
    File(FileId, Range<usize>),
    /// The flag of the command line with this name, which is that of its key.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the command line's"))]
    Flag(&'static str),
    /// The row of a list that begins in this line.
    Row(Arc<Path>, u64),
    /// The argument of the command line that names the server.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the command line's"))]
    Url,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(..) | Self::Row(..) => f.write_str("configuration"),
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Url => f.write_str("URL"),
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Setting<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting {
            value: change(self.value),
            origin: self.origin,
        }
    }
}
