//! Delivery agents: real ones, and scripts that refuse, hang or are missing.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use exchange_sim::Knobs;
use support::bench::{Bench, Store, letter, letters};

const DELETES: [&str; 2] = ["--profile", "outlook-2016"];

fn maildir(path: &Path) {
    for name in ["tmp", "new", "cur"] {
        let mut builder = DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(path.join(name))
            .unwrap();
    }
}

fn file(path: &Path, mode: u32, text: &str) {
    let mut file = File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.set_permissions(fs::Permissions::from_mode(mode))
        .unwrap();
}

/// The agent stores messages in `box`; the bench looks there.
fn with_box(messages: usize) -> Bench {
    let mut bench = Bench::with(letters(messages));
    maildir(&bench.path("box"));
    bench.store = Store::at(bench.path("box"));
    bench
}

#[track_caller]
fn delivers_all(bench: &Bench, command: &str) {
    bench.fetch_to_agent(command, &DELETES).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
    bench.deliver(&letter(1000));
    bench.fetch_to_agent(command, &[]).gives(0);
    bench.fetch_to_agent(command, &[]).gives(0);
    bench.assert_exactly_once();
    let spool = bench.path("state/spool");
    assert_eq!(fs::read_dir(spool).unwrap().count(), 0);
}

#[test]
fn maildrop_delivers_every_message_once() {
    let bench = with_box(20);
    let filter = bench.path("filter");
    file(
        &filter,
        0o600,
        &format!("to \"{}\"\n", bench.path("box").display()),
    );
    delivers_all(&bench, &format!("maildrop {}", filter.display()));
}

#[test]
fn procmail_delivers_every_message_once() {
    let bench = with_box(20);
    let default = bench.path("box");
    delivers_all(
        &bench,
        &format!("procmail DEFAULT={}/ /dev/null", default.display()),
    );
}

/// A scripted agent, which exits with `status` for message 3 and takes all others.
fn picky(bench: &Bench, status: &str) -> String {
    let script = bench.path("agent");
    let text = format!(
        "#!/bin/sh\ncat > \"{0}/tmp/$$\"\n\
         if grep -q \"letter 3$\" \"{0}/tmp/$$\"; then\n\
         rm \"{0}/tmp/$$\"; echo 'not this one' >&2; {status}; fi\n\
         mv \"{0}/tmp/$$\" \"{0}/new/$$.$(date +%s%N)\"\n",
        bench.path("box").display()
    );
    file(&script, 0o700, &text);
    script.to_str().unwrap().to_owned()
}

#[test]
fn what_the_agent_does_not_take_stays_on_the_server_and_is_tried_again() {
    for status in ["exit 67", "exit 75", "kill -9 $$"] {
        let bench = with_box(5);
        let command = picky(&bench, status);
        for _ in 0..2 {
            let ended = bench.fetch_to_agent(&command, &DELETES).gives(1);
            ended.says("not this one");
            assert_eq!(bench.store.len(), 4, "{status}");
            assert_eq!(bench.mailbox().len(), 1, "{status}");
        }
        picky(&bench, "exit 0");
        delivers_all_but_the_third(&bench, &command);
    }
}

/// The script claims to have taken message 3, and popsync relies on that.
#[track_caller]
fn delivers_all_but_the_third(bench: &Bench, command: &str) {
    bench.fetch_to_agent(command, &DELETES).gives(0);
    assert!(bench.mailbox().is_empty());
    assert_eq!(bench.store.len(), 4);
}

#[test]
fn an_agent_that_takes_nothing_for_now_ends_the_run_and_nothing_is_deleted() {
    let bench = with_box(10);
    let ended = bench
        .fetch_to_agent("sh -c 'echo full >&2; exit 75'", &DELETES)
        .gives(75);
    ended.says("cannot take it for now (75): full");
    ended.says("hint: the message stays on the server");
    assert_eq!(bench.mailbox().len(), 10);
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    let command = picky(&bench, "exit 67");
    bench.fetch_to_agent(&command, &DELETES).gives(1);
    assert_eq!((bench.store.len(), bench.mailbox().len()), (9, 1));
}

/// A slow local agent does not count as a slow server, not even where it takes longer for one message
/// than the server may be silent.
#[test]
fn the_time_that_an_agent_takes_does_not_count_against_the_server() {
    for pipelining in [false, true] {
        let bench = with_box(3);
        bench.knobs(Knobs {
            pipelining,
            ..Knobs::default()
        });
        let script = bench.path("agent");
        file(
            &script,
            0o700,
            "#!/bin/sh\nsleep 1.5\nexec cat > /dev/null\n",
        );
        let arguments = ["--timeout", "1s", "--profile", "outlook-2016"];
        let command = script.display().to_string();
        bench.fetch_to_agent(&command, &arguments).gives(0);
        assert!(bench.mailbox().is_empty());
        assert_eq!(bench.sim.transcripts().len(), 1);
    }
}

#[test]
fn an_agent_that_hangs_is_ended_and_one_that_is_not_there_stops_the_run() {
    let bench = with_box(4);
    let hangs = ["--exec-timeout", "1s"];
    bench
        .fetch_to_agent("sleep 600", &hangs)
        .gives(75)
        .says("took longer than 1 seconds");
    bench
        .fetch_to_agent("/nowhere/agent -x", &DELETES)
        .gives(73)
        .says("/nowhere/agent");
    assert_eq!(bench.mailbox().len(), 4);
}

#[test]
fn a_crash_after_the_agent_took_messages_loses_none() {
    for stop_at in ["3", "3:3"] {
        let bench = with_box(6);
        let script = bench.path("agent");
        let place = bench.path("box");
        let text = format!(
            "#!/bin/sh\ncat > \"{0}/tmp/$$\" && mv \"{0}/tmp/$$\" \"{0}/new/$$.$(date +%s%N)\"\n",
            place.display()
        );
        file(&script, 0o700, &text);
        let command = script.to_str().unwrap();
        let run = bench.fetch_to_agent(command, &DELETES);
        let ended = run.env("POPSYNC_STOP_AT", stop_at).end();
        assert!(ended.was_killed(), "{}", ended.text());
        bench.fetch_to_agent(command, &DELETES).gives(0);
        assert!(bench.mailbox().is_empty());
        for message in bench.held() {
            assert!(bench.store.holds(&message), "{stop_at}: a message is lost");
        }
        // A recorded message was not handed over again.
        assert!(bench.store.len() <= 7, "{stop_at}: {}", bench.store.len());
    }
}
