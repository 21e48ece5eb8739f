//! The manifest, which `sha256sum -c` reads.

use std::fmt::Write as _;
use std::path::Path;

use super::hex;

/// The name of the manifest beside or among the files that it names.
pub(super) const NAME: &str = "SHA256SUMS";

/// A digest and a path for each file, in order of the paths.
#[derive(Debug, Default)]
pub(super) struct Sums {
    lines: Vec<(String, [u8; 32])>,
}

impl Sums {
    pub(super) fn add(&mut self, path: &Path, sha256: [u8; 32]) {
        self.lines
            .push((path.to_string_lossy().into_owned(), sha256));
    }

    /// The manifest's text. Two blanks mean that a file is read as it is, without any conversion.
    pub(super) fn text(mut self) -> String {
        self.lines.sort();
        let mut text = String::new();
        for (path, sha256) in &self.lines {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}  {path}", hex(sha256));
        }
        text
    }
}
