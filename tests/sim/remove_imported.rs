//! `remove-imported`: a message that another program downloaded leaves the server only after its
//! copy was found in the store, and proved.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, File};
use std::io::Write as _;

use exchange_sim::{At, CloseHow, Knobs, Missing};

use support::bench::{Bench, USER, letter, stored_form};
use support::calls::Call;

const AWAY: &str = "remove-imported = true\nleave-on-server = false";

/// What another program does to a message.
type Change = fn(String) -> String;

/// As mpop stores a message: with a field in front.
const FRONT: &str = "Received: from host by mpop;\n\tMon, 30 Nov 2026 05:00:00 +0000\n";

/// A letter with a Message-ID of its own.
fn named(number: usize) -> Vec<u8> {
    let name = format!("Message-ID: <{number}@example.com>\r\n");
    [name.as_bytes(), &letter(number)].concat()
}

/// A server with eight letters, of which mpop has had these, and left them there.
fn imported(numbers: &[usize]) -> Bench {
    let bench = Bench::with((1..=8).map(named));
    import(&bench, numbers);
    // The first run stores the others.
    bench.sync("", &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 8 - numbers.len());
    bench.sim.clear_log();
    bench
}

/// mpop has had these messages.
fn import(bench: &Bench, numbers: &[usize]) {
    let uids = bench.mailbox().unique_ids();
    let mut list = format!(" {} 127.0.0.1 {USER}\n", numbers.len());
    for number in numbers {
        list.push_str(&uids[number - 1]);
        list.push('\n');
    }
    write(bench, "uidls", list.as_bytes());
    let path = bench.path("uidls");
    let import = ["work", "--from", "mpop", path.to_str().unwrap()];
    bench.configured("import", "", &import).gives(0);
}

fn write(bench: &Bench, path: &str, content: &[u8]) {
    let mut file = File::create(bench.path(path)).unwrap();
    file.write_all(content).unwrap();
}

/// Puts a copy of a letter where mpop would, changed.
fn copy(bench: &Bench, number: usize, change: impl Fn(String) -> String) {
    let stored = String::from_utf8(stored_form(&named(number))).unwrap();
    let path = format!("Mail/cur/170000000{number}.M1P1.host:2,S");
    write(bench, &path, change(stored).as_bytes());
}

fn in_front(stored: String) -> String {
    format!("{FRONT}{stored}")
}

/// The letters that are still on the server.
fn left(bench: &Bench) -> Vec<usize> {
    let messages = bench.mailbox().messages();
    let is_left = |number: &usize| messages.contains(&named(*number));
    (1..=8).filter(is_left).collect()
}

#[test]
fn an_imported_message_leaves_the_server_once_its_copy_is_proved() {
    let bench = imported(&[1, 2, 3]);
    copy(&bench, 1, in_front);
    copy(&bench, 2, |stored| stored);
    // Without the setting they stay, whatever the others say.
    bench.sync("remove-after-days = 1", &[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    // The run that finds a copy does not delete the message yet.
    let policy = "remove-imported = true\nremove-when-deleted-locally = true";
    bench.sync(policy, &["-v"]).gives(0).says("2 of 3 imported");
    assert_eq!(bench.sim.commands_of("RETR"), ["RETR 1", "RETR 2"]);
    assert_eq!(left(&bench).len(), 8);
    bench.configured("verify", policy, &[]).gives(0);
    // From the next run on a person may delete it here.
    bench.sync(policy, &[]).gives(0);
    assert_eq!(left(&bench).len(), 8);
    fs::remove_file(bench.path("Mail/cur/1700000001.M1P1.host:2,S")).unwrap();
    bench.sync(policy, &[]).gives(0);
    assert_eq!(left(&bench), [2, 3, 4, 5, 6, 7, 8]);
    // What has no copy stays, however often it runs.
    let ended = bench.sync(AWAY, &["--allow-mass-delete"]);
    ended.gives(0);
    assert_eq!(left(&bench), [3]);
    bench.sync(AWAY, &["--allow-mass-delete"]).gives(0);
    assert_eq!(left(&bench), [3]);
    assert_eq!(bench.store.len(), 6);
}

/// A message whose copy lacks anything of it stays.
#[test]
fn what_differs_from_the_message_is_not_its_copy() {
    let changes: [(&str, Change); 6] = [
        ("the end is missing", |stored| {
            stored.replace("The end of 1.\n", "")
        }),
        ("a line more", |stored| format!("{stored}--\nfooter\n")),
        ("another body", |stored| {
            stored.replace("This is", "This was")
        }),
        ("a field is missing", |stored| {
            stored.replace("From: sender1@example.com\n", "")
        }),
        ("a field was rewritten", |stored| {
            stored.replace("From: sender1@", "From:  sender1@")
        }),
        ("a bare CR", |stored| stored.replace("..two", "\r..two")),
    ];
    for (name, change) in changes {
        let bench = imported(&[1]);
        copy(&bench, 1, change);
        for _ in 0..2 {
            bench.sync(AWAY, &["--allow-mass-delete"]).gives(0);
        }
        assert_eq!(left(&bench), [1], "{name}");
    }
}

/// What programs add to a header, and that they move fields, takes nothing from the message.
#[test]
fn fields_that_were_added_or_moved_do_no_harm() {
    let changes: [(&str, Change); 2] = [
        ("in front", in_front),
        ("behind", |stored| {
            stored.replacen("\n\n", "\nStatus: RO\nX-UID: 7\n\n", 1)
        }),
    ];
    for (name, change) in changes {
        let bench = imported(&[1]);
        copy(&bench, 1, change);
        for _ in 0..2 {
            bench.sync(AWAY, &["--allow-mass-delete"]).gives(0);
        }
        assert_eq!(left(&bench), [0; 0], "{name}");
        bench.configured("verify", "", &[]).gives(0);
    }
}

/// getmail writes the fields of the delivery first.
#[test]
fn a_copy_whose_fields_were_moved_has_all_of_the_message() {
    for (stored, is_copy) in [
        (
            "Return-Path: <a@x>\nDelivered-To: me\nReceived: by getmail\nReceived: by a\n",
            true,
        ),
        (
            "Delivered-To: me\nReceived: by getmail\nReceived: by a\n",
            false,
        ),
    ] {
        let sent = "Received: by a\r\nReturn-Path: <a@x>\r\n";
        let own = "Message-ID: <1@x>\nSubject: s\n\nbody\n";
        let bench = Bench::with([format!("{sent}{}", own.replace('\n', "\r\n")).into_bytes()]);
        import(&bench, &[1]);
        bench.sync("", &[]).gives(0);
        write(
            &bench,
            "Mail/cur/1.M1P1.host:2,S",
            format!("{stored}{own}").as_bytes(),
        );
        for _ in 0..2 {
            bench.sync(AWAY, &["--allow-mass-delete"]).gives(0);
        }
        assert_eq!(bench.mailbox().is_empty(), is_copy);
    }
}

/// Two messages alike need two files, and one that popsync stored is the copy of its own message.
#[test]
fn of_two_messages_alike_one_copy_lets_only_one_go() {
    let bench = imported(&[1, 2]);
    // The server has a twin of each, one imported and one stored.
    bench.deliver(&named(2));
    bench.sync("", &[]).gives(0);
    assert_eq!(bench.store.len(), 7);
    for _ in 0..2 {
        bench.sync(AWAY, &["--allow-mass-delete"]).gives(0);
    }
    // The stored twin has gone; the imported one has no file of its own.
    assert_eq!(left(&bench), [1, 2]);
    let bench = Bench::with([named(1), named(1)]);
    import(&bench, &[1, 2]);
    bench.sync("", &[]).gives(0);
    copy(&bench, 1, in_front);
    for _ in 0..3 {
        bench.sync(AWAY, &["--allow-mass-delete"]).gives(0);
    }
    assert_eq!(bench.mailbox().len(), 1);
}

/// A dry run says what the run then does: it looks for nothing, and deletes nothing.
#[test]
fn a_dry_run_looks_for_no_copies() {
    let bench = imported(&[1]);
    copy(&bench, 1, in_front);
    bench.sync("", &[]).gives(0);
    let keys = "remove-imported = true\nremove-after-days = 365";
    let before = fs::read(bench.path("state/popsync.sqlite3")).unwrap();
    bench.sim.clear_log();
    let ended = bench.sync(keys, &["--dry-run"]).gives(0);
    assert!(ended.out.contains("0 to delete"), "{}", ended.text());
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
    let after = fs::read(bench.path("state/popsync.sqlite3")).unwrap();
    assert!(before == after);
    // The run is no dry one, and after it the message has a day to go.
    bench.sync(keys, &[]).gives(0);
    let ended = bench.sync(keys, &["--dry-run", "-v"]).gives(0);
    assert!(ended.out.contains("leaves on"), "{}", ended.text());
    assert_eq!(left(&bench).len(), 8);
}

/// While nothing leaves the server, no message is retrieved to prove that it may.
#[test]
fn nothing_is_compared_while_all_mail_stays_on_the_server() {
    let bench = imported(&[1]);
    copy(&bench, 1, in_front);
    bench.sync("remove-imported = true", &[]).gives(0);
    assert_eq!(bench.sim.commands_of("TOP"), [""; 0]);
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
}

/// The profiles that delete at once do so with imported messages, too, and the brakes hold them as
/// they hold others.
#[test]
fn a_profile_that_deletes_takes_them_along() {
    let numbers: Vec<usize> = (1..=12).collect();
    let bench = Bench::with(numbers.iter().map(|&number| named(number)));
    import(&bench, &numbers);
    bench.sync("", &[]).gives(0);
    for number in numbers {
        copy(&bench, number, in_front);
    }
    let keys = "remove-imported = true\nprofile = \"outlook-2016\"";
    bench.sync(keys, &[]).gives(0);
    // More than half of the mailbox, and more than ten.
    bench.sync(keys, &[]).gives(1).says("--allow-mass-delete");
    assert_eq!(bench.mailbox().len(), 12);
    bench.sync(keys, &["--allow-mass-delete"]).gives(0);
    assert!(bench.mailbox().is_empty());
    assert_eq!(bench.store.len(), 12);
}

/// A copy that vanishes after it was proved leaves its message on the server.
#[test]
fn a_copy_that_is_gone_again_keeps_the_message() {
    let bench = imported(&[1]);
    copy(&bench, 1, in_front);
    bench.sync(AWAY, &["--allow-mass-delete"]).gives(0);
    fs::remove_file(bench.path("Mail/cur/1700000001.M1P1.host:2,S")).unwrap();
    bench.sync(AWAY, &[]).gives(0);
    assert_eq!(left(&bench), [1]);
}

/// Killed at any command of the run that looks, and of the next: nothing is lost, and in the end the
/// message goes.
/// Only mpop knows if it has synced its files.
#[test]
fn a_copy_is_made_durable_before_it_is_recorded() {
    let bench = imported(&[1, 2]);
    copy(&bench, 1, in_front);
    let followed = |keys: &str| {
        let (ended, calls) = bench.sync(keys, &[]).followed(&bench.path(""), None);
        assert_eq!(ended.status, Some(0), "{}", ended.text());
        calls
    };
    let is_sync = |call: &Call| call.path == bench.path("Mail");
    let before = followed("");
    let calls = followed("remove-imported = true\nremove-when-deleted-locally = true");
    let synced: Vec<usize> = (0..calls.len()).filter(|&at| is_sync(&calls[at])).collect();
    assert!(
        synced.len() > before.iter().filter(|call| is_sync(call)).count(),
        "{calls:?}"
    );
    let is_record = |call: &Call| call.path.ends_with("popsync.sqlite3-wal");
    let recorded = calls.iter().rposition(is_record);
    assert!(synced.last().copied() < recorded, "{calls:?}");
}

#[test]
fn a_run_that_is_killed_while_it_looks_is_made_good_by_the_next() {
    for command in ["TOP", "RETR", "STAT", "DELE", "QUIT"] {
        let bench = imported(&[1, 2]);
        copy(&bench, 1, in_front);
        bench.on_command(move |seen, process| {
            if seen.verb == command {
                process.kill();
            }
        });
        for _ in 0..2 {
            bench.sync(AWAY, &["--allow-mass-delete"]).end();
        }
        assert!(left(&bench).contains(&2), "{command}");
        assert_eq!(bench.store.len(), 7, "{command}");
        bench.no_hooks();
        for _ in 0..2 {
            bench.sync(AWAY, &["--allow-mass-delete"]).gives(0);
        }
        assert_eq!(left(&bench), [2], "{command}");
        assert_eq!(bench.store.len(), 7, "{command}");
    }
}

/// A server that breaks at a message nobody wants, or has no TOP, does not stop the others.
#[test]
fn a_server_that_breaks_at_a_copy_does_not_stop_new_mail() {
    for knobs in [
        Knobs {
            close_at: Some((At::line("RETR 1"), CloseHow::Fin)),
            ..Knobs::default()
        },
        Knobs {
            close_at: Some((At::line("TOP 1 0"), CloseHow::Fin)),
            ..Knobs::default()
        },
        Knobs {
            no_top: Some(Missing::Refused),
            ..Knobs::default()
        },
    ] {
        let bench = imported(&[1]);
        copy(&bench, 1, in_front);
        bench.knobs(knobs);
        bench.deliver(&letter(9));
        let keys = "remove-imported = true\nremove-after-days = 30";
        bench.sync(keys, &[]).gives(0);
        assert_eq!(bench.store.len(), 9);
        assert_eq!(left(&bench).len(), 8);
    }
}
