//! The text of a stub: the header of a message that is still on the server, and the command that
//! retrieves the rest.

use std::fmt::Write as _;

use crate::account::LineEndings;

/// The facts in a stub.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// The account, as an argument of `popsync mark`.
    pub(super) account: &'a str,
    /// The server.
    pub(super) host: &'a str,
    /// The unique-id.
    pub(super) unique_id: &'a [u8],
    /// Its size in the scan listing.
    pub(super) octets: u64,
}

/// A message of its own: the fields of `header`, without those that describe its body, and a body
/// with the place of the whole message.
///
/// It begins with a field that no message has, so that neither its header nor its content is ever
/// mistaken for the message's.
pub(super) fn text(header: &[u8], facts: Facts<'_>, line_endings: LineEndings) -> Vec<u8> {
    let mut text = b"X-Popsync-Stub: the message itself is on the server\n".to_vec();
    let mut kept = true;
    for line in header.split_inclusive(|&octet| octet == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            kept = is_kept(line);
        }
        if kept {
            // Some readers take a bare CR or LF for a line end.
            text.extend(line.iter().filter(|octet| !b"\r\n".contains(octet)));
            text.push(b'\n');
        }
    }
    text.extend_from_slice(
        b"MIME-Version: 1.0\n\
          Content-Type: text/plain; charset=us-ascii\n\
          Content-Transfer-Encoding: 7bit\n\n",
    );
    text.extend_from_slice(body(facts).as_bytes());
    match line_endings {
        LineEndings::Lf => text,
        LineEndings::Crlf => {
            let mut crlf = Vec::with_capacity(text.len() + 64);
            for line in text.split_inclusive(|&octet| octet == b'\n') {
                crlf.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
                crlf.extend_from_slice(b"\r\n");
            }
            crlf
        }
    }
}

/// True if a field is about the message and not about its body.
fn is_kept(line: &[u8]) -> bool {
    let name = line
        .split(|&octet| octet == b':')
        .next()
        .unwrap_or_default();
    let name = name.trim_ascii_end().to_ascii_lowercase();
    // A line that is not a field would end the header.
    line.contains(&b':')
        && !name.contains(&b' ')
        && !name.starts_with(b"content-")
        && !matches!(&*name, b"mime-version" | b"lines" | b"x-popsync-stub")
}

fn body(facts: Facts<'_>) -> String {
    let mut body = format!(
        "This is only the header of a message of {} octets.\n\
         The message itself is still on the server {}.\n\n\
         To get all of it with the next sync, in place of this stub:\n\n    popsync mark {} {}\n",
        facts.octets,
        ascii(facts.host),
        quoted(facts.account.as_bytes()),
        quoted(facts.unique_id),
    );
    // For readers who cannot run that command.
    let _ = write!(
        body,
        "\nDeleting this stub deletes nothing on the server.\n"
    );
    body
}

fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

/// Quotes a word for a shell: printable ASCII stays, all else and the backslash is `\xNN`.
fn quoted(octets: &[u8]) -> String {
    let mut word = String::from("'");
    for &octet in octets {
        match octet {
            b'\'' => word.push_str("'\\''"),
            b' ' | b'!'..=b'[' | b']'..=b'~' => word.push(char::from(octet)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(word, r"\x{octet:02x}");
            }
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests;
