//! Data that must survive a power cut is synced before anything depends on it: the order of the
//! program's calls, traced by strace.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, DirBuilder, File};
use std::path::Path;
use std::process::{Command, Stdio};

use support::bench::{Bench, Into, Run, Setup, letters};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

/// The calls that sync or rename something, in order, with the paths of all files.
fn traced(bench: &Bench, mut run: Run<'_>) -> Vec<String> {
    let log = bench.path("trace");
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-y", "-qq", "-e", "signal=none", "-e"])
        .arg("trace=fsync,fdatasync,syncfs,linkat,rename,renameat,renameat2,write")
        .arg("-o")
        .arg(&log)
        .arg(run.command.get_program())
        .args(run.command.get_args())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap());
    for (name, value) in run.command.get_envs() {
        traced.env(name, value.unwrap_or_default());
    }
    traced
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    run.command = traced;
    run.gives(0);
    assert!(bench.mailbox().is_empty(), "messages are left");
    let text = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
    let calls = text.lines().filter(|line| !line.contains(" resumed>"));
    calls.map(str::to_owned).collect()
}

/// The index of the first call that satisfies this.
#[track_caller]
fn first(calls: &[String], what: &str, is: impl Fn(&str) -> bool) -> usize {
    let at = calls.iter().position(|call| is(call));
    at.unwrap_or_else(|| panic!("no call: {what}, in\n{}", calls.join("\n")))
}

fn syncs(call: &str, path: &Path) -> bool {
    call.contains("sync(") && call.contains(&format!("<{}>", path.display()))
}

/// Asserts that this path is synced before that call.
#[track_caller]
fn assert_synced(calls: &[String], path: &Path, before: usize) {
    let at = first(calls, &format!("sync of {}", path.display()), |call| {
        syncs(call, path)
    });
    assert!(at < before, "{} is synced too late", path.display());
}

/// A bench whose store lies in a folder of its own, below the home.
fn apart(into: Into, name: &str) -> Bench {
    let mut bench = Setup::with(letters(3)).into(into).start();
    bench.place = bench.path(name);
    bench
}

fn make(folder: &Path) {
    let mut builder = DirBuilder::new();
    builder.recursive(true).create(folder).unwrap();
}

#[test]
fn what_a_killed_run_has_made_is_found_after_a_power_cut_before_anything_is_in_it() {
    for (into, name) in [
        (Into::Maildir, "deep/down/Mail"),
        (Into::Mbox, "deep/inbox"),
    ] {
        let bench = apart(into, name);
        // All files that a run creates before it syncs anything.
        let state = bench.path("state");
        make(&state);
        File::create(state.join("popsync.sqlite3")).unwrap();
        if into == Into::Maildir {
            for name in ["tmp", "new", "cur"] {
                make(&bench.place.join(name));
            }
        } else {
            make(bench.place.parent().unwrap());
            File::create(&bench.place).unwrap();
        }
        let calls = traced(&bench, bench.fetch(&DELETES));
        let wal = state.join("popsync.sqlite3-wal");
        let recorded = first(&calls, "a transaction", |call| syncs(call, &wal));
        assert_synced(&calls, &state, recorded);
        assert_synced(&calls, state.parent().unwrap(), recorded);
        // Before the first message is visible to readers.
        let shown = first(&calls, "a message is shown", |call| match into {
            Into::Maildir => call.contains("rename") && call.contains("/new>"),
            Into::Mbox => call.contains("write(") && call.contains("/inbox>"),
        });
        let way = bench
            .place
            .ancestors()
            .skip(usize::from(into == Into::Mbox));
        for folder in way.take_while(|folder| *folder != bench.path("")) {
            assert_synced(&calls, folder, shown);
        }
        if into == Into::Mbox {
            assert_synced(&calls, &state, shown);
        }
    }
}

#[test]
fn a_transaction_that_was_perhaps_only_written_is_synced_before_it_is_acted_upon() {
    let bench = Bench::with(letters(3));
    let crashing = bench.fetch(&DELETES).env("POPSYNC_STOP_AT", "3");
    assert!(crashing.end().was_killed());
    let calls = traced(&bench, bench.fetch(&DELETES));
    let shown = first(&calls, "a message is shown", |call| {
        call.contains("rename") && call.contains("/new>")
    });
    let wal = bench.path("state/popsync.sqlite3-wal");
    assert_synced(&calls, &wal, shown);
    assert_synced(&calls, &bench.path("state"), shown);
    bench.assert_exactly_once();
}

#[test]
fn a_lock_file_is_durable_before_a_name_leads_to_it() {
    let bench = Setup::with(letters(3)).into(Into::Mbox).start();
    let calls = traced(&bench, bench.fetch(&DELETES));
    let linked = first(&calls, "a lock file is linked", |call| {
        call.contains("linkat(") && call.contains("inbox.lock")
    });
    let (_, descriptor) = calls[linked].split_once("/proc/self/fd/").unwrap();
    let descriptor: String = descriptor
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let of_it = |call: &&String| call.contains(&format!("({descriptor}<"));
    let last = calls[..linked].iter().rfind(of_it).unwrap();
    assert!(last.contains("fsync("), "the last call before: {last}");
    bench.assert_exactly_once();
}
