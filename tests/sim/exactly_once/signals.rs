//! Signals, and two runs at once.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use exchange_sim::{Act, At, Knobs};
use rusqlite::Connection;
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;

use support::bench::{Bench, By, Into, Setup, letters};
use support::pty::Pty;

/// The octet at which the server stalls: in the middle of the messages.
const STALL: u64 = 30_000;

/// The time in which a stopped run must end.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_second_run_says_who_holds_the_account_and_leaves_the_first_in_peace() {
    let bench = Bench::with(letters(20));
    let (reached, wait) = mpsc::channel();
    let (go_on, held) = mpsc::channel();
    bench.on_command(move |seen, _| {
        if seen.verb == "RETR" && seen.number == Some(3) {
            reached.send(()).unwrap();
            held.recv().unwrap();
        }
    });
    let first = bench.fetch(&[]).start();
    wait.recv_timeout(SOON).unwrap();
    let second = bench.fetch(&[]).within(SOON).start().end();
    assert_eq!(second.status, Some(75), "{}", second.text());
    second.says(&format!("process {}", first.process.pid()));
    second.says("hint:");
    go_on.send(()).unwrap();
    let first = first.end();
    assert_eq!(first.status, Some(0), "{}", first.text());
    assert_eq!(bench.sim.transcripts().len(), 1, "the second run connected");
    bench.assert_exactly_once();
}

#[test]
fn the_account_is_free_again_when_its_run_was_killed() {
    let bench = Bench::with(letters(20));
    bench.on_command(|seen, process| {
        if seen.verb == "RETR" {
            process.kill();
        }
    });
    assert!(bench.fetch(&[]).end().was_killed());
    bench.no_hooks();
    bench.fetch(&[]).gives(0);
    bench.assert_exactly_once();
}

/// A signal in the middle of retrieval: complete messages are recorded, the rest is retrieved next
/// time.
fn stops_in_order(signal: Signal, status: i32, pipelining: bool, into: Into) {
    let bench = Setup::with(letters(300))
        .into(into)
        .knobs(Knobs {
            pipelining,
            // Nothing comes after it: the run waits for the rest until the signal ends it.
            stall: Some(STALL),
            ..Knobs::default()
        })
        .start();
    bench.on_progress(move |progress, process| {
        // Only once: a second one would end it at once.
        if progress.session_octets == STALL {
            process.signal(signal);
        }
    });
    let ended = bench.fetch(&["--profile", "outlook-2016"]).end();
    assert_eq!(ended.status, Some(status), "{}", ended.text());
    bench.no_hooks();
    let stored = bench.store.len();
    // With pipelining the server does not know how far the client is.
    let least = if pipelining { 0 } else { 50 };
    assert!(stored >= least && stored < 300, "{stored} are stored");
    assert_eq!(bench.store.tmp(), [""; 0]);
    assert_eq!(bench.mailbox().len(), 300);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    bench.sim.clear_log();
    bench.knobs(Knobs::default());
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 300 - stored);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
}

#[test]
fn a_signal_in_the_middle_of_retrieval_loses_nothing_that_was_complete() {
    let signals = [
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
        (Signal::TERM, 143),
    ];
    for (signal, status) in signals {
        for pipelining in [false, true] {
            for into in [Into::Maildir, Into::Mbox] {
                stops_in_order(signal, status, pipelining, into);
            }
        }
    }
}

/// A message that is being received when the signal comes, and arrives soon, is the last one of the
/// run: it is not retrieved again.
#[test]
fn the_message_that_is_on_its_way_is_waited_for() {
    let bench = Setup::with(letters(6))
        .knobs(Knobs {
            pipelining: false,
            ..Knobs::default()
        })
        .start();
    let (reached, wait) = mpsc::channel();
    let (go_on, held) = mpsc::channel();
    bench.on_command(move |seen, _| {
        if seen.verb == "RETR" && seen.number == Some(3) {
            reached.send(()).unwrap();
            held.recv().unwrap();
        }
    });
    let run = bench.fetch(&["-v"]).start();
    wait.recv_timeout(SOON).unwrap();
    run.process.signal(Signal::HUP);
    run.wait_until_it_says("stopping");
    go_on.send(()).unwrap();
    let ended = run.end();
    assert_eq!(ended.status, Some(129), "{}", ended.text());
    bench.settle();
    bench.no_hooks();
    assert_eq!(bench.sim.commands_of("RETR").len(), 3);
    assert_eq!(bench.store.len(), 3);
    bench.fetch(&[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 6);
    bench.assert_exactly_once();
}

#[test]
fn a_signal_ends_the_run_in_every_state_of_the_dialogue() {
    let verbs = [
        "CAPA", "STLS", "USER", "PASS", "STAT", "UIDL", "LIST", "RETR", "DELE", "QUIT",
    ];
    for verb in verbs {
        let bench = Setup::with(letters(3))
            .by(By::Stls)
            // There is no answer at all, and the connection stays open.
            .knobs(Knobs::default().rule(At::verb(verb), Act::Instead(Vec::new())))
            .start();
        bench.on_command(move |seen, process| {
            if seen.verb == verb {
                process.signal(Signal::INT);
            }
        });
        let run = bench.fetch(&["--profile", "outlook-2016"]).within(SOON);
        let ended = run.start().end();
        assert_eq!(ended.status, Some(130), "{verb}: {}", ended.text());
        assert_eq!(bench.store.tmp(), [""; 0], "{verb}");
        bench.settle();
        bench.no_hooks();
        bench.knobs(Knobs::default());
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty(), "{verb}");
    }
}

/// Not only a sync: whatever waits for the server.
#[test]
fn a_signal_ends_every_command_that_waits_for_the_server() {
    let commands: [(&str, &[&str]); 8] = [
        ("sync", &["--dry-run"]),
        ("list", &["work"]),
        ("probe", &["work"]),
        ("account", &["test", "work"]),
        ("verify", &["work", "--server"]),
        ("verify", &["work", "--deep"]),
        ("import", &["work", "--from-store"]),
        ("sync", &["--every", "5m"]),
    ];
    for (command, arguments) in commands {
        let verb = match command {
            "account" => "STAT",
            _ => "UIDL",
        };
        for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let bench = Bench::with(letters(3));
            bench.sync("", &[]).gives(0);
            bench.knobs(Knobs::default().rule(At::verb(verb), Act::Instead(Vec::new())));
            bench.on_command(move |seen, process| {
                if seen.verb == verb {
                    process.signal(signal);
                }
            });
            let run = bench.configured(command, "", arguments).within(SOON);
            let ended = run.start().end();
            let about = format!("{command} {arguments:?}: {}", ended.text());
            assert_eq!(ended.status, Some(status), "{about}");
            bench.settle();
            bench.no_hooks();
            bench.knobs(Knobs::default());
            bench.sync("", &[]).gives(0);
            bench.assert_exactly_once();
        }
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_the_greeting() {
    let bench = Setup::with(letters(1))
        .by(By::Plain)
        .knobs(Knobs::default().rule(At::Greeting, Act::Silent))
        .start();
    let running = bench.fetch(&[]).within(SOON).start();
    // The server accepts, and is silent; nothing in its dialogue shows when.
    while bench.sim.transcripts().is_empty() {
        thread::yield_now();
    }
    running.process.signal(Signal::TERM);
    let ended = running.end();
    // Before the program handles signals, they end it, as any program.
    assert!(
        ended.status == Some(143) || ended.signal == Some(Signal::TERM.as_raw()),
        "{}",
        ended.text()
    );
}

#[test]
fn a_signal_ends_a_run_that_waits_for_a_password() {
    let bench = Bench::with(letters(1));
    let ready = pipe(&bench, "ready");
    let command = format!("echo > {}; sleep 30", ready.display());
    let url = bench.url();
    let mut run = bench.fetch(&[]).within(SOON);
    run.command = {
        let mut command_line = std::process::Command::new(run.command.get_program());
        command_line
            .args(["fetch", &url, "--user", "anna@example.com", "--maildir"])
            .arg(&bench.store.root)
            .arg("--password-command")
            .arg(&command)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", bench.path(""))
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command_line
    };
    let running = run.start();
    // Opening it waits for the command.
    std::fs::read(&ready).unwrap();
    running.process.signal(Signal::TERM);
    let ended = running.end();
    assert_eq!(ended.status, Some(143), "{}", ended.text());
    assert_eq!(
        bench.sim.transcripts().len(),
        0,
        "it connected all the same"
    );
}

#[test]
fn a_second_signal_ends_at_once_and_loses_nothing() {
    let bench = Setup::with(letters(300))
        .knobs(Knobs {
            stall: Some(STALL),
            ..Knobs::default()
        })
        .start();
    bench.on_progress(move |progress, process| {
        if progress.session_octets == STALL {
            process.signal(Signal::INT);
            process.signal(Signal::TERM);
        }
    });
    let run = bench.fetch(&["--profile", "outlook-2016"]);
    let ended = run.within(SOON).end();
    // Two signals that come together may be handled in any order.
    let first = ended.status == Some(130) || ended.status == Some(143);
    assert!(first, "{}", ended.text());
    bench.no_hooks();
    assert_eq!(bench.mailbox().len(), 300);
    bench.knobs(Knobs::default());
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
}

/// nohup makes programs ignore SIGHUP, and a shell SIGINT and SIGQUIT for a background job.
#[test]
fn signals_that_were_ignored_from_the_start_stay_ignored() {
    let bench = Bench::with(letters(300));
    bench.on_command(|seen, process| {
        if seen.verb == "RETR" && seen.number == Some(3) {
            for signal in [Signal::HUP, Signal::INT, Signal::QUIT] {
                process.signal(signal);
            }
        }
    });
    let run = bench.fetch(&["--profile", "outlook-2016"]);
    run.through("trap '' HUP INT QUIT; exec \"$@\"").gives(0);
    bench.assert_exactly_once();
}

/// A pipe of the file system.
fn pipe(bench: &Bench, name: &str) -> PathBuf {
    let path = bench.path(name);
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    path
}

/// An agent that reports its start, and then holds its end of a pipe until it ends. The returned
/// closure reads the pipe to its end.
fn lingering_agent(bench: &Bench, then: &str) -> (String, mpsc::Receiver<()>, mpsc::Receiver<()>) {
    let held = pipe(bench, "held");
    let script = bench.path("agent");
    let text = format!(
        "#!/bin/sh\nexec > {}\ncat > /dev/null\necho here\n{then}\n",
        held.display()
    );
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o700)
        .open(&script)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let ((started, here), (ended, gone)) = (mpsc::channel(), mpsc::channel());
    thread::spawn(move || {
        let mut held = File::open(&held).unwrap();
        held.read_exact(&mut [0; 5]).unwrap();
        started.send(()).unwrap();
        held.read_to_end(&mut Vec::new()).unwrap();
        // Nobody waits for it if the test has failed.
        let _ = ended.send(());
    });
    (script.display().to_string(), here, gone)
}

#[test]
fn a_second_signal_ends_the_agent_too() {
    let bench = Bench::with(letters(2));
    let (agent, here, gone) = lingering_agent(&bench, "sleep 60");
    let running = bench.fetch_to_agent(&agent, &[]).within(SOON).start();
    here.recv_timeout(SOON).unwrap();
    running.process.signal(Signal::INT);
    running.process.signal(Signal::TERM);
    let ended = running.end();
    let first = ended.status == Some(130) || ended.status == Some(143);
    assert!(first, "{}", ended.text());
    gone.recv_timeout(SOON).expect("the agent lives on");
}

/// The shell sends another SIGHUP when the terminal is closed, and systemd one after SIGTERM.
#[test]
fn a_terminal_that_is_closed_lets_the_agent_finish() {
    for signals in [[Signal::HUP, Signal::HUP], [Signal::TERM, Signal::HUP]] {
        let bench = Bench::with(letters(2));
        let (go_on, tail) = (pipe(&bench, "go-on"), "read line <");
        let then = format!("{tail} {}", go_on.display());
        let (agent, here, _gone) = lingering_agent(&bench, &then);
        let running = bench.fetch_to_agent(&agent, &["-v"]).within(SOON).start();
        here.recv_timeout(SOON).unwrap();
        for signal in signals {
            running.process.signal(signal);
            running.wait_until_it_says("stopping");
        }
        let mut go_on = File::options().write(true).open(&go_on).unwrap();
        go_on.write_all(b"on\n").unwrap();
        let ended = running.end();
        let statuses = [Some(129), Some(143)];
        assert!(statuses.contains(&ended.status), "{}", ended.text());
        // The message that it took is recorded, and is not delivered again.
        std::fs::copy("/bin/true", bench.path("agent")).unwrap();
        let ended = bench.fetch_to_agent(&agent, &["--json"]).gives(0);
        assert!(ended.out.contains("\"retrieved\":1,"), "{}", ended.text());
    }
}

#[test]
fn a_terminal_that_is_gone_stops_nothing() {
    for arguments in [[].as_slice(), &["-vv"], &["--json"]] {
        let bench = Bench::with(letters(20));
        let mut run = bench.fetch(arguments);
        let hung = Pty::open().hang_up();
        run.command.stderr(hung.end());
        run.gives(0);
        bench.assert_exactly_once();
    }
    // A standard output that cannot be written is an error, and nothing worse.
    let bench = Bench::with(letters(20));
    let mut run = bench.fetch(&["--json"]);
    let hung = Pty::open().hang_up();
    run.command.stdout(hung.end());
    let ended = run.gives(74);
    ended.says("cannot write to standard output");
    bench.assert_exactly_once();
    bench.fetch(&[]).gives(0);
    assert_eq!(bench.sim.commands_of("RETR").len(), 20);
}

/// Another program holds the state for longer than a stopped run waits.
#[test]
fn a_signal_ends_a_run_that_waits_for_the_state() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let bench = Bench::with(letters(3));
        bench.fetch(&["--max-messages", "1"]).gives(0);
        let state = bench.path("state/popsync.sqlite3");
        let holder: Arc<Mutex<Option<Connection>>> = Arc::default();
        let held = Arc::clone(&holder);
        bench.on_command(move |seen, process| {
            if seen.verb == "RETR" && seen.number == Some(3) {
                let connection = Connection::open(&state).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                *held.lock().unwrap() = Some(connection);
                process.signal(signal);
            }
        });
        let ended = bench.fetch(&[]).within(SOON).end();
        assert_eq!(ended.status, Some(status), "{}", ended.text());
        bench.no_hooks();
        drop(holder.lock().unwrap().take());
        bench.fetch(&[]).gives(0);
        bench.assert_exactly_once();
    }
}

/// The same without a signal: a process that stands still is not waited for without end.
#[test]
fn a_state_that_another_program_holds_for_long_ends_the_run() {
    let bench = Bench::with(letters(3));
    bench.fetch(&["--max-messages", "1"]).gives(0);
    let holder = Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ended = bench.fetch(&[]).within(Duration::from_secs(60)).gives(75);
    ended.says("hint: try again later");
    holder.execute_batch("ROLLBACK").unwrap();
    bench.fetch(&[]).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn a_signal_ends_a_run_that_waits_for_the_lock_of_an_mbox() {
    let bench = Setup::with(letters(3)).into(Into::Mbox).start();
    let lock = bench.path("inbox.lock");
    let path = lock.clone();
    bench.on_command(move |seen, process| {
        if seen.verb == "RETR" && seen.number == Some(3) {
            // As a living program makes it.
            let mut file = File::create(&path).unwrap();
            write!(file, "{}", std::process::id()).unwrap();
            process.signal(Signal::TERM);
        }
    });
    let ended = bench.fetch(&[]).within(SOON).end();
    assert_eq!(ended.status, Some(143), "{}", ended.text());
    bench.no_hooks();
    std::fs::remove_file(lock).unwrap();
    bench.fetch(&[]).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn a_reader_of_standard_output_that_goes_away_stops_nothing() {
    let bench = Bench::with(letters(300));
    let mut run = bench.fetch(&["--json"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    run.command.stdout(writer);
    run.gives(0);
    bench.assert_exactly_once();
}

/// The time for which popsync is stopped, or the computer sleeps, does not count as the server's.
#[test]
fn a_run_that_is_stopped_and_goes_on_does_not_give_up_the_server() {
    for verb in ["PASS", "UIDL", "RETR", "DELE", "QUIT"] {
        let bench = Bench::with(letters(3));
        let mut stopped = false;
        bench.on_command(move |seen, process| {
            if seen.verb == verb && !stopped {
                stopped = true;
                process.signal(Signal::STOP);
                // Three times the time-out must pass.
                thread::sleep(Duration::from_secs(3));
                process.signal(Signal::CONT);
            }
        });
        let arguments = ["--profile", "outlook-2016", "--timeout", "1s"];
        bench.fetch(&arguments).gives(0);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty(), "{verb}");
        assert_eq!(bench.sim.transcripts().len(), 1, "{verb}");
    }
}
