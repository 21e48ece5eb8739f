//! Servers that are unreachable, or have no time, for a while: when that is reported.

use exchange_sim::{Knobs, RefuseLogins};
use popsync::internals::account::Identity;
use popsync::internals::cache::Lock;
use rusqlite::Connection;
use serde_json::Value;

use support::bench::{Bench, Ended, USER, letters};

/// A sync without a server.
fn unreachable(bench: &Bench, keys: &str, arguments: &[&str]) -> Ended {
    let socket = format!("socket = {:?}\n{keys}", bench.path("nobody"));
    bench.sync(&socket, arguments).gives(69)
}

#[test]
fn a_short_outage_is_recorded_and_not_complained_of() {
    let bench = Bench::with(letters(1));
    let patient = "complain-after = \"3h\"";
    bench.sync(patient, &[]).gives(0);
    // At once by default.
    unreachable(&bench, "", &[]).says("hint: ");
    for _ in 0..2 {
        let ended = unreachable(&bench, patient, &[]);
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""));
    }
    let log = bench.configured("log", "", &["--json"]).gives(0).out;
    let exits: Vec<_> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["exit"].clone())
        .collect();
    assert_eq!(exits, [69, 69, 69, 0]);
    // Programs get it.
    let ended = unreachable(&bench, patient, &["--json"]);
    assert!(
        ended
            .out
            .starts_with("{\"event\":\"error\",\"account\":\"work\",\"exit\":69")
    );
    assert_eq!(ended.err, "");
    // So does a user who asks for the steps.
    unreachable(&bench, patient, &["-v"]).says("too early to complain");
}

#[test]
fn one_that_lasts_is_complained_of_with_the_time_since_when() {
    let bench = Bench::with(letters(1));
    let patient = "complain-after = \"3h\"";
    bench.sync(patient, &[]).gives(0);
    assert_eq!(unreachable(&bench, patient, &[]).err, "");
    // Four hours pass.
    let state = Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
    let passing = "UPDATE runs SET started_at = started_at - 14400,
        finished_at = finished_at - 14400";
    assert_eq!(state.execute(passing, []).unwrap(), 2);
    drop(state);
    unreachable(&bench, patient, &[]).says("; failing since 2");
    // After a successful run, an outage begins anew.
    bench.sync(patient, &[]).gives(0);
    assert_eq!(unreachable(&bench, patient, &[]).err, "");
}

#[test]
fn one_is_complained_of_after_some_runs() {
    let bench = Bench::with(letters(1));
    let patient = "complain-after = \"3 runs\"";
    for _ in 0..2 {
        bench.sync(patient, &[]).gives(0);
        for _ in 0..2 {
            assert_eq!(unreachable(&bench, patient, &[]).err, "");
        }
        for _ in 0..2 {
            unreachable(&bench, patient, &[]).says("; failing since 2");
        }
    }
}

/// A long run blocks the later ones, which is not recorded.
#[test]
fn a_long_run_is_no_reason_to_complain_before_its_time() {
    let bench = Bench::with(letters(1));
    bench.sync("", &[]).gives(0);
    let work = Identity {
        key: "work".to_owned(),
        host: "127.0.0.1".to_owned(),
        user: USER.to_owned(),
    };
    let run = Lock::acquire(&bench.path("state"), &work).unwrap();
    bench.sync("", &[]).gives(75).says("hint: ");
    let patient = "complain-after = \"3h\"";
    assert_eq!(bench.sync(patient, &[]).gives(75).err, "");
    drop(run);
}

#[test]
fn other_failures_are_said_at_once() {
    let bench = Bench::with(letters(1));
    bench.knobs(Knobs {
        refuse_logins: Some(RefuseLogins {
            text: "no".to_owned(),
            times: None,
        }),
        ..Knobs::default()
    });
    let ended = bench.sync("complain-after = \"3h\"", &[]).gives(77);
    ended.says("the server refused PASS: `no`");
}
