//! Files that are pipes, children that hold pipes open, and locks of processes that stand still.
//! (Attacks L1, L3, L5.)

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;

use support::bench::{Bench, PASSWORD, USER, letters};

/// The time limit for a run that was stopped, or has a time-out of a second.
const SOON: Duration = Duration::from_secs(15);

fn pipe(path: &Path) -> PathBuf {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
    path.to_owned()
}

/// The same command with another path among its arguments.
fn instead(command: &Command, old: &Path, new: &Path) -> Command {
    let mut other = Command::new(command.get_program());
    for argument in command.get_args() {
        other.arg(if argument == old {
            new.as_os_str()
        } else {
            argument
        });
    }
    other.env_clear().stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        other.env(name, value.unwrap_or_default());
    }
    other.stdout(Stdio::piped()).stderr(Stdio::piped());
    other
}

#[test]
fn a_password_command_that_leaves_a_child_behind_is_not_waited_for() {
    let bench = Bench::with(letters(2));
    let keys = format!(
        "[accounts.other]\nserver = {:?}\nuser = {USER:?}\nmaildir = {:?}\n\
         password-command = \"sleep 30 & echo '{PASSWORD}'\"\ntls = {{ ca-file = {:?} }}",
        bench.url(),
        bench.path("other"),
        bench.path("ca.pem"),
    );
    let ended = bench.sync(&keys, &["other"]).within(SOON).end();
    assert_eq!(ended.status, Some(0), "{}", ended.text());
    let stored = fs::read_dir(bench.path("other/new")).unwrap();
    assert_eq!(stored.count(), 2);
}

#[test]
fn a_configuration_from_a_pipe_is_read() {
    let bench = Bench::with(letters(2));
    // Written once, as a file, and then sent through a pipe.
    drop(bench.sync("", &[]).gives(0));
    let config = bench.path("config.toml");
    let text = fs::read(&config).unwrap();
    let path = pipe(&bench.path("config.pipe"));
    let mut run = bench.sync("", &[]);
    run.command = instead(&run.command, &config, &path);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut pipe = OpenOptions::new().write(true).open(&path).unwrap();
            pipe.write_all(&text).unwrap();
        });
        run.within(SOON).gives(0);
    });
    bench.assert_exactly_once();
}

/// Its time-out is a minute: see `patient`. The first signal ends the wait before that.
#[test]
fn a_signal_ends_the_wait_for_a_configuration_from_a_pipe() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let bench = Bench::with(letters(2));
        drop(bench.sync("", &[]));
        let config = bench.path("config.toml");
        let path = pipe(&bench.path("config.pipe"));
        let mut run = bench.sync("", &[]);
        run.command = instead(&run.command, &config, &path);
        let running = run.within(SOON).start();
        // Opened as soon as popsync has opened it to read.
        let held = OpenOptions::new().write(true).open(&path).unwrap();
        running.process.signal(signal);
        let ended = running.end();
        drop(held);
        let is_ended = ended.signal == Some(signal.as_raw());
        let status = ended.status.unwrap_or_default();
        assert!(
            is_ended || status == 128 + signal.as_raw(),
            "{}",
            ended.text()
        );
        assert!(bench.sim.transcripts().is_empty());
    }
}

/// A pipe that another process holds open without writing: the time-out ends the wait, or a signal.
#[test]
fn a_password_pipe_that_stays_silent_has_an_end() {
    for signal in [None, Some(Signal::TERM), Some(Signal::INT)] {
        let bench = Bench::with(letters(2));
        fs::remove_file(bench.path("password")).unwrap();
        let path = pipe(&bench.path("password"));
        let limit = if signal.is_none() { "1s" } else { "60s" };
        let running = bench
            .sync(&format!("timeout = {limit:?}"), &[])
            .within(SOON)
            .start();
        // Opened as soon as popsync has opened it to read.
        let held = OpenOptions::new().write(true).open(&path).unwrap();
        if let Some(signal) = signal {
            running.process.signal(signal);
        }
        let ended = running.end();
        drop(held);
        match signal {
            None => {
                assert_eq!(ended.status, Some(77), "{}", ended.text());
                ended.says("pipe");
            }
            Some(_) => assert!(
                ended.status.is_some_and(|status| status >= 128),
                "{}",
                ended.text()
            ),
        }
        assert!(bench.sim.transcripts().is_empty());
    }
}

#[test]
fn a_state_that_is_a_pipe_is_refused() {
    let files = [
        "popsync.sqlite3",
        "popsync.sqlite3-wal",
        "locks/schema.lock",
    ];
    for name in files.into_iter().chain(["locks/ of the account"]) {
        let bench = Bench::with(letters(2));
        bench.sync("", &[]).gives(0);
        let state = bench.path("state");
        let found = match name {
            "locks/ of the account" => {
                let locks = fs::read_dir(state.join("locks")).unwrap();
                let mut paths = locks.map(|file| file.unwrap().path());
                paths.find(|path| !path.ends_with("schema.lock")).unwrap()
            }
            name => state.join(name),
        };
        let is_wal = name.ends_with("-wal");
        assert!(is_wal || found.is_file(), "there is no {name}");
        let _ = fs::remove_file(&found);
        pipe(&found);
        for command in ["sync", "list", "status", "verify", "log"] {
            let run = bench.configured(command, "", &["work"]).within(SOON);
            let ended = run.end();
            let about = format!("{name}, {command}: {}", ended.text());
            // Not every command takes every lock, and SQLite replaces its log.
            let may_pass = name != "popsync.sqlite3" && (is_wal || command != "sync");
            if ended.status != Some(0) || !may_pass {
                assert!(matches!(ended.status, Some(73 | 74)), "{about}");
                assert!(ended.err.contains("it is no file"), "{about}");
            }
        }
    }
}

#[cfg(target_os = "linux")]
/// A popsync that is stopped while it holds the state's lock: a signal ends a run that waits for
/// it.
#[test]
fn the_first_signal_ends_a_run_that_waits_for_a_lock() {
    let bench = Bench::with(letters(2));
    let locks = bench.path("state").join("locks");
    DirBuilder::new().recursive(true).create(&locks).unwrap();
    let path = locks.join("schema.lock");
    let held = File::create(&path).unwrap();
    held.lock().unwrap();
    let running = bench.sync("", &[]).within(SOON).start();
    let open = PathBuf::from(format!("/proc/{}/fd", running.process.pid()));
    let has_it_open = || {
        let files = fs::read_dir(&open).into_iter().flatten().flatten();
        files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|file| file == path)
    };
    while !has_it_open() {
        thread::yield_now();
    }
    running.process.signal(Signal::TERM);
    let ended = running.end();
    let status = ended.status.unwrap_or_default();
    assert!(status >= 128, "{}", ended.text());
    assert!(bench.sim.transcripts().is_empty());
    drop(held);
    bench.sync("", &[]).gives(0);
    bench.assert_exactly_once();
}
