//! Passwords that a server repeats in its capabilities.

use exchange_sim::Profile;

use super::*;

/// Capabilities are stored and shown. The server knows the password from the last login.
#[test]
fn a_password_among_the_capabilities_is_neither_kept_nor_shown() {
    let (first, last) = PASSWORD.split_at(PASSWORD.len() / 2);
    let mut lines: Vec<_> = forms(PASSWORD).into_iter().map(String::from_utf8).collect();
    lines.push(Ok(PASSWORD.to_ascii_uppercase()));
    lines.push(Ok(format!("{first}  {last}")));
    let extra = lines
        .into_iter()
        .map(|form| format!("X-LAST {}", form.unwrap()));
    let knobs = Knobs {
        capa_extra: extra.collect(),
        ..Knobs::default()
    };
    for by in [By::Plain, By::Stls, By::Tls] {
        let bench = Setup::with(letters(1)).by(by).knobs(knobs.clone()).start();
        for more in [&[][..], &["-vv"], &["--json", "-vv"]] {
            assert_eq!(run(&bench, more), Some(0));
        }
        for (command, arguments) in [
            ("probe", &["work"][..]),
            ("probe", &["work", "--json"]),
            ("account", &["test", "work", "-vv"]),
            ("account", &["test", "work", "--json"]),
        ] {
            let ended = bench.configured(command, "", arguments).end();
            let about = format!("{command} {arguments:?}");
            assert!(ended.out.contains("X-LAST"), "{about}: {}", ended.text());
            let text = ended.text().to_lowercase();
            assert_silent(&about, ended.text().as_bytes());
            for part in [PASSWORD, first, last] {
                assert!(!text.contains(&part.to_lowercase()), "{about}: {text}");
            }
        }
        assert_no_file_tells(&bench);
    }
}

/// Only common words are shown unchanged, and a password may be one of them.
#[test]
fn a_password_that_is_a_common_word_hides_nothing_that_the_server_can_do() {
    for password in ["pipelining", "UIDL", "USER"] {
        let bench = Setup::with(letters(2)).profile(Profile::Ex2003).start();
        write(&bench.path("password"), password, 0o600);
        let ended = bench.fetch(&["-v"]).end();
        // This server has another password; its capabilities were recorded before.
        assert_eq!(ended.status, Some(77), "{}", ended.text());
        ended.says(", PIPELINING, ");
        ended.says(", UIDL, ");
    }
}

/// A probe quotes oddities.
#[test]
fn a_probe_quotes_no_password() {
    let line = |text: String| Act::Instead(text.into_bytes());
    for (at, act) in [
        (At::Greeting, line(format!("+OK hello {PASSWORD}\r\n"))),
        (At::verb("NOOP"), line(format!("-ERR NOOP {PASSWORD}?\r\n"))),
        (At::verb("NOOP"), line(format!("+OK\n{PASSWORD}\r\n"))),
        (
            At::verb("LIST"),
            line(format!("+OK\r\n1 {PASSWORD}\r\n.\r\n")),
        ),
        (At::verb("STAT"), line(format!("+OK {PASSWORD}\r\n"))),
        (At::verb("QUIT"), line(format!("+OK {PASSWORD}"))),
    ] {
        let bench = Setup::with(letters(1))
            .knobs(Knobs::default().rule(at, act))
            .start();
        for more in [&["work"][..], &["work", "--json"]] {
            let ended = bench.configured("probe", "timeout = 2", more).end();
            assert_silent(&format!("{more:?}"), ended.text().as_bytes());
        }
    }
}
