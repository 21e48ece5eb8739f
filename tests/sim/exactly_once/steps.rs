//! A crash at every numbered step of the store's order.

use std::collections::HashSet;

use support::bench::{Bench, Store, letter, letters};

/// More than one batch, which has at most 512 messages.
const MESSAGES: usize = 600;

/// The names of all messages that were written, wherever they are now, without flags.
fn names(store: &Store) -> HashSet<String> {
    let folders = ["tmp", "new", "cur", ".Archive/cur"];
    let names = folders.iter().flat_map(|folder| store.names(folder));
    names
        .map(|name| match name.split_once(':') {
            Some((base, _)) => base.to_owned(),
            None => name,
        })
        .collect()
}

/// Runs the program until it stops itself at this step.
#[track_caller]
fn crash(bench: &Bench, stop_at: &str) {
    let run = bench.fetch(&["--profile", "outlook-2016"]);
    let ended = run.env("POPSYNC_STOP_AT", stop_at).end();
    assert!(ended.was_killed(), "{stop_at}: {}", ended.text());
}

/// Runs the program to its end. Returns the number of messages recovered from the crash.
#[track_caller]
fn recover(bench: &Bench, when: &str) -> usize {
    let left_behind = names(&bench.store);
    let on_server = bench.mailbox().len();
    bench.sim.clear_log();
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    let taken_up = names(&bench.store).intersection(&left_behind).count();
    let retrieved = bench.sim.commands_of("RETR");
    assert_eq!(
        retrieved.len(),
        on_server - taken_up,
        "{when}: a message that was safe was retrieved again"
    );
    let different: HashSet<_> = retrieved.iter().collect();
    assert_eq!(different.len(), retrieved.len(), "{when}: RETR twice");
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty(), "{when}: messages are left");
    taken_up
}

#[test]
fn a_crash_before_anything_is_recorded_retrieves_everything_again_and_leaves_no_trace() {
    for stop_at in ["1", "2"] {
        let bench = Bench::with(letters(MESSAGES));
        crash(&bench, stop_at);
        assert!(
            !bench.store.tmp().is_empty(),
            "{stop_at}: nothing was written"
        );
        assert_eq!(
            bench.store.len(),
            0,
            "{stop_at}: visible before it is recorded"
        );
        assert_eq!(bench.mailbox().len(), MESSAGES);
        assert_eq!(recover(&bench, stop_at), 0);
    }
}

#[test]
fn a_crash_once_messages_are_recorded_retrieves_none_of_them_again() {
    // Step 4 is counted by messages, the others by batches.
    for stop_at in ["3", "4", "4:2", "4:100", "4:511", "5"] {
        let bench = Bench::with(letters(MESSAGES));
        crash(&bench, stop_at);
        assert_eq!(
            bench.mailbox().len(),
            MESSAGES,
            "{stop_at}: deleted too early"
        );
        let visible = bench.store.len();
        let taken_up = recover(&bench, stop_at);
        assert!(taken_up > 0 && taken_up >= visible, "{stop_at}");
        if let Some((_, reached)) = stop_at.split_once(':') {
            assert_eq!(visible, reached.parse::<usize>().unwrap(), "{stop_at}");
        }
    }
}

#[test]
fn a_crash_in_the_second_batch_loses_nothing_of_the_first() {
    for stop_at in ["1:2", "2:2", "3:2", "4:513", "4:600", "5:2"] {
        let bench = Bench::with(letters(MESSAGES));
        crash(&bench, stop_at);
        assert_eq!(
            bench.mailbox().len(),
            MESSAGES,
            "{stop_at}: deleted too early"
        );
        let visible = bench.store.len();
        assert!(visible > 0, "{stop_at}: the first batch is not there");
        assert!(recover(&bench, stop_at) >= visible, "{stop_at}");
    }
}

#[test]
fn crashes_one_after_the_other_add_up_to_nothing() {
    let bench = Bench::with(letters(MESSAGES));
    for (number, stop_at) in ["4:10", "1", "4:2", "3", "2", "5"].into_iter().enumerate() {
        crash(&bench, stop_at);
        // Else the next crash would find nothing to do.
        for more in 0..20 {
            bench.deliver(&letter(MESSAGES + 1 + number * 20 + more));
        }
    }
    recover(&bench, "after six crashes");
}

#[test]
fn messages_that_a_reader_moved_between_crash_and_recovery_are_not_retrieved_again() {
    for stop_at in ["4:40", "5"] {
        let bench = Bench::with(letters(100));
        crash(&bench, stop_at);
        let visible = bench.store.names("new");
        assert!(visible.len() >= 40, "{stop_at}");
        for (index, name) in visible.iter().enumerate() {
            match index % 3 {
                0 => bench.store.read(name),
                1 => bench.store.archive(name),
                _ => {}
            }
        }
        assert_eq!(recover(&bench, stop_at), 100, "{stop_at}");
        assert_eq!(bench.sim.commands_of("DELE").len(), 100, "{stop_at}");
    }
}

#[test]
fn a_recorded_message_whose_file_is_nowhere_is_retrieved_again() {
    let bench = Bench::with(letters(100));
    crash(&bench, "3");
    let lost = bench.store.tmp();
    assert_eq!(lost.len(), 100);
    for name in &lost[..30] {
        std::fs::remove_file(bench.store.root.join("tmp").join(name)).unwrap();
    }
    assert_eq!(recover(&bench, "3"), 70);
}

#[test]
fn files_of_others_in_tmp_are_left_alone() {
    let bench = Bench::with(letters(3));
    crash(&bench, "1");
    let foreign = bench
        .store
        .root
        .join("tmp")
        .join("1700000000.M1P1.elsewhere");
    std::fs::File::create(&foreign).unwrap();
    bench.fetch(&[]).gives(0);
    assert_eq!(bench.store.tmp(), ["1700000000.M1P1.elsewhere"]);
    assert_eq!(bench.store.len(), 3);
}
