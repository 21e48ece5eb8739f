use mail_parser::MessageParser;

use super::*;
use crate::envelope::Envelope;

const FACTS: Facts<'static> = Facts {
    account: "work",
    host: "mail.example.com",
    unique_id: b"AA+/' \xff\\b",
    octets: 12_345_678,
};

const HEADER: &[u8] = b"Received: from a\r\n\tby b\r\n\
        From: Anna <anna@example.com>\r\n\
        Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
        Date: Thu, 1 Jan 1970 00:00:10 +0000\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed;\r\n boundary=\"x\"\r\n\
        Content-Transfer-Encoding: 8bit\r\n\
        Message-ID: <1@example.com>\r\n\r\n";

#[test]
fn it_reads_as_the_message_with_a_body_of_its_own() {
    let stub = text(HEADER, FACTS, LineEndings::Lf);
    assert!(!stub.contains(&b'\r'));
    assert_eq!(Envelope::parse(&stub), Envelope::parse(HEADER));
    let message = MessageParser::default().parse(&stub).unwrap();
    assert_eq!(message.message_id(), Some("1@example.com"));
    let body = message.body_text(0).unwrap();
    assert!(body.contains("12345678 octets"), "{body}");
    assert!(body.contains("mail.example.com"), "{body}");
    assert!(
        body.contains(r"popsync mark 'work' 'AA+/'\'' \xff\x5cb'"),
        "{body}"
    );
    assert!(message.attachment(0).is_none());
}

#[test]
fn line_ends_are_those_of_the_store() {
    let lf = text(HEADER, FACTS, LineEndings::Lf);
    let crlf = String::from_utf8(text(HEADER, FACTS, LineEndings::Crlf)).unwrap();
    assert_eq!(crlf.replace("\r\n", "\n").into_bytes(), lf);
    assert_eq!(crlf.matches('\r').count(), crlf.matches('\n').count());
}

#[test]
fn what_is_no_header_does_not_hide_the_body() {
    for header in [
        &b""[..],
        b"\r\n",
        b"no field\r\nnor this\r\n",
        b"Subject: a\rb\nc\r\n\r\n",
        b"Subject: a\r\n\r\nnot of the header\r\n",
    ] {
        let stub = text(header, FACTS, LineEndings::Lf);
        let message = MessageParser::default().parse(&stub).unwrap();
        let body = message.body_text(0).unwrap();
        assert!(
            body.starts_with("This is only the header"),
            "{header:?}: {body}"
        );
    }
}
