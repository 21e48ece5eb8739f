//! The profile `rfc1939`: the generic client, and its differences from Outlook.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use exchange_sim::{Act, At, CapaOdd, Knobs, Profile};
use support::bench::{Bench, By, PASSWORD, Setup, USER, letters};

const GENERIC: &str = "profile = \"rfc1939\"";

#[test]
fn mail_stays_on_the_server_unless_the_user_says_otherwise() {
    let bench = Bench::with(letters(3));
    bench.sync(GENERIC, &[]).gives(0);
    assert_eq!(bench.mailbox().len(), 3);
    bench.assert_exactly_once();
    let keys = format!("{GENERIC}\nleave-on-server = false");
    bench.sync(&keys, &[]).gives(0);
    assert!(bench.mailbox().is_empty());
    bench.assert_exactly_once();
    bench.assert_no_violations();
}

/// RFC 1939 §3: in CAPA, UIDL and LIST, too, where Outlook stops at any dot (OPOP3:V0002).
#[test]
fn stuffed_lines_of_listings_are_unstuffed() {
    let dotted = |answer: &str| Act::Rewrite(answer.as_bytes().to_vec());
    for pipelining in [false, true] {
        let bench = Bench::with(letters(2));
        let uids = "+OK\r\n1 .one\r\n.2 two\r\n.\r\n";
        let sizes = "+OK\r\n1 500\r\n.2 500\r\n.\r\n";
        bench.knobs(
            Knobs {
                capa_odd: vec![CapaOdd::LeadingDot],
                pipelining,
                ..Knobs::default()
            }
            .rule(At::verb("UIDL"), dotted(uids))
            .rule(At::verb("LIST"), dotted(sizes)),
        );
        bench.sync(GENERIC, &[]).gives(0);
        bench.assert_exactly_once();
        let listed = bench.configured("list", GENERIC, &["work"]).gives(0).out;
        assert!(
            listed.contains(".one") && listed.contains("two"),
            "{listed}"
        );
        bench.sync(GENERIC, &[]).gives(0);
        bench.assert_exactly_once();
        bench.sync("profile = \"outlook-2019\"", &[]).gives(76);
    }
}

/// OPOP3:C0045 and C0047 bind Outlook; RFC 2449 §6.6 lets others send both at once.
#[test]
fn user_and_pass_are_sent_together_where_that_is_allowed() {
    for (by, pipelining) in [
        (By::Tls, true),
        (By::Tls, false),
        (By::Stls, true),
        (By::Plain, true),
    ] {
        let bench = Setup::with(letters(2)).by(by).start();
        bench.knobs(Knobs {
            pipelining,
            ..Knobs::default()
        });
        bench.sync(GENERIC, &[]).gives(0);
        bench.assert_exactly_once();
        bench.assert_no_violations();
    }
}

#[test]
fn a_refused_login_is_told_like_any_other() {
    let bench = Bench::with(letters(1));
    bench.knobs(Knobs {
        pipelining: true,
        ..Knobs::default()
    });
    bench.sim.set_password(USER, "another");
    let ended = bench.sync(GENERIC, &[]).gives(77);
    ended.says("the server refused PASS: `Logon failure: unknown user name or bad password.`");
    assert_eq!(bench.sim.commands().last().unwrap(), "QUIT");
}

/// The example of RFC 1939 §7, but for the name and the password.
#[test]
fn apop_logs_in_without_showing_password_or_digest() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("pop3://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut say = |text: &str| stream.write_all(text.as_bytes()).unwrap();
        say("+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n");
        let mut received = Vec::new();
        for line in lines {
            let line = line.unwrap();
            say(match line.split(' ').next().unwrap() {
                "CAPA" => "+OK\r\nUIDL\r\n.\r\n",
                "STAT" => "+OK 0 0\r\n",
                "UIDL" => "+OK\r\n.\r\n",
                "APOP" => "+OK\r\n",
                "QUIT" => {
                    received.push(line);
                    break;
                }
                _ => "-ERR\r\n",
            });
            received.push(line);
        }
        received
    });
    let bench = Setup::with([]).by(By::Plain).start();
    let arguments = ["--profile", "rfc1939", "--auth", "apop", "-vv"];
    let ended = bench.fetch_from(&url, &arguments).gives(0);
    let received = server.join().unwrap();
    let digest = received[1].strip_prefix(&format!("APOP {USER} ")).unwrap();
    assert_eq!(digest.len(), 32);
    assert_eq!(received[0], "CAPA");
    assert_eq!(received[2..], ["STAT", "UIDL", "QUIT"]);
    ended.says(&format!("C: APOP {USER} ***"));
    assert!(!ended.err.contains(digest));
    assert!(!ended.err.contains(PASSWORD));
}

/// XPOP3:V0012: Exchange offers no APOP, which is seen before anything is sent.
#[test]
fn apop_against_exchange_sends_nothing_but_quit() {
    let bench = Setup::with(letters(1)).profile(Profile::Ex2016).start();
    let keys = format!("{GENERIC}\nauth = \"apop\"");
    let ended = bench.sync(&keys, &[]).gives(77);
    ended.says("the server's greeting offers no APOP");
    ended.says("hint: write `auth = \"user\"`");
    assert_eq!(bench.sim.commands(), ["CAPA", "QUIT"]);
    bench.assert_no_violations();
}

/// OPOP3:V0008: the contradiction is found before any connection, with a hint.
#[test]
fn apop_under_an_outlook_profile_is_a_contradiction() {
    let bench = Bench::with(letters(1));
    let ended = bench.sync("auth = \"apop\"", &[]).gives(78);
    ended.says("`auth = \"apop\"` contradicts the profile `outlook-2019`: Outlook has no APOP");
    ended.says("write `profile = \"rfc1939\"` as well");
    let ended = bench.fetch(&["--auth", "apop"]).gives(64);
    ended.says("--auth");
    assert!(bench.sim.transcripts().is_empty());
}
