//! fetchmail's `.fetchids`: `USER@HOST UNIQUE-ID`, for all mailboxes in one file. The user's name
//! may contain an `@` and spaces.

use super::{LineError, Parsed, Parser};

pub(super) struct Fetchmail;

impl Parser for Fetchmail {
    fn line<'a>(&mut self, line: &'a [u8]) -> Result<Parsed<'a>, LineError> {
        if line.is_empty() {
            return Ok(Parsed::Nothing);
        }
        parse(line).ok_or(LineError::Form {
            expected: "`USER@HOST UNIQUE-ID`",
        })
    }
}

fn parse(line: &[u8]) -> Option<Parsed<'_>> {
    let at = line.iter().position(|&octet| octet == b'@')?;
    let space = at + line[at..].iter().position(|&octet| octet == b' ')?;
    let (mailbox, unique_id) = (&line[..space], &line[space + 1..]);
    // The last `@` precedes the host.
    let at = mailbox.iter().rposition(|&octet| octet == b'@')?;
    Some(Parsed::HadIn {
        host: &mailbox[at + 1..],
        user: &mailbox[..at],
        unique_id,
    })
}
