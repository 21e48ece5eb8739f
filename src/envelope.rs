//! The header of a message for people: date, author and subject.
//!
//! Decoded (RFC 2047), and not escaped: the output does that. Nothing here is trusted for any other
//! purpose.

use std::borrow::Cow;

use mail_parser::{HeaderName, MessageParser};

/// The fields that lists show. A field is missing if the header lacks it or it makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// The date, in seconds since 1970.
    pub date: Option<i64>,
    /// The first author: `Name <address>`, or the part that is there.
    pub from: Option<String>,
    /// The subject.
    pub subject: Option<String>,
}

impl Envelope {
    /// Reads a header, and ignores the octets after it.
    pub fn parse(header: &[u8]) -> Self {
        let parser = MessageParser::new()
            .with_date_headers()
            .with_address_headers()
            .header_text(HeaderName::Subject);
        // The parser drops a last line without an end.
        let ended: Cow<'_, [u8]> = match header.last() {
            None | Some(b'\n') => header.into(),
            Some(_) => [header, b"\r\n"].concat().into(),
        };
        let Some(message) = parser.parse_headers(&ended) else {
            return Self::default();
        };
        let date = message.date().filter(|date| date.is_valid());
        let author = message.from().and_then(|from| from.first());
        Self {
            date: date.map(mail_parser::DateTime::to_timestamp),
            from: author.and_then(|author| match (author.name(), author.address()) {
                (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
                (name, address) => name.or(address).map(str::to_owned),
            }),
            subject: message.subject().map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> (Option<i64>, Option<String>, Option<String>) {
        let envelope = Envelope::parse(header.as_bytes());
        (envelope.date, envelope.from, envelope.subject)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn fields_are_decoded() {
        let header = "Date: Thu, 1 Jan 1970 01:00:10 +0100\r\n\
                      From: =?utf-8?q?J=C3=B6rg_M=2E?= <joerg@example.com>\r\n\
                      Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n =?utf-8?b?IGFuIGFsbGU=?=\r\n\r\n";
        let expected = (
            Some(10),
            some("Jörg M. <joerg@example.com>"),
            some("Grüße an alle"),
        );
        assert_eq!(of(header), expected);
        // As stored, and without the empty line after it.
        assert_eq!(of(&header.replace("\r\n", "\n")), expected);
        assert_eq!(of(header.trim_end()), expected);
    }

    #[test]
    fn what_is_not_there_is_missing() {
        assert_eq!(of(""), (None, None, None));
        assert_eq!(of("\r\nSubject: in the body\r\n"), (None, None, None));
        assert_eq!(
            of("From: anna@example.com\r\n\r\n"),
            (None, some("anna@example.com"), None)
        );
        assert_eq!(of("Date: soon\r\nSubject: x\r\n\r\n").0, None);
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_panic(
            field in "(Date|From|Subject|Sender)?",
            value in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        ) {
            let header = [field.as_bytes(), b": ", &value, b"\r\n\r\n"].concat();
            Envelope::parse(&header);
        }
    }
}
