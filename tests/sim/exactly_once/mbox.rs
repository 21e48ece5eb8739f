//! An mbox: a crash at every numbered step of the store's order, and other programs that use it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use support::bench::{Bench, Into, Setup, letter, letters};

/// More than one batch, which has at most 512 messages.
const MESSAGES: usize = 600;

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

fn bench(messages: usize) -> Bench {
    Setup::with(letters(messages)).into(Into::Mbox).start()
}

/// Runs the program until it stops itself at this step. Returns the content of the mbox.
#[track_caller]
fn crash(bench: &Bench, stop_at: &str) -> Vec<u8> {
    let run = bench.fetch(&DELETES).env("POPSYNC_STOP_AT", stop_at);
    let ended = run.end();
    assert!(ended.was_killed(), "{stop_at}: {}", ended.text());
    fs::read(&bench.store.root).unwrap()
}

/// Runs the program to its end. Returns the number of retrieved messages.
#[track_caller]
fn recover(bench: &Bench, when: &str) -> usize {
    bench.sim.clear_log();
    bench.fetch(&DELETES).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty(), "{when}: messages are left");
    let lock = bench.path("inbox.lock");
    assert!(!lock.exists(), "{when}: the lock file is left");
    bench.sim.commands_of("RETR").len()
}

#[test]
fn a_crash_before_anything_is_recorded_leaves_the_mbox_as_it_was() {
    for stop_at in ["1", "2"] {
        let bench = bench(MESSAGES);
        assert_eq!(crash(&bench, stop_at), b"", "{stop_at}");
        assert_eq!(bench.mailbox().len(), MESSAGES);
        assert_eq!(recover(&bench, stop_at), MESSAGES, "{stop_at}");
    }
}

#[test]
fn a_crash_once_messages_are_recorded_retrieves_none_of_them_again() {
    let mut sizes = Vec::new();
    for stop_at in ["3", "4", "4:2", "4:50", "4:85", "5"] {
        let bench = bench(MESSAGES);
        let left = crash(&bench, stop_at);
        assert_eq!(
            bench.mailbox().len(),
            MESSAGES,
            "{stop_at}: deleted too early"
        );
        sizes.push(left.len());
        let retrieved = recover(&bench, stop_at);
        assert!(retrieved < MESSAGES, "{stop_at}: {retrieved}");
        let now = fs::read(&bench.store.root).unwrap();
        assert!(
            now.starts_with(&left),
            "{stop_at}: what was there has changed"
        );
    }
    assert!(
        sizes.is_sorted() && sizes[0] == 0 && sizes[1] > 0,
        "{sizes:?}"
    );
}

#[test]
fn a_crash_in_the_second_batch_loses_nothing_of_the_first() {
    for stop_at in ["1:2", "2:2", "3:2", "5:2"] {
        let bench = bench(MESSAGES);
        let left = crash(&bench, stop_at);
        assert!(!left.is_empty(), "{stop_at}: the first batch is not there");
        assert!(recover(&bench, stop_at) < MESSAGES, "{stop_at}");
        let now = fs::read(&bench.store.root).unwrap();
        assert!(
            now.starts_with(&left),
            "{stop_at}: what was there has changed"
        );
    }
}

#[test]
fn crashes_one_after_the_other_add_up_to_nothing() {
    let bench = bench(MESSAGES);
    let steps = ["4:10", "1", "4:2", "3", "2", "4:3", "5", "4"];
    for (number, stop_at) in steps.into_iter().enumerate() {
        crash(&bench, stop_at);
        // Else the next crash would find nothing to do.
        for more in 0..20 {
            bench.deliver(&letter(MESSAGES + 1 + number * 20 + more));
        }
    }
    recover(&bench, "after eight crashes");
}

const FOREIGN: &[u8] =
    b"From a@b Thu Jan  1 00:00:00 1970\nSubject: foreign\n\nof another program\n\n";

#[test]
fn what_other_programs_deliver_between_crash_and_recovery_stays() {
    for stop_at in ["2", "3", "4:10", "5"] {
        let bench = bench(100);
        let left = crash(&bench, stop_at);
        let mut file = OpenOptions::new()
            .append(true)
            .open(&bench.store.root)
            .unwrap();
        file.write_all(FOREIGN).unwrap();
        fs::remove_file(bench.path("inbox.lock")).unwrap();
        bench.fetch(&DELETES).gives(0);
        let now = fs::read(&bench.store.root).unwrap();
        assert!(now.starts_with(&[&left, FOREIGN].concat()), "{stop_at}");
        let held = bench.held();
        for message in &held {
            let times = bench
                .store
                .messages_of_mbox()
                .iter()
                .filter(|m| *m == message)
                .count();
            assert_eq!(times, 1, "{stop_at}");
        }
    }
}

#[test]
fn a_mailbox_that_another_program_locks_is_left_alone_until_later() {
    let bench = bench(3);
    bench.fetch(&["--max-messages", "1"]).gives(0);
    let before = fs::read(&bench.store.root).unwrap();
    let lock = bench.path("inbox.lock");
    File::create(&lock).unwrap();
    let ended = bench.fetch(&DELETES).gives(75);
    ended.says("is locked by another program");
    ended.says("hint: try again later; if no program is at work there, remove `");
    assert_eq!(fs::read(&bench.store.root).unwrap(), before);
    assert_eq!(bench.mailbox().len(), 3);
    fs::remove_file(lock).unwrap();
    recover(&bench, "unlocked");
}

#[test]
fn what_is_no_mbox_stops_the_run_before_it_connects() {
    let bench = bench(3);
    File::create(&bench.place)
        .unwrap()
        .write_all(b"no mail\n")
        .unwrap();
    bench.fetch(&DELETES).gives(73).says("is not an mbox");
    assert_eq!(fs::read(&bench.place).unwrap(), b"no mail\n");
    assert_eq!(bench.sim.transcripts().len(), 0);
}

#[test]
fn an_mbox_that_was_emptied_or_removed_gets_what_is_new_and_nothing_twice() {
    let bench = bench(5);
    bench.fetch(&[]).gives(0);
    File::create(&bench.place).unwrap();
    bench.deliver(&letter(6));
    bench.fetch(&[]).gives(0);
    assert_eq!(bench.store.len(), 1);
    fs::remove_file(&bench.place).unwrap();
    bench.deliver(&letter(7));
    // Its volume may not be mounted.
    bench.fetch(&[]).gives(75).says("messages were stored");
    assert!(!bench.place.exists());
    let anew = bench.fetch(&["--accept-store"]).gives(0);
    anew.says("was not there any more, and is begun anew");
    assert_eq!(bench.store.len(), 1);
    bench.fetch(&[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 7);
}

#[test]
fn crlf_is_kept_where_that_is_asked_for() {
    let bench = bench(2);
    bench.fetch(&["--line-endings", "crlf"]).gives(0);
    assert_eq!(bench.store.messages_of_mbox(), letters(2));
}

/// As on FAT: the lock file is made without a hard link.
#[test]
fn a_file_system_without_hard_links_will_do() {
    let bench = bench(3);
    let without = "exec strace -f -qq -o /dev/null -e trace=link,linkat \
                   -e inject=link,linkat:error=EPERM \"$@\"";
    bench.fetch(&DELETES).through(without).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty(), "messages are left");
    bench.deliver(&letter(4));
    bench.fetch(&DELETES).through(without).gives(0);
    assert_eq!(recover(&bench, "without links"), 0);
}
