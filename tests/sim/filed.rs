//! A message that a mail program files, compresses or writes anew is not deleted on the server, and
//! a whole message replaces its stub.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use exchange_sim::{Knobs, Missing};
use serde_json::Value;

use support::bench::{Bench, Setup, Store, letter, rename, stored_form};

const FOLLOW: [&str; 1] = ["--remove-when-deleted-locally"];

/// A letter with or without a Message-ID of its own.
fn mail(number: usize, id: &str) -> Vec<u8> {
    let date = format!("Date: Mon, 01 Jan 2024 00:00:{number:02} +0000\r\n");
    [id.as_bytes(), date.as_bytes(), &letter(number)].concat()
}

/// Twelve letters, fetched into a Maildir at this path in the home.
fn fetched(path: &str, id: fn(usize) -> String) -> Bench {
    let mut bench = Bench::with((1..=12).map(|number| mail(number, &id(number))));
    bench.place = bench.path(path);
    fs::create_dir_all(bench.place.parent().unwrap()).unwrap();
    bench.store = Store::at(bench.path("Mail"));
    bench.fetch(&FOLLOW).gives(0);
    bench.sim.clear_log();
    bench
}

fn named(number: usize) -> String {
    format!("Message-ID: <{number}@example.com>\r\n")
}

fn nameless(_: usize) -> String {
    String::new()
}

/// The file of the letter, and what is in it.
fn file(bench: &Bench, number: usize, id: fn(usize) -> String) -> (PathBuf, Vec<u8>) {
    let wanted = stored_form(&mail(number, &id(number)));
    let mut files = bench.store.files().into_keys();
    let file = files.find(|path| fs::read(path).unwrap() == wanted);
    (file.unwrap(), wanted)
}

fn put(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(content).unwrap();
}

/// Two runs, which retrieve nothing and delete nothing.
#[track_caller]
fn keeps_all(bench: &Bench) {
    for _ in 0..2 {
        bench.fetch(&FOLLOW).gives(0);
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
        assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    }
    assert_eq!(bench.mailbox().len(), 12);
}

#[test]
fn mail_that_is_filed_beside_the_account_is_not_deleted() {
    for (is_root, folder) in [
        (false, "Mail/.work.Archive/cur"),
        (false, "Mail/.work.a.b/new"),
        (false, "Mail/.Archive/cur"),
        (true, "Mail/cur"),
        (true, "Mail/.Archive/cur"),
    ] {
        // Under its own name, and under one that the program made.
        for keep_name in [true, false] {
            let bench = fetched("Mail/.work", named);
            if is_root {
                for part in ["tmp", "new", "cur"] {
                    fs::create_dir_all(bench.path("Mail").join(part)).unwrap();
                }
            }
            let (from, _) = file(&bench, 3, named);
            let name = from.file_name().unwrap().to_str().unwrap().to_owned();
            let name = if keep_name {
                &name
            } else {
                "1700000000.M1P1.host"
            };
            let to = bench.path(folder).join(format!("{name}:2,S"));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            rename(&from, &to);
            keeps_all(&bench);
            // When it is deleted there, it counts as deleted.
            fs::remove_file(to).unwrap();
            bench.fetch(&FOLLOW).gives(0);
            assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"], "{folder}");
        }
    }
}

#[test]
fn mail_that_is_written_anew_is_not_deleted_with_a_name_or_without() {
    let empty: fn(usize) -> String = |_| "Message-ID: <>\r\n".to_owned();
    for id in [named, nameless, empty] {
        for (front, behind) in [
            ("Status: RO\n", ""),
            ("", "Content-Length: 7\nLines: 1\nX-Status: A\n"),
            ("Return-Path: <a@x>\nReceived: by c;\n\tSat\n", ""),
            ("X-Filter: of an unknown program\n", ""),
        ] {
            let bench = fetched("Mail", id);
            let (path, content) = file(&bench, 3, id);
            fs::remove_file(path).unwrap();
            let text = String::from_utf8(content).unwrap();
            let text = text.replacen("\n\n", &format!("\n{behind}\n"), 1);
            let to = bench.path("Mail/.Kept/cur/1700000000.M1.host:2,S");
            put(&to, format!("{front}{text}").as_bytes());
            bench.store.look_anew();
            keeps_all(&bench);
            fs::remove_file(to).unwrap();
            bench.fetch(&FOLLOW).gives(0);
            assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
        }
    }
}

/// Without TOP only the recorded digests identify a message that a program wrote anew.
#[test]
fn without_top_strange_mail_keeps_what_is_missing() {
    let bench = fetched("Mail", named);
    bench.knobs(Knobs {
        no_top: Some(Missing::Refused),
        ..Knobs::default()
    });
    let (path, content) = file(&bench, 3, named);
    fs::remove_file(path).unwrap();
    let to = bench.path("Mail/.Kept/cur/1700000000.M1.host:2,S");
    let filtered = [b"X-Filter: of an unknown program\n", content.as_slice()].concat();
    put(&to, &filtered);
    bench.store.look_anew();
    for _ in 0..2 {
        bench.fetch(&FOLLOW).gives(0);
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    }
    // Another message's copy, which is recognised by its header, does not protect a third one.
    let (other, content) = file(&bench, 5, named);
    fs::remove_file(other).unwrap();
    put(&to, &[b"Status: RO\n", content.as_slice()].concat());
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
    assert_eq!(bench.mailbox().len(), 11);
}

#[test]
fn what_cannot_be_searched_keeps_what_is_missing() {
    let bench = fetched("Mail", named);
    let (path, _) = file(&bench, 3, named);
    fs::remove_file(path).unwrap();
    // A message that Dovecot has compressed with zstd.
    let sealed = bench.path("Mail/.Kept/cur/1700000000.M1.host,S=200:2,SZ");
    put(&sealed, b"\x28\xb5\x2f\xfd\x04\x00\x01");
    bench.fetch(&FOLLOW).gives(0).says("zstd");
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    fs::remove_file(sealed).unwrap();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
}

const STUBS: &str = "headers-only-above = \"10 KB\"\nheader-stubs = true";

/// A message of some 20 kB.
fn large(number: usize) -> Vec<u8> {
    let mut message = format!(
        "From: sender{number}@example.com\r\nSubject: large {number}\r\n\
         Message-ID: <large{number}@example.com>\r\n\r\n"
    );
    for line in 0..400 {
        message.push_str(&format!(
            "Line {line} of large message {number}, and more.\r\n"
        ));
    }
    message.into_bytes()
}

/// Marks all large messages.
fn mark(bench: &Bench) {
    let listed = bench
        .configured("list", STUBS, &["work", "--json"])
        .gives(0);
    for line in listed.out.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        if message["state"] == "headers-only" {
            let id = message["unique_id"].as_str().unwrap();
            bench.configured("mark", STUBS, &["work", id]).gives(0);
        }
    }
}

/// The folder and the flags of the only message in the store.
#[track_caller]
fn place_of_message(bench: &Bench) -> (String, String) {
    let files: Vec<PathBuf> = bench.store.files().into_keys().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let below = files[0].strip_prefix(&bench.store.root).unwrap();
    let name = below.file_name().unwrap().to_str().unwrap();
    let (_, flags) = name.split_once(".popsync").unwrap();
    let folder = below.parent().unwrap().to_str().unwrap();
    (folder.to_owned(), flags.to_owned())
}

#[test]
fn a_message_takes_the_place_and_the_flags_of_its_stub() {
    for (folder, name, flags) in [
        ("new", None, ""),
        ("cur", None, ":2,FS"),
        (".Archive/cur", None, ":2,S"),
        // As mutt files it.
        (".Archive/cur", Some("1700000000.M1P1.host"), ":2,RS"),
    ] {
        // Whole at once, or with a crash between the message's move and the removal of the stub, or
        // directly after that.
        for stop_at in [None, Some("7"), Some("7:2")] {
            let bench = Setup::with([large(1)]).start();
            bench.sync(STUBS, &[]).gives(0);
            let stub = bench.store.files().into_keys().next().unwrap();
            let own = stub.file_name().unwrap().to_str().unwrap();
            let to = format!("{folder}/{}{flags}", name.unwrap_or(own));
            let to = bench.store.root.join(to);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            rename(&stub, &to);
            mark(&bench);
            if let Some(stop_at) = stop_at {
                let run = bench.sync(STUBS, &[]).env("POPSYNC_STOP_AT", stop_at);
                assert!(run.end().was_killed(), "{stop_at}");
                assert!(bench.store.holds(&stored_form(&large(1))));
            }
            bench.sync(STUBS, &[]).gives(0);
            assert_eq!(
                place_of_message(&bench),
                (folder.to_owned(), flags.to_owned())
            );
            bench.assert_exactly_once();
        }
    }
}

/// A copy of a stub is not the message: that counts as deleted when its file is gone.
#[test]
fn a_copy_of_a_stub_is_never_taken_for_the_message() {
    let bench = Setup::with((1..=12).map(|number| mail(number, &named(number)))).start();
    bench.fetch(&FOLLOW).gives(0);
    bench.sim.clear_log();
    let (path, content) = file(&bench, 3, named);
    fs::remove_file(path).unwrap();
    let stub = [
        b"X-Popsync-Stub: the message itself is on the server\n",
        &*content,
    ]
    .concat();
    put(
        &bench.store.root.join("cur/1700000000.M1P1.host:2,S"),
        &stub,
    );
    bench.store.look_anew();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
}

/// As getmail stores the server's messages: two fields moved, one put between.
#[test]
fn import_from_store_knows_what_getmail_stored() {
    let bench = Setup::with((1..=12).map(|number| {
        let trace = "Return-Path: <bounce@example.com>\r\nDelivered-To: anna@example.com\r\n\
            Received: from a\r\n\tby b\r\n";
        [trace.as_bytes(), &mail(number, &named(number))].concat()
    }))
    .start();
    for number in 1..=12 {
        let own = String::from_utf8(stored_form(&mail(number, &named(number)))).unwrap();
        let text = format!(
            "Return-Path: <bounce@example.com>\nDelivered-To: anna\n\
             Received: from mail.example.com by host with getmail;\n\tMon, 01 Jan 2024\n\
             Received: from a\n\tby b\n{own}"
        );
        let name = format!("new/1700000000.M{number}P1.host");
        put(&bench.store.root.join(name), text.as_bytes());
    }
    for folder in ["cur", "tmp"] {
        fs::create_dir_all(bench.store.root.join(folder)).unwrap();
    }
    let import = ["work", "--from-store"];
    bench.configured("import", "", &import).gives(0);
    bench.sync("", &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    assert_eq!(bench.store.len(), 12);
}
