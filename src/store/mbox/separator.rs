//! The line in front of each message: `From SENDER DATE`. Every reader of an mbox expects this
//! form. Also the fields of a header that it is made of.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

/// The sender if the message does not name one, as in other programs.
const NOBODY: &str = "MAILER-DAEMON";

/// RFC 5321 §4.5.3.1.3: the maximum length of a path in octets.
const LONGEST_PATH: usize = 256;

/// The line, with its end. The date is that of the delivery, in UTC (RFC 4155).
pub(in crate::store) fn separator(header: &[u8], now: Timestamp) -> String {
    let sender = field(header, "return-path")
        .or_else(|| field(header, "from"))
        .and_then(|value| address(&value))
        .unwrap_or_else(|| NOBODY.to_owned());
    let date = now.to_zoned(TimeZone::UTC).strftime("%a %b %e %H:%M:%S %Y");
    format!("From {sender} {date}\n")
}

/// The digest of a message's Message-ID, if its header has one.
pub(super) fn message_id(header: &[u8]) -> Option<[u8; 32]> {
    let value = field(header, "message-id")?;
    let id = value.trim_ascii();
    (!id.is_empty()).then(|| Sha256::digest(id).into())
}

/// The first field of this name, which is in lower case, unfolded.
fn field(header: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut lines = header.split(|&octet| octet == b'\n');
    let value = lines.by_ref().find_map(|line| {
        let colon = line.iter().position(|&octet| octet == b':')?;
        let found = line[..colon].trim_ascii_end();
        found
            .eq_ignore_ascii_case(name.as_bytes())
            .then(|| line[colon + 1..].trim_ascii().to_vec())
    })?;
    let folded = lines.take_while(|line| matches!(line.first(), Some(b' ' | b'\t')));
    Some(folded.fold(value, |mut value, line| {
        value.push(b' ');
        value.extend_from_slice(line.trim_ascii());
        value
    }))
}

/// The address of a field, if it can be part of the line: ASCII without spaces.
fn address(value: &[u8]) -> Option<String> {
    let inside = value.split(|&octet| octet == b'<').nth(1);
    let address = match inside {
        Some(inside) => inside.split(|&octet| octet == b'>').next()?,
        None => value,
    }
    .trim_ascii();
    let fits = (1..=LONGEST_PATH).contains(&address.len())
        && address.contains(&b'@')
        && address.iter().all(u8::is_ascii_graphic);
    let text = str::from_utf8(address).ok()?;
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(header: &str) -> String {
        let line = separator(header.as_bytes(), Timestamp::UNIX_EPOCH);
        let words = line.strip_prefix("From ").unwrap();
        words
            .strip_suffix(" Thu Jan  1 00:00:00 1970\n")
            .unwrap()
            .to_owned()
    }

    #[test]
    fn the_sender_is_that_of_the_envelope_or_of_the_header() {
        for (header, expected) in [
            (
                "Return-Path: <eva@example.com>\nFrom: <x@y>\n",
                "eva@example.com",
            ),
            (
                "Return-path:<eva@example.com>\r\nFrom: <x@y>\r\n",
                "eva@example.com",
            ),
            (
                "Return-Path: <>\nFrom: Eva <eva@example.com>\n",
                "MAILER-DAEMON",
            ),
            ("FROM: Eva <eva@example.com>\n", "eva@example.com"),
            ("From: Eva\n <eva@example.com>\n", "eva@example.com"),
            ("From: eva@example.com\n", "eva@example.com"),
            ("From : eva@example.com\n", "eva@example.com"),
            ("From: Eva of somewhere\n", "MAILER-DAEMON"),
            ("From: <a b@example.com>\n", "MAILER-DAEMON"),
            ("From: <a\u{e9}@example.com>\n", "MAILER-DAEMON"),
            ("From: <a\x1b@example.com>\n", "MAILER-DAEMON"),
            ("From: <\n", "MAILER-DAEMON"),
            ("From:\n", "MAILER-DAEMON"),
            ("X-From: <eva@example.com>\n", "MAILER-DAEMON"),
            ("", "MAILER-DAEMON"),
        ] {
            assert_eq!(sender(header), expected, "{header:?}");
        }
        let long = format!("From: {}@example.com\n", "x".repeat(300));
        assert_eq!(sender(&long), NOBODY);
    }

    #[test]
    fn the_message_id_is_told_apart_from_what_is_around_it() {
        let id = message_id(b"Message-ID: <1@x>\n");
        assert!(id.is_some());
        assert_eq!(
            message_id(b"A: b\r\nMESSAGE-ID:\r\n\t<1@x>\r\nC: d\r\n"),
            id
        );
        assert_ne!(message_id(b"Message-ID: <2@x>\n"), id);
        assert_eq!(message_id(b"Message-ID: \n"), None);
        assert_eq!(message_id(b"Subject: Message-ID: <1@x>\n"), None);
    }
}
