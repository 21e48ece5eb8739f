//! Drop listings, scan listings and unique-id listings: the lines of STAT, LIST and UIDL.
//!
//! Fields are separated by any run of spaces and tabs. All octets after the last field are ignored
//! (`OPOP3:C0004`, `C0017`, `C0021`, `C0038`).

use super::MessageNumber;

/// The longest unique-id that RFC 1939 §7 allows. Longer ones are used as they are.
pub const MAX_UNIQUE_ID: usize = 70;

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
mod tests {
    use super::*;

    #[test]
    fn drop_listings() {
        let drop = |messages, octets| Some(DropListing { messages, octets });
        for (text, expected) in [
            ("2 320", drop(2, Some(320))),
            ("2 \t\t 320 and more", drop(2, Some(320))),
            ("0 0", drop(0, Some(0))),
            ("2 -5", drop(2, None)),
            ("2 many", drop(2, None)),
            ("2 18446744073709551616", drop(2, None)),
            ("2", None),
            ("", None),
            ("-1 0", None),
            ("two 320", None),
            ("18446744073709551616 1", None),
        ] {
            assert_eq!(DropListing::parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn scan_listings() {
        for (line, number, octets) in [
            ("1 120", Some(1), Some(120)),
            ("1 \t120 flags=x", Some(1), Some(120)),
            ("  1 120  ", Some(1), Some(120)),
            ("1", Some(1), None),
            ("1 xx", Some(1), None),
            ("1 -5", Some(1), None),
            ("0 120", None, Some(120)),
            ("4294967296 120", None, Some(120)),
            ("", None, None),
        ] {
            let parsed = ScanListing::parse(line.as_bytes());
            assert_eq!(parsed.number.map(MessageNumber::as_u32), number, "{line}");
            assert_eq!(parsed.octets, octets, "{line}");
        }
    }

    #[test]
    fn unique_id_listings() {
        for (line, number, unique_id) in [
            (
                &b"1 whqtswO00WBw418f9t5JxYwZ"[..],
                Some(1),
                &b"whqtswO00WBw418f9t5JxYwZ"[..],
            ),
            (b"1\tABC extra words", Some(1), b"ABC"),
            (b"2   !\"#$%&'()*+,-", Some(2), b"!\"#$%&'()*+,-"),
            (b"3", Some(3), b""),
            (b"3 ", Some(3), b""),
            (b"4 \xff\x00\x7f", Some(4), b"\xff\x00\x7f"),
            (b"x abc", None, b"abc"),
            (b"", None, b""),
        ] {
            let parsed = UniqueIdListing::parse(line);
            assert_eq!(parsed.number.map(MessageNumber::as_u32), number);
            assert_eq!(parsed.unique_id, unique_id);
        }
    }
}
