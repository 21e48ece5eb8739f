//! `remove-when-deleted-locally`: local deletions are repeated on the server, and only those.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use exchange_sim::{Knobs, Missing};

use support::bench::{Bench, letter, letters, rename, stored_form};

const FOLLOW: [&str; 1] = ["--remove-when-deleted-locally"];

/// A server with this many letters, all of them fetched.
fn fetched(count: usize) -> Bench {
    let bench = Bench::with(letters(count));
    bench.fetch(&FOLLOW).gives(0);
    bench.sim.clear_log();
    bench
}

/// The file of a letter.
fn file(bench: &Bench, number: usize) -> PathBuf {
    let wanted = stored_form(&letter(number));
    let mut files = bench.store.files().into_keys();
    files
        .find(|path| fs::read(path).unwrap() == wanted)
        .unwrap()
}

/// Runs again, and asserts that nothing is retrieved or deleted.
#[track_caller]
fn keeps_all(bench: &Bench) {
    let left = bench.mailbox().len();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    assert_eq!(bench.mailbox().len(), left);
}

#[test]
fn what_is_deleted_here_is_deleted_there_and_never_retrieved_again() {
    let bench = fetched(12);
    for number in [3, 7] {
        fs::remove_file(file(&bench, number)).unwrap();
    }
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3", "DELE 7"]);
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    assert_eq!(bench.mailbox().len(), 10);
    bench.sim.clear_log();
    keeps_all(&bench);
    assert_eq!(bench.store.len(), 10);
}

/// Without the setting nothing leaves the server, and no message is stored again here.
#[test]
fn without_the_setting_what_is_deleted_here_stays_there() {
    let bench = fetched(12);
    fs::remove_file(file(&bench, 3)).unwrap();
    bench.fetch(&[]).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    // The setting may come later.
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.mailbox().len(), 11);
}

#[test]
fn what_is_read_flagged_moved_or_filed_is_not_deleted() {
    let bench = fetched(12);
    let root = bench.store.root.clone();
    let elsewhere = bench.path("elsewhere");
    for folder in [
        root.join(".Archive/cur"),
        root.join("Lists/rust/cur"),
        elsewhere.join("cur"),
    ] {
        fs::create_dir_all(folder).unwrap();
    }
    symlink(&elsewhere, root.join(".Linked")).unwrap();
    for (number, place, flags) in [
        (1, "cur", ":2,S"),
        (2, "cur", ":2,FRS"),
        (3, "cur", ",S=200:2,T"),
        (4, ".Archive/cur", ":2,S"),
        (5, "Lists/rust/cur", ":2,"),
        (6, ".Linked/cur", ":2,S"),
    ] {
        let from = file(&bench, number);
        let name = from.file_name().unwrap().to_str().unwrap().to_owned();
        rename(&from, &root.join(place).join(format!("{name}{flags}")));
    }
    keeps_all(&bench);
}

/// Dovecot gives a message that is moved by IMAP a new name, and mutt writes it anew.
#[test]
fn what_is_filed_under_another_name_is_not_deleted_and_known_by_that_name_from_then_on() {
    let bench = fetched(12);
    let archive = bench.store.root.join(".Archive/cur");
    fs::create_dir_all(&archive).unwrap();
    let name = |number: usize| format!("1700000000.M{number}P1.host,S=200");
    for number in [2, 5] {
        let to = archive.join(format!("{}:2,S", name(number)));
        rename(&file(&bench, number), &to);
    }
    keeps_all(&bench);
    // When it is deleted there, it counts as deleted.
    fs::remove_file(archive.join(format!("{}:2,S", name(5)))).unwrap();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 5"]);
}

/// Between two runs a program renames the file, and the server changes the unique-id.
#[test]
fn what_is_filed_under_another_name_is_not_deleted_where_the_server_renames_it() {
    let bench = fetched(12);
    let archive = bench.store.root.join(".Archive/cur");
    fs::create_dir_all(&archive).unwrap();
    let filed = archive.join("1700000000.M3P1.host,S=200:2,S");
    rename(&file(&bench, 3), &filed);
    bench
        .mailbox()
        .renumber_all_ids(exchange_sim::IdForm::Legacy);
    keeps_all(&bench);
    keeps_all(&bench);
    // When it is deleted there, it counts as deleted, once its content shows that it is the same.
    fs::remove_file(filed).unwrap();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("RETR"), ["RETR 3"]);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
    assert_eq!((bench.mailbox().len(), bench.store.len()), (11, 11));
}

#[test]
fn a_copy_with_another_header_is_known_by_its_message_id() {
    let with_id = |number| {
        let mut message = format!("Message-ID: <{number}@example.com>\r\n").into_bytes();
        message.extend(letter(number));
        message
    };
    let bench = Bench::with((1..=12).map(with_id));
    bench.fetch(&FOLLOW).gives(0);
    bench.sim.clear_log();
    let stored = stored_form(&with_id(4));
    let path = bench
        .store
        .files()
        .into_keys()
        .find(|path| fs::read(path).unwrap() == stored)
        .unwrap();
    fs::remove_file(path).unwrap();
    let mut copy = File::create(bench.store.root.join("cur/1.mutt:2,S")).unwrap();
    copy.write_all(b"Status: RO\n").unwrap();
    copy.write_all(&stored).unwrap();
    bench.store.look_anew();
    keeps_all(&bench);
    keeps_all(&bench);
}

#[test]
fn a_folder_that_cannot_be_looked_into_deletes_nothing_and_says_so() {
    let bench = fetched(12);
    fs::remove_file(file(&bench, 3)).unwrap();
    let link = bench.store.root.join(".Unmounted");
    symlink("/nowhere/at/all", &link).unwrap();
    let ended = bench.fetch(&FOLLOW).gives(0);
    ended.says("nothing is deleted on the server for being deleted here");
    ended.says(".Unmounted");
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    fs::remove_file(link).unwrap();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
}

/// A mail program that moves messages all the time during many runs.
#[test]
fn a_message_in_transit_is_not_deleted() {
    let bench = fetched(12);
    let root = bench.store.root.clone();
    fs::create_dir_all(root.join(".Archive/cur")).unwrap();
    let mut places: Vec<_> = (1..=3).map(|number| file(&bench, number)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let stopped = Arc::clone(&stop);
        scope.spawn(move || {
            let folders = ["cur", ".Archive/cur", "new"];
            for round in 0_usize.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                for place in &mut places {
                    let name = place.file_name().unwrap().to_str().unwrap();
                    let base = name.split(':').next().unwrap().to_owned();
                    let to = root.join(folders[round % folders.len()]).join(format!(
                        "{base}:2,{}",
                        if round % 2 == 0 { "S" } else { "RS" }
                    ));
                    if to != *place {
                        rename(place, &to);
                        *place = to;
                    }
                }
            }
        });
        for _ in 0..4 {
            let ended = bench.fetch(&FOLLOW).end();
            assert_eq!(ended.status, Some(0), "{}", ended.text());
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    bench.assert_exactly_once();
}

/// The last look is directly before DELE: a message that is back by then stays.
#[test]
fn what_comes_back_during_the_session_is_not_deleted() {
    let bench = fetched(12);
    let (back, aside) = (file(&bench, 3), bench.path("aside"));
    rename(&back, &aside);
    bench.on_command(move |seen, _| {
        if seen.verb == "TOP" && aside.exists() {
            rename(&aside, &back);
        }
    });
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("TOP").len(), 1);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    bench.assert_exactly_once();
}

/// Another message may have the unique-id by now: the header shows it.
#[test]
fn a_message_that_took_over_the_unique_id_is_retrieved_and_not_deleted() {
    let bench = fetched(12);
    let id = bench.mailbox().unique_ids()[2].clone();
    fs::remove_file(file(&bench, 3)).unwrap();
    bench.mailbox().remove(&id);
    bench.deliver_with_uid(id.as_bytes(), &letter(99));
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    assert!(bench.store.holds(&stored_form(&letter(99))));
    assert_eq!(bench.mailbox().len(), 12);
}

/// Without TOP the whole message must show that it is the stored one; then it is deleted.
#[test]
fn without_top_the_content_tells() {
    let bench = fetched(12);
    bench.knobs(Knobs {
        no_top: Some(Missing::Refused),
        ..Knobs::default()
    });
    fs::remove_file(file(&bench, 3)).unwrap();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("RETR"), ["RETR 3"]);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
    assert_eq!((bench.mailbox().len(), bench.store.len()), (11, 11));
    // A message that took over the unique-id is another one, and stays.
    let id = bench.mailbox().unique_ids()[0].clone();
    fs::remove_file(file(&bench, 1)).unwrap();
    bench.mailbox().remove(&id);
    bench.deliver_with_uid(id.as_bytes(), &letter(99));
    bench.sim.clear_log();
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    assert!(bench.store.holds(&stored_form(&letter(99))));
}

#[test]
fn with_days_and_without_leaving_anything_there_it_means_what_each_says() {
    let bench = fetched(12);
    fs::remove_file(file(&bench, 3)).unwrap();
    let days = ["--remove-when-deleted-locally", "--remove-after-days", "14"];
    bench.fetch(&days).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
    // The others were stored only recently.
    assert_eq!(bench.mailbox().len(), 11);
    // A policy that leaves nothing on the server has nothing to follow.
    let bench = Bench::with(letters(12));
    let none = [
        "--remove-when-deleted-locally",
        "--leave-on-server",
        "false",
    ];
    bench.fetch(&none).gives(0);
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
    // A profile that deletes leaves them there if the user asks for it.
    let bench = Bench::with(letters(12));
    let older = ["--remove-when-deleted-locally", "--profile", "outlook-2016"];
    bench.fetch(&older).gives(0);
    assert_eq!(bench.mailbox().len(), 12);
}

/// After a move to another server, the deletions before and after it are both followed. Only the
/// header shows then which message it is, so its content is compared before it is deleted.
#[test]
fn a_server_that_renames_its_messages_changes_nothing() {
    let bench = fetched(12);
    fs::remove_file(file(&bench, 3)).unwrap();
    bench
        .mailbox()
        .renumber_all_ids(exchange_sim::IdForm::Legacy);
    bench.fetch(&FOLLOW).gives(0);
    assert_eq!(bench.sim.commands_of("RETR"), ["RETR 3"]);
    assert_eq!(bench.sim.commands_of("DELE"), ["DELE 3"]);
    assert_eq!((bench.mailbox().len(), bench.store.len()), (11, 11));
    bench.sim.clear_log();
    keeps_all(&bench);
    assert_eq!(bench.store.len(), 11);
}
