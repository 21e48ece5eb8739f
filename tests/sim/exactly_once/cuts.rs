//! The connection ends where it should not.

use exchange_sim::{CloseHow, Cut, CutAt, Knobs, wire_form};

use support::bench::{Bench, By, Setup, letter, letters};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

fn cut(at: CutAt, how: CloseHow) -> Knobs {
    Knobs {
        cut: Some(Cut { at, how }),
        ..Knobs::default()
    }
}

/// How many octets of a message go on the wire behind RETR's status line.
fn sent_octets(message: &[u8]) -> u64 {
    let wire = wire_form(message);
    let at_start = u64::from(wire.starts_with(b"."));
    let stuffed = wire.windows(3).filter(|three| three == b"\r\n.").count() as u64;
    wire.len() as u64 + stuffed + at_start + 3
}

/// Cuts a dialogue with two new messages at every `step`th octet, of which a sample is tried, and
/// lets the next run complete it.
fn at_every_octet(by: By, how: CloseHow, step: usize) {
    let bench = Setup::with(letters(2)).by(by).start();
    bench.fetch(&DELETES).gives(0);
    let total = bench.sim.transcripts()[0].octets_sent;
    assert!(total > 300, "the dialogue has {total} octets");
    let mut number = 2;
    for octet in support::sample((0..total).step_by(step), 6) {
        for _ in 0..2 {
            number += 1;
            bench.deliver(&letter(number));
        }
        let when = format!("{how:?} at {octet} of {total}");
        bench.knobs(cut(CutAt::Octet(octet), how));
        bench.sim.clear_log();
        let ended = bench.fetch(&DELETES).end();
        // Reset at once, the connection may look as if it had never been made.
        let expected = [
            Some(75),
            (how == CloseHow::Reset && octet < 60).then_some(69),
        ];
        assert!(expected.contains(&ended.status), "{when}: {}", ended.text());
        assert_eq!(bench.store.tmp(), [""; 0], "{when}");
        // A message is on the server until QUIT, and in the store once it was complete.
        let quit = !bench.sim.commands_of("QUIT").is_empty();
        assert_eq!(bench.mailbox().len(), if quit { 0 } else { 2 }, "{when}");
        let stored = bench.store.len();
        bench.knobs(Knobs::default());
        bench.sim.clear_log();
        bench.fetch(&DELETES).gives(0);
        let retrieved = bench.sim.commands_of("RETR").len();
        assert_eq!(
            stored + retrieved,
            number,
            "{when}: stored, and retrieved again"
        );
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty(), "{when}");
    }
}

#[test]
fn a_dialogue_that_ends_with_fin_at_any_octet_is_completed_by_the_next_run() {
    at_every_octet(By::Plain, CloseHow::Fin, 1);
}

#[test]
fn a_dialogue_that_is_reset_at_any_octet_is_completed_by_the_next_run() {
    at_every_octet(By::Plain, CloseHow::Reset, 3);
}

#[test]
fn a_dialogue_that_ends_without_close_notify_at_any_octet_is_completed_by_the_next_run() {
    at_every_octet(By::Tls, CloseHow::NoCloseNotify, 5);
}

/// Cuts around the end of a message and inside it.
fn in_the_middle_of_a_message(size: usize, pipelining: bool) {
    let mut large = letter(2);
    while large.len() < size {
        large.extend_from_slice(b"one line of many, and some of them\r\n.begin with a dot\r\n");
    }
    let messages = [letter(1), large, letter(3), letter(4)];
    let end = sent_octets(&messages[1]);
    let around_the_end = end - 8..=end + 1;
    let inside = [0, 1, 2, 50, end / 2, end / 3];
    for how in [CloseHow::Fin, CloseHow::Reset, CloseHow::NoCloseNotify] {
        for octets in support::sample(inside.into_iter().chain(around_the_end.clone()), 3) {
            let bench = Bench::with(messages.clone());
            let when = format!("{how:?} at {octets} of {end}, pipelining {pipelining}");
            bench.knobs(Knobs {
                pipelining,
                ..cut(CutAt::MidRetr { number: 2, octets }, how)
            });
            let ended = bench.fetch(&DELETES).end();
            assert_eq!(ended.status, Some(75), "{when}: {}", ended.text());
            assert_eq!(bench.store.tmp(), [""; 0], "{when}");
            assert_eq!(bench.mailbox().len(), 4, "{when}: deleted");
            assert_eq!(bench.sim.commands_of("DELE"), [""; 0], "{when}");
            let held = bench.held();
            let whole = if octets >= end { 2 } else { 1 };
            let stored = bench.store.len();
            // A reset may take away what was sent before it.
            if how == CloseHow::Reset {
                assert!(stored <= whole, "{when}");
            } else {
                assert_eq!(stored, whole, "{when}: what was complete is stored");
            }
            bench.assert_stored(&held[..stored]);
            bench.knobs(Knobs {
                pipelining,
                ..Knobs::default()
            });
            bench.sim.clear_log();
            bench.fetch(&DELETES).gives(0);
            assert_eq!(bench.sim.commands_of("RETR").len(), 4 - stored, "{when}");
            bench.assert_exactly_once();
            assert!(bench.mailbox().is_empty(), "{when}");
        }
    }
}

#[test]
fn a_cut_in_a_small_message_stores_nothing_of_it() {
    in_the_middle_of_a_message(100, false);
}

#[test]
fn a_cut_in_a_large_message_stores_nothing_of_it() {
    in_the_middle_of_a_message(300_000, false);
}

#[test]
fn a_cut_in_a_pipelined_message_stores_nothing_of_it() {
    in_the_middle_of_a_message(20_000, true);
}

#[test]
fn a_cut_behind_a_message_keeps_it() {
    for how in [CloseHow::Fin, CloseHow::NoCloseNotify] {
        for number in 1..=3 {
            let bench = Bench::with(letters(3));
            bench.knobs(cut(CutAt::AfterRetr(number), how));
            bench.fetch(&DELETES).gives(75);
            let held = bench.held();
            bench.assert_stored(&held[..number as usize]);
            assert_eq!(bench.mailbox().len(), 3);
            bench.knobs(Knobs::default());
            bench.fetch(&DELETES).gives(0);
            bench.assert_exactly_once();
        }
    }
}

#[test]
fn a_server_that_restarts_in_the_middle_costs_nothing_but_time() {
    let bench = Bench::with(letters(50));
    for number in [1, 20, 45] {
        bench.knobs(cut(CutAt::AfterRetr(number), CloseHow::Fin));
        bench.fetch(&[]).gives(75);
    }
    bench.knobs(Knobs::default());
    bench.fetch(&[]).gives(0);
    // The third session's message 45 never came: 1 to 20 were there by then.
    let retrieved = bench.sim.commands_of("RETR");
    assert_eq!(retrieved.len(), 50, "{retrieved:?}");
    bench.assert_exactly_once();
}
