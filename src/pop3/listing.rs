//! Drop listings, scan listings and unique-id listings: the lines of STAT, LIST and UIDL.
//!
//! Fields are separated by any run of spaces and tabs. All octets after the last field are ignored
//! (`OPOP3:C0004`, `C0017`, `C0021`, `C0038`).

use super::MessageNumber;

/// The longest unique-id that RFC 1939 §7 allows. Longer ones are used as they are.
pub(crate) const MAX_UNIQUE_ID: usize = 70;

/// STAT's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropListing {
    /// Messages in the maildrop.
    pub messages: u64,
    /// Their size, if it is a number at all. Exchange estimates it (`XPOP3:N4`).
    pub octets: Option<u64>,
}

/// One line of LIST's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanListing {
    /// The message. None if the line does not name one that could be retrieved.
    pub number: Option<MessageNumber>,
    /// Its size, if it is a number at all. A hint: Exchange estimates it (`XPOP3:N5`).
    pub octets: Option<u64>,
}

/// One line of UIDL's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UniqueIdListing<'a> {
    /// The message. None if the line does not name one that could be retrieved.
    pub number: Option<MessageNumber>,
    /// Its unique-id as sent. Empty if the server gave none.
    pub unique_id: &'a [u8],
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&octet| octet == b' ' || octet == b'\t')
        .filter(|field| !field.is_empty())
}

/// A decimal number without a sign. None if it is anything else, or overflows.
fn number(field: &[u8]) -> Option<u64> {
    if field.is_empty() {
        return None;
    }
    field.iter().try_fold(0_u64, |value, &octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

fn message_number(field: Option<&[u8]>) -> Option<MessageNumber> {
    let number = u32::try_from(number(field?)?).ok()?;
    MessageNumber::new(number)
}

impl DropListing {
    /// Reads the text after STAT's status indicator. `OPOP3:C0017` requires both numbers. The
    /// second one may be nonsense, because nothing depends on it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut fields = fields(text);
        let messages = number(fields.next()?)?;
        let octets = number(fields.next()?);
        Some(Self { messages, octets })
    }
}

impl ScanListing {
    /// Reads one line. Never fails: fields that cannot be read are left out.
    pub fn parse(line: &[u8]) -> Self {
        let mut fields = fields(line);
        Self {
            number: message_number(fields.next()),
            octets: fields.next().and_then(number),
        }
    }
}

impl<'a> UniqueIdListing<'a> {
    /// Reads one line. Never fails: fields that cannot be read are left out.
    pub fn parse(line: &'a [u8]) -> Self {
        let mut fields = fields(line);
        Self {
            number: message_number(fields.next()),
            unique_id: fields.next().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests;
