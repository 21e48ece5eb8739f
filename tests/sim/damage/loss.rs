//! Messages that are gone, noticed by a sync.

use std::fs;

use serde_json::Value;

use support::bench::{Bench, Into};

use super::{KEYS, rename, synced, verify};

/// The number of missing messages in `popsync status`.
fn missing(bench: &Bench) -> Value {
    let ended = bench.configured("status", KEYS, &["--json"]).gives(0);
    let line: Value = serde_json::from_str(ended.out.trim()).unwrap();
    line["missing"].clone()
}

fn lose(bench: &Bench, count: usize) {
    for name in bench.store.names("new").iter().take(count) {
        fs::remove_file(bench.place.join("new").join(name)).unwrap();
    }
}

#[test]
fn messages_that_are_gone_are_told_once_and_stay_in_the_status() {
    let bench = synced(60, Into::Maildir);
    assert_eq!(missing(&bench), 0);
    lose(&bench, 12);
    let ended = bench.sync(KEYS, &[]).gives(0);
    assert!(
        ended.err.contains("12 of 60 messages are not in"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("popsync verify"), "{}", ended.err);
    assert_eq!(missing(&bench), 12);
    // Once, and again when their number has doubled.
    assert_eq!(bench.sync(KEYS, &[]).gives(0).err, "");
    lose(&bench, 11);
    assert_eq!(bench.sync(KEYS, &[]).gives(0).err, "");
    assert_eq!(missing(&bench), 23);
    lose(&bench, 10);
    assert!(
        bench
            .sync(KEYS, &[])
            .gives(0)
            .err
            .contains("33 of 60 messages")
    );
    assert_eq!(bench.sim.commands_of("RETR").len(), 0);
    let table = bench.configured("status", KEYS, &[]).gives(0).out;
    assert!(table.contains("; 33 missing\n"), "{table}");
    let text = bench.configured("status", KEYS, &["work"]).gives(0).out;
    assert!(text.contains("33 of them are not in the store"), "{text}");
    verify(&bench, &["--repair"], 0);
    assert_eq!(missing(&bench), 0);
    assert_eq!(bench.sync(KEYS, &[]).gives(0).err, "");
    // A message that was put back can be lost again.
    lose(&bench, 15);
    assert!(
        bench
            .sync(KEYS, &[])
            .gives(0)
            .err
            .contains("15 of 60 messages")
    );
    verify(&bench, &["--accept-deletions"], 0);
    assert_eq!(missing(&bench), 0);
    assert_eq!(bench.sync(KEYS, &[]).gives(0).err, "");
    assert_eq!(missing(&bench), 0);
}

/// Messages filed in folders, or under names that a mail program made, are not missing.
#[test]
fn messages_that_were_filed_are_not_missed() {
    let bench = synced(40, Into::Maildir);
    let folder = bench.place.join(".Archive/cur");
    fs::create_dir_all(&folder).unwrap();
    for (number, name) in bench.store.names("new").iter().take(30).enumerate() {
        let to = match number % 2 {
            0 => folder.join(format!("{name}:2,S")),
            _ => folder.join(format!("1700000000.{number}_1.host:2,S")),
        };
        rename(&bench.place.join("new").join(name), &to);
    }
    assert_eq!(bench.sync(KEYS, &[]).gives(0).err, "");
    assert_eq!(missing(&bench), 0);
    // A few are not reported: a person deletes mail.
    lose(&bench, 3);
    assert_eq!(bench.sync(KEYS, &[]).gives(0).err, "");
}
