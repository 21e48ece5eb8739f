//! LIST that breaks the session. Its sizes are hints: popsync works without them, and blames no
//! message.

use exchange_sim::{Act, At, CloseAfterErr, CloseHow, Knobs, Missing};

use super::table::fault;
use support::bench::{Bench, letters};

const KEEPING: &str = "profile = \"outlook-2019\"";

fn hangs_up(how: CloseHow, pipelining: bool) -> Knobs {
    Knobs {
        close_at: Some((At::verb("LIST"), how)),
        pipelining,
        ..Knobs::default()
    }
}

/// The numbers of LISTs and of sessions since the last call.
fn lists_and_sessions(bench: &Bench) -> (usize, usize) {
    bench.settle();
    let seen = (
        bench.sim.commands_of("LIST").len(),
        bench.sim.transcripts().len(),
    );
    bench.sim.clear_log();
    seen
}

#[test]
fn a_server_that_hangs_up_on_list_gives_its_mail_without() {
    for how in [CloseHow::Fin, CloseHow::Reset, CloseHow::NoCloseNotify] {
        fault(format!("{how:?} at LIST"), hangs_up(how, false))
            .sessions(2)
            .holds();
    }
}

#[test]
fn a_server_that_refuses_list_and_hangs_up_gives_its_mail_without() {
    for missing in [Missing::Absent, Missing::Refused] {
        let knobs = Knobs {
            no_list: Some(missing),
            close_after_err: CloseAfterErr::Always,
            ..Knobs::default()
        };
        fault(format!("LIST {missing:?}, then the end"), knobs)
            .sessions(2)
            .holds();
    }
    // The answer and the close come separately.
    let knobs = Knobs::default()
        .rule(
            At::verb("LIST"),
            Act::Instead(b"-ERR what is that?\r\n".to_vec()),
        )
        .rule(At::verb("NOOP"), Act::Close(CloseHow::Reset));
    fault("an end behind the refusal", knobs)
        .sessions(2)
        .holds();
}

#[test]
fn a_list_that_is_not_answered_to_its_end_is_done_without() {
    let silent = Knobs {
        silent_at: Some(At::verb("LIST")),
        ..Knobs::default()
    };
    fault("no answer to LIST", silent)
        .hangs()
        .sessions(2)
        .holds();
    let half = b"+OK\r\n1 10\r\n2 ".to_vec();
    let knobs = Knobs::default().rule(At::verb("LIST"), Act::Instead(half));
    fault("half an answer", knobs).hangs().sessions(2).holds();
    let endless = [&b"+OK\r\n"[..], &b"1 10\r\n".repeat(2_000_001)].concat();
    let knobs = Knobs::default().rule(At::verb("LIST"), Act::Instead(endless));
    fault("a listing without end", knobs).sessions(2).holds();
    for octets in [Some(10_000), None] {
        let knobs = Knobs {
            first_line_long: Some((At::verb("LIST"), octets)),
            ..Knobs::default()
        };
        fault(format!("{octets:?} octets of LIST"), knobs)
            .sessions(2)
            .holds();
    }
}

/// Any other mistake in an answer to LIST is as bad as with other commands.
#[test]
fn two_answers_to_list_are_out_of_step() {
    let twice = b"+OK\r\n1 10\r\n.\r\n+OK\r\n".to_vec();
    let knobs = Knobs::default().rule(At::verb("LIST"), Act::Instead(twice));
    fault("two answers", knobs)
        .fails(76, "not asked for")
        .never("RETR")
        .sessions(1)
        .violates()
        .holds();
}

#[test]
fn where_no_other_session_begins_the_break_is_the_reason_and_no_message_is_to_blame() {
    for pipelining in [false, true] {
        let bench = Bench::with(letters(3));
        bench.knobs(Knobs {
            login_delay: Some(60),
            ..hangs_up(CloseHow::Fin, pipelining)
        });
        let ended = bench.sync(KEEPING, &[]).gives(75);
        ended.says("in answer to LIST");
        assert!(!ended.err.contains("message 1"), "{}", ended.text());
        assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
        bench.assert_stored(&[]);
    }
}

#[test]
fn the_message_at_which_a_later_session_breaks_is_the_only_one_to_blame() {
    for pipelining in [false, true] {
        let bench = Bench::with(letters(4));
        let knobs = hangs_up(CloseHow::Fin, pipelining);
        bench.knobs(knobs.rule(At::line("RETR 2"), Act::Close(CloseHow::Fin)));
        let ended = bench.sync(KEEPING, &[]).gives(1);
        ended.says("message 2");
        for other in [1, 3, 4] {
            let named = format!("message {other}");
            assert!(!ended.err.contains(&named), "{}", ended.text());
        }
        let (lists, _) = lists_and_sessions(&bench);
        assert_eq!(lists, 1, "asked again in the same run");
        let mut others = bench.held();
        others.remove(1);
        bench.assert_stored(&others);
    }
}

#[test]
fn what_broke_at_list_twice_is_not_asked_for_it_again() {
    for pipelining in [false, true] {
        let bench = Bench::with(letters(2));
        bench.knobs(hangs_up(CloseHow::Fin, pipelining));
        let mut number = 2;
        let mut run = || {
            number += 1;
            bench.deliver(&support::bench::letter(number));
            bench.sync(KEEPING, &[]).gives(0);
            lists_and_sessions(&bench)
        };
        for seen in [(1, 2), (1, 2), (0, 1), (0, 1)] {
            assert_eq!(run(), seen, "pipelining {pipelining}");
        }
        bench.assert_exactly_once();
    }
    // A single failure does not count if the next try succeeds.
    let bench = Bench::with(letters(2));
    let good = Knobs::default();
    let bad = hangs_up(CloseHow::Fin, false);
    for (number, (knobs, seen)) in (3..).zip([
        (&bad, (1, 2)),
        (&good, (1, 1)),
        (&bad, (1, 2)),
        (&good, (1, 1)),
    ]) {
        bench.knobs(knobs.clone());
        bench.deliver(&support::bench::letter(number));
        bench.sync(KEEPING, &[]).gives(0);
        assert_eq!(lists_and_sessions(&bench), seen, "{number}");
    }
    bench.assert_exactly_once();
}

/// Every command that lists the mailbox works with such a server.
#[test]
fn every_command_does_without_list() {
    for pipelining in [false, true] {
        let bench = Bench::with(letters(2));
        bench.knobs(hangs_up(CloseHow::Fin, pipelining));
        let rehearsed = bench.sync(KEEPING, &["--dry-run"]).gives(0);
        assert_eq!(lists_and_sessions(&bench), (1, 2), "{}", rehearsed.text());
        bench.sync(KEEPING, &[]).gives(0);
        lists_and_sessions(&bench);
        bench.deliver(&support::bench::letter(3));
        let listed = bench.configured("list", KEEPING, &["work"]).gives(0);
        assert_eq!(listed.out.matches("stored").count(), 2, "{}", listed.text());
        assert_eq!(listed.out.matches("new").count(), 1, "{}", listed.text());
        assert_eq!(lists_and_sessions(&bench), (1, 2));
        bench
            .configured("verify", KEEPING, &["--server", "work"])
            .gives(0);
        let from_store = ["work", "--from-store"];
        bench.configured("import", KEEPING, &from_store).gives(0);
        bench.sync(KEEPING, &[]).gives(0);
        bench.assert_exactly_once();
    }
}
