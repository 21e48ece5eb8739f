//! mpop's `uidls_file`: comments at the top, then for each mailbox a line ` COUNT HOST USER` and
//! that many lines with a unique-id each, which may contain spaces.

use super::{LineError, Parsed, Parser};

#[derive(Debug, Default)]
pub(super) struct Mpop {
    /// True after the first mailbox: from then on a line that begins with `#` is not a comment.
    begun: bool,
    /// The number of unique-ids of the current mailbox that are still to come.
    left: u64,
}

impl Parser for Mpop {
    fn line<'a>(&mut self, line: &'a [u8]) -> Result<Parsed<'a>, LineError> {
        if self.left > 0 {
            self.left -= 1;
            return Ok(Parsed::Had(line));
        }
        if !self.begun && line.starts_with(b"#") {
            return Ok(Parsed::Nothing);
        }
        let mailbox = mailbox(line).ok_or(LineError::Form {
            expected: "` COUNT HOST USER`",
        })?;
        self.begun = true;
        self.left = mailbox.0;
        Ok(Parsed::Mailbox {
            host: mailbox.1,
            user: mailbox.2,
        })
    }

    fn end(&self) -> Result<(), LineError> {
        match self.left {
            0 => Ok(()),
            left => Err(LineError::EndsEarly { left }),
        }
    }
}

fn mailbox(line: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let mut parts = line.strip_prefix(b" ")?.splitn(3, |&octet| octet == b' ');
    let count = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    Some((count, parts.next()?, parts.next()?))
}
