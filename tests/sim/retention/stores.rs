//! A store that is gone, or another one: on a volume that is not mounted, moved, or restored from a
//! backup.

use std::fs;
use std::path::Path;
use std::process::Command;

use support::bench::{Bench, letter, letters, rename, stored_form};

const FOLLOW: [&str; 1] = ["--remove-when-deleted-locally"];

fn fetched(settings: &[&str]) -> Bench {
    let bench = Bench::with(letters(12));
    bench.fetch(settings).gives(0);
    bench.sim.clear_log();
    bench
}

/// As other programs copy folders.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// Asserts that the run ends before it connects, and creates nothing.
#[track_caller]
fn stops(bench: &Bench, settings: &[&str], words: &str) {
    bench.sim.clear_log();
    let ended = bench.fetch(settings).gives(75);
    ended.says(words);
    ended.says("--accept-store");
    assert_eq!(bench.sim.commands_of("CAPA"), [""; 0], "it connects");
    let mut rehearsal = settings.to_vec();
    rehearsal.push("--dry-run");
    bench.fetch(&rehearsal).gives(75);
}

#[test]
fn a_store_that_is_gone_stops_every_policy_and_is_not_made_anew() {
    for settings in [
        &[][..],
        &["--leave-on-server", "false"],
        &["--remove-after-days", "1"],
        &FOLLOW,
    ] {
        let bench = fetched(&[]);
        let aside = bench.path("aside");
        rename(&bench.store.root, &aside);
        stops(
            &bench,
            settings,
            "is not there, although 12 messages were stored",
        );
        assert!(!bench.store.root.exists());
        // The empty mount point of a volume is not a store either.
        fs::create_dir(&bench.store.root).unwrap();
        stops(
            &bench,
            settings,
            "is not there, although 12 messages were stored",
        );
        assert_eq!(fs::read_dir(&bench.store.root).unwrap().count(), 0);
        // It is back: all is well.
        fs::remove_dir(&bench.store.root).unwrap();
        rename(&aside, &bench.store.root);
        bench.fetch(&[]).gives(0);
        assert_eq!(bench.mailbox().len(), 12);
        bench.assert_exactly_once();
    }
}

#[test]
fn the_status_says_that_the_store_was_gone() {
    let bench = fetched(&[]);
    rename(&bench.store.root, &bench.path("aside"));
    bench.fetch(&[]).gives(75);
    // It was fetched by its URL, and is not the account of the configuration.
    let status = bench.configured("status", "", &["--all"]).gives(0);
    assert!(status.out.contains("is not there"), "{}", status.text());
}

#[test]
fn another_store_at_the_same_place_is_not_written_into() {
    let bench = fetched(&FOLLOW);
    rename(&bench.store.root, &bench.path("aside"));
    for folder in ["tmp", "new", "cur"] {
        fs::create_dir_all(bench.store.root.join(folder)).unwrap();
    }
    bench.deliver(&letter(13));
    stops(&bench, &FOLLOW, "it holds none of them");
    assert_eq!(bench.store.len(), 0);
    // A person may accept it as the store: new messages are fetched, and those that it lacks stay
    // on the server, whatever the policy.
    let accepted = ["--remove-when-deleted-locally", "--accept-store"];
    bench.fetch(&accepted).gives(0);
    bench.assert_stored(&[stored_form(&letter(13))]);
    for settings in [&FOLLOW[..], &["--leave-on-server", "false"]] {
        bench.fetch(settings).gives(0);
    }
    assert_eq!(bench.mailbox().len(), 12, "only the new one may go");
    bench.assert_stored(&[stored_form(&letter(13))]);
}

#[test]
fn a_store_that_is_gone_can_be_begun_anew() {
    let bench = fetched(&FOLLOW);
    fs::remove_dir_all(&bench.store.root).unwrap();
    bench.deliver(&letter(13));
    bench
        .fetch(&["--remove-when-deleted-locally", "--accept-store"])
        .gives(0);
    bench.assert_stored(&[stored_form(&letter(13))]);
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.mailbox().len(), 13);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
}

/// Nobody deleted the messages that a backup lacks.
#[test]
fn a_store_brought_back_from_a_backup_deletes_nothing() {
    let bench = fetched(&FOLLOW);
    let backup = bench.path("backup");
    copy(&bench.store.root, &backup);
    for number in 13..=15 {
        bench.deliver(&letter(number));
    }
    bench.fetch(&FOLLOW).gives(0);
    fs::remove_dir_all(&bench.store.root).unwrap();
    copy(&backup, &bench.store.root);
    for _ in 0..2 {
        bench.fetch(&FOLLOW).gives(0);
        assert_eq!(bench.mailbox().len(), 15);
    }
    // Messages that are deleted from now on count as deleted.
    let first = bench.store.files().into_keys().next().unwrap();
    fs::remove_file(first).unwrap();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.mailbox().len(), 14);
}

#[test]
fn a_store_that_was_moved_and_is_all_there_goes_on() {
    let bench = fetched(&FOLLOW);
    let aside = bench.path("aside");
    copy(&bench.store.root, &aside);
    fs::remove_dir_all(&bench.store.root).unwrap();
    rename(&aside, &bench.store.root);
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.mailbox().len(), 12);
    let first = bench.store.files().into_keys().next().unwrap();
    fs::remove_file(first).unwrap();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.mailbox().len(), 11);
}

/// As by `rsync --delete`, or a snapshot that was rolled back: the folders are the same.
#[test]
fn a_store_that_was_restored_in_place_deletes_what_a_person_deleted_alone() {
    const KEYS: &str = "remove-when-deleted-locally = true";
    const NONE: &str = "leave-on-server = false";
    for repaired in [false, true] {
        let bench = Bench::with(letters(12));
        bench.sync(KEYS, &[]).gives(0);
        let backup = bench.path("backup");
        copy(&bench.store.root, &backup);
        for number in 13..=15 {
            bench.deliver(&letter(number));
        }
        bench.sync(KEYS, &[]).gives(0);
        for folder in [".", "new"] {
            let folder = bench.store.root.join(folder);
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    fs::remove_file(path).unwrap();
                }
            }
        }
        copy(&backup.join("."), &bench.store.root);
        bench.store.look_anew();
        assert_eq!(bench.store.len(), 12);
        // A person deletes one of the restored messages.
        let second = stored_form(&letter(2));
        let mut files = bench.store.files().into_keys();
        let second = files.find(|path| fs::read(path).unwrap() == second);
        fs::remove_file(second.unwrap()).unwrap();
        bench.sim.clear_log();
        for _ in 0..2 {
            bench.sync(KEYS, &[]).gives(0);
            assert_eq!(bench.sim.commands_of("DELE"), ["DELE 2"]);
            assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
            assert_eq!(bench.mailbox().len(), 14);
        }
        if repaired {
            // The message deleted on both sides is missing, too, and cannot be fetched.
            let ended = bench
                .configured("verify", KEYS, &["work", "--repair"])
                .gives(1);
            assert_eq!(ended.out.matches("repaired").count(), 3, "{}", ended.text());
            bench.store.look_anew();
            assert_eq!(bench.store.len(), 14);
        }
        // Messages lost here stay there, whatever the policy, and those in the store may go.
        let left = if repaired { 0 } else { 3 };
        let rehearsed = bench.sync(NONE, &["--allow-mass-delete", "--dry-run"]);
        let rehearsed = rehearsed.gives(0);
        let words = format!("{} to delete", 14 - left);
        assert!(rehearsed.out.contains(&words), "{}", rehearsed.text());
        bench.sync(NONE, &["--allow-mass-delete"]).gives(0);
        assert_eq!(bench.mailbox().len(), left);
    }
}
