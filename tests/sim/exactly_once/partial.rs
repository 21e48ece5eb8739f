//! Servers that show a part of the mailbox at a time, as Gmail: `sessions-per-run`.

use std::time::Duration;

use exchange_sim::{Act, At, Knobs};

use support::bench::{Bench, Setup, letter, letters};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

fn oldest(count: usize) -> Knobs {
    Knobs {
        only_oldest: Some(count),
        ..Knobs::default()
    }
}

fn logins(bench: &Bench) -> usize {
    let logins = bench.sim.commands_of("PASS").len();
    bench.sim.clear_log();
    logins
}

fn with(sessions: &str) -> Vec<&str> {
    [&DELETES[..], &["--sessions-per-run", sessions]].concat()
}

#[test]
fn sessions_are_repeated_while_new_messages_come() {
    let bench = Setup::with(letters(7)).knobs(oldest(3)).start();
    bench.fetch(&with("10")).gives(0);
    // The fourth session finds nothing.
    assert_eq!(logins(&bench), 4);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
    bench.fetch(&with("10")).gives(0);
    assert_eq!(logins(&bench), 1);
    bench.deliver(&letter(8));
    bench.fetch(&with("10")).gives(0);
    assert_eq!(logins(&bench), 2);
    bench.assert_exactly_once();
}

#[test]
fn there_are_no_more_of_them_than_allowed_and_one_if_nothing_is_said() {
    let bench = Setup::with(letters(9)).knobs(oldest(2)).start();
    bench.fetch(&DELETES).gives(0);
    assert_eq!((logins(&bench), bench.mailbox().len()), (1, 7));
    bench.fetch(&with("2")).gives(0);
    assert_eq!((logins(&bench), bench.mailbox().len()), (2, 3));
    bench.fetch(&with("2")).gives(0);
    assert_eq!((logins(&bench), bench.mailbox().len()), (2, 0));
    bench.assert_exactly_once();
}

#[test]
fn limits_are_those_of_the_run() {
    let bench = Setup::with(letters(9)).knobs(oldest(3)).start();
    let arguments = [&with("10")[..], &["--max-messages", "5"]].concat();
    bench.fetch(&arguments).gives(0);
    assert_eq!(bench.store.len(), 5);
    assert_eq!(logins(&bench), 2);
    bench.fetch(&arguments).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn a_server_that_takes_no_further_session_is_no_failure() {
    let busy = Knobs {
        busy_after_quit: Some(Duration::from_secs(60)),
        ..oldest(2)
    };
    let bench = Setup::with(letters(5)).knobs(busy).start();
    let ended = bench.fetch(&with("10")).gives(0);
    ended.says("takes no further session now");
    assert_eq!(bench.mailbox().len(), 3);
    bench.knobs(oldest(2));
    bench.fetch(&with("10")).gives(0);
    bench.assert_exactly_once();
    // For the first session it is an error.
    bench.knobs(oldest(2).rule(
        At::verb("PASS"),
        Act::Instead(b"-ERR [IN-USE] too soon\r\n".to_vec()),
    ));
    bench.fetch(&with("10")).gives(75);
}

/// The server requires a pause after the last session, which belongs to this run.
#[test]
fn a_further_session_that_comes_too_soon_waits_for_a_moment() {
    for (login_delay, busy_after_quit) in [(Some(1), None), (None, Some(Duration::from_secs(1)))] {
        let knobs = Knobs {
            login_delay,
            busy_after_quit,
            ..oldest(2)
        };
        let bench = Setup::with(letters(3)).knobs(knobs).start();
        let ended = bench.fetch(&with("10")).gives(0);
        assert_eq!(ended.err, "");
        assert!(logins(&bench) > 3, "nothing came too soon");
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
    }
}

#[test]
fn a_message_that_cannot_be_had_fails_once_a_run() {
    let bench = Setup::with(letters(5)).start();
    bench.knobs(oldest(3).rule(At::line("RETR 1"), Act::Instead(b"-ERR no\r\n".to_vec())));
    let arguments = [&with("10")[..], &["--json"]].concat();
    let ended = bench.fetch(&arguments).gives(1);
    assert_eq!(
        ended.out.matches("\"event\":\"failed\"").count(),
        1,
        "{}",
        ended.text()
    );
    assert!(ended.out.contains("\"failed\":1"), "{}", ended.text());
    assert_eq!(bench.mailbox().len(), 1);
    bench.knobs(Knobs::default());
    bench.fetch(&DELETES).gives(0);
    bench.assert_exactly_once();
}
