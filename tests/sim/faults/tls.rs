//! TLS and STLS: the password is sent on no channel that the user did not allow. (Catalogue 7, 8,
//! 78; attacks A1–A6, A8.)

use exchange_sim::{Act, At, Certificate, Cut, CutAt, Knobs, StlsStrip};

use super::table::fault;
use support::bench::{Bench, By, letter, letters, stored_form};

fn strip(strip: StlsStrip) -> Knobs {
    Knobs {
        stls_strip: Some(strip),
        ..Knobs::default()
    }
}

#[test]
fn without_stls_no_name_and_no_password_is_sent() {
    for kind in [StlsStrip::Absent, StlsStrip::Refused] {
        fault(format!("STLS {kind:?}"), strip(kind))
            .by(By::Stls)
            .fails_before_login(69, "the server offers no encryption")
            .says("hint: use `pop3s://`")
            .holds();
    }
    fault("the handshake fails", strip(StlsStrip::HandshakeFails))
        .by(By::Stls)
        .fails_before_login(69, "no TLS connection")
        .says("no cipher suite, curve or kind of key in common")
        .holds();
    for answer in ["+OK\r\n", "+OK go ahead in the clear\r\n"] {
        let knobs = Knobs::default().rule(At::verb("STLS"), Act::Instead(answer.into()));
        // The handshake is read as commands.
        fault("+OK to STLS, then clear text", knobs)
            .by(By::Stls)
            .hangs()
            .violates()
            .fails_before_login_either(&[69, 75, 76])
            .holds();
    }
}

#[test]
fn stls_that_is_not_announced_is_tried() {
    fault("STLS is not announced", strip(StlsStrip::Unannounced))
        .by(By::Stls)
        .holds();
}

#[test]
fn words_put_into_the_servers_mouth_before_the_handshake_end_the_run() {
    for injected in [
        &b"+OK forged\r\n"[..],
        b"+OK\r\nUSER\r\nPIPELINING\r\n.\r\n",
        b"-ERR\r\n",
        b"\x1b[2J",
        b"\r\n",
        b"x",
    ] {
        let knobs = Knobs {
            stls_inject: Some(injected.to_vec()),
            ..Knobs::default()
        };
        fault("injected", knobs)
            .by(By::Stls)
            .fails_before_login(76, "data was injected before the TLS handshake")
            .says("hint: somebody may be tampering")
            .holds();
    }
}

#[test]
fn capabilities_from_before_the_handshake_are_forgotten() {
    let lines = |lines: &[&str]| Some(lines.iter().map(|&line| line.to_owned()).collect());
    let before = Knobs {
        capa_plain: lines(&["PIPELINING", "UIDL", "USER", "STLS"]),
        capa_tls: lines(&["UIDL", "USER"]),
        ..Knobs::default()
    };
    // Otherwise the recorder reports pipelining as a violation.
    fault("PIPELINING before TLS only", before)
        .by(By::Stls)
        .unpipelined()
        .holds();
    let after = Knobs {
        capa_plain: lines(&["STLS"]),
        capa_tls: lines(&["PIPELINING", "UIDL", "USER", "TOP"]),
        ..Knobs::default()
    };
    fault("PIPELINING under TLS only", after)
        .by(By::Stls)
        .holds();
}

#[test]
fn a_certificate_that_proves_nothing_ends_the_run_before_a_password_is_sent() {
    for (certificate, words) in [
        (Certificate::Expired, "it expired on 2020-01-01"),
        (
            Certificate::NotYetValid,
            "it is not valid before 2090-01-01",
        ),
        (Certificate::WrongName, "it was issued for"),
        (Certificate::WildcardTooWide, "is not to be trusted"),
        (Certificate::SelfSigned, "is not to be trusted"),
        (Certificate::OtherCa, "is not to be trusted"),
    ] {
        for by in [By::Tls, By::Stls] {
            let knobs = Knobs {
                certificate,
                ..Knobs::default()
            };
            fault(format!("{certificate:?}, {by:?}"), knobs)
                .by(by)
                .fails_before_login(69, words)
                .says("hint: ")
                .holds();
        }
    }
}

#[test]
fn a_certificate_of_a_private_authority_is_trusted_only_where_the_user_said_so() {
    let bench = Bench::with(letters(1));
    let other = Bench::with(letters(1));
    let url = other.url();
    // The other server's authority has the same name and another key.
    let ended = bench.fetch_from(&url, &[]).gives(69);
    ended.says("is not to be trusted");
    assert_eq!(other.sim.commands(), [""; 0]);
    // By an address that the certificate does not name.
    let url = format!("pop3s://127.0.0.2:{}", bench.sim.pop3s_port());
    let ended = bench.fetch_from(&url, &[]).end();
    assert_eq!(ended.status, Some(69), "{}", ended.text());
    assert_eq!(bench.sim.commands(), [""; 0]);
}

#[test]
fn an_old_tls_version_is_refused() {
    for by in [By::Tls, By::Stls] {
        let knobs = Knobs {
            tls_version_alert: true,
            ..Knobs::default()
        };
        fault("TLS 1.1", knobs)
            .by(by)
            .fails_before_login(69, "hint: is this a TLS port?")
            .holds();
    }
}

#[test]
fn an_end_without_close_notify_is_an_error_inside_a_message_and_nowhere_else() {
    let orderly = Knobs {
        no_close_notify: true,
        ..Knobs::default()
    };
    fault("behind QUIT", orderly).holds();
    for octets in [0, 30, 60, 95] {
        let knobs = Knobs {
            cut: Some(Cut::no_close_notify(CutAt::MidRetr { number: 3, octets })),
            ..Knobs::default()
        };
        // If mail stays on the server, each session meets it again.
        fault(format!("always at {octets}"), knobs.clone())
            .arguments(&["--leave-on-server", "true"])
            .fails(1, "message 3 (6502): the connection to the server was lost")
            .stores([1, 2, 4].map(|n| stored_form(&letter(n))).to_vec())
            .sessions(3)
            .holds();
        // Once the others are deleted it is number 1.
        fault(format!("once at {octets}"), knobs)
            .sessions(3)
            .holds();
    }
}
