//! The recorder: what clients must not do, transcripts, and hooks.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Client, PASSWORD, Talk, USER, plain, talk, three, with_messages};
use exchange_sim::{Knobs, ManualClock, Port, Profile, Seen, What};

/// The violations of a session that is logged in and says this.
fn violations(knobs: Knobs, octets: &[u8]) -> Vec<String> {
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(Knobs {
            login_type: plain().login_type,
            ..knobs
        })
        .site()
        .unwrap();
    let mut talk = Talk::on(&site).log_in();
    talk.say(octets);
    talk.ask("QUIT");
    let violations = site.violations();
    violations
        .into_iter()
        .map(|text| text.strip_prefix("session 1: ").unwrap().to_owned())
        .collect()
}

#[test]
fn each_rule_is_reported() {
    for (octets, report) in [
        (&b"RSET\r\n"[..], "RSET was sent"),
        (
            b"APOP anna c4c9334bac560ecc979e58001b3e22fb\r\n",
            "APOP was sent",
        ),
        (b"LIST 1\r\n", "LIST with a message-number: \"LIST 1\\r\""),
        (b"UIDL 1\r\n", "UIDL with a message-number: \"UIDL 1\\r\""),
        (b"STAT \r\n", "spaces that are not single: \"STAT \\r\""),
        (b"RETR  1\r\n", "spaces that are not single: \"RETR  1\\r\""),
        (b"RETR\t1\r\n", "not printable ASCII: \"RETR\\t1\\r\""),
        (b"NOOP\n", "bare LF: \"NOOP\""),
        (b"NOOP\rX\r\n", "not printable ASCII: \"NOOP\\rX\\r\""),
        (b"STAT 1\r\n", "STAT with an argument: \"STAT 1\\r\""),
        (b"LAST\r\n", "unknown command: \"LAST\\r\""),
        (b"USER x\r\n", "USER in the wrong state"),
        (
            b"STAT\r\nNOOP\r\n",
            "a command before the answer to the one before it",
        ),
        (b"DELE 1\r\n", ""),
        (b"RETR 1\r\n", ""),
    ] {
        let got = violations(Knobs::default(), octets);
        let shown = String::from_utf8_lossy(octets);
        if report.is_empty() {
            assert!(got.is_empty(), "{shown:?}: {got:?}");
        } else {
            assert!(got.contains(&report.to_owned()), "{shown:?}: {got:?}");
        }
    }
}

#[test]
fn a_number_must_not_be_used_after_its_dele() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mut talk = Talk::on(&site).log_in();
    talk.ask("DELE 2");
    assert!(site.violations().is_empty());
    for command in ["RETR 2", "TOP 2 0", "DELE 2"] {
        talk.ask(command);
    }
    assert_eq!(
        site.violations(),
        [
            "session 1: RETR 2 after its DELE",
            "session 1: TOP 2 after its DELE",
            "session 1: DELE 2 after its DELE"
        ]
    );
}

#[test]
fn pipelining_is_fine_once_capa_has_offered_it() {
    let knobs = || Knobs {
        pipelining: true,
        ..Knobs::default()
    };
    let early = violations(knobs(), b"STAT\r\nUIDL\r\n");
    assert_eq!(early, ["a command before the answer to the one before it"]);
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(Knobs {
            login_type: plain().login_type,
            ..knobs()
        })
        .site()
        .unwrap();
    let mut talk = Talk::on(&site).log_in();
    talk.ask("CAPA");
    talk.say("STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\n");
    talk.ask("QUIT");
    assert!(site.violations().is_empty());
}

#[test]
fn a_command_during_a_long_answer_is_too_early() {
    let site = with_messages(Profile::Ex2016, &[]).site().unwrap();
    let mailbox = site.mailbox(USER);
    mailbox.deliver(exchange_sim::Content::large(1_000_000));
    let mut talk = Talk::on(&site).log_in();
    talk.session.receive(b"RETR 1\r\n");
    talk.session.pull(&mut Vec::new());
    assert!(site.violations().is_empty());
    talk.session.receive(b"NOOP\r\n");
    assert_eq!(site.violations().len(), 1);
}

#[test]
fn nothing_may_come_before_the_greeting() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mut talk = Talk::on(&site);
    talk.say("CAPA\r\n");
    assert_eq!(site.violations(), ["session 1: octets before the greeting"]);
    let clock = ManualClock::default();
    let server = with_messages(Profile::Ex2016, &three())
        .knobs(Knobs {
            delay: Some((exchange_sim::At::Greeting, Duration::from_secs(5))),
            ..plain()
        })
        .clock(clock.clone())
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    client.send("CAPA\r\n");
    assert!(client.is_silent());
    clock.advance(Duration::from_secs(5));
    client.line();
    assert_eq!(
        server.violations(),
        ["session 1: octets before the greeting"]
    );
}

#[test]
fn a_line_over_the_limit_is_reported() {
    let got = violations(Knobs::default(), &[b'x'; 600]);
    assert_eq!(got, ["a line of more than 512 octets"]);
}

#[test]
fn quit_is_missed_at_the_end_of_an_orderly_connection_only() {
    let end = |knobs: Knobs, quit: bool| {
        let server = with_messages(Profile::Ex2016, &three())
            .knobs(Knobs {
                login_type: plain().login_type,
                ..knobs
            })
            .start()
            .unwrap();
        let mut client = Client::logged_in(&server);
        if quit {
            client.ask("QUIT");
        }
        drop(client);
        assert!(server.wait_until_idle(Duration::from_secs(5)));
        server.violations()
    };
    assert_eq!(
        end(Knobs::default(), false),
        ["session 1: the connection ended without QUIT"]
    );
    assert!(end(Knobs::default(), true).is_empty());
    let odd = Knobs {
        stat_line: Some(b"+OK".to_vec()),
        ..Knobs::default()
    };
    assert!(end(odd, false).is_empty(), "the client may have had to");
}

#[test]
fn plain_octets_behind_stls_are_reported() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mut talk = Talk::on(&site);
    talk.output();
    talk.say("STLS\r\nCAPA\r\n");
    let violations = site.violations();
    assert!(violations.contains(&"session 1: octets in the clear behind STLS".to_owned()));
}

#[test]
fn transcripts_have_both_directions_in_order() {
    let clock = ManualClock::default();
    let server = with_messages(Profile::Ex2016, &three())
        .knobs(Knobs::default())
        .clock(clock.clone())
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    client.line();
    client.ask("STLS");
    let mut client = client.start_tls(&server);
    clock.advance(Duration::from_secs(7));
    client.log_in();
    client.message("RETR 2");
    client.list("UIDL");
    client.ask("QUIT");
    assert!(server.wait_until_idle(Duration::from_secs(5)));
    let transcripts = server.transcripts();
    let [transcript] = transcripts.as_slice() else {
        panic!("one session");
    };
    assert_eq!(transcript.port, Port::Plain);
    assert_eq!(transcript.user.as_deref(), Some(USER));
    assert!(transcript.ended && transcript.has_quit());
    let lines: Vec<String> = transcript
        .client_lines()
        .into_iter()
        .map(|line| String::from_utf8(line).unwrap())
        .collect();
    let pass = format!("PASS {PASSWORD}");
    let user = format!("USER {USER}");
    assert_eq!(lines, ["STLS", &user, &pass, "RETR 2", "UIDL", "QUIT"]);
    assert_eq!(server.commands(), lines);
    assert_eq!(server.commands_of("RETR"), ["RETR 2"]);
    let begins = transcript
        .entries
        .iter()
        .position(|entry| entry.what == What::TlsBegins)
        .unwrap();
    for (i, entry) in transcript.entries.iter().enumerate() {
        assert_eq!(entry.tls, i >= begins);
        let seconds = if matches!(&entry.what, What::Client(line) if line.starts_with(b"USER")) {
            7
        } else {
            entry.at.as_secs()
        };
        assert_eq!(entry.at.as_secs(), seconds);
    }
    let has = |what: &What| transcript.entries.iter().any(|entry| entry.what == *what);
    assert!(has(&What::Message {
        number: 2,
        unique_id: b"6501".to_vec(),
        octets: 29,
        complete: true,
    }));
    assert!(has(&What::Rows {
        text: b"1 6499\r\n2 6501\r\n3 6502\r\n".to_vec(),
        octets: 24,
    }));
    assert!(has(&What::Server(b"+OK Begin TLS negotiation.".to_vec())));
    assert!(has(&What::ServerClosed));
    server.clear_log();
    assert!(server.commands().is_empty() && server.transcripts().is_empty());
}

#[test]
fn the_hook_sees_commands_before_they_are_answered() {
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let hook = Arc::clone(&seen);
    let site = with_messages(Profile::Ex2016, &three())
        .on_command(move |command| hook.lock().unwrap().push(command.clone()))
        .site()
        .unwrap();
    let mut talk = Talk::on(&site).log_in();
    talk.ask("dele 1");
    talk.ask("RETR 2");
    talk.ask("DELE 2");
    talk.ask("QUIT");
    let seen = seen.lock().unwrap();
    let verbs: Vec<&str> = seen.iter().map(|command| command.verb.as_str()).collect();
    assert_eq!(verbs, ["USER", "PASS", "DELE", "RETR", "DELE", "QUIT"]);
    assert_eq!(seen[1].argument, PASSWORD.as_bytes());
    assert_eq!(seen[1].user, None);
    assert_eq!(
        seen[4],
        Seen {
            session: 1,
            user: Some(USER.to_owned()),
            verb: "DELE".to_owned(),
            argument: b"2".to_vec(),
            number: Some(2),
            unique_id: Some(b"6501".to_vec()),
            retrieved: true,
        }
    );
    assert!(!seen[2].retrieved, "DELE 1 came before any RETR 1");
}

#[test]
fn sasl_lines_are_in_transcripts_and_not_among_commands() {
    let site = with_messages(Profile::Ex2016, &three()).site().unwrap();
    let mut talk = Talk::on(&site);
    talk.output();
    talk.ask("AUTH PLAIN");
    let answer = "AGFubmEAc2VjcmV0IHBhc3M=";
    talk.ask(answer);
    assert!(talk.ask("STAT").starts_with("+OK 3 "));
    assert_eq!(site.commands(), ["AUTH PLAIN", "STAT"]);
    let lines = site.transcripts()[0].client_lines();
    assert_eq!(lines[1], answer.as_bytes());
    assert!(site.violations().is_empty());
}

#[test]
fn a_session_of_the_engine_can_be_dropped_at_any_time() {
    let mut one = talk(Knobs::default());
    one.session.receive(b"RETR 1");
    drop(one);
    let mut two = talk(Knobs::default());
    two.session.end(true);
    assert_eq!(two.say("STAT\r\n"), "");
}

#[test]
fn a_hook_that_panics_breaks_the_connection() {
    let server = with_messages(Profile::Ex2016, &three())
        .on_command(|seen| assert_ne!(seen.verb, "DELE", "a test says no"))
        .start()
        .unwrap();
    let mut client = Client::logged_in(&server);
    client.send("DELE 1\r\n");
    assert!(client.rest().0.is_empty());
    assert!(server.wait_until_idle(Duration::from_secs(5)));
}
