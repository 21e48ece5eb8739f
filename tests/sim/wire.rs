//! The lines on the wire, command by command: every version of Outlook with every version of
//! Exchange that takes USER and PASS.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use exchange_sim::{Act, At, Knobs, Profile, What};

use support::bench::{Bench, By, Setup, letter, letters};

const CLIENTS: [&str; 8] = [
    "outlook-2007",
    "outlook-2010",
    "outlook-2013",
    "outlook-2016",
    "outlook-2019",
    "outlook-2021",
    "outlook-2024",
    "outlook-new",
];

const SERVERS: [Profile; 5] = [
    Profile::Ex2003Migrated,
    Profile::Ex2007,
    Profile::Ex2010,
    Profile::Ex2013,
    Profile::Ex2016,
];

/// True if this version deletes what it stored (`OPOP3:C0048`).
fn deletes(client: &str) -> bool {
    client < "outlook-2019"
}

/// The commands of the last session, without arguments except message-numbers.
fn dialogue(bench: &Bench) -> Vec<String> {
    dialogues(bench).pop().unwrap_or_default()
}

/// The same of every session, in order.
fn dialogues(bench: &Bench) -> Vec<Vec<String>> {
    bench.settle();
    let line = |line: &Vec<u8>| {
        let line = String::from_utf8_lossy(line).into_owned();
        match line.split_once(' ') {
            Some((verb @ ("USER" | "PASS"), _)) => verb.to_owned(),
            _ => line,
        }
    };
    let transcripts = bench.sim.transcripts();
    let lines = transcripts
        .iter()
        .map(|session| session.client_lines().iter().map(line).collect());
    lines.collect()
}

fn commands(text: &str) -> Vec<String> {
    text.split(", ").map(ToOwned::to_owned).collect()
}

/// `RETR 1, RETR 2` and so on, with a comma and a space in front.
fn each(verb: &str, numbers: impl Iterator<Item = usize>) -> String {
    numbers.map(|number| format!(", {verb} {number}")).collect()
}

#[test]
fn every_outlook_says_to_every_exchange_what_the_document_says() {
    let mut cases = Vec::new();
    for server in SERVERS {
        for client in CLIENTS {
            for by in [By::Tls, By::Stls] {
                for pipelining in [false, true] {
                    cases.push((server, client, by, pipelining));
                }
            }
        }
    }
    // There are four of each pair, so that every pair is in the sample.
    for (server, client, by, pipelining) in support::sample(cases, 3) {
        speaks_as_expected(server, client, by, pipelining);
    }
}

fn speaks_as_expected(server: Profile, client: &str, by: By, pipelining: bool) {
    let name = format!("{client}, {server:?}, {by:?}, pipelining {pipelining}");
    let bench = Setup::with(letters(4))
        .profile(server)
        .by(by)
        .knobs(Knobs {
            pipelining,
            ..Knobs::default()
        })
        .start();
    let keys = format!("profile = {client:?}");
    let opening = match by {
        By::Stls => "CAPA, STLS, CAPA, USER, PASS, STAT, UIDL",
        By::Tls | By::Plain => "CAPA, USER, PASS, STAT, UIDL",
    };
    // Sizes cost an extra wait if the server does not pipeline.
    let at_once = if pipelining { ", LIST" } else { "" };
    // The fence is sent alone before them.
    let delete = |numbers| match deletes(client) {
        true => ", STAT".to_owned() + &each("DELE", numbers),
        false => String::new(),
    };

    let ended = bench.sync(&keys, &[]).gives(0);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""), "{name}");
    let all = each("RETR", 1..=4) + &delete(1..=4);
    assert_eq!(
        dialogue(&bench),
        commands(&format!("{opening}, LIST{all}, QUIT")),
        "{name}"
    );
    bench.assert_exactly_once();
    let left = if deletes(client) { 0 } else { 4 };
    assert_eq!(bench.mailbox().len(), left, "{name}");

    // Nothing new: nothing is retrieved, and sizes are not needed.
    bench.sync(&keys, &[]).gives(0);
    assert_eq!(
        dialogue(&bench),
        commands(&format!("{opening}{at_once}, QUIT")),
        "{name}, once more"
    );

    // One more message, the last in the listing.
    bench.deliver(&letter(5));
    bench.sync(&keys, &[]).gives(0);
    let one = left + 1;
    let new = each("RETR", one..=one) + &delete(one..=one);
    assert_eq!(
        dialogue(&bench),
        commands(&format!("{opening}, LIST{new}, QUIT")),
        "{name}, with new mail"
    );
    bench.assert_exactly_once();
    bench.assert_no_violations();
}

#[test]
fn fetch_says_what_sync_says() {
    for client in CLIENTS {
        let bench = Bench::with(letters(2));
        bench.fetch(&["--profile", client]).gives(0);
        let deleted = if deletes(client) {
            ", STAT, DELE 1, DELE 2"
        } else {
            ""
        };
        assert_eq!(
            dialogue(&bench),
            commands(&format!(
                "CAPA, USER, PASS, STAT, UIDL, LIST, RETR 1, RETR 2{deleted}, QUIT"
            )),
            "{client}"
        );
        bench.assert_no_violations();
    }
}

#[test]
fn an_empty_mailbox_is_asked_for_no_sizes() {
    let bench = Bench::with([]);
    bench.fetch(&[]).gives(0);
    assert_eq!(
        dialogue(&bench),
        commands("CAPA, USER, PASS, STAT, UIDL, QUIT")
    );
    bench.assert_no_violations();
}

#[test]
fn a_dry_run_retrieves_and_deletes_nothing() {
    let bench = Bench::with(letters(3));
    let ended = bench
        .fetch(&["--profile", "outlook-2016", "--dry-run"])
        .gives(0);
    assert_eq!(ended.out.lines().count(), 1, "{}", ended.text());
    assert_eq!(
        dialogue(&bench),
        commands("CAPA, USER, PASS, STAT, UIDL, LIST, QUIT")
    );
    bench.assert_stored(&[]);
    assert!(!bench.path("state").exists(), "a dry run wrote a state");
    assert!(!bench.path("Mail").exists(), "a dry run made a Maildir");
    assert_eq!(bench.mailbox().len(), 3);
    bench.assert_no_violations();
}

#[test]
fn what_is_left_over_from_a_keeping_profile_is_deleted_by_a_deleting_one() {
    // Their headers are compared first: the ids may belong to other messages now (OPOP3:C0040).
    let bench = Bench::with(letters(3));
    bench.fetch(&["--profile", "outlook-2021"]).gives(0);
    bench.fetch(&["--profile", "outlook-2010"]).gives(0);
    assert_eq!(
        dialogue(&bench),
        commands(
            "CAPA, USER, PASS, STAT, UIDL, TOP 1 0, TOP 2 0, TOP 3 0, STAT, DELE 1, DELE 2, \
             DELE 3, QUIT"
        )
    );
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
}

#[test]
fn everything_but_the_beginning_of_stls_is_said_under_tls() {
    for by in [By::Tls, By::Stls] {
        let bench = Setup::with(letters(2)).by(by).start();
        bench.fetch(&[]).gives(0);
        bench.settle();
        for entry in &bench.sim.transcripts()[0].entries {
            let clear = match &entry.what {
                What::Client(line) => !entry.tls && line != b"CAPA" && line != b"STLS",
                What::Message { .. } | What::Rows { .. } if by == By::Tls => !entry.tls,
                What::Message { .. } => !entry.tls,
                _ => false,
            };
            assert!(!clear, "{by:?}: in the clear: {:?}", entry.what);
        }
    }
}

/// The outstanding commands when this one, the n-th of its kind, has no answer; of the first
/// session, since another one may follow.
fn sent_without_an_answer_to(verb: &str, nth: u32, by: By, pipelining: bool) -> Vec<String> {
    let bench = Setup::with(letters(3))
        .by(by)
        .knobs(Knobs {
            pipelining,
            ..Knobs::default()
        })
        .start();
    bench.knobs(Knobs {
        pipelining,
        ..Knobs::default().rule(At::verb_nth(verb, nth), Act::Instead(Vec::new()))
    });
    let run = bench.fetch(&["--profile", "outlook-2016", "--timeout", "1s"]);
    let ended = run.start().end();
    bench.sim.disconnect_all();
    let expected: &[i32] = match verb {
        // The message is recorded and reported, and all are stored. If the server answers none in
        // any session, it is to blame itself.
        "DELE" => &[1, 75],
        // 76 if the later answers were taken for those before them.
        _ => &[75, 76],
    };
    let is_expected = ended
        .status
        .is_some_and(|status| expected.contains(&status));
    assert!(is_expected, "{verb}: {}", ended.text());
    assert!(!ended.err.contains("message 0"), "{}", ended.text());
    let mut dialogue = dialogues(&bench).swap_remove(0);
    let mut places = (0..dialogue.len()).filter(|&at| dialogue[at].starts_with(verb));
    let at = places.nth(nth as usize - 1);
    dialogue.split_off(at.unwrap() + 1)
}

#[test]
fn commands_travel_together_where_they_may_and_wait_where_they_must() {
    for (verb, nth, pipelined) in [
        // Commands whose answers are unknown before, that change the state, and the password
        // (OPOP3:C0045).
        ("CAPA", 1, ""),
        ("STLS", 1, ""),
        ("USER", 1, ""),
        ("PASS", 1, ""),
        ("STAT", 1, "UIDL, LIST"),
        ("RETR", 1, "RETR 2, RETR 3"),
        // The fence stands alone.
        ("STAT", 2, ""),
        ("DELE", 1, "DELE 2, DELE 3"),
        ("QUIT", 1, ""),
    ] {
        let together = match pipelined {
            "" => Vec::new(),
            text => commands(text),
        };
        let before_login = ["CAPA", "STLS", "USER"].contains(&verb);
        // Each of them waits for a second, or several times that, for an answer.
        std::thread::scope(|scope| {
            for by in [By::Tls, By::Stls] {
                if (verb == "STLS" && by == By::Tls) || (!before_login && by == By::Stls) {
                    continue;
                }
                for (pipelining, expected) in [(true, &together[..]), (false, &[])] {
                    scope.spawn(move || {
                        let sent = sent_without_an_answer_to(verb, nth, by, pipelining);
                        let name = format!("{verb} {nth}, {by:?}, pipelining {pipelining}");
                        assert_eq!(sent, expected, "behind {name}");
                    });
                }
            }
        });
    }
}

#[test]
fn a_server_that_pipelines_no_more_costs_at_most_one_run() {
    for understood in [true, false] {
        let bench = Setup::with(letters(3))
            .knobs(Knobs {
                pipelining: true,
                ..Knobs::default()
            })
            .start();
        bench.fetch(&["--max-messages", "1"]).gives(0);
        bench.knobs(Knobs {
            pipelining_unsupported: !understood,
            ..Knobs::default()
        });
        let ended = bench.fetch(&["--timeout", "1s"]).end();
        let expected = [Some(0), (!understood).then_some(75)];
        assert!(expected.contains(&ended.status), "{}", ended.text());
        bench.fetch(&[]).gives(0);
        assert_eq!(
            dialogue(&bench)[..3],
            commands("CAPA, USER, PASS"),
            "the server was not asked again"
        );
        bench.assert_exactly_once();
    }
}
