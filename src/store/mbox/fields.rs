//! Fields of a header in which mail programs keep their own records in an mbox.
//!
//! mutt, Dovecot, UW-IMAP and Thunderbird trust these fields wherever they find them. A
//! `Content-Length` made up by a sender covers the next message too: mail programs do not show that
//! message, and delete it with the first one. `X-IMAP` hides the first message, `X-Status: D`
//! deletes its own. Dovecot drops these fields from the mail that it delivers. Here each gets one
//! `>` in front, as a line of `From ` does, so that all octets come back when the `>` is removed.

use memchr::memchr;

/// In lower case: Dovecot's `mbox_save_drop_headers`, and the fields that Thunderbird reads.
const FIELDS: [&[u8]; 9] = [
    b"content-length",
    b"status",
    b"x-imap",
    b"x-imapbase",
    b"x-keywords",
    b"x-mozilla-status",
    b"x-mozilla-status2",
    b"x-status",
    b"x-uid",
];

/// Quotes the header of a message as it streams by, in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct FieldQuoter {
    at: At,
    /// The start of a name, held back because the next octets decide about it.
    held: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    /// At the start of a line of the header.
    #[default]
    Start,
    /// After a CR at the start of a line.
    Return,
    /// After any number of `>`, in a text that may be a name of [`FIELDS`].
    Name,
    /// In a line that stays as it is from here on.
    Rest,
    Body,
}

impl FieldQuoter {
    /// Appends the quoted form of the header's octets to `out`. Returns the rest of the piece,
    /// which belongs to the body.
    pub(super) fn quote<'a>(&mut self, piece: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let mut rest = piece;
        while let Some((&octet, behind)) = rest.split_first() {
            match (self.at, octet) {
                (At::Body, _) => return rest,
                (At::Start | At::Return, b'\n') => self.at = At::Body,
                (At::Start, b'\r') => self.at = At::Return,
                (At::Start | At::Name, b'>') if self.held.is_empty() => self.at = At::Name,
                (At::Start | At::Name, _) if self.take_name(octet, out) => {
                    rest = behind;
                    continue;
                }
                _ => {
                    self.finish(out);
                    let end = memchr(b'\n', rest);
                    let (text, next) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
                    out.extend_from_slice(text);
                    self.at = if end.is_some() { At::Start } else { At::Rest };
                    rest = next;
                    continue;
                }
            }
            out.push(octet);
            rest = behind;
        }
        rest
    }

    /// Ends the message.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
    }

    /// Takes an octet. True if it continues a name, or ends one that is to be quoted.
    fn take_name(&mut self, octet: u8, out: &mut Vec<u8>) -> bool {
        if ends_name(octet) && is_field(&self.held) {
            // Its place among the `>` of the line does not matter: they are all alike.
            out.push(b'>');
            self.finish(out);
            out.push(octet);
            self.at = At::Rest;
            return true;
        }
        self.held.push(octet);
        let goes_on = FIELDS
            .iter()
            .filter_map(|field| field.get(..self.held.len()))
            .any(|start| start.eq_ignore_ascii_case(&self.held));
        if goes_on {
            self.at = At::Name;
        } else {
            self.held.pop();
        }
        goes_on
    }
}

/// True if a line of a header was quoted, so that one `>` at its start is to be removed.
pub(super) fn is_quoted(line: &[u8]) -> bool {
    let marks = line.iter().take_while(|&&octet| octet == b'>').count();
    let text = &line[marks..];
    marks > 0
        && text
            .iter()
            .position(|&octet| ends_name(octet))
            .is_some_and(|end| is_field(&text[..end]))
}

/// Dovecot treats blanks in front of the colon as part of it (RFC 5322 §4.5.8).
fn ends_name(octet: u8) -> bool {
    matches!(octet, b':' | b' ' | b'\t')
}

/// True if mail programs keep their records in fields of this name.
pub(in crate::store) fn is_field(name: &[u8]) -> bool {
    FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name))
}
