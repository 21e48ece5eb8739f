//! `popsync list`: shows the messages on the server without changing anything.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use exchange_sim::{Act, At, CloseHow, Knobs, Missing};
use popsync::internals::account::Identity;
use popsync::internals::cache::Lock;
use serde_json::Value;

use support::bench::{Bench, Ended, Setup, USER, letter, letters};

const NOTHING: &str = "";

fn list(bench: &Bench, keys: &str, arguments: &[&str]) -> Ended {
    let arguments = [&["work"], arguments].concat();
    bench.configured("list", keys, &arguments).gives(0)
}

/// The objects that `--json` prints.
fn objects(ended: &Ended) -> Vec<Value> {
    let lines = ended.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Number, state and subject of each message.
fn states(bench: &Bench, keys: &str, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["--json"], arguments].concat();
    let shown = objects(&list(bench, keys, &arguments));
    let shown = shown.iter().map(|message| {
        assert_eq!(
            (&message["event"], &message["account"]),
            (&"message".into(), &"work".into())
        );
        let text = |field: &str| message[field].as_str().unwrap_or("-");
        format!(
            "{} {} {}",
            message["number"],
            text("state"),
            text("subject")
        )
    });
    shown.collect()
}

fn counts(bench: &Bench) -> (usize, usize, usize) {
    let count = |verb| bench.sim.commands_of(verb).len();
    let counts = (count("TOP"), count("RETR"), count("DELE"));
    bench.sim.clear_log();
    counts
}

#[test]
fn a_mailbox_that_nobody_knows_yet_is_listed_and_nothing_is_kept() {
    for pipelining in [false, true] {
        let knobs = Knobs {
            pipelining,
            ..Knobs::default()
        };
        let bench = Setup::with(letters(3)).knobs(knobs).start();
        assert_eq!(
            states(&bench, NOTHING, &[]),
            ["1 new letter 1", "2 new letter 2", "3 new letter 3"]
        );
        assert_eq!(counts(&bench), (3, 0, 0));
        bench.assert_no_violations();
        assert!(!bench.path("state").exists());
        assert!(!bench.path("Mail").exists());
        let ended = list(&bench, NOTHING, &[]);
        assert_eq!(ended.out.lines().count(), 4, "{}", ended.text());
        assert!(
            ended.out.contains("sender2@example.com"),
            "{}",
            ended.text()
        );
        assert_eq!(ended.err, "");
    }
}

#[test]
fn stored_messages_are_read_here_and_only_the_others_asked_for() {
    let bench = Bench::with(letters(3));
    bench.sync(NOTHING, &[]).gives(0);
    bench.deliver(&letter(4));
    // Wherever the mail program has moved them.
    let names = bench.store.names("new");
    bench.store.read(&names[0]);
    bench.store.archive(&names[1]);
    bench.sim.clear_log();
    let expected = [
        "1 stored letter 1",
        "2 stored letter 2",
        "3 stored letter 3",
        "4 new letter 4",
    ];
    assert_eq!(states(&bench, NOTHING, &[]), expected);
    assert_eq!(counts(&bench), (1, 0, 0));
    // The server is asked for the header of a message that the person has deleted here.
    std::fs::remove_file(bench.path("Mail/new").join(&names[2])).unwrap();
    assert_eq!(states(&bench, NOTHING, &[]), expected);
    assert_eq!(counts(&bench), (2, 0, 0));
    bench.assert_no_violations();
}

#[test]
fn without_the_server_there_is_what_the_last_sync_left() {
    let bench = Bench::with(letters(2));
    assert_eq!(states(&bench, NOTHING, &["--local"]), [""; 0]);
    bench.sync(NOTHING, &[]).gives(0);
    bench.deliver(&letter(3));
    bench.sim.clear_log();
    assert_eq!(
        states(&bench, NOTHING, &["--local"]),
        ["null stored letter 1", "null stored letter 2"]
    );
    assert_eq!(bench.sim.commands_of("USER"), [""; 0]);
    // One-shot accounts have the name that `status` shows.
    let fetched = Bench::with(letters(1));
    fetched.fetch(&[]).gives(0);
    let name = format!("{USER}@127.0.0.1");
    let ended = fetched
        .configured("list", NOTHING, &[&name, "--local"])
        .gives(0);
    assert!(ended.out.contains("letter 1"), "{}", ended.text());
    let unknown = fetched
        .configured("list", NOTHING, &["home", "--local"])
        .gives(64);
    unknown.says("no account `home` is known");
}

#[test]
fn it_says_what_leaves_the_server_and_when() {
    let bench = Bench::with(letters(1));
    bench.sync(NOTHING, &[]).gives(0);
    let of = |keys: &str, arguments: &[&str]| {
        let arguments = [&["--json"], arguments].concat();
        let shown = objects(&list(&bench, keys, &arguments));
        let text = |field: &str| shown[0][field].as_str().unwrap_or("-").to_owned();
        (
            text("state"),
            text("stored"),
            text("leaves"),
            text("action"),
        )
    };
    for local in [&[][..], &["--local"]] {
        let (state, stored, leaves, _) = of(NOTHING, local);
        assert_eq!((&*state, &*leaves), ("stored", "-"));
        let (state, _, leaves, _) = of("remove-after-days = 14", local);
        assert_eq!(state, "stored");
        let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        assert_eq!(time(&leaves) - time(&stored), 14 * 24 * 60 * 60);
        let (state, ..) = of("leave-on-server = false", local);
        assert_eq!(state, "to-be-removed");
    }
    assert_eq!(of("leave-on-server = false", &[]).3, "delete");
    assert_eq!(bench.sim.commands_of("DELE"), [""; 0]);
    let table = list(&bench, "leave-on-server = false", &[]);
    assert!(table.out.contains("to be removed"), "{}", table.text());
}

#[test]
fn what_a_sender_wrote_cannot_act_on_the_terminal() {
    let letter = |subject: &str| {
        format!("From: \"a\u{202e}b\" <a@example.com>\r\nSubject: {subject}\r\n\r\nx\r\n")
            .into_bytes()
    };
    let bench = Bench::with([
        letter("\x1b[2J\x07"),
        letter("=?utf-8?b?4oCuCg0b?="),
        letter("a\tb\u{200b}c\u{9b}31m"),
    ]);
    // The bench looks for control characters itself.
    for arguments in [&[][..], &["--json"]] {
        let ended = list(&bench, NOTHING, arguments);
        for acting in ['\u{202e}', '\u{200b}', '\u{9b}', '\x1b'] {
            assert!(!ended.out.contains(acting), "{}", ended.text());
        }
        assert!(ended.out.contains("u{202e}"), "{}", ended.text());
    }
}

#[test]
fn without_top_the_fields_are_empty() {
    for (missing, asked) in [(Missing::Absent, 1), (Missing::Refused, 3)] {
        let bench = Bench::with(letters(3));
        bench.knobs(Knobs {
            no_top: Some(missing),
            ..Knobs::default()
        });
        assert_eq!(
            states(&bench, NOTHING, &[]),
            ["1 new -", "2 new -", "3 new -"]
        );
        assert_eq!(counts(&bench), (asked, 0, 0));
    }
    // Not announced, but it works.
    let bench = Bench::with(letters(3));
    bench.knobs(Knobs {
        no_top: Some(Missing::Unannounced),
        ..Knobs::default()
    });
    assert_eq!(states(&bench, NOTHING, &[])[2], "3 new letter 3");
}

#[test]
fn a_server_that_hangs_up_in_between_leaves_what_was_seen() {
    let bench = Bench::with(letters(3));
    bench.knobs(Knobs::default().rule(At::verb_nth("TOP", 2), Act::Close(CloseHow::Fin)));
    let ended = bench.configured("list", NOTHING, &["work"]).gives(75);
    assert_eq!(ended.out.lines().count(), 4, "{}", ended.text());
    assert!(ended.out.contains("letter 1"), "{}", ended.text());
}

#[test]
fn a_sync_at_work_is_not_disturbed() {
    let bench = Bench::with(letters(1));
    bench.sync(NOTHING, &[]).gives(0);
    bench.sim.clear_log();
    let identity = Identity {
        key: "work".to_owned(),
        host: "127.0.0.1".to_owned(),
        user: USER.to_owned(),
    };
    let _sync = Lock::acquire(&bench.path("state"), &identity).unwrap();
    let ended = bench.configured("list", NOTHING, &["work"]).gives(75);
    ended.says(&format!(
        "another run is active for this account (process {}",
        std::process::id()
    ));
    ended.says("popsync list --local");
    assert_eq!(bench.sim.commands_of("USER"), [""; 0]);
    assert_eq!(
        states(&bench, NOTHING, &["--local"]),
        ["null stored letter 1"]
    );
}

#[test]
fn an_account_that_is_not_there_is_said() {
    let bench = Bench::with(letters(1));
    bench
        .configured("list", NOTHING, &["home"])
        .gives(64)
        .says("home");
    bench.knobs(Knobs::default().rule(At::verb("PASS"), Act::Instead(b"-ERR no\r\n".to_vec())));
    bench.configured("list", NOTHING, &["work"]).gives(77);
}
