//! A file of the store in the form in which its message was sent.

use std::io::BufRead;
use std::path::Path;

use crate::account::LineEndings;
use crate::store::open_message;

/// Calls `take` with one piece after another. None if the form cannot be told: a stored CR did not
/// end a line, or a stored LF had none before it. The pieces so far are then worth nothing.
pub(super) fn read(path: &Path, stored: LineEndings, mut take: impl FnMut(&[u8])) -> Option<()> {
    let mut content = std::io::BufReader::with_capacity(256 << 10, open_message(path).ok()?);
    let mut sent = Vec::new();
    let mut last = 0;
    loop {
        let piece = content.fill_buf().ok()?;
        if piece.is_empty() {
            return Some(());
        }
        sent.clear();
        for &octet in piece {
            match (stored, octet) {
                // A stored CR did not end a line.
                (LineEndings::Lf, b'\r') => return None,
                (LineEndings::Lf, b'\n') => sent.extend_from_slice(b"\r\n"),
                (LineEndings::Crlf, b'\n') if last != b'\r' => return None,
                _ => sent.push(octet),
            }
            last = octet;
        }
        let length = piece.len();
        content.consume(length);
        take(&sent);
    }
}
