//! Servers without unique-ids: messages are recognised by their headers.

use exchange_sim::{Act, At, Knobs, Missing};

use support::bench::{Bench, Setup, letter, letters};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

fn without_uidl(pipelining: bool, missing: Missing) -> Knobs {
    Knobs {
        no_uidl: Some(missing),
        pipelining,
        ..Knobs::default()
    }
}

fn count(bench: &Bench, verb: &str) -> usize {
    bench.sim.commands_of(verb).len()
}

#[test]
fn each_message_is_stored_once_and_none_is_deleted() {
    for pipelining in [false, true] {
        for missing in [Missing::Absent, Missing::Refused] {
            let bench = Setup::with(letters(6))
                .knobs(without_uidl(pipelining, missing))
                .start();
            bench
                .fetch(&DELETES)
                .gives(0)
                .says("the server has no unique-ids (UIDL)");
            bench.assert_exactly_once();
            assert_eq!((count(&bench, "TOP"), count(&bench, "RETR")), (6, 6));
            bench.deliver(&letter(7));
            bench.mailbox().deliver_at(2, letter(8));
            bench.sim.clear_log();
            bench.fetch(&DELETES).gives(0);
            assert_eq!((count(&bench, "TOP"), count(&bench, "RETR")), (8, 2));
            bench.sim.clear_log();
            bench.fetch(&DELETES).gives(0);
            assert_eq!((count(&bench, "TOP"), count(&bench, "RETR")), (8, 0));
            let mut all = bench.held();
            all.push(support::bench::stored_form(&letter(8)));
            bench.assert_stored(&all);
            assert_eq!(bench.mailbox().len(), 8);
            assert_eq!(count(&bench, "DELE"), 0);
            bench.assert_no_violations();
        }
    }
}

#[test]
fn it_is_said_once_where_nothing_was_to_be_deleted() {
    let bench = Setup::with(letters(2))
        .knobs(without_uidl(false, Missing::Absent))
        .start();
    bench.fetch(&[]).gives(0).says("no unique-ids");
    assert_eq!(bench.fetch(&[]).gives(0).err, "");
    bench.assert_exactly_once();
}

#[test]
fn messages_of_one_header_are_told_apart_by_their_content() {
    let twin = |text: &str| {
        format!("From: a@example.com\r\nSubject: report\r\n\r\n{text}\r\n").into_bytes()
    };
    // The first two have equal content, the next ones equal size, the last one is larger.
    let mails = [
        twin("one"),
        twin("one"),
        twin("two"),
        twin("six"),
        twin("three"),
    ];
    for missing in [Missing::Absent, Missing::Refused] {
        let bench = Setup::with(mails.clone())
            .knobs(without_uidl(true, missing))
            .start();
        for _ in 0..3 {
            bench.fetch(&[]).gives(0);
            bench.assert_exactly_once();
        }
        bench.deliver(&twin("one"));
        bench.deliver(&twin("ten"));
        for _ in 0..2 {
            bench.fetch(&[]).gives(0);
            bench.assert_exactly_once();
        }
    }
}

#[test]
fn a_top_that_shows_other_headers_costs_time_and_nothing_else() {
    let bench = Setup::with(letters(4))
        .knobs(Knobs {
            top_header_differs: true,
            ..without_uidl(true, Missing::Absent)
        })
        .start();
    for _ in 0..3 {
        bench.fetch(&[]).gives(0);
        bench.assert_exactly_once();
    }
}

#[test]
fn without_top_or_list_the_run_ends_with_a_clear_word() {
    let without = |no_top, no_list| Knobs {
        no_top,
        no_list,
        ..without_uidl(false, Missing::Absent)
    };
    for knobs in [
        without(Some(Missing::Absent), None),
        without(Some(Missing::Refused), None),
        without(None, Some(Missing::Refused)),
    ] {
        let bench = Setup::with(letters(3)).knobs(knobs).start();
        let ended = bench.fetch(&DELETES).gives(76);
        ended.says("the server refused UIDL");
        ended.says("hint: nothing was retrieved: without unique-ids popsync tells messages apart by LIST and TOP");
        assert_eq!((count(&bench, "RETR"), count(&bench, "DELE")), (0, 0));
        bench.assert_stored(&[]);
        bench.knobs(Knobs::default());
        bench.fetch(&DELETES).gives(0);
        bench.assert_exactly_once();
    }
}

#[test]
fn an_empty_maildrop_is_no_error() {
    let bench = Setup::with([])
        .knobs(without_uidl(true, Missing::Absent))
        .start();
    bench.fetch(&[]).gives(0);
    bench.deliver(&letter(1));
    bench.fetch(&[]).gives(0);
    bench.assert_exactly_once();
}

/// UIDL that is sometimes missing: stored messages are recognised either way.
#[test]
fn unique_ids_that_come_later_or_go_for_a_while_bring_nothing_twice() {
    for pipelining in [false, true] {
        let plain = || Knobs {
            pipelining,
            ..Knobs::default()
        };
        let bench = Setup::with(letters(5)).knobs(plain()).start();
        for (round, uidl) in [false, true, false, false, true, true]
            .into_iter()
            .enumerate()
        {
            bench.knobs(if uidl {
                plain()
            } else {
                without_uidl(pipelining, Missing::Refused)
            });
            bench.fetch(&[]).gives(0);
            bench.assert_exactly_once();
            assert_eq!(bench.mailbox().len(), 5 + round);
            bench.deliver(&letter(100 + round));
        }
        // Then everything leaves the server, stored or not.
        bench.fetch(&DELETES).gives(0);
        bench.fetch(&DELETES).gives(0);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
    }
}

#[test]
fn a_crash_on_the_way_loses_nothing_and_doubles_nothing() {
    for stop_at in ["1", "3", "4:2", "5"] {
        let bench = Setup::with(letters(10))
            .knobs(without_uidl(true, Missing::Absent))
            .start();
        let run = bench.fetch(&[]).env("POPSYNC_STOP_AT", stop_at);
        assert!(run.end().was_killed(), "{stop_at}");
        bench.fetch(&[]).gives(0);
        bench.assert_exactly_once();
        bench.knobs(Knobs::default());
        bench.fetch(&[]).gives(0);
        bench.assert_exactly_once();
    }
}

#[test]
fn a_server_that_is_only_busy_is_tried_again_later() {
    let bench = Bench::with(letters(2));
    bench.knobs(Knobs::default().rule(
        At::verb("UIDL"),
        Act::Instead(b"-ERR [SYS/TEMP] not now\r\n".to_vec()),
    ));
    bench.fetch(&[]).gives(75).says("not now");
    assert_eq!(count(&bench, "TOP"), 0);
}

#[test]
fn limits_hold_here_too() {
    let bench = Setup::with(letters(5))
        .knobs(without_uidl(true, Missing::Absent))
        .start();
    for stored in [2, 4, 5] {
        bench.fetch(&["--max-messages", "2"]).gives(0);
        assert_eq!(bench.store.len(), stored);
    }
    bench.assert_exactly_once();
    // For another account this store looks as if its state was lost, also in a dry run.
    bench.sync("", &["--dry-run"]).gives(74);
    let bench = Setup::with(letters(5))
        .knobs(without_uidl(true, Missing::Absent))
        .start();
    let ended = bench.sync("", &["--dry-run"]).gives(0);
    assert!(ended.out.contains("5 to retrieve"), "{}", ended.text());
    let ended = bench.configured("list", "", &["work"]).gives(0);
    assert!(ended.out.contains("letter 5"), "{}", ended.text());
}
