//! The reasons for which a run deletes nothing, and the ways for a person to release them.

use std::fs;

use exchange_sim::Knobs;
use rusqlite::Connection;

use support::bench::{Bench, letter, letters, stored_form};

const DAY: i64 = 24 * 60 * 60;

const DAYS: [&str; 2] = ["--remove-after-days", "14"];

const FOLLOW: [&str; 1] = ["--remove-when-deleted-locally"];

fn database(bench: &Bench) -> Connection {
    Connection::open(bench.path("state/popsync.sqlite3")).unwrap()
}

/// Makes this many first messages older here, by some days.
fn age(bench: &Bench, messages: i64, days: i64) {
    let database = database(bench);
    let aged = database.execute(
        "UPDATE messages SET stored_at = stored_at - ?1 WHERE id <= ?2",
        [days * DAY, messages],
    );
    assert_eq!(aged.unwrap() as i64, messages);
}

/// A person deletes the letters of these numbers here.
fn delete_here(bench: &Bench, numbers: std::ops::RangeInclusive<usize>) {
    let unwanted: Vec<_> = numbers.map(|number| stored_form(&letter(number))).collect();
    for path in bench.store.files().into_keys() {
        if unwanted.contains(&fs::read(&path).unwrap()) {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Makes all earlier runs older, by this many days.
fn age_runs(bench: &Bench, days: i64) {
    let database = database(bench);
    let aged = database.execute(
        "UPDATE runs SET started_at = started_at - ?1, finished_at = finished_at - ?1",
        [days * DAY],
    );
    assert!(aged.unwrap() > 0);
}

/// A server with letters, fetched by a policy that removes them after 14 days.
fn fetched(count: usize) -> Bench {
    let bench = Bench::with(letters(count));
    bench.fetch(&DAYS).gives(0);
    bench.sim.clear_log();
    bench
}

/// Asserts that a run is held back: it deletes nothing, says why, and still retrieves new mail; and
/// that a person can release it.
#[track_caller]
fn is_held(bench: &Bench, settings: &[&str], why: &str, released: usize) {
    let left = bench.mailbox().len();
    let late = 900 + left;
    bench.deliver(&letter(late));
    let ended = bench.fetch(settings).gives(1);
    ended.says("nothing is deleted on the server");
    ended.says(why);
    ended.says("--allow-mass-delete");
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    assert_eq!(bench.mailbox().len(), left + 1);
    assert!(bench.store.holds(&stored_form(&letter(late))));
    // Nor does the next run, for which the late message is no longer new.
    bench.fetch(settings).gives(1).says(why);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    // A dry run reports the same, and also deletes nothing.
    let mut rehearsal = settings.to_vec();
    rehearsal.push("--dry-run");
    bench.fetch(&rehearsal).gives(1).says(why);
    let mut allowed = settings.to_vec();
    allowed.push("--allow-mass-delete");
    bench.fetch(&allowed).gives(0);
    assert_eq!(bench.sim.commands_of("DELE").len(), released);
    bench.sim.clear_log();
    bench.fetch(settings).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
}

#[test]
fn more_than_half_of_the_mailbox_is_held_back() {
    let bench = fetched(30);
    delete_here(&bench, 1..=20);
    is_held(&bench, &FOLLOW, "20 of the 31 messages", 20);
    assert_eq!(bench.mailbox().len(), 11);
}

/// They were announced when they were stored.
#[test]
fn what_leaves_by_its_age_is_not_held_back_for_being_more_than_half() {
    let bench = fetched(30);
    age(&bench, 20, 20);
    assert_eq!(bench.fetch(&DAYS).gives(0).err, "");
    assert_eq!(bench.sim.commands_of("DELE").len(), 20);
    assert_eq!(bench.mailbox().len(), 10);
    bench.assert_exactly_once();
}

/// More mail does not mean that the deletions are meant.
#[test]
fn what_was_held_back_stays_so_however_the_mailbox_grows() {
    let bench = fetched(30);
    delete_here(&bench, 1..=20);
    bench
        .fetch(&FOLLOW)
        .gives(1)
        .says("20 of the 30 messages there would be, more than half");
    for number in 31..=90 {
        bench.deliver(&letter(number));
    }
    for _ in 0..2 {
        let ended = bench.fetch(&FOLLOW).gives(1);
        ended.says("20 messages would be, and an earlier run held them back");
        ended.says("--allow-mass-delete");
    }
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    assert_eq!(bench.mailbox().len(), 90);
    bench
        .fetch(&["--remove-when-deleted-locally", "--allow-mass-delete"])
        .gives(0);
    assert_eq!(bench.sim.commands_of("DELE").len(), 20);
    assert_eq!(bench.fetch(&FOLLOW).gives(0).err, "");
    assert_eq!((bench.mailbox().len(), bench.store.len()), (70, 70));
}

#[test]
fn more_than_max_deletions_is_held_back() {
    let bench = fetched(30);
    age(&bench, 6, 20);
    let settings = ["--remove-after-days", "14", "--max-deletions", "5"];
    is_held(&bench, &settings, "max-deletions is 5", 6);
}

#[test]
fn what_is_no_mass_is_not_held_back() {
    let bench = fetched(30);
    delete_here(&bench, 1..=15);
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.mailbox().len(), 15);
    // A small mailbox may be emptied.
    let bench = fetched(3);
    age(&bench, 3, 20);
    bench.fetch(&DAYS).gives(0);
    assert!(bench.mailbox().is_empty());
    let bench = fetched(11);
    delete_here(&bench, 1..=10);
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.mailbox().len(), 1);
}

#[test]
fn a_clock_far_ahead_is_held_back() {
    let bench = fetched(30);
    age(&bench, 3, 500);
    age_runs(&bench, 500);
    is_held(
        &bench,
        &DAYS,
        "the clock is 500 days ahead of the last run",
        3,
    );
}

#[test]
fn a_clock_set_back_is_held_back() {
    let bench = fetched(30);
    age(&bench, 3, 20);
    age_runs(&bench, -5);
    is_held(&bench, &DAYS, "behind the last run", 3);
}

/// A message stored while the clock is set back must not be old once the clock is right again.
#[test]
fn messages_stored_by_a_clock_set_back_do_not_leave_early() {
    let bench = fetched(3);
    age_runs(&bench, -30);
    bench.deliver(&letter(4));
    bench.fetch(&DAYS).gives(0);
    let stored: (i64, i64) = database(&bench)
        .query_row(
            "SELECT (SELECT min(stored_at) FROM messages WHERE id = 4),
                    (SELECT max(finished_at) FROM runs WHERE clock_doubted = 0)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(stored.0, stored.1);
}

/// Mail programs keep the folders and lose their content. A person who accepts that does not give a
/// proof: a message without a copy here is deleted only if the policy follows local deletions.
#[test]
fn a_store_that_was_emptied_is_held_back_by_every_policy() {
    for (settings, released) in [
        (&DAYS[..], 0),
        (&FOLLOW, 30),
        (&["--leave-on-server", "false"], 0),
    ] {
        let bench = Bench::with(letters(30));
        bench.fetch(&["--remove-after-days", "400"]).gives(0);
        if settings == DAYS {
            age(&bench, 3, 20);
        }
        for path in bench.store.files().into_keys() {
            fs::remove_file(path).unwrap();
        }
        bench.sim.clear_log();
        // A policy that deletes at once also deletes messages that came meanwhile.
        let late = if settings.contains(&"false") { 1 } else { 0 };
        is_held(
            &bench,
            settings,
            "the store holds none of the messages stored in it",
            released + late,
        );
        assert_eq!(bench.mailbox().len(), 31 - released - late, "{settings:?}");
    }
}

#[test]
fn a_store_that_is_filled_again_is_held_back_no_longer() {
    let bench = fetched(30);
    age(&bench, 3, 20);
    let aside = bench.path("aside");
    fs::create_dir(&aside).unwrap();
    let files: Vec<_> = bench.store.files().into_keys().collect();
    let moved = |path: &std::path::Path| aside.join(path.file_name().unwrap());
    for path in &files {
        support::bench::rename(path, &moved(path));
    }
    bench.fetch(&DAYS).gives(1).says("holds none");
    for path in &files {
        support::bench::rename(&moved(path), path);
    }
    bench.fetch(&DAYS).gives(0);
    assert_eq!(bench.sim.commands_of("DELE").len(), 3);
    bench.assert_exactly_once();
}

/// A profile that deletes, set by mistake for a mailbox that was kept.
#[test]
fn a_policy_that_turns_from_keeping_to_deleting_is_held_back() {
    let bench = Bench::with(letters(30));
    bench.fetch(&[]).gives(0);
    // Messages after the change were to be deleted from the start, and go with the rest.
    let settings = ["--profile", "outlook-2016"];
    is_held(&bench, &settings, "30 of the 31 messages", 31);
    bench.assert_exactly_once();
}

/// As in Outlook: thousands of messages in the first sync, all of them deleted in the session that
/// retrieves them; and if that is interrupted, in the next one.
#[test]
fn a_first_sync_that_deletes_is_not_held_back_however_often_it_is_interrupted() {
    let older = ["--profile", "outlook-2016", "--max-deletions", "5"];
    let bench = Bench::with(letters(1_200));
    for at in ["3", "5"] {
        let run = bench.fetch(&older).env("POPSYNC_STOP_AT", at);
        assert!(run.end().was_killed());
    }
    bench.fetch(&older).gives(0);
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
}

#[test]
fn deletions_that_the_server_does_not_carry_out_are_asked_for_again_and_again() {
    let bench = fetched(40);
    bench.knobs(Knobs {
        dele_ignored: true,
        ..Knobs::default()
    });
    age(&bench, 20, 20);
    let settings = ["--remove-after-days", "14", "--max-deletions", "20"];
    bench.fetch(&settings).gives(0);
    // They are not news, whatever the limit is now.
    let fewer = ["--remove-after-days", "14", "--max-deletions", "5"];
    bench.fetch(&fewer).gives(0);
    assert_eq!(bench.sim.commands_of("DELE").len(), 40);
}

/// Rows that no run of popsync has made, as after a rebuild of the state.
#[test]
fn a_state_without_history_is_held_back_until_a_person_releases_it() {
    let bench = fetched(30);
    age(&bench, 3, 20);
    let database = database(&bench);
    database.execute("DELETE FROM runs", []).unwrap();
    database.execute("DELETE FROM guards", []).unwrap();
    is_held(&bench, &DAYS, "rebuilt", 3);
}

/// After the loss of the state nothing is deleted, and nothing is silently retrieved again.
#[test]
fn a_state_that_is_lost_deletes_nothing() {
    let bench = fetched(12);
    fs::remove_dir_all(bench.path("state")).unwrap();
    let settings = ["--remove-after-days", "1", "--remove-when-deleted-locally"];
    let ended = bench.fetch(&settings).gives(74);
    ended.says("knows nothing of them");
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    assert_eq!(bench.mailbox().len(), 12);
    assert_eq!(bench.store.len(), 12);
}

#[test]
fn a_listing_that_contradicts_itself_deletes_nothing() {
    let bench = fetched(30);
    age(&bench, 3, 20);
    bench.knobs(Knobs {
        stat_line: Some(b"+OK 35 1000".to_vec()),
        ..Knobs::default()
    });
    bench.fetch(&DAYS).gives(1).says("contradicts itself");
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    bench.knobs(Knobs::default());
    bench.fetch(&DAYS).gives(0);
    assert_eq!(bench.sim.commands_of("DELE").len(), 3);
}
