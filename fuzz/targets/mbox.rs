//! Any remains of an append to an mbox, after a crash or other programs: no panic, the mail from
//! before stays, and each message of the batch is whole in the file, or known to be lost.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use popsync::internals::store::mbox::Mbox;
use popsync::internals::store::{Name, Record, Store};

const BEFORE: &[u8] = b"Subject: before\n\nbefore\n";

const BATCH: [&[u8]; 3] = [
    b"From: Eva <eva@example.com>\nMessage-ID: <1@x>\n\nFrom one\n>From two\n",
    b"Return-Path: <bounce@example.com>\nMessage-ID: <2@x>\n\ntwo\n\n\n",
    b"Subject: headers only\nMessage-ID: <3@x>\n",
];

/// The name of the field that holds a message-id. Blanks may stand between it and the colon.
const ID: &[u8] = b"Message-ID";

/// The first octets say how far the append came, in how many octets there are holes, and whether
/// the rest of the data stands over it or behind it.
pub(crate) fn holds(data: &[u8]) {
    let [size, holes, place, rest @ ..] = data else {
        return;
    };
    let folder = tempfile::tempdir().expect("there is room for a folder");
    check(folder.path(), (*size, *holes, *place), rest).expect("there is room for an mbox");
}

fn check(folder: &Path, (size, holes, place): (u8, u8, u8), rest: &[u8]) -> io::Result<()> {
    let (path, spool, kept) = (
        folder.join("inbox"),
        folder.join("spool"),
        folder.join("kept"),
    );
    let open = || Mbox::open(&path, &spool, "abc123").map_err(io::Error::other);
    let mbox = open()?;
    deliver(&mbox, &[BEFORE], |_| Ok(()))?;
    let before = fs::read(&path)?;
    let records = deliver(&mbox, &BATCH, |_| copy(&spool, &kept))?;
    drop(mbox);
    let whole = fs::read(&path)?;
    let appended = &whole[before.len()..];
    copy(&kept, &spool)?;

    let cut = usize::from(size).min(appended.len());
    let mut left = [&before, &appended[..cut]].concat();
    left.resize(left.len() + usize::from(holes), 0);
    match usize::from(place) {
        behind if behind >= cut => left.extend_from_slice(rest),
        over => {
            let start = before.len() + over;
            let end = left.len().min(start + rest.len());
            left[start..end].copy_from_slice(&rest[..end - start]);
        }
    }
    File::create(&path)?.write_all(&left)?;

    let mbox = open()?;
    // An error says what is wrong with the file, and the next run asks again.
    let Ok(recovered) = mbox.recover(&records, None) else {
        assert_eq!(fs::read(&path)?[..before.len()], before);
        return Ok(());
    };
    let again = recovered.again.iter().map(|record| record.name.clone());
    let again: Vec<Name> = again.collect();
    let published = mbox.publish(&again);
    let now = fs::read(&path)?;
    assert_eq!(now[..before.len()], before);
    if published.is_err() {
        return Ok(());
    }
    for (record, message) in records.iter().zip(parts(&whole, &records)) {
        let is_lost = recovered.lost.contains(&record.name);
        let is_there = now.windows(message.len()).any(|window| window == message);
        // Another program may have rewritten it: it is known by its Message-ID and its body then.
        let mut windows = rest.windows(ID.len());
        let is_known =
            windows.any(|window| window.eq_ignore_ascii_case(ID)) || is_in(&left, message);
        assert!(
            is_there || is_lost || is_known,
            "{} is nowhere",
            record.name
        );
    }
    Ok(())
}

/// True if the file holds a message from its Message-ID on, and a header without NULs. Mail programs
/// rewrite the other fields as they like.
fn is_in(file: &[u8], message: &[u8]) -> bool {
    let find = |octets: &[u8], wanted: &[u8]| {
        let mut windows = octets.windows(wanted.len());
        windows.position(|window| window == wanted)
    };
    let Some(known) = find(message, ID).map(|at| &message[at..]) else {
        return false;
    };
    // A program that rewrites it may leave blank lines out at its end.
    let Some(at) = find(file, known.trim_ascii_end()) else {
        return false;
    };
    let before = &file[..at];
    let begins = before.windows(5).rposition(|window| window == b"From ");
    begins.is_some_and(|begins| !before[begins..].contains(&0))
}

/// Stores a batch; `settled` is called when its rows would be committed.
fn deliver(
    mbox: &Mbox,
    messages: &[&[u8]],
    settled: impl FnOnce(&Mbox) -> io::Result<()>,
) -> io::Result<Vec<Record>> {
    let mut names = Vec::new();
    for message in messages {
        let mut draft = mbox.draft().map_err(io::Error::other)?;
        draft.write(message).map_err(io::Error::other)?;
        names.push(draft.finish().map_err(io::Error::other)?);
    }
    let extents = mbox.settle(&names).map_err(io::Error::other)?;
    settled(mbox)?;
    mbox.publish(&names).map_err(io::Error::other)?;
    let records = names.into_iter().zip(extents);
    Ok(records
        .map(|(name, extent)| Record { name, extent })
        .collect())
}

/// The messages of the batch as they are in the file, without the line in front of each.
fn parts<'a>(whole: &'a [u8], records: &[Record]) -> Vec<&'a [u8]> {
    let extents = records.iter().filter_map(|record| record.extent);
    let parts = extents.map(|extent| {
        let start = extent.start as usize;
        let part = &whole[start..start + extent.length as usize];
        let line = part.iter().position(|&octet| octet == b'\n');
        &part[line.map_or(0, |end| end + 1)..]
    });
    parts.collect()
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
