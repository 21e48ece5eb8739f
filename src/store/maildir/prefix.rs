//! Tells if one message is the beginning of another: then the first one was cut short.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::open_message;

/// The size of a read from each file.
const PIECE: usize = 64 << 10;

/// True if the second file begins with the first one. The end of the first one's last line does not
/// count.
pub(super) fn is_prefix(part: &Path, whole: &Path) -> io::Result<bool> {
    let mut part = BufReader::with_capacity(PIECE, open_message(part)?);
    let mut whole = BufReader::with_capacity(PIECE, File::open(whole)?);
    loop {
        let piece = part.fill_buf()?;
        if piece.is_empty() {
            return Ok(true);
        }
        let other = whole.fill_buf()?;
        let length = piece.len().min(other.len());
        let same = piece.iter().zip(other).take_while(|(a, b)| a == b).count();
        if length == 0 || same < length {
            // The rest may be the end of a line, which the server has added.
            let left = &piece[same..];
            let is_line_end = matches!(left, b"\n" | b"\r\n");
            let length = piece.len();
            part.consume(length);
            return Ok(is_line_end && part.fill_buf()?.is_empty());
        }
        part.consume(length);
        whole.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_message_that_was_cut_short_is_the_beginning_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let large = vec![b'x'; 200_000];
        let longer = [&large[..], b"y\n"].concat();
        for (part, whole, expected) in [
            (&b"a\nb\n"[..], &b"a\nb\nc\n"[..], true),
            (b"a\nb\n", b"a\nbc\n", true),
            (b"a\nb\r\n", b"a\nbc\r\n", true),
            (b"", b"a\n", true),
            (b"\n", b"a\n", true),
            (b"a\n", b"a\n", true),
            (b"a\nx\n", b"a\nb\nc\n", false),
            (b"a\nb\nc\n", b"a\nb\n", false),
            (&large, &longer, true),
            (&longer, &large, false),
        ] {
            let paths = ["part", "whole"].map(|name| folder.path().join(name));
            for (path, content) in paths.iter().zip([part, whole]) {
                File::create(path).unwrap().write_all(content).unwrap();
            }
            assert_eq!(is_prefix(&paths[0], &paths[1]).unwrap(), expected);
        }
    }
}
