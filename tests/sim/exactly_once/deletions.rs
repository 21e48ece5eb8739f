//! A message deleted on the server is safely stored by then, and the deletion is repeated until it
//! is gone.

use std::time::Duration;

use exchange_sim::{
    Act, At, CloseHow, Cut, CutAt, DeleErr, Fails, Knobs, ManualClock, Profile, UpdateFail, sample,
};

use support::bench::{Bench, Setup, letter, letters, stored_form};

/// The client profiles that delete.
const DELETING: [&str; 4] = [
    "outlook-2007",
    "outlook-2010",
    "outlook-2013",
    "outlook-2016",
];

/// The simulated servers of 2007 to 2016.
const SERVERS: [Profile; 4] = [
    Profile::Ex2007,
    Profile::Ex2010,
    Profile::Ex2013,
    Profile::Ex2016,
];

/// Complains of every DELE for a message that readers cannot see, octet for octet.
fn watch_deletions(bench: &Bench) {
    let (store, mailbox, complaints) = (bench.store.clone(), bench.mailbox(), bench.complaints());
    bench.on_command(move |seen, _| {
        if seen.verb != "DELE" {
            return;
        }
        let unique_id = seen.unique_id.clone().unwrap_or_default();
        match mailbox.wire_form_of(&unique_id) {
            Some(wire) if store.holds(&stored_form(&wire)) => {}
            _ => complaints.add(format!("{seen:?} of a message that is not stored")),
        }
    });
}

fn nasty() -> Vec<Vec<u8>> {
    // A failing server also sends empty messages, so they are not taken.
    let nasty = sample::nasty()
        .into_iter()
        .filter(|one| !one.octets.is_empty());
    nasty.map(|one| one.octets).collect()
}

#[test]
fn every_message_is_visible_and_whole_when_its_dele_goes_out() {
    for server in SERVERS {
        for client in DELETING {
            for pipelining in [false, true] {
                let bench = Setup::with(nasty().into_iter().chain(letters(10)))
                    .profile(server)
                    .knobs(Knobs {
                        pipelining,
                        ..Knobs::default()
                    })
                    .start();
                watch_deletions(&bench);
                let count = bench.mailbox().len();
                bench.fetch(&["--profile", client]).gives(0);
                assert_eq!(bench.sim.commands_of("DELE").len(), count);
                assert!(bench.mailbox().is_empty());
                bench.assert_exactly_once();
                bench.assert_no_violations();
            }
        }
    }
}

#[test]
fn after_a_crash_too_every_message_is_visible_and_whole_when_its_dele_goes_out() {
    for stop_at in ["1", "2", "3", "4:5", "5"] {
        let bench = Bench::with(letters(30));
        let run = bench.fetch(&["--profile", "outlook-2013"]);
        assert!(run.env("POPSYNC_STOP_AT", stop_at).end().was_killed());
        for name in bench.store.names("new").iter().step_by(2) {
            bench.store.archive(name);
        }
        watch_deletions(&bench);
        bench.fetch(&["--profile", "outlook-2013"]).gives(0);
        assert_eq!(bench.sim.commands_of("DELE").len(), 30, "{stop_at}");
        bench.assert_exactly_once();
    }
}

#[test]
fn profiles_that_keep_mail_send_no_dele() {
    for client in [
        "outlook-2019",
        "outlook-2021",
        "outlook-2024",
        "outlook-new",
    ] {
        let bench = Bench::with(letters(3));
        bench.fetch(&["--profile", client]).gives(0);
        bench.fetch(&["--profile", client]).gives(0);
        assert_eq!(bench.sim.commands_of("DELE"), [""; 0], "{client}");
        assert_eq!(bench.sim.commands_of("RETR").len(), 3, "{client}");
        assert_eq!(bench.mailbox().len(), 3);
        bench.assert_exactly_once();
    }
}

/// Failed deletions are repeated in each run, and nothing is retrieved twice.
#[track_caller]
fn is_asked_again(name: &str, knobs: Knobs, status: i32, left: usize) {
    let bench = asks_in_vain(name, knobs, status, left);
    // One more failure, then success.
    if left == 10 {
        let asked = bench.sim.commands_of("DELE");
        bench.sim.clear_log();
        let second = bench.fetch(&["--profile", "outlook-2016"]).end();
        assert_eq!(second.status, Some(status), "{name}: {}", second.text());
        assert_eq!(bench.sim.commands_of("DELE"), asked, "{name}");
    }
    asks_in_peace(name, &bench, left);
}

/// A first run, whose deletions leave this many messages on the server.
#[track_caller]
fn asks_in_vain(name: &str, knobs: Knobs, status: i32, left: usize) -> Bench {
    let bench = Bench::with(letters(10));
    watch_deletions(&bench);
    bench.knobs(knobs);
    let first = bench.fetch(&["--profile", "outlook-2016"]).end();
    assert_eq!(first.status, Some(status), "{name}: {}", first.text());
    assert_eq!(
        bench.mailbox().len(),
        left,
        "{name}: the knob does something else"
    );
    bench.assert_exactly_once();
    bench
}

/// The last run, which deletes this many messages.
#[track_caller]
fn asks_in_peace(name: &str, bench: &Bench, left: usize) {
    bench.sim.clear_log();
    bench.knobs(Knobs::default());
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    assert_eq!(bench.sim.commands_of("DELE").len(), left, "{name}");
    assert_eq!(bench.sim.commands_of("RETR"), [""; 0], "{name}");
    assert!(bench.mailbox().is_empty(), "{name}");
    bench.assert_exactly_once();
}

#[test]
fn deletions_that_the_server_did_not_carry_out_are_asked_for_again() {
    let update = |update_fail| Knobs {
        update_fail,
        ..Knobs::default()
    };
    let silently = |update_fail| Knobs {
        update_fail,
        update_fail_ok: true,
        ..Knobs::default()
    };
    is_asked_again("all fail", update(UpdateFail::All), 1, 10);
    is_asked_again("some removed", update(UpdateFail::FirstRemoved(3)), 1, 7);
    is_asked_again("every other one", update(UpdateFail::EveryOther), 1, 5);
    is_asked_again("all fail, +OK", silently(UpdateFail::All), 0, 10);
    is_asked_again(
        "some removed, +OK",
        silently(UpdateFail::FirstRemoved(3)),
        0,
        7,
    );
    is_asked_again(
        "every other one, +OK",
        silently(UpdateFail::EveryOther),
        0,
        5,
    );
    is_asked_again(
        "closed in the middle",
        update(UpdateFail::CloseAfter(4)),
        75,
        6,
    );
    is_asked_again(
        "closed at its start",
        update(UpdateFail::CloseAfter(0)),
        75,
        10,
    );
    let ignored = Knobs {
        dele_ignored: true,
        ..Knobs::default()
    };
    is_asked_again("DELE is ignored", ignored, 0, 10);
    let refused = |dele_err| Knobs {
        dele_err,
        ..Knobs::default()
    };
    is_asked_again("DELE is refused", refused(DeleErr::All), 1, 10);
    is_asked_again(
        "DELE of two is refused",
        refused(DeleErr::Numbers(vec![2, 9])),
        1,
        2,
    );
    is_asked_again(
        "four DELEs are enough",
        refused(DeleErr::AfterFirst(4)),
        1,
        6,
    );
    let error = Knobs {
        quit_err: true,
        ..Knobs::default()
    };
    is_asked_again("QUIT says -ERR, all is gone", error, 1, 0);
    let no_answer = Knobs {
        cut: Some(Cut::fin(CutAt::InQuit(0))),
        ..Knobs::default()
    };
    is_asked_again("QUIT is carried out and not answered", no_answer, 75, 0);
    for how in [CloseHow::Fin, CloseHow::Reset, CloseHow::NoCloseNotify] {
        let closed = Knobs {
            close_at: Some((At::verb("QUIT"), how)),
            ..Knobs::default()
        };
        is_asked_again(&format!("closed at QUIT, {how:?}"), closed, 75, 10);
    }
}

/// The message may be the reason, so the run continues with the others: at most three sessions in a
/// row may bring nothing, and the first session of the first run brought all messages.
#[test]
fn a_server_that_closes_at_each_dele_is_given_up_soon_and_asked_again_by_the_next_run() {
    let deletes = |numbers: &[&[u32]]| -> Vec<String> {
        let all = numbers.iter().flat_map(|session| session.iter());
        all.map(|number| format!("DELE {number}")).collect()
    };
    let at_first: [&[u32]; 4] = [&[1], &[2], &[3], &[4]];
    let at_sixth: [&[u32]; 4] = [
        &[1, 2, 3, 4, 5, 6],
        &[1, 2, 3, 4, 5, 7],
        &[1, 2, 3, 4, 5, 8],
        &[1, 2, 3, 4, 5, 9],
    ];
    for how in [CloseHow::Fin, CloseHow::Reset, CloseHow::NoCloseNotify] {
        for (nth, asked) in [(1, at_first), (6, at_sixth)] {
            let name = format!("closed at DELE {nth}, {how:?}");
            let closed = Knobs {
                close_at: Some((At::verb_nth("DELE", nth), how)),
                ..Knobs::default()
            };
            let bench = asks_in_vain(&name, closed, 75, 10);
            assert_eq!(bench.sim.commands_of("DELE"), deletes(&asked), "{name}");
            bench.sim.clear_log();
            let second = bench.fetch(&["--profile", "outlook-2016"]).gives(75);
            second.says("the session broke at its deletion");
            assert_eq!(
                bench.sim.commands_of("DELE"),
                deletes(&asked[..3]),
                "{name}"
            );
            assert_eq!(bench.sim.commands_of("RETR"), [""; 0], "{name}");
            asks_in_peace(&name, &bench, 10);
        }
    }
}

#[test]
fn deletions_that_the_server_puts_off_are_asked_for_until_they_are_done() {
    let clock = ManualClock::default();
    let of_server = clock.clone();
    let bench = Setup::with(letters(5))
        .knobs(Knobs {
            update_delay: Some(Duration::from_secs(600)),
            ..Knobs::default()
        })
        .build(|builder| builder.clock(of_server))
        .start();
    for _ in 0..2 {
        bench.sim.clear_log();
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        assert_eq!(bench.sim.commands_of("DELE").len(), 5);
        assert_eq!(bench.mailbox().len(), 5);
        bench.assert_exactly_once();
    }
    clock.advance(Duration::from_secs(601));
    assert!(bench.mailbox().is_empty());
    bench.sim.clear_log();
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    bench.assert_exactly_once();
}

#[test]
fn a_message_that_vanished_after_login_fails_alone() {
    let bench = Bench::with(letters(6));
    watch_deletions(&bench);
    let mailbox = bench.mailbox();
    let gone = mailbox.unique_ids()[2].clone();
    bench.on_command(move |seen, _| {
        if seen.verb == "UIDL" {
            mailbox.remove(&gone);
        }
    });
    let ended = bench.fetch(&["--profile", "outlook-2016"]).gives(1);
    ended.says("message 3");
    assert!(bench.mailbox().is_empty());
    let mut stored = bench.held();
    stored.remove(2);
    bench.assert_stored(&stored);
    bench.no_hooks();
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_stored(&stored);
}

#[test]
fn a_message_that_another_party_removes_once_it_is_stored_is_no_failure() {
    let bench = Bench::with(letters(6));
    let mailbox = bench.mailbox();
    bench.on_command(move |seen, _| {
        if seen.verb == "DELE" {
            mailbox.clear();
        }
    });
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn mail_that_arrives_during_a_session_is_neither_retrieved_nor_deleted_before_the_next() {
    let bench = Bench::with(letters(3));
    let mailbox = bench.mailbox();
    bench.on_command(move |seen, _| {
        if seen.verb == "QUIT" {
            mailbox.deliver(letter(4));
        }
    });
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_exactly_once();
    assert_eq!(bench.mailbox().len(), 1);
    bench.no_hooks();
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    let four: Vec<_> = letters(4).iter().map(|sent| stored_form(sent)).collect();
    bench.assert_stored(&four);
    assert!(bench.mailbox().is_empty());
}

#[test]
fn messages_that_cannot_be_had_stay_on_the_server_and_are_tried_again() {
    for fails in [Fails::Retr, Fails::Convert, Fails::Empty] {
        let bench = Bench::with(letters(5));
        watch_deletions(&bench);
        let bad = bench.mailbox().unique_ids()[1].clone();
        bench.mailbox().set_fails(&bad, fails);
        for _ in 0..2 {
            let ended = bench.fetch(&["--profile", "outlook-2016"]).gives(1);
            ended.says(&bad);
            assert_eq!(
                bench.mailbox().unique_ids(),
                std::slice::from_ref(&bad),
                "{fails:?}"
            );
            let mut stored = bench.held();
            stored.remove(1);
            bench.assert_stored(&stored);
        }
        bench.mailbox().set_fails(&bad, Fails::Never);
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        assert!(bench.mailbox().is_empty(), "{fails:?}");
        bench.assert_exactly_once();
    }
}

#[test]
fn a_server_that_sends_nothing_but_empty_messages_loses_none() {
    let bench = Bench::with(letters(5));
    bench.knobs(Knobs {
        empty_body: true,
        ..Knobs::default()
    });
    let ended = bench.fetch(&["--profile", "outlook-2016"]).gives(1);
    ended.says("empty");
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    bench.assert_stored(&[]);
    bench.knobs(Knobs::default());
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_exactly_once();
}

/// Whatever comes in answer to QUIT, the run says that nothing was deleted only if that is true.
#[test]
fn that_nothing_was_deleted_is_only_said_where_it_is_so() {
    let answers = [
        Act::Rewrite(b"+OK bye\r\n+OK really\r\n".to_vec()),
        Act::Rewrite(b"+OK bye\r\n-ERR really\r\n".to_vec()),
        Act::Rewrite(b"-ERR\r\n-ERR\r\n".to_vec()),
        Act::Rewrite(b"?\r\n?\r\n".to_vec()),
        Act::FirstLineLong(Some(200_000)),
        Act::CloseAfter(CloseHow::Reset),
    ];
    for pipelining in [false, true] {
        for answer in &answers {
            let bench = Setup::with(letters(3)).start();
            let usual = Knobs {
                pipelining,
                ..Knobs::default()
            };
            let answer = answer.clone();
            bench.knobs(usual.clone().rule(At::verb("QUIT"), answer.clone()));
            let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
            let text = ended.text();
            assert!(bench.mailbox().is_empty(), "{answer:?}: {text}");
            assert!(!text.contains("nothing was deleted"), "{answer:?}: {text}");
            bench.knobs(usual.rule(At::line("STAT"), Act::Before(b"+OK\r\n".to_vec())));
            let ended = bench.fetch(&["--profile", "outlook-2016"]).gives(76);
            ended.says("nothing was deleted on the server");
        }
    }
}
