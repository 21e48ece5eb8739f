//! Bad unique-ids, and incomplete listings.

use std::fs::File;
use std::io::Write;
use std::thread;

use exchange_sim::{Knobs, Missing};

use support::bench::{Bench, Setup, USER, letter, letters, stored_form};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

fn retrieved(bench: &Bench) -> usize {
    let retrieved = bench.sim.commands_of("RETR").len();
    bench.sim.clear_log();
    retrieved
}

/// Keeping and deleting, with and without pipelining, each message is stored once, a second run
/// retrieves nothing, and mail that arrives later comes too.
#[track_caller]
fn are_told_apart(name: &str, knobs: &Knobs) {
    for pipelining in [false, true] {
        let knobs = Knobs {
            pipelining,
            ..knobs.clone()
        };
        let keeping = Setup::with(letters(6)).knobs(knobs.clone()).start();
        keeping.fetch(&[]).gives(0);
        keeping.assert_exactly_once();
        assert_eq!(retrieved(&keeping), 6, "{name}");
        keeping.fetch(&[]).gives(0);
        assert_eq!(retrieved(&keeping), 0, "{name}: retrieved again");
        keeping.deliver(&letter(7));
        keeping.deliver(&letter(8));
        keeping.fetch(&[]).gives(0);
        keeping.assert_exactly_once();
        assert_eq!(keeping.mailbox().len(), 8, "{name}");
        keeping.fetch(&[]).gives(0);
        keeping.assert_exactly_once();

        let deleting = Setup::with(letters(6)).knobs(knobs).start();
        deleting.fetch(&DELETES).gives(0);
        deleting.assert_exactly_once();
        assert!(deleting.mailbox().is_empty(), "{name}");
        deleting.deliver(&letter(7));
        deleting.fetch(&DELETES).gives(0);
        deleting.assert_exactly_once();
        assert!(deleting.mailbox().is_empty(), "{name}");
    }
}

#[test]
fn ids_that_differ_only_in_case_are_different() {
    let knobs = Knobs {
        uid_case: true,
        ..Knobs::default()
    };
    are_told_apart("case", &knobs);
}

#[test]
fn ids_of_any_octets_are_used_as_they_are() {
    let table: [&[u8]; 14] = [
        b"/",
        b"../../../etc/",
        b"\0",
        b"\x1b]0;title\x07",
        b"#",
        b"'; DROP TABLE messages; --",
        b"%s%n",
        b"\x7f",
        b"\x80\x9b\xff",
        b"+,-.:2,S",
        b"\xc3\xbc",
        b"\\x00\"",
        b"\n",
        b"\r",
    ];
    // Each waits for its disk and its server.
    thread::scope(|scope| {
        for octets in table {
            scope.spawn(move || {
                let knobs = Knobs {
                    uid_bytes: Some(octets.to_vec()),
                    ..Knobs::default()
                };
                are_told_apart(&format!("{:?}", String::from_utf8_lossy(octets)), &knobs);
            });
        }
    });
}

#[test]
fn ids_of_any_length_are_used_as_they_are() {
    thread::scope(|scope| {
        for length in [70, 71, 128, 129, 255, 256, 300, 4096, 5000, 8000] {
            scope.spawn(move || {
                let knobs = Knobs {
                    uid_long: Some(length),
                    ..Knobs::default()
                };
                are_told_apart(&format!("{length} octets"), &knobs);
            });
        }
    });
}

#[test]
fn ids_with_blanks_inside_lose_nothing() {
    for octets in [&b" "[..], b"\t", b"  \t "] {
        let knobs = Knobs {
            uid_bytes: Some(octets.to_vec()),
            ..Knobs::default()
        };
        are_told_apart(&format!("{:?}", String::from_utf8_lossy(octets)), &knobs);
    }
}

#[test]
fn messages_that_share_an_id_are_all_stored_and_only_then_deleted() {
    let knobs = Knobs {
        uid_dup: true,
        ..Knobs::default()
    };
    are_told_apart("repeated", &knobs);
}

#[test]
fn two_messages_of_one_content_are_two_messages() {
    let bench = Bench::with([letter(1), letter(1), letter(2), letter(1)]);
    bench.fetch(&[]).gives(0);
    bench.assert_exactly_once();
    bench.fetch(&DELETES).gives(0);
    assert_eq!(retrieved(&bench), 4);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
}

#[test]
fn messages_without_an_id_stay_where_they_are() {
    let empty = Knobs {
        uid_empty: true,
        ..Knobs::default()
    };
    let missing = Knobs {
        uid_missing: true,
        ..Knobs::default()
    };
    for knobs in [empty, missing] {
        let bench = Bench::with(letters(3));
        bench.knobs(knobs);
        bench.fetch(&DELETES).gives(1).says("no unique-id");
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
        assert_eq!(bench.mailbox().len(), 3);
        bench.knobs(Knobs::default());
        bench.fetch(&DELETES).gives(0);
        bench.assert_exactly_once();
    }
}

#[test]
fn a_listing_that_is_empty_once_changes_nothing() {
    let hiding = [
        Knobs {
            pretend_empty: true,
            ..Knobs::default()
        },
        Knobs {
            only_newest: Some(2),
            ..Knobs::default()
        },
        Knobs {
            only_oldest: Some(2),
            ..Knobs::default()
        },
    ];
    for knobs in hiding {
        let bench = Bench::with(letters(6));
        bench.fetch(&[]).gives(0);
        assert_eq!(retrieved(&bench), 6);
        for _ in 0..2 {
            bench.knobs(knobs.clone());
            bench.fetch(&[]).gives(0);
            bench.knobs(Knobs::default());
            bench.fetch(&[]).gives(0);
            assert_eq!(retrieved(&bench), 0);
        }
        bench.assert_exactly_once();
        assert_eq!(bench.mailbox().len(), 6);
    }
}

#[test]
fn a_server_that_shows_only_a_part_at_a_time_is_emptied_part_by_part() {
    let bench = Bench::with(letters(7));
    bench.knobs(Knobs {
        only_oldest: Some(3),
        ..Knobs::default()
    });
    for left in [4, 1, 0] {
        bench.fetch(&DELETES).gives(0);
        assert_eq!(bench.mailbox().len(), left);
    }
    bench.assert_exactly_once();
}

#[test]
fn an_old_id_on_new_mail_does_not_delete_it_unread() {
    let bench = Bench::with(letters(1));
    bench.fetch(&DELETES).gives(0);
    bench.knobs(Knobs {
        uid_reuse: true,
        ..Knobs::default()
    });
    // A listing without it: from now on, its id means another message.
    bench.fetch(&DELETES).gives(0);
    bench.deliver(&letter(2));
    bench.fetch(&DELETES).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn an_old_id_on_new_mail_is_noticed_by_its_size() {
    let other = [&letter(7)[..], b"and a line more\r\n"].concat();
    // Without pipelining no sizes are asked for while there is nothing new.
    let pipelining = Knobs {
        pipelining: true,
        ..Knobs::default()
    };
    let knobs = [
        pipelining.clone(),
        Knobs {
            no_top: Some(Missing::Refused),
            ..pipelining.clone()
        },
        Knobs {
            top_header_differs: true,
            ..pipelining
        },
    ];
    for knobs in knobs {
        let bench = Setup::with(letters(6)).knobs(knobs).start();
        bench.fetch(&[]).gives(0);
        let mailbox = bench.mailbox();
        let taken = mailbox.unique_ids()[2].clone();
        assert!(mailbox.remove(&taken));
        mailbox.deliver_with_uid(&taken, other.clone());
        retrieved(&bench);
        bench.fetch(&[]).gives(0);
        assert_eq!(retrieved(&bench), 1);
        let mut expected: Vec<_> = letters(6)
            .iter()
            .map(|letter| stored_form(letter))
            .collect();
        expected.push(stored_form(&other));
        bench.assert_stored(&expected);
        // Only once, and a server that counts in another way costs no more than a look.
        for _ in 0..2 {
            bench.fetch(&[]).gives(0);
            assert_eq!(retrieved(&bench), 0);
        }
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    }
}

/// A run that is killed between the record of the new owner of a unique-id and the note that the
/// old owner has lost it. The next run must find this out again, or mail that is moved out and back
/// is stored twice.
#[test]
fn a_kill_leaves_an_old_id_to_one_message_alone() {
    let other = [&letter(7)[..], b"and a line more\r\n"].concat();
    let knobs = Knobs {
        pipelining: true,
        ..Knobs::default()
    };
    for stop_at in ["3", "4", "5"] {
        let bench = Setup::with(letters(2)).knobs(knobs.clone()).start();
        bench.fetch(&[]).gives(0);
        let mailbox = bench.mailbox();
        let taken = mailbox.unique_ids()[1].clone();
        assert!(mailbox.remove(&taken));
        mailbox.deliver_with_uid(&taken, other.clone());
        let run = bench.fetch(&[]).env("POPSYNC_STOP_AT", stop_at);
        assert!(run.end().was_killed(), "step {stop_at}");
        bench.deliver(&letter(2));
        bench.fetch(&[]).gives(0);
        let expected = [letter(1), letter(2), other.clone()].map(|sent| stored_form(&sent));
        bench.assert_stored(&expected);
        retrieved(&bench);
        bench.fetch(&[]).gives(0);
        assert_eq!(retrieved(&bench), 0, "step {stop_at}: in doubt for ever");
    }
}

#[test]
fn new_mail_in_the_middle_of_the_listing_is_found() {
    let bench = Bench::with(letters(4));
    bench.fetch(&[]).gives(0);
    let middle = letter(5);
    bench.mailbox().deliver_at(2, middle.clone());
    bench.fetch(&[]).gives(0);
    let mut expected = bench.held();
    expected.push(stored_form(&middle));
    bench.assert_stored(&expected);
    assert_eq!(retrieved(&bench), 5);
}

/// OPOP3:C0038: other programs take the rest of the line for the unique-id, popsync the first word.
/// Messages that they downloaded are recognised all the same.
#[test]
fn an_import_knows_unique_ids_with_blanks() {
    for program in ["mpop", "fdm", "thunderbird", "getmail", "fetchmail"] {
        let bench = Bench::with([]);
        let had: [&[u8]; 4] = [b"b 1", b"b 2", b"c x", b"a"];
        for (number, uid) in had.iter().enumerate() {
            bench.deliver_with_uid(uid, &letter(number));
        }
        bench.deliver_with_uid(b"d y", &letter(9));
        let ids = had.map(|uid| String::from_utf8_lossy(uid).into_owned());
        let list = match program {
            "mpop" => format!(" 4 127.0.0.1 {USER}\n{}\n", ids.join("\n")),
            "getmail" => ids.map(|id| format!("{id}\0001700000000\n")).concat(),
            "fetchmail" => ids.map(|id| format!("{USER}@127.0.0.1 {id}\n")).concat(),
            "fdm" => ids.map(|id| format!("{} {id}\n", id.len())).concat(),
            _ => {
                let lines = ids.map(|id| format!("k {id} 1700000000\n")).concat();
                format!("*127.0.0.1 {USER}\n{lines}")
            }
        };
        let file = bench.path("list");
        let mut out = File::create(&file).unwrap();
        out.write_all(list.as_bytes()).unwrap();
        let arguments = ["work", "--from", program, file.to_str().unwrap()];
        bench.configured("import", "", &arguments).gives(0);
        bench.sync("", &[]).gives(0);
        bench.assert_stored(&[stored_form(&letter(9))]);
    }
}
