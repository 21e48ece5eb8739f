//! Any list of another program: no panic, no more entries than lines, and unique-ids that UIDL
//! can show.

use std::fs::File;
use std::io::Write;

use popsync::internals::import::{self, Format, Mailbox};

pub(crate) fn holds(data: &[u8]) {
    let [format, list @ ..] = data else {
        return;
    };
    let all = Format::ALL;
    let format = all[usize::from(*format) % all.len()];
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("list");
    let written = File::create(&path).and_then(|mut file| file.write_all(list));
    written.expect("there is room for a file");
    let mailbox = Mailbox {
        host: "mail.example.com".to_owned(),
        user: "anna".to_owned(),
    };
    let Ok(entries) = import::open(format, &path, mailbox) else {
        return;
    };
    let lines = list.split(|&octet| octet == b'\n').count();
    let mut had = 0;
    for entry in entries {
        match entry {
            Ok(entry) => {
                had += u64::from(entry.copies);
                let id = entry.unique_id;
                assert!(entry.copies > 0 && !id.is_empty());
                let is_apart = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\n');
                assert!(!id.iter().any(is_apart), "{id:?}");
            }
            // Names come as they are, and are escaped where they are shown.
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    assert!(had <= lines as u64, "{had} messages in {lines} lines");
}
