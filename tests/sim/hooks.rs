//! `on-new-mail` and `on-failure`: programs that run after a run, and do not change it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs;
use std::time::{Duration, Instant};

use exchange_sim::{Act, At, Knobs};
use serde_json::Value;

use support::bench::{Bench, PASSWORD, letter, letters};

/// A hook that appends its input to a file, and its environment to another.
fn noting(bench: &Bench, key: &str) -> String {
    let file = bench.path(key);
    let script = format!("cat >> {0}; env > {0}.env", file.display());
    format!("{key} = [\"sh\", \"-c\", {script:?}]\n")
}

/// The input that the hook has had so far.
fn noted(bench: &Bench, key: &str) -> Vec<Value> {
    let text = fs::read_to_string(bench.path(key)).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn new_mail_and_failures_are_told_once_a_run_with_their_counts() {
    let bench = Bench::with(letters(2));
    let hooks = noting(&bench, "on-new-mail") + &noting(&bench, "on-failure");
    bench.sync(&hooks, &["--dry-run"]).gives(0);
    assert!(noted(&bench, "on-new-mail").is_empty());
    bench.sync(&hooks, &[]).gives(0);
    // Nothing is new, and nothing failed.
    bench.sync(&hooks, &[]).gives(0);
    let told = noted(&bench, "on-new-mail");
    assert_eq!(told.len(), 1, "{told:?}");
    for (field, expected) in [
        ("event", "new-mail".into()),
        ("account", "work".into()),
        ("retrieved", 2.into()),
        ("exit", 0.into()),
        ("error", Value::Null),
    ] {
        assert_eq!(told[0][field], expected, "{field}");
    }
    // Both, if some messages came and one did not.
    bench.deliver(&letter(3));
    bench.deliver(&letter(4));
    let refused = Act::Instead(b"-ERR no\r\n".to_vec());
    bench.knobs(Knobs::default().rule(At::line("RETR 4"), refused));
    bench.sync(&hooks, &[]).gives(1);
    assert_eq!(noted(&bench, "on-new-mail")[1]["retrieved"], 1);
    let told = noted(&bench, "on-failure");
    assert_eq!((told.len(), &told[0]["event"]), (1, &"failure".into()));
    assert_eq!(
        (&told[0]["exit"], &told[0]["failed"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn a_failure_that_is_put_off_is_not_told() {
    let bench = Bench::with(letters(1));
    let hooks = noting(&bench, "on-failure");
    let gone = Knobs::default().rule(
        At::verb("USER"),
        Act::Instead(b"-ERR [SYS/TEMP]\r\n".to_vec()),
    );
    bench.knobs(gone);
    bench
        .sync(&format!("{hooks}complain-after = \"3h\""), &[])
        .gives(75);
    assert!(noted(&bench, "on-failure").is_empty());
    bench.sync(&hooks, &[]).gives(75);
    let told = noted(&bench, "on-failure");
    assert!(
        told[0]["error"].as_str().unwrap().contains("SYS/TEMP"),
        "{told:?}"
    );
}

#[test]
fn no_secret_is_in_its_environment() {
    let bench = Bench::with(letters(1));
    let run = bench.sync(&noting(&bench, "on-new-mail"), &[]);
    let run = run
        .env("POPSYNC_PASSWORD", PASSWORD)
        .env("SECRET", PASSWORD);
    run.env("DISPLAY", ":7").gives(0);
    let environment = fs::read_to_string(bench.path("on-new-mail.env")).unwrap();
    assert!(!environment.contains(PASSWORD), "{environment}");
    for variable in ["DISPLAY=:7", "DBUS_SESSION_BUS_ADDRESS=", "HOME=", "PATH="] {
        assert!(environment.contains(variable), "{variable}: {environment}");
    }
}

#[test]
fn one_that_fails_or_is_not_there_is_a_warning_and_fails_no_run() {
    let bench = Bench::with(letters(1));
    let ended = bench
        .sync(
            "on-new-mail = [\"sh\", \"-c\", \"echo no such list >&2; exit 3\"]",
            &[],
        )
        .gives(0);
    ended.says("work: warning: on-new-mail: `sh` ended with exit status: 3: no such list");
    bench.deliver(&letter(2));
    let ended = bench
        .sync("on-new-mail = \"/nowhere/notify\"", &["--json"])
        .gives(0);
    ended.says("on-new-mail: cannot run `/nowhere/notify`");
    // It is not part of the run, whose last line is the summary.
    let last = ended.out.lines().last().unwrap();
    assert!(last.starts_with("{\"event\":\"summary\""), "{last}");
    bench.assert_exactly_once();
}

#[test]
fn one_that_hangs_is_ended_with_all_that_it_started() {
    let bench = Bench::with(letters(1));
    let began = Instant::now();
    let ended = bench
        .sync(
            "on-new-mail = [\"sh\", \"-c\", \"sleep 600 & sleep 600\"]",
            &[],
        )
        .gives(0);
    assert!(began.elapsed() < Duration::from_secs(60));
    ended.says("on-new-mail: `sh` took longer than 10 s and was ended");
    // A hook that leaves a process behind is not waited for.
    bench.deliver(&letter(2));
    let began = Instant::now();
    bench
        .sync("on-new-mail = [\"sh\", \"-c\", \"sleep 20 & exit 0\"]", &[])
        .gives(0);
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// The account's lock is released when they run.
#[test]
fn it_can_run_popsync_itself() {
    let bench = Bench::with(letters(1));
    let program = support::program();
    let (config, state) = (bench.path("config.toml"), bench.path("state"));
    let hook = format!(
        "on-new-mail = [{program:?}, \"--config\", {config:?}, \"--state-dir\", {state:?}, \"sync\"]"
    );
    let ended = bench.sync(&hook, &[]).gives(0);
    assert_eq!(ended.err, "");
    let log = bench.configured("log", &hook, &[]).gives(0).out;
    assert_eq!(log.lines().count(), 3, "{log}");
}
