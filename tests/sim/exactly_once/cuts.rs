//! The connection ends where it should not.

use exchange_sim::{CloseHow, Cut, CutAt, Knobs, wire_form};

use support::bench::{Bench, letter, letters};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];
const KEEPS: [&str; 2] = ["--profile", "outlook-2019"];

fn cut(at: CutAt, how: CloseHow) -> Knobs {
    Knobs {
        cut: Some(Cut { at, how }),
        ..Knobs::default()
    }
}

/// The octets of a message on the wire after RETR's status line.
fn sent_octets(message: &[u8]) -> u64 {
    let wire = wire_form(message);
    let at_start = u64::from(wire.starts_with(b"."));
    let stuffed = wire.windows(3).filter(|three| three == b"\r\n.").count() as u64;
    wire.len() as u64 + stuffed + at_start + 3
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
            // If mail stays on the server, the others are retrieved, and this one is cut each time.
            let ended = bench.fetch(&KEEPS).end();
            let is_whole = octets >= end && bench.store.holds(&bench.held()[1]);
            let status = if is_whole { 0 } else { 1 };
            assert_eq!(ended.status, Some(status), "{when}: {}", ended.text());
            // A reset may discard data that was sent before it.
            if octets >= end && how != CloseHow::Reset {
                assert!(is_whole, "{when}: what was complete is stored");
            }
            let mut whole = bench.held();
            if !is_whole {
                ended.says("message 2 (6501): ");
                whole.remove(1);
            }
            bench.assert_stored(&whole);
            assert_eq!(bench.mailbox().len(), 4, "{when}: deleted");
            assert_eq!(bench.sim.commands_of("DELE"), [""; 0], "{when}");
            // After one cut, it is retrieved last in the same run: by then it is number 1.
            let bench = Bench::with(messages.clone());
            bench.knobs(Knobs {
                pipelining,
                ..cut(CutAt::MidRetr { number: 2, octets }, how)
            });
            let ended = bench.fetch(&DELETES).end();
            assert_eq!(ended.status, Some(0), "{when}: {}", ended.text());
            bench.assert_exactly_once();
            assert!(bench.mailbox().is_empty(), "{when}");
            assert_eq!(bench.sim.transcripts().len(), 3, "{when}");
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
        // After message 2, message 3 is retrieved in a session of its own, as number 1. Message 2,
        // cut off after message 1, gets that number, and is cut before its deletion. After the last
        // message there is none to continue with.
        for (number, status, left) in [(1, 75, 1), (2, 0, 0), (3, 75, 3)] {
            let bench = Bench::with(letters(3));
            bench.knobs(cut(CutAt::AfterRetr(number), how));
            let ended = bench.fetch(&DELETES).gives(status);
            assert!(!ended.err.contains("failed"), "{}", ended.text());
            bench.assert_exactly_once();
            assert_eq!(bench.mailbox().len(), left, "{how:?} behind {number}");
            bench.knobs(Knobs::default());
            bench.sim.clear_log();
            bench.fetch(&DELETES).gives(0);
            assert_eq!(bench.sim.commands_of("RETR"), [""; 0]);
            bench.assert_exactly_once();
            assert!(bench.mailbox().is_empty());
        }
    }
}

#[test]
fn a_server_that_restarts_in_the_middle_costs_nothing_but_time() {
    for number in [1, 20, 45] {
        let bench = Bench::with(letters(50));
        bench.knobs(cut(CutAt::AfterRetr(number), CloseHow::Fin));
        bench.fetch(&KEEPS).gives(0);
        assert_eq!(bench.sim.transcripts().len(), 3);
        let retrieved = bench.sim.commands_of("RETR");
        assert_eq!(retrieved.len(), 50, "{retrieved:?}");
        bench.assert_exactly_once();
    }
}
