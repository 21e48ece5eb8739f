use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::exit::Exit;
use crate::failure::Failure;

fn read(format: Format, text: &[u8]) -> Result<Vec<String>, Error> {
    let mailbox = Mailbox {
        host: "mail.example.com".to_owned(),
        user: "anna@example.com".to_owned(),
    };
    Entries::new(format, Path::new("list"), mailbox, Cursor::new(text))
        .map(|entry| Ok(String::from_utf8_lossy(&entry?.unique_id).into_owned()))
        .collect()
}

#[test]
fn every_format_gives_the_ids_of_the_mailbox_and_no_others() {
    use Format::{Fdm, Fetchmail, Getmail, Mpop, Thunderbird};
    for (format, text, expected) in [
        (
            Mpop,
            &b"# generated\n#\n 2 other.example.com anna@example.com\nx\n# y\n 3 MAIL.example.com \
               anna@example.com\na\nb c\n 1 is an id\n 0 mail.example.com bert\n"[..],
            // As UIDL's answer is read: the first word.
            &["a", "1", "b"][..],
        ),
        (Getmail, b"a-b\x001700000000\nc d\x000\n\n", &["a-b", "c"]),
        (
            Fetchmail,
            b"anna@example.com@mail.example.com a@b\nbert@mail.example.com x\nfirst last@h z\n\
              anna@example.com@Mail.Example.Com c\n",
            &["a@b", "c"],
        ),
        (Fdm, b"1 a\n3 b c\n4  x y\n", &["a", "b", "x"]),
        (
            Thunderbird,
            b"# POP3 State File\r\n\r\n*mail.example.com anna@example.com\r\nk a 1700000000\r\n\
              d b 1700000000\r\nb large 1700000000\r\nf wanted 1700000000\r\nk old\r\n\
              k c d 1700000000\r\n*mail.example.com bert\r\nk x 1700000000\r\n",
            &["a", "b", "old", "c"],
        ),
    ] {
        assert_eq!(read(format, text).unwrap(), expected, "{}", format.name());
    }
}

/// OPOP3:C0038: popsync reads the first word, other programs the rest of the line.
#[test]
fn unique_ids_that_differ_behind_a_blank_are_counted_as_one() {
    let mailbox = Mailbox {
        host: "mail.example.com".to_owned(),
        user: "anna".to_owned(),
    };
    let text = b" 6 mail.example.com anna\nb 1\na\nb 2\n\tc\nb\t3\nd  \n";
    let entries = Entries::new(Format::Mpop, Path::new("list"), mailbox, Cursor::new(text));
    let found: Vec<_> = entries.map(Result::unwrap).collect();
    let found: Vec<_> = found
        .iter()
        .map(|entry| (entry.unique_id.as_slice(), entry.copies))
        .collect();
    let expected: [(&[u8], u32); 4] = [(b"a", 1), (b"b", 3), (b"c", 1), (b"d", 1)];
    assert_eq!(found, expected);
    assert!(read(Format::Fdm, b"2   \n").is_err());
}

#[test]
fn a_line_that_makes_no_sense_is_named_by_its_number() {
    use Format::{Fdm, Fetchmail, Getmail, Mpop, Thunderbird};
    let expected = |expected| LineError::Form { expected };
    let mailbox = expected("` COUNT HOST USER`");
    let long = [&b"9000 "[..], &[b'x'; 9_000]].concat();
    for (format, text, line, fault) in [
        (Mpop, &b"# top\nid\n"[..], 2, mailbox),
        (Mpop, b" x mail.example.com anna@example.com\n", 1, mailbox),
        (Mpop, b" 18446744073709551616 h u\n", 1, mailbox),
        (
            Mpop,
            b" 3 mail.example.com anna@example.com\na\nb\n",
            3,
            LineError::EndsEarly { left: 1 },
        ),
        (
            Mpop,
            b" 18446744073709551615 h u\na\n",
            2,
            LineError::EndsEarly {
                left: 18_446_744_073_709_551_614,
            },
        ),
        (
            Mpop,
            b" 2 mail.example.com anna@example.com\na\n\n",
            3,
            LineError::NoUniqueId,
        ),
        (
            Getmail,
            b"a\x001\nb 1\n",
            2,
            expected("a unique-id, a NUL and a time"),
        ),
        (
            Getmail,
            b"a\x00then\n",
            1,
            expected("a unique-id, a NUL and a time"),
        ),
        (Getmail, b"\x001\n", 1, LineError::NoUniqueId),
        (
            Fetchmail,
            b"\n\nno mailbox\n",
            3,
            expected("`USER@HOST UNIQUE-ID`"),
        ),
        (
            Fetchmail,
            b"anna@example.com@mail.example.com \n",
            1,
            LineError::NoUniqueId,
        ),
        (Fdm, b"1 a\n2 b\n", 2, LineError::Length),
        (Fdm, b"a\n", 1, expected("`LENGTH UNIQUE-ID`")),
        (Fdm, b"-1 a\n", 1, expected("`LENGTH UNIQUE-ID`")),
        (Fdm, &long, 1, LineError::TooLong),
        (
            Thunderbird,
            b"# x\nz a 1\n",
            2,
            expected("`*HOST USER`, or a letter of `kdbf` and a unique-id"),
        ),
    ] {
        match read(format, text).unwrap_err() {
            Error::Malformed {
                line: found,
                fault: why,
                ..
            } => assert_eq!((found, why), (line, fault), "{}", format.name()),
            other => panic!("{}: {other}", format.name()),
        }
    }
}

#[test]
fn unique_ids_before_any_mailbox_are_nobodys() {
    let error = read(Format::Thunderbird, b"k a 1\n").unwrap_err();
    assert!(
        matches!(
            error,
            Error::Malformed {
                fault: LineError::NoMailbox,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_file_of_other_mailboxes_says_which() {
    for (format, text) in [
        (Format::Fetchmail, &b"bert@mail.example.com a\n"[..]),
        (Format::Mpop, b" 1 mail.example.com bert\na\n"),
        (Format::Thunderbird, b"*mail.example.com bert\nk a 1\n"),
    ] {
        let error = read(format, text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`list` has no unique-ids of anna@example.com@mail.example.com, but of \
             bert@mail.example.com"
        );
        assert_eq!(error.exit(), Exit::DataError);
    }
}

#[test]
fn a_file_without_unique_ids_is_no_list() {
    for format in Format::ALL {
        let error = read(format, b"").unwrap_err();
        assert!(matches!(error, Error::Empty { .. }), "{error}");
    }
}

proptest! {
    /// Any file is read in finite time, and without other errors than these.
    #[test]
    fn any_file_comes_to_an_end(
        text in proptest::collection::vec(
            prop_oneof![
                Just(b'\n'), Just(b' '), Just(b'@'), Just(0), Just(b'*'), Just(b'k'), Just(b'1'),
                any::<u8>(),
            ],
            0..400,
        ),
    ) {
        for format in Format::ALL {
            if let Err(error) = read(format, &text) {
                prop_assert_eq!(error.exit(), Exit::DataError);
            }
        }
    }
}
