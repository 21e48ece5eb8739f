//! In a run of several accounts, one that failed for a reason that may pass comes again at the end.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs;
use std::time::{Duration, Instant};

use exchange_sim::{Act, At, CloseHow, Knobs, RefuseLogins, Rule};
use rustix::process::Signal;
use serde_json::Value;

use support::bench::{Bench, Ended, USER, letters};

/// Further accounts `a2` to `aN` of the same mailbox, behind the keys of `work`.
fn more(bench: &Bench, keys: &str, accounts: u32) -> String {
    let account = |number: u32| {
        let name = format!("a{number}");
        format!(
            "\n[accounts.{name}]\nserver = {:?}\nuser = {USER:?}\ntls = {{ ca-file = {:?} }}\n\
             password-file = {:?}\nmaildir = {:?}\n{keys}\n",
            bench.url(),
            bench.path("ca.pem"),
            bench.path("password"),
            bench.path(&name)
        )
    };
    let others: String = (2..=accounts).map(account).collect();
    keys.to_owned() + &others
}

fn refusing(text: &str, times: Option<u32>) -> Knobs {
    Knobs {
        refuse_logins: Some(RefuseLogins {
            text: text.to_owned(),
            times,
        }),
        ..Knobs::default()
    }
}

fn announcing(seconds: u32, times: Option<u32>) -> Knobs {
    Knobs {
        capa_extra: vec![format!("LOGIN-DELAY {seconds} USER")],
        ..refusing("[LOGIN-DELAY] minimum time between logins", times)
    }
}

/// How often each of these events is told of.
fn told(ended: &Ended, events: [&str; 3]) -> [usize; 3] {
    let lines = ended.out.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    events.map(|event| lines.iter().filter(|line| line["event"] == event).count())
}

const EVENTS: [&str; 3] = ["again", "error", "summary"];

/// The exit statuses in the log, the newest first.
fn recorded(bench: &Bench, keys: &str) -> Vec<Value> {
    let log = bench.configured("log", keys, &["--json"]).gives(0);
    let lines = log.out.lines();
    lines
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["exit"].clone())
        .collect()
}

fn stored(bench: &Bench, account: &str) -> usize {
    fs::read_dir(bench.path(account).join("new")).map_or(0, |folder| folder.count())
}

fn logins(bench: &Bench) -> usize {
    bench.sim.commands_of("PASS").len()
}

#[test]
fn one_that_fails_and_then_works_is_a_success() {
    let bench = Bench::with(letters(3));
    let keys = more(&bench, "on-failure = [\"touch\", \"complained\"]", 2);
    bench.knobs(refusing("[IN-USE] locked", Some(1)));
    let ended = bench.sync(&keys, &[]).gives(0);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
    assert_eq!((bench.store.len(), stored(&bench, "a2")), (3, 3));
    assert_eq!(logins(&bench), 3);
    assert_eq!(recorded(&bench, &keys), [0, 0]);
    assert!(!bench.path("complained").exists());
    bench.assert_no_violations();
    // Nothing is left for `--failed`.
    bench.sim.clear_log();
    bench.sync(&keys, &["--failed"]).gives(0);
    assert_eq!(logins(&bench), 0);
    // Programs and people who want each step are told of the first attempt.
    bench.knobs(refusing("[IN-USE] locked", Some(1)));
    let ended = bench.sync(&keys, &["--json", "-v"]).gives(0);
    assert_eq!(told(&ended, EVENTS), [1, 0, 2], "{}", ended.text());
    let again = ended.out.lines().find(|line| line.contains("\"again\""));
    let again: Value = serde_json::from_str(again.unwrap()).unwrap();
    assert_eq!((&again["exit"], &again["seconds"]), (&75.into(), &2.into()));
    assert!(again["message"].as_str().unwrap().contains("locked"));
    ended.says("it has a second turn at the end");
}

#[test]
fn one_that_fails_twice_is_one_failure() {
    let bench = Bench::with(letters(1));
    let keys = more(&bench, "", 2);
    bench.knobs(refusing("[SYS/TEMP] not now", None));
    let ended = bench.sync(&keys, &["--json"]).gives(75);
    assert_eq!(told(&ended, EVENTS), [2, 2, 2], "{}", ended.text());
    assert_eq!(ended.err.matches("not now").count(), 2, "{}", ended.text());
    assert_eq!(logins(&bench), 4);
    assert_eq!(recorded(&bench, &keys), [75, 75]);
    // Nor does it count as two runs for those who are patient.
    let patient = more(&bench, "complain-after = \"3 runs\"", 2);
    let ended = bench.sync(&patient, &[]).gives(75);
    assert_eq!(ended.err, "", "{}", ended.text());
    bench.sync(&patient, &[]).gives(75).says("failing since");
    bench.knobs(Knobs::default());
    bench.sync(&keys, &["--failed"]).gives(0);
    assert_eq!((bench.store.len(), stored(&bench, "a2")), (1, 1));
}

#[test]
fn a_broken_connection_is_tried_again() {
    let bench = Bench::with(letters(4));
    let keys = more(&bench, "", 2);
    let close = Act::Close(CloseHow::Reset);
    let knobs = Knobs {
        rules: vec![Rule::new(At::verb("UIDL"), close)],
        ..Knobs::default()
    };
    bench.knobs(knobs);
    let running = bench.sync(&keys, &["-v", "--jobs", "1"]).start();
    running.wait_until_it_says("it has a second turn at the end");
    bench.knobs(Knobs::default());
    let ended = running.end();
    assert_eq!(ended.status, Some(0), "{}", ended.text());
    assert_eq!((bench.store.len(), stored(&bench, "a2")), (4, 4));
    assert_eq!(recorded(&bench, &keys), [0, 0]);
}

#[test]
fn wrong_passwords_and_a_single_account_have_one_turn() {
    let bench = Bench::with(letters(1));
    let keys = more(&bench, "", 2);
    bench.knobs(refusing("[AUTH] no", None));
    bench.sync(&keys, &[]).gives(77);
    assert_eq!(logins(&bench), 2);
    bench.sim.clear_log();
    bench.knobs(refusing("[SYS/TEMP] not now", None));
    bench.sync(&keys, &["work"]).gives(75);
    bench.sync("", &[]).gives(75);
    assert_eq!(logins(&bench), 2);
}

#[test]
fn a_server_with_too_many_connections_is_left_alone_for_a_while() {
    let bench = Bench::with(letters(2));
    let keys = more(&bench, "", 5);
    bench.knobs(refusing("[SYS/TEMP] Too many connections", Some(3)));
    let began = Instant::now();
    let ended = bench.sync(&keys, &["--jobs", "5", "--json"]).gives(0);
    assert!(began.elapsed() >= Duration::from_secs(5));
    assert_eq!(told(&ended, EVENTS), [3, 0, 5], "{}", ended.text());
    for account in ["Mail", "a2", "a3", "a4", "a5"] {
        assert_eq!(stored(&bench, account), 2, "{account}");
    }
    bench.assert_no_violations();
}

/// The server itself holds the client to its word.
#[test]
fn a_login_delay_is_waited_for() {
    let bench = Bench::with(letters(2));
    let keys = more(&bench, "", 2);
    // Both accounts have one mailbox: it is the second one that comes too soon.
    bench.knobs(Knobs {
        login_delay: Some(5),
        ..Knobs::default()
    });
    let began = Instant::now();
    let ended = bench.sync(&keys, &["--jobs", "1", "--json"]).gives(0);
    assert!(began.elapsed() >= Duration::from_secs(5));
    assert_eq!(told(&ended, EVENTS), [1, 0, 2], "{}", ended.text());
    assert_eq!((bench.store.len(), stored(&bench, "a2")), (2, 2));
}

#[test]
fn one_of_an_hour_is_left_to_the_next_run() {
    let bench = Bench::with(letters(1));
    let keys = more(&bench, "", 2);
    bench.knobs(announcing(3_600, Some(1)));
    let ended = bench.sync(&keys, &["--jobs", "1"]).gives(75);
    ended.says("try again later: the server asks for 3600 s between two logins");
    ended.says("1 account that failed has to wait longer than 60 s: the next run tries it again");
    assert_eq!(logins(&bench), 2);
    assert_eq!(recorded(&bench, &keys), [0, 75]);
    bench.knobs(Knobs::default());
    bench.sync(&keys, &["--failed"]).gives(0);
    assert_eq!((bench.store.len(), stored(&bench, "a2")), (1, 1));
}

#[test]
fn a_signal_ends_the_wait_at_once() {
    let bench = Bench::with(letters(1));
    let keys = more(&bench, "", 2);
    bench.knobs(announcing(50, Some(1)));
    let began = Instant::now();
    let running = bench.sync(&keys, &["-v"]).start();
    running.wait_until_it_says("before accounts that failed are tried again");
    running.process.signal(Signal::INT);
    let ended = running.end();
    assert_eq!(ended.status, Some(130), "{}", ended.text());
    assert!(began.elapsed() < Duration::from_secs(50));
    ended.says("the server refused PASS: `[LOGIN-DELAY]");
    let mut exits = recorded(&bench, &keys);
    exits.sort_by_key(Value::as_u64);
    assert_eq!(exits, [0, 75]);
}

#[test]
fn repeated_syncs_have_second_turns_that_do_not_put_off_the_next_sync() {
    let bench = Bench::with(letters(1));
    let keys = more(&bench, "", 2);
    bench.knobs(refusing("[IN-USE] locked", Some(1)));
    let running = bench.sync(&keys, &["-v", "--every", "1h"]).start();
    running.wait_until_it_says("run 1 ended with 0");
    running.process.signal(Signal::TERM);
    assert_eq!(running.end().status, Some(143));
    assert_eq!((bench.store.len(), stored(&bench, "a2")), (1, 1));
    bench.knobs(announcing(50, None));
    let running = bench.sync(&keys, &["-v", "--every", "10s"]).start();
    running.wait_until_it_says("have to wait longer than 10 s: the next run tries them again");
    running.wait_until_it_says("run 1 ended with 75");
    running.process.signal(Signal::TERM);
    assert_eq!(running.end().status, Some(143));
}
