//! `popsync export`: the export equals the stored messages, other programs read it, and no existing
//! file is overwritten.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use support::bench::{Bench, Digest, Ended, Into, Setup, digest, letter, rename, stored_form};

/// A message with parts that cause trouble in mail formats.
fn odd() -> Vec<u8> {
    b"From: Eva <eva@example.org>\r\nDate: Mon, 04 Mar 2024 10:00:00 +0000\r\nStatus: evil\r\n\
      Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nFrom here on\r\n>From there\r\n\r\nbare\nline\rends\r\n"
        .to_vec()
}

fn dated(number: usize, day: &str) -> Vec<u8> {
    let text = String::from_utf8(letter(number)).unwrap();
    let date = format!("Date: {day} 12:00:00 +0000\r\nSubject");
    text.replacen("Subject", &date, 1).into_bytes()
}

fn mail() -> Vec<Vec<u8>> {
    vec![
        dated(1, "Wed, 31 Jan 2024"),
        dated(2, "Thu, 01 Feb 2024"),
        odd(),
        // Two equal messages, and one without a date.
        dated(4, "Sat, 03 Feb 2024"),
        dated(4, "Sat, 03 Feb 2024"),
        letter(5),
    ]
}

fn synced(into: Into) -> Bench {
    let bench = Setup::with(mail()).into(into).start();
    bench.sync("", &[]).gives(0);
    bench
}

fn flag(format: &str) -> &'static str {
    match format {
        "mboxrd" => "--mbox",
        "maildir" => "--maildir",
        "eml" => "--eml",
        _ => "--tar",
    }
}

fn export(bench: &Bench, to: &str, format: &str, more: &[&str], status: i32) -> Ended {
    let arguments = [&["work", flag(format), to], more].concat();
    bench.configured("export", "", &arguments).gives(status)
}

/// The digests of the stored messages.
fn stored() -> BTreeSet<Digest> {
    mail()
        .iter()
        .map(|sent| digest(&stored_form(sent)))
        .collect()
}

/// The files of a folder, below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Checks the manifest in this folder with other programs.
fn check_sums(folder: &Path, manifest: &str) -> usize {
    let mut sha256sum = Command::new("sha256sum");
    let output = sha256sum
        .args(["-c", manifest])
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text.lines().filter(|line| line.ends_with(": OK")).count()
}

/// The digests of the messages that Python's mailbox reads, with the quotes of mboxrd taken away.
fn read_by_python(path: &Path, class: &str) -> Vec<String> {
    let script = "import hashlib, mailbox, re, sys\n\
        box = getattr(mailbox, sys.argv[2])(sys.argv[1], create=False)\n\
        for key in box.keys():\n\
        \x20   text = box.get_bytes(key)\n\
        \x20   if sys.argv[2] == 'mbox':\n\
        \x20       head, blank, body = text.partition(b'\\n\\n')\n\
        \x20       head = re.sub(rb'(?m)^>(>*Status:)', rb'\\1', head)\n\
        \x20       text = head + blank + re.sub(rb'(?m)^>(>*From )', rb'\\1', body)\n\
        \x20   print(hashlib.sha256(text).hexdigest())\n";
    let mut python = Command::new("python3");
    let output = python
        .args(["-c", script])
        .arg(path)
        .arg(class)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn hex(digest: &Digest) -> String {
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn a_maildir_is_read_by_other_programs_and_keeps_flags() {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = synced(into);
        if let Into::Maildir = into {
            let name = bench.store.names("new")[0].clone();
            rename(
                &bench.place.join("new").join(&name),
                &bench.place.join(format!("cur/{name}:2,FS")),
            );
        }
        export(&bench, "copy", "maildir", &[], 0);
        let copy = bench.path("copy");
        assert_eq!(check_sums(&copy, "SHA256SUMS"), 6);
        let read = read_by_python(&copy, "Maildir");
        assert_eq!(read.len(), 6);
        let expected: BTreeSet<String> = stored().iter().map(hex).collect();
        assert_eq!(read.into_iter().collect::<BTreeSet<_>>(), expected);
        let flagged = files(&copy.join("cur"));
        let flagged = flagged
            .iter()
            .filter(|file| file.to_str().unwrap().ends_with(":2,FS"));
        assert_eq!(flagged.count(), usize::from(matches!(into, Into::Maildir)));
    }
}

#[test]
fn an_mbox_is_read_by_other_programs() {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = synced(into);
        export(&bench, "copy.mbox", "mboxrd", &[], 0);
        assert_eq!(check_sums(&bench.path(""), "copy.mbox.SHA256SUMS"), 1);
        let read = read_by_python(&bench.path("copy.mbox"), "mbox");
        assert_eq!(read.len(), 6);
        let expected: BTreeSet<String> = stored().iter().map(hex).collect();
        assert_eq!(read.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

/// Each file has the recorded digest, that of the sent message, except messages with bare line
/// ends.
#[test]
fn files_have_the_recorded_digests_whatever_a_reader_did_to_the_store() {
    for into in [Into::Maildir, Into::Mbox] {
        let bench = synced(into);
        match into {
            Into::Maildir => bench.store.archive(&bench.store.names("new")[1]),
            // The file is written anew, with more fields.
            Into::Mbox => {
                let text = fs::read(&bench.place).unwrap();
                let text = String::from_utf8(text).unwrap();
                let text = text.replace("\nSubject", "\nStatus: RO\nX-Keywords:  \nSubject");
                put(&bench.place, text.as_bytes());
            }
        }
        export(&bench, "copy", "eml", &[], 0);
        let copy = bench.path("copy");
        assert_eq!(check_sums(&copy, "SHA256SUMS"), 6);
        let state = Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
        let mut query = state
            .prepare("SELECT coalesce(stored_sha256, sha256) FROM messages")
            .unwrap();
        let recorded = query.query_map([], |row| row.get::<_, Digest>(0)).unwrap();
        let recorded: BTreeSet<String> = recorded.map(|digest| hex(&digest.unwrap())).collect();
        let manifest = fs::read_to_string(copy.join("SHA256SUMS")).unwrap();
        let written = manifest
            .lines()
            .map(|line| line.split("  ").next().unwrap().to_owned());
        assert_eq!(written.collect::<BTreeSet<_>>(), recorded);
        let sent = stored_form(&letter(5));
        let sent = String::from_utf8(sent).unwrap().replace('\n', "\r\n");
        let contents = files(&copy).into_iter().map(|file| fs::read(file).unwrap());
        assert_eq!(
            contents
                .filter(|content| content == sent.as_bytes())
                .count(),
            1
        );
    }
}

fn put(path: &Path, content: &[u8]) {
    File::create(path).unwrap().write_all(content).unwrap();
}

#[test]
fn the_same_messages_give_the_same_octets() {
    let bench = synced(Into::Maildir);
    let formats: &[&str] = &[
        "mboxrd",
        "eml",
        #[cfg(feature = "archive")]
        "tar.zst",
    ];
    // Elsewhere, at another time, retrieved in another order.
    let mut mail = mail();
    mail.reverse();
    let other = Setup::with(mail).start();
    other.sync("", &[]).gives(0);
    let undated = "UPDATE messages SET stored_at = 1700000000";
    for bench in [&bench, &other] {
        let state = Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
        state.execute(undated, []).unwrap();
    }
    for format in formats {
        let (one, two) = (format!("1.{format}"), format!("2.{format}"));
        export(&bench, &one, format, &[], 0);
        export(&other, &two, format, &[], 0);
        let contents = |path: PathBuf| match path.is_dir() {
            true => files(&path)
                .into_iter()
                .map(|file| {
                    (
                        file.strip_prefix(&path).unwrap().to_owned(),
                        fs::read(&file).unwrap(),
                    )
                })
                .collect(),
            false => vec![(PathBuf::new(), fs::read(path).unwrap())],
        };
        assert!(
            contents(bench.path(&one)) == contents(other.path(&two)),
            "{format}"
        );
    }
}

#[cfg(feature = "archive")]
#[test]
fn a_tar_is_unpacked_by_other_programs_and_checked_there() {
    let bench = synced(Into::Mbox);
    export(&bench, "copy.tar.zst", "tar.zst", &[], 0);
    let packed = fs::read(bench.path("copy.tar.zst")).unwrap();
    let tar = zstd::stream::decode_all(&*packed).unwrap();
    assert!(packed.len() < tar.len() / 2, "it is compressed");
    put(&bench.path("copy.tar"), &tar);
    let folder = bench.path("unpacked");
    fs::create_dir(&folder).unwrap();
    let mut tar = Command::new("tar");
    let tar = tar.args(["-xf", "../copy.tar"]).current_dir(&folder);
    assert!(tar.status().unwrap().success());
    assert_eq!(check_sums(&folder, "SHA256SUMS"), 6);
    assert!(folder.join("work/2024").is_dir());
}

#[test]
fn messages_are_chosen_by_day_author_and_subject() {
    let bench = synced(Into::Maildir);
    let state = Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
    let stored_at = "UPDATE messages SET stored_at = 1700000000";
    state.execute(stored_at, []).unwrap();
    for (number, (arguments, expected)) in [
        (&[][..], 6),
        (&["--since", "2024-02-01"], 4),
        (&["--until", "2024-01-31"], 2),
        (&["--since", "2024-02-01", "--until", "2024-02-03"], 3),
        (&["--from", "EVA@"], 1),
        (&["--subject", "grüße"], 1),
        (&["--subject", "letter 4"], 2),
        (&["--subject", "letter", "--from", "sender1"], 1),
        (&["--subject", "nothing of that"], 0),
    ]
    .into_iter()
    .enumerate()
    {
        let to = format!("copy-{number}");
        let more = [&["--json"], arguments].concat();
        let ended = export(&bench, &to, "maildir", &more, 0);
        let line: Value = serde_json::from_str(ended.out.trim()).unwrap();
        assert_eq!(line["messages"], expected, "{arguments:?}");
        assert_eq!(line["left_out"], 6 - expected);
        assert_eq!(
            files(&bench.path(&to).join("cur")).len() as u64,
            line["messages"].as_u64().unwrap()
        );
    }
}

#[test]
fn nothing_that_is_there_is_written_over_and_what_a_crash_leaves_is_known() {
    let bench = synced(Into::Maildir);
    let formats: &[&str] = &[
        "mboxrd",
        "maildir",
        "eml",
        #[cfg(feature = "archive")]
        "tar.zst",
    ];
    for format in formats {
        let there = bench.path(&format!("there.{format}"));
        put(&there, b"mine");
        let ended = export(&bench, there.to_str().unwrap(), format, &[], 73);
        assert!(ended.err.contains("exists already"), "{}", ended.err);
        assert_eq!(fs::read(&there).unwrap(), b"mine");
        let to = format!("killed.{format}");
        let arguments = ["work", flag(format), &to];
        let run = bench.configured("export", "", &arguments);
        assert!(
            run.env("POPSYNC_STOP_AT", "2").end().was_killed(),
            "{format}"
        );
        assert!(!bench.path(&to).exists(), "{format}");
        let left = fs::read_dir(bench.path("")).unwrap();
        let left = left.map(|entry| entry.unwrap().path());
        let left: Vec<PathBuf> = left
            .filter(|path| {
                path.to_str().unwrap().contains("killed.") && path.extension().unwrap() == "partial"
            })
            .collect();
        assert!(!left.is_empty(), "{format}");
        let ended = export(&bench, &to, format, &[], 73);
        assert!(ended.err.contains("did not finish"), "{}", ended.err);
        for path in left {
            match path.is_dir() {
                true => fs::remove_dir_all(path).unwrap(),
                false => fs::remove_file(path).unwrap(),
            }
        }
        export(&bench, &to, format, &[], 0);
    }
}

#[test]
fn what_is_missing_or_damaged_is_named_and_the_rest_exported() {
    let bench = synced(Into::Maildir);
    let names = bench.store.names("new");
    fs::remove_file(bench.place.join("new").join(&names[0])).unwrap();
    put(
        &bench.place.join("new").join(&names[1]),
        b"Subject: damaged\n\n",
    );
    let ended = export(&bench, "copy", "eml", &[], 1);
    assert!(ended.out.contains("work: missing: "), "{}", ended.out);
    assert!(ended.out.contains("work: damaged: "), "{}", ended.out);
    assert_eq!(check_sums(&bench.path("copy"), "SHA256SUMS"), 5);
    // Nothing from a store that is missing.
    rename(&bench.place, &bench.path("elsewhere"));
    export(&bench, "other", "eml", &[], 74);
    assert!(!bench.path("other").exists());
}

/// After export and import on another machine, every message has its old digests.
#[test]
fn what_was_exported_comes_back_with_the_same_digests() {
    let bench = synced(Into::Maildir);
    let digests = || {
        let state = Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
        let query = "SELECT sha256 FROM messages WHERE bare_line_ends = 0 ORDER BY sha256";
        let mut query = state.prepare(query).unwrap();
        let digests = query.query_map([], |row| row.get::<_, Digest>(0)).unwrap();
        digests.collect::<Result<Vec<_>, _>>().unwrap()
    };
    let before = digests();
    export(&bench, "copy", "maildir", &[], 0);
    fs::remove_dir_all(&bench.place).unwrap();
    fs::remove_dir_all(bench.path("state")).unwrap();
    rename(&bench.path("copy"), &bench.place);
    bench
        .configured("import", "", &["work", "--from-store"])
        .gives(0);
    assert_eq!(digests(), before);
    bench.sim.clear_log();
    bench.sync("", &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 0);
    bench.configured("verify", "", &["work"]).gives(0);
}
