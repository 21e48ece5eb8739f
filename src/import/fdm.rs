//! fdm's cache: the length of a unique-id, a space, and the unique-id. A file has one mailbox.

use super::{LineError, Parsed, Parser};

pub(super) struct Fdm;

impl Parser for Fdm {
    fn line<'a>(&mut self, line: &'a [u8]) -> Result<Parsed<'a>, LineError> {
        if line.is_empty() {
            return Ok(Parsed::Nothing);
        }
        let (length, unique_id) = parse(line).ok_or(LineError::Form {
            expected: "`LENGTH UNIQUE-ID`",
        })?;
        if length == unique_id.len() as u64 {
            Ok(Parsed::Had(unique_id))
        } else {
            Err(LineError::Length)
        }
    }
}

fn parse(line: &[u8]) -> Option<(u64, &[u8])> {
    let space = line.iter().position(|&octet| octet == b' ')?;
    let length = std::str::from_utf8(&line[..space]).ok()?.parse().ok()?;
    Some((length, &line[space + 1..]))
}
