//! Greetings and capabilities. (Catalogue 1–11.)

use exchange_sim::{Act, At, CapaOdd, CloseHow, Knobs, Missing, NoCapa, Profile};

use super::table::fault;
use support::bench::By;

fn greeting(text: &[u8]) -> Knobs {
    Knobs {
        greeting: Some(text.to_vec()),
        ..Knobs::default()
    }
}

fn capa(odd: CapaOdd) -> Knobs {
    Knobs {
        capa_odd: vec![odd],
        ..Knobs::default()
    }
}

fn lines(lines: &[&str]) -> Option<Vec<String>> {
    Some(lines.iter().map(|&line| line.to_owned()).collect())
}

#[test]
fn a_greeting_that_is_no_welcome_ends_the_run_before_the_name_is_sent() {
    for (text, status, words) in [
        (&b"-ERR go away\r\n"[..], 69, "go away"),
        (b"-ERR [SYS/PERM] never\r\n", 69, "never"),
        (b"-ERR [SYS/TEMP] later\r\n", 75, "later"),
        (b"-ERR [IN-USE] later\r\n", 75, "later"),
        (
            b"* OK IMAP4rev1 ready\r\n",
            69,
            "not a POP3 server: it greets with `* OK IMAP4rev1",
        ),
        (b"220 smtp.example ESMTP\r\n", 69, "hint: check the port:"),
        (
            b"HTTP/1.1 400 Bad Request\r\n",
            69,
            "it greets with `HTTP/1.1",
        ),
        (b"\r\n", 69, "the server refused the connection"),
        (b" +OK\r\n", 69, "the server refused the connection"),
        (b"-ERR \x1b]0;title\x07\x9b31m\xff no\r\n", 69, "\\xff no"),
    ] {
        let name = String::from_utf8_lossy(text).into_owned();
        fault(name, greeting(text))
            .fails_before_login(status, words)
            .never("CAPA")
            .holds();
    }
}

#[test]
fn a_greeting_of_two_lines_ends_the_run() {
    for text in [
        &b"+OK ready\r\nand willing\r\n"[..],
        b"+OK ready\r\n+OK ready again\r\n",
        b"+OK ready\r\n\r\n",
        b"+OK ready\r\nx",
    ] {
        fault("two lines", greeting(text))
            .fails_before_login(76, "not asked for")
            .never("CAPA")
            .holds();
    }
}

#[test]
fn stamps_and_odd_letters_in_a_greeting_change_nothing() {
    for text in [
        &b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n"[..],
        b"+OK <> no message-id\r\n",
        b"+OK < @ > \x1b[2J gr\xc3\xbc\xc3\x9fe \xff\r\n",
        b"+ok\r\n",
        b"+\r\n",
        b"+YES\r\n",
        b"+OK\tready\r\n",
    ] {
        fault("a stamp", greeting(text)).never("APOP").holds();
    }
}

#[test]
fn a_greeting_without_end_costs_neither_time_nor_memory() {
    for octets in [Some(10_000), Some(2 << 20), None] {
        let knobs = Knobs {
            first_line_long: Some((At::Greeting, octets)),
            ..Knobs::default()
        };
        fault(format!("a greeting of {octets:?}"), knobs)
            .fails_before_login(76, "a line of more than")
            .hangs()
            .holds();
    }
    let long = Knobs {
        first_line_long: Some((At::Greeting, Some(513))),
        ..Knobs::default()
    };
    fault("a greeting of 513", long).holds();
}

#[test]
fn a_server_without_capa_is_used_without_it() {
    for no_capa in [NoCapa::Err, NoCapa::Close] {
        for no_close_notify in [false, true] {
            let knobs = Knobs {
                no_capa: Some(no_capa),
                no_close_notify,
                ..Knobs::default()
            };
            let about = format!("{no_capa:?}, without close_notify: {no_close_notify}");
            fault(about, knobs).holds();
        }
    }
    // XPOP3:C0005: a close may follow any refusal; and some servers just hang up.
    for by in [By::Tls, By::Stls, By::Plain] {
        for how in [CloseHow::Fin, CloseHow::Reset, CloseHow::NoCloseNotify] {
            for refuses in [true, false] {
                let refusal = b"-ERR what is that?\r\n".to_vec();
                let knobs = if refuses {
                    Knobs::default()
                        .rule(At::verb("CAPA"), Act::Instead(refusal))
                        .rule(At::verb("CAPA"), Act::CloseAfter(how))
                } else {
                    Knobs::default().rule(At::verb("CAPA"), Act::Close(how))
                };
                fault(format!("{how:?} at CAPA over {by:?}, {refuses}"), knobs)
                    .by(by)
                    .sessions(2)
                    .holds();
            }
        }
    }
    let hangs = Knobs {
        no_capa: Some(NoCapa::Hang),
        ..Knobs::default()
    };
    fault("CAPA hangs", hangs)
        .hangs()
        .fails_before_login(75, "waiting for the reply to CAPA")
        .holds();
}

/// Without CAPA a login is tried a second time, but no password is sent twice.
#[test]
fn a_server_that_hangs_up_on_the_login_is_not_sent_the_password_twice() {
    let refusal = b"-ERR what is that?\r\n".to_vec();
    let no_capa = Knobs::default().rule(At::verb("CAPA"), Act::Instead(refusal));
    for (verb, sessions) in [("USER", 2), ("PASS", 1)] {
        let knobs = no_capa
            .clone()
            .rule(At::verb(verb), Act::Close(CloseHow::Fin));
        fault(format!("closes at {verb}"), knobs)
            .fails(75, &format!("in answer to {verb}"))
            .sessions(sessions)
            .holds();
    }
}

#[test]
fn odd_capabilities_change_nothing() {
    for odd in [
        CapaOdd::LowerCase,
        CapaOdd::DoubleBlanks,
        CapaOdd::Empty,
        CapaOdd::LongLine(600),
        CapaOdd::LongLine(4000),
        CapaOdd::UnknownTags,
        CapaOdd::LeadingDot,
    ] {
        // A line that begins with a dot ends the list for Outlook (OPOP3:V0002), and the rest is
        // left over.
        let row = fault(format!("{odd:?}"), capa(odd));
        match odd {
            CapaOdd::LeadingDot => row.fails_before_login(76, "not asked for").holds(),
            _ => row.holds(),
        }
    }
}

#[test]
fn capabilities_without_end_are_given_up() {
    fault("CAPA never ends", capa(CapaOdd::Endless))
        .fails_before_login(76, "does not end")
        .hangs()
        .unpipelined()
        .holds();
    fault(
        "a capability of 20,000 octets",
        capa(CapaOdd::LongLine(20_000)),
    )
    .fails_before_login(76, "a line of more than")
    .holds();
}

#[test]
fn what_capa_leaves_out_before_the_login_is_tried_all_the_same() {
    let shy = Knobs {
        capa_tls: lines(&["USER"]),
        capa_after_login: lines(&["TOP", "UIDL", "PIPELINING", "USER"]),
        ..Knobs::default()
    };
    fault("capabilities after login only", shy)
        .unpipelined()
        .holds();
    for missing in [Missing::Unannounced, Missing::Absent, Missing::Refused] {
        let top = Knobs {
            no_top: Some(missing),
            ..Knobs::default()
        };
        fault(format!("TOP {missing:?}"), top).never("TOP").holds();
        let list = Knobs {
            no_list: Some(missing),
            ..Knobs::default()
        };
        fault(format!("LIST {missing:?}"), list).holds();
    }
    let uidl = Knobs {
        no_uidl: Some(Missing::Unannounced),
        ..Knobs::default()
    };
    fault("UIDL is not announced", uidl).holds();
}

#[test]
fn offers_that_are_not_taken_up_change_nothing() {
    let offers = Knobs {
        utf8: true,
        resp_codes: true,
        eight_bit_text: true,
        expire: Some("0".to_owned()),
        capa_extra: vec!["IMPLEMENTATION \u{1b}[2J".to_owned(), "SASL".to_owned()],
        auth_after_user_breaks: true,
        ..Knobs::default()
    };
    fault("many offers", offers).never("AUTH").holds();
    for expire in ["5 USER", "NEVER", "nonsense"] {
        let knobs = Knobs {
            expire: Some(expire.to_owned()),
            ..Knobs::default()
        };
        fault(format!("EXPIRE {expire}"), knobs).holds();
    }
}

#[test]
fn a_server_that_says_it_pipelines_and_does_not_is_given_up_in_time() {
    let knobs = Knobs {
        pipelining_unsupported: true,
        ..Knobs::default()
    };
    fault("pipelining is not understood", knobs)
        .hangs()
        .fails(75, "timed out")
        .pipelined()
        .holds();
}

#[test]
fn letters_and_blanks_of_answers_do_not_matter() {
    use exchange_sim::{Separator, StatusCase};
    for sep in [
        Separator::Spaces,
        Separator::Tab,
        Separator::Mixed,
        Separator::TrailingBlanks,
    ] {
        for status_case in [StatusCase::Lower, StatusCase::Mixed] {
            let knobs = Knobs {
                sep,
                status_case,
                extra: Some("and more 17".to_owned()),
                ..Knobs::default()
            };
            fault(format!("{sep:?}, {status_case:?}"), knobs).holds();
        }
    }
}

#[test]
fn the_oldest_server_is_understood() {
    let knobs = Knobs::default();
    fault("Exchange 2003", knobs)
        .profile(Profile::Ex2003)
        .by(By::Plain)
        .holds();
    let modern = Knobs {
        modern_2007_banner: true,
        ..Knobs::default()
    };
    fault("a later build of 2007", modern)
        .profile(Profile::Ex2007)
        .holds();
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_given_up() {
    fault(
        "no greeting",
        Knobs::default().rule(At::Greeting, Act::Silent),
    )
    .hangs()
    .fails_before_login(75, "waiting for the greeting")
    // It may be waiting for a TLS handshake.
    .says("hint: check the port:")
    .holds();
}
