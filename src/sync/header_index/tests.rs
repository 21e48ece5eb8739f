use std::fs::{self, File};
use std::io::Write;

use super::*;
use crate::account::LineEndings;

const SENT: &str = "Return-Path: <a@x>\r\nDelivered-To: b\r\nReceived: from a\r\n\tby b\r\n\
        Message-ID: <1@x>\r\nSubject: s\r\n\r\n";

fn header_index(stored: &[u8]) -> HeaderIndex {
    let mut header_index = HeaderIndex::default();
    header_index.put(Some(Name("1.a".to_owned())), &Likeness::of_stored(stored));
    header_index.index.sort();
    header_index
}

#[test]
fn a_message_is_known_whatever_other_programs_have_added_to_its_header_or_moved() {
    let wanted = Likeness::of_sent(SENT.as_bytes());
    let lf = SENT.replace("\r\n", "\n");
    let own = "Message-ID: <1@x>\nSubject: s\n";
    for (stored, same) in [
        (format!("{lf}body\n"), true),
        (SENT.to_owned(), true),
        (format!("{lf}Status: RO\nX-UID: 7\n\nbody"), true),
        // fetchmail and mpop put a field in front.
        (
            format!("Received: from host by fetchmail;\n\tSat\n{lf}"),
            false,
        ),
        // getmail moves the first two, and puts one between.
        (
            format!(
                "Return-Path: <a@x>\nDelivered-To: anna\nReceived: from host by getmail;\n\tSat\n\
                     Received: from a\n\tby b\n{own}\nbody"
            ),
            false,
        ),
        // mutt adds fields at the end, Dovecot and spam filters in front.
        (
            format!("X-Spam: no\nX-Spam-Score: 1\n{own}Status: RO\nX-UID: 7\n\nbody"),
            false,
        ),
    ] {
        let mut header_index = header_index(stored.as_bytes());
        let found = header_index.take(&wanted).unwrap();
        assert_eq!(found.same.is_some(), same, "{stored}");
        assert_eq!(header_index.take(&wanted), None, "each is taken once");
    }
    for other in [
        "Message-ID: <1@x>\nSubject: t\n\n".to_owned(),
        "Message-ID: <2@x>\nSubject: s\n\n".to_owned(),
        "X: y\nReceived: from a\n\tby b\nSubject: s\n\n".to_owned(),
        format!("X-Popsync-Stub: x\n{lf}"),
        String::new(),
    ] {
        assert_eq!(
            header_index(other.as_bytes()).take(&wanted),
            None,
            "{other}"
        );
    }
}

/// A message with the server's exact header comes before one that may have had it.
#[test]
fn the_same_header_is_taken_first() {
    let mut header_index = HeaderIndex::default();
    for (name, front) in [
        ("1.a", "Received: by c\n"),
        ("2.a", ""),
        ("3.a", "Status: RO\n"),
    ] {
        let stored = format!("{front}{}", SENT.replace("\r\n", "\n"));
        let name = Some(Name(name.to_owned()));
        header_index.put(name, &Likeness::of_stored(stored.as_bytes()));
    }
    header_index.index.sort();
    let wanted = Likeness::of_sent(SENT.as_bytes());
    let found = |name: &str, is_same: bool| {
        let name = Some(Name(name.to_owned()));
        let same = name.clone().filter(|_| is_same);
        Some(Found { name, same })
    };
    assert_eq!(header_index.take(&wanted), found("2.a", true));
    assert_eq!(header_index.take(&wanted), found("3.a", false));
    assert_eq!(header_index.take(&wanted), found("1.a", false));
    assert_eq!(header_index.take(&wanted), None);
}

#[test]
fn a_file_that_is_recorded_is_nobodys_copy() {
    let mut header_index = header_index(SENT.replace("\r\n", "\n").as_bytes());
    let wanted = Likeness::of_sent(SENT.as_bytes());
    header_index.take_files(&["2.a".to_owned()].into());
    assert!(header_index.take(&wanted).is_some());
    let mut header_index = self::header_index(SENT.replace("\r\n", "\n").as_bytes());
    header_index.take_files(&["1.a".to_owned()].into());
    assert_eq!(header_index.take(&wanted), None);
}

#[test]
fn a_maildir_that_another_program_filled_is_read_with_all_its_folders() {
    let mail = tempfile::tempdir().unwrap();
    let root = mail.path().join(".work");
    let files = [
        ".work/new/1700000000.9_1.host",
        ".work/cur/1700000001.M1P2.host,S=9:2,S",
        ".work/.Archive/cur/any name at all",
        ".work/Lists/rust/new/3",
        ".work.Old/cur/4:2,",
        // Not this account's, or not shown by mail programs.
        ".home/cur/5",
        ".work/tmp/6",
        ".work/dovecot-uidlist",
    ];
    for (number, file) in files.into_iter().enumerate() {
        let path = mail.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!("Message-ID: <{number}@x>\nSubject: s\n\nbody\n");
        File::create(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }
    let mut header_index = HeaderIndex::read(&StoreSettings::Maildir {
        path: root,
        line_endings: LineEndings::Lf,
    })
    .unwrap();
    assert!(!header_index.is_empty());
    let found: Vec<bool> = (0..files.len())
        .map(|number| {
            let header = format!("Message-ID: <{number}@x>\r\nSubject: s\r\n");
            header_index
                .take(&Likeness::of_sent(header.as_bytes()))
                .is_some()
        })
        .collect();
    assert_eq!(found, [true, true, true, true, true, false, false, false]);
}
