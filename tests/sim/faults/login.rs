//! Logins. (Catalogue 12–21, 72; attack S9.)

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use exchange_sim::{
    Act, At, BrokenMechanism, CloseAfterErr, Knobs, LoginType, ManualClock, Profile, RefuseLogins,
    SaslOdd, Text,
};

use super::table::fault;
use support::bench::{Bench, By, PASSWORD, Setup, USER, letters};

fn refused(text: &str) -> Knobs {
    Knobs {
        refuse_logins: Some(RefuseLogins {
            text: text.to_owned(),
            times: None,
        }),
        ..Knobs::default()
    }
}

/// The same texts in answer to STAT, for servers that accept any login first.
#[test]
fn a_throttled_mailbox_is_a_matter_of_time_and_not_of_protocol() {
    for (text, status) in [
        (
            "Exceeded the login limit, reduce the frequency of requests",
            75,
        ),
        ("[SYS/TEMP] not now", 75),
        ("too many requests", 75),
        ("mailbox is locked", 75),
        ("try again", 75),
        ("no", 76),
    ] {
        for verb in ["STAT", "UIDL"] {
            if (verb, status) == ("UIDL", 76) {
                continue;
            }
            let answer = format!("-ERR {text}\r\n").into_bytes();
            let knobs = Knobs::default().rule(At::verb(verb), Act::Instead(answer));
            let row = fault(format!("{text} to {verb}"), knobs).fails(status, text);
            match status {
                75 => row.says("hint: try again later").holds(),
                _ => row
                    .says("hint: perhaps the server did not accept the login")
                    .holds(),
            }
        }
    }
}

/// The words count also where a mechanism is refused.
#[test]
fn a_throttled_login_by_sasl_is_a_matter_of_time() {
    for (text, status) in [
        ("Exceeded the login limit for a 15 minute period", 75),
        ("too many connections", 75),
        ("[SYS/TEMP] not now", 75),
        ("Reduce the frequency of requests", 75),
        ("server busy, try again", 75),
        ("[AUTH] too many wrong passwords", 77),
        ("wrong password, try again", 77),
    ] {
        for method in ["plain", "login"] {
            let answer = format!("-ERR {text}\r\n").into_bytes();
            let knobs = Knobs {
                mechanisms_tls: Some(vec!["PLAIN".to_owned(), "LOGIN".to_owned()]),
                ..Knobs::default()
            };
            let knobs = knobs.rule(At::verb("AUTH"), Act::Instead(answer));
            fault(format!("{text} to AUTH"), knobs)
                .arguments(&["--auth", method])
                .fails(status, text)
                .never("USER")
                .sessions(1)
                .holds();
        }
    }
}

/// Some servers refuse twice: the second refusal answers nothing, and changes nothing.
#[test]
fn a_login_that_is_refused_twice_is_refused() {
    for verb in ["USER", "PASS"] {
        let twice = b"-ERR no\r\n-ERR really no\r\n".to_vec();
        let knobs = Knobs::default().rule(At::verb(verb), Act::Instead(twice));
        let words = format!("the server refused {verb}: `no`");
        fault(format!("{verb} refused twice"), knobs)
            .fails(77, &words)
            .holds();
    }
}

#[test]
fn a_refused_login_tells_what_to_do_about_it() {
    for (text, status, words) in [
        (
            "[AUTH] wrong password",
            77,
            "hint: check user name and password",
        ),
        ("[SYS/PERM] the disk is gone", 77, "the disk is gone"),
        ("[SYS/TEMP] come back later", 75, "come back later"),
        (
            "[IN-USE] locked by another session",
            75,
            "hint: try again later",
        ),
        ("[LOGIN-DELAY] 300 seconds", 75, "hint: try again later"),
        ("[in-use] in small letters", 75, "in small letters"),
        ("[X-NEW] whatever", 77, "whatever"),
        (
            "Unable to lock maildrop: Mailbox is locked by POP server",
            75,
            "try again later",
        ),
        ("mailbox in use", 75, "try again later"),
        ("maildrop busy", 75, "try again later"),
        (
            "/var/spool/pop/.anna.pop lock busy!  Is another session active? (11)",
            75,
            "hint: try again later",
        ),
        ("Server Unavailable. 21", 75, "try again later"),
        (
            "Exceeded the login limit for a 15 minute period. Reduce the frequency of requests",
            75,
            "Reduce the frequency of requests",
        ),
        // Each of the words alone.
        ("Exceeded the login limit", 75, "hint: try again later"),
        ("Please reduce the frequency", 75, "hint: try again later"),
        ("Please try again", 75, "hint: try again later"),
        ("login rate exceeded", 75, "hint: try again later"),
        ("rate limit", 75, "hint: try again later"),
        ("slow down", 75, "hint: try again later"),
        ("out of order temporarily", 75, "hint: try again later"),
        ("throttled", 75, "hint: try again later"),
        ("too busy", 75, "hint: try again later"),
        ("too many connections, try again later", 75, "too many"),
        ("Too many login attempts", 75, "hint: try again later"),
        ("you log in too frequently", 75, "too frequently"),
        ("server is overloaded, try again", 75, "overloaded"),
        (
            "Invalid login, try again",
            77,
            "hint: check user name and password",
        ),
        ("[AUTH] too many wrong passwords", 77, "too many wrong"),
        (
            "Logon failure: unknown user name or bad password.",
            77,
            "bad password",
        ),
        (
            "[REFERRAL pop3://evil.example/] go there",
            77,
            "evil.example",
        ),
        ("", 77, "the server refused PASS"),
    ] {
        fault(text, refused(text))
            .fails(status, words)
            .never("STAT")
            .sessions(1)
            .holds();
    }
}

#[test]
fn what_acts_on_terminals_in_a_refusal_is_shown_escaped() {
    let text: &[u8] = b"\x1b]0;owned\x07\x1b[31m\xc2\x9b\xffred\x00\x08 \xe2\x80\xae";
    for after in [CloseAfterErr::Never, CloseAfterErr::Always] {
        let knobs = Knobs {
            close_after_err: after,
            ..refused("x")
        };
        let knobs = knobs.rule(
            At::verb("PASS"),
            Act::FirstLine([b"-ERR ", text, b"\r\n"].concat()),
        );
        fault("a coloured refusal", knobs)
            .fails(77, "\\xffred\\")
            .holds();
    }
}

#[test]
fn a_wrong_password_is_told_also_where_the_server_hangs_up() {
    for after in [
        CloseAfterErr::Never,
        CloseAfterErr::Always,
        CloseAfterErr::After(1),
        CloseAfterErr::OnLogin(1),
    ] {
        for resp_codes in [false, true] {
            let bench = Setup::with(letters(2))
                .knobs(Knobs {
                    close_after_err: after,
                    resp_codes,
                    ..Knobs::default()
                })
                .start();
            bench.sim.set_password(USER, "another one");
            let ended = bench.fetch(&["-vv"]).gives(77);
            ended.says("unknown user name or bad password");
            assert_eq!(bench.sim.commands_of("PASS").len(), 1, "{after:?}");
            assert_eq!(bench.sim.commands_of("STAT"), [""; 0]);
            bench.assert_no_violations();
        }
    }
}

#[test]
fn a_login_that_exchange_refuses_as_a_whole_is_a_refused_login() {
    let wrong_site = Knobs {
        wrong_site: true,
        ..Knobs::default()
    };
    fault("the mailbox is in another site", wrong_site)
        .profile(Profile::Ex2007)
        .fails(77, "bad password")
        .holds();
    let user = Knobs {
        refuse_user: true,
        ..Knobs::default()
    };
    fault("USER is refused", user)
        .fails(77, "the server refused USER")
        .never("PASS")
        .holds();
    let secure = Knobs {
        login_type: Some(LoginType::Secure),
        ..Knobs::default()
    };
    fault("no passwords without TLS", secure)
        .by(By::Plain)
        .fails(
            77,
            "hint: the server may not allow passwords on this connection",
        )
        .never("PASS")
        .does_not_heal()
        .holds();
    let bench = Setup::with(letters(2))
        .build(|builder| builder.pop_disabled(USER))
        .start();
    bench.fetch(&[]).gives(77).says("hint: check user name");
}

#[test]
fn a_false_success_stores_and_deletes_nothing() {
    for line in ["+ERR invalid user", "+", "+OK"] {
        let bench = Bench::with(letters(2));
        bench.sim.set_password(USER, "another one");
        bench.knobs(Knobs {
            status_odd: Some((At::verb("PASS"), line.into())),
            ..Knobs::default()
        });
        let ended = bench.fetch(&[]).end();
        assert!(matches!(ended.status, Some(76 | 77)), "{}", ended.text());
        ended.says("the server refused STAT");
        ended.says("hint: perhaps the server did not accept the login:");
        bench.assert_stored(&[]);
    }
}

#[test]
fn the_first_octet_of_an_answer_decides() {
    for verb in ["USER", "PASS"] {
        for line in ["+", "+YES", "+ERR text", "+ok"] {
            let knobs = Knobs {
                status_odd: Some((At::verb(verb), line.into())),
                ..Knobs::default()
            };
            fault(format!("{line} to {verb}"), knobs).holds();
        }
        for line in ["OK", "", " +OK", "ok +OK", "\t+OK", "*"] {
            let knobs = Knobs {
                status_odd: Some((At::verb(verb), line.into())),
                ..Knobs::default()
            };
            fault(format!("{line:?} to {verb}"), knobs)
                .fails(77, &format!("the server refused {verb}"))
                .never("STAT")
                .holds();
        }
    }
}

#[test]
fn a_slow_login_is_waited_for() {
    let slow = Knobs {
        delay: Some((At::verb("PASS"), Duration::from_millis(700))),
        ..Knobs::default()
    };
    fault("a big spool is copied", slow).holds();
    let refusal = Knobs {
        refusal_delay: Duration::from_millis(700),
        ..refused("[AUTH] after a while")
    };
    fault("a late refusal", refusal)
        .fails(77, "after a while")
        .holds();
}

#[test]
fn mechanisms_that_are_broken_do_not_matter_to_user_and_pass() {
    for closes in [false, true] {
        let knobs = Knobs {
            broken_mechanisms: vec![BrokenMechanism {
                name: "CRAM-MD5".to_owned(),
                closes,
            }],
            unannounced_mechanisms: vec!["XOAUTH2".to_owned()],
            ..Knobs::default()
        };
        fault("CRAM-MD5 is broken", knobs).never("AUTH").holds();
    }
    for odd in [
        SaslOdd::PlusOnly,
        SaslOdd::OkPrompt,
        SaslOdd::Endless,
        SaslOdd::Huge,
    ] {
        let knobs = Knobs {
            sasl_odd: Some(odd),
            mechanisms_tls: Some(Vec::new()),
            ..Knobs::default()
        };
        fault("odd challenges", knobs).never("AUTH").holds();
    }
}

#[test]
fn a_login_that_comes_too_soon_is_put_off() {
    for (login_delay, busy_after_quit) in
        [(Some(300), None), (None, Some(Duration::from_secs(300)))]
    {
        let clock = ManualClock::default();
        let of_server = clock.clone();
        let bench = Setup::with(letters(2))
            .knobs(Knobs {
                login_delay,
                busy_after_quit,
                ..Knobs::default()
            })
            .build(|builder| builder.clock(of_server))
            .start();
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        let ended = bench.fetch(&["--profile", "outlook-2016"]).gives(75);
        ended.says("hint: try again later");
        clock.advance(Duration::from_secs(301));
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        bench.assert_exactly_once();
        bench.assert_no_violations();
    }
}

#[test]
fn one_connection_too_many_is_a_refused_login() {
    let bench = Setup::with(letters(3))
        .by(By::Plain)
        .knobs(Knobs {
            max_connections_per_user: 1,
            ..Knobs::default()
        })
        .start();
    let mut other = TcpStream::connect(("127.0.0.1", bench.sim.pop3_port())).unwrap();
    let mut lines = BufReader::new(other.try_clone().unwrap()).lines();
    for command in ["USER ", "PASS "] {
        assert!(lines.next().unwrap().unwrap().starts_with("+OK"));
        let argument = if command == "USER " { USER } else { PASSWORD };
        write!(other, "{command}{argument}\r\n").unwrap();
    }
    assert!(lines.next().unwrap().unwrap().starts_with("+OK"));
    let ended = bench.fetch(&[]).start().end();
    assert_eq!(ended.status, Some(77), "{}", ended.text());
    drop((other, lines));
    bench.settle();
    bench.fetch(&[]).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn texts_of_any_length_and_letters_change_nothing() {
    for text in [
        Text::User,
        Text::LoggedOn,
        Text::Message,
        Text::Listing,
        Text::Deleted,
    ] {
        let words = "\u{1b}[2J 1 2 3 +OK -ERR \u{9b} 99999 octets ".repeat(10);
        fault(format!("{text:?}"), Knobs::default().text(text, words)).holds();
    }
}
