use std::path::Path;
use std::time::Duration;

use super::*;
use crate::config::{Base, Config};
use crate::pop3::Keyword;
use crate::probe::{self, Observations, Reply, ScanRows, Stage, Step, UniqueIdRows};
use crate::session::{Address, Awaited, Error};

const NOW: i64 = 1_800_000_000;

fn account() -> Account {
    let toml = b"[accounts.work]\nserver = \"pop3s://anna@mail.example.com\"\nmaildir = \"m\"\n";
    let config = Config::parse(Path::new("config.toml"), toml, &Base::current());
    config.unwrap().accounts.swap_remove(0)
}

fn finding(id: &'static str, rule: &'static str, seen: &str, verdict: Verdict) -> Finding {
    Finding {
        id,
        rule,
        seen: seen.to_owned(),
        verdict,
    }
}

/// A visit that ended at NOOP, to a server that sends escape sequences.
fn report() -> Report {
    let (mut scan, mut ids) = (ScanRows::default(), UniqueIdRows::default());
    for (row, id) in [("1 120", "1 6499"), ("2 200", "2 65+0")] {
        scan.row(row.as_bytes());
        ids.row(id.as_bytes());
    }
    let reply = |of, line: &str| Reply {
        of,
        line: line.as_bytes().to_vec(),
    };
    let milliseconds = |times: f64| Duration::from_secs_f64(times / 1_000.0);
    Report {
        observations: Observations {
            address: "192.0.2.1:995".parse().ok().map(Address::Ip),
            connections: 1,
            tls: Some("TLSv1_3 TLS13_AES_256_GCM_SHA384".to_owned()),
            certificate: Some(Vec::new()),
            capabilities: vec![
                (
                    Stage::BeforeLogin,
                    ["TOP", "USER", "PIPELINING"].into_iter().collect(),
                ),
                (
                    Stage::AfterLogin,
                    ["TOP", "PIPELINING", "UTF8"].into_iter().collect(),
                ),
            ],
            logged_in: true,
            replies: vec![
                reply(None, "+OK \u{1b}[31m\u{202e}ready"),
                reply(Some(Keyword::Stat), "+OK 2 400"),
            ],
            scan: Some(scan),
            unique_ids: Some(ids),
            round_trips: vec![milliseconds(12.3)],
            times: vec![
                (Step::Connect, milliseconds(0.123)),
                (Step::Tls, milliseconds(9.87)),
                (Step::Login, milliseconds(120.0)),
            ],
            error: Some(probe::Error {
                step: Step::Noop,
                statement: Some("OPOP3:C0014"),
                error: Error::TimedOut {
                    awaited: Awaited::Reply(Keyword::Noop),
                    after: Duration::from_secs(60),
                },
            }),
            ..Observations::default()
        },
        findings: vec![
            finding("OPOP3:C0002", "the server greets", "in 1 ms", Verdict::Ok),
            finding(
                "OPOP3:C0004",
                "one blank between fields",
                "`1\u{9b}120` and then a few words that do not fit on one line",
                Verdict::Tolerated,
            ),
            finding(
                "OPOP3:C0014",
                "commands are answered",
                "a-word-that-is-wider-than-any-column-of-this-table-can-be",
                Verdict::Deviates,
            ),
            finding("OPOP3:C0040", "ids are not reused", "no", Verdict::NotSeen),
        ],
        interrupted: None,
    }
}

fn text(width: Option<usize>, colour: bool) -> String {
    Page { width, colour }
        .text(&account(), &report(), NOW)
        .join("\n")
}

#[test]
fn a_narrow_terminal_gets_a_table_that_fits() {
    let shown = text(Some(80), false);
    for line in shown.lines() {
        assert!(measure_text_width(line) <= 80, "{line}");
    }
    insta::assert_snapshot!(shown, @r"
    work

      server        mail.example.com:995 (192.0.2.1), TLS from the first octet
      greeting      +OK \u{1b}[31m\u{202e}ready
      TLS           TLS 1.3 TLS_AES_256_GCM_SHA384
      certificate   cannot be read
      SHA-256       e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
      capabilities  TOP, USER, PIPELINING
                    after login: also UTF8; not USER
      latency       12 ms, the median of 1 NOOPs
      pipelining    announced
      mailbox       2 messages, 400 octets (400 B)
      sizes         LIST adds up to 320, unlike STAT
      unique-ids    1 decimal, as Exchange 2007 and later
                    1 of a form of their own; 4 octets
                    1 outside 0x2E to 0x7E
      time          connect 0.12, tls 9.9, login 120; 130 ms in all
      Exchange      it seems not, so the statements of MS-STANXPOP3 are left out
      stopped       at noop: timed out after 60 s waiting for the reply to NOOP
                    (OPOP3:C0014)

    statement    rule                      seen                            verdict
    OPOP3:C0002  the server greets         in 1 ms                         ok
    OPOP3:C0004  one blank between fields  `1\u{9b}120` and then a few     tolerated
                                           words that do not fit on one
                                           line
    OPOP3:C0014  commands are answered     a-word-that-is-wider-than-any-  deviates
                                           column-of-this-table-can-be
    OPOP3:C0040  ids are not reused        no                              not seen

    1 ok, 1 tolerated, 1 deviates, 1 not seen
    ");
}

#[test]
fn a_pipe_gets_a_line_for_each_statement() {
    insta::assert_snapshot!(text(None, false), @r"
    work

      server        mail.example.com:995 (192.0.2.1), TLS from the first octet
      greeting      +OK \u{1b}[31m\u{202e}ready
      TLS           TLS 1.3 TLS_AES_256_GCM_SHA384
      certificate   cannot be read
      SHA-256       e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
      capabilities  TOP, USER, PIPELINING
                    after login: also UTF8; not USER
      latency       12 ms, the median of 1 NOOPs
      pipelining    announced
      mailbox       2 messages, 400 octets (400 B)
      sizes         LIST adds up to 320, unlike STAT
      unique-ids    1 decimal, as Exchange 2007 and later
                    1 of a form of their own; 4 octets
                    1 outside 0x2E to 0x7E
      time          connect 0.12, tls 9.9, login 120; 130 ms in all
      Exchange      it seems not, so the statements of MS-STANXPOP3 are left out
      stopped       at noop: timed out after 60 s waiting for the reply to NOOP (OPOP3:C0014)

    statement    rule                      seen                                                           verdict
    OPOP3:C0002  the server greets         in 1 ms                                                        ok
    OPOP3:C0004  one blank between fields  `1\u{9b}120` and then a few words that do not fit on one line  tolerated
    OPOP3:C0014  commands are answered     a-word-that-is-wider-than-any-column-of-this-table-can-be      deviates
    OPOP3:C0040  ids are not reused        no                                                             not seen

    1 ok, 1 tolerated, 1 deviates, 1 not seen
    ");
}

#[test]
fn only_verdicts_have_colour() {
    let coloured = text(Some(120), true);
    let plain = text(Some(120), false);
    assert_eq!(console::strip_ansi_codes(&coloured), plain);
    let verdicts: Vec<_> = coloured
        .lines()
        .filter(|line| line.contains('\u{1b}'))
        .collect();
    // Each finding, and the count.
    assert_eq!(verdicts.len(), report().findings.len() + 1);
    assert!(!plain.contains(['\u{1b}', '\u{9b}', '\u{202e}']));
}

#[test]
fn no_screen_is_too_narrow() {
    for width in 0..200 {
        for line in text(Some(width), false).lines() {
            assert!(measure_text_width(line) <= width.max(NARROWEST), "{line}");
        }
    }
}

#[test]
fn lines_break_between_words_and_inside_long_ones() {
    for (text, width, expected) in [
        ("one two three", 7, &["one two", "three"][..]),
        ("one two", 20, &["one two"]),
        ("abcdefgh ij", 3, &["abc", "def", "gh", "ij"]),
        ("漢字漢字", 5, &["漢字", "漢字"]),
        ("", 5, &[""]),
    ] {
        assert_eq!(wrap(text, width), expected, "{text}");
    }
}

/// Every field is in the manual page, and the other way round.
#[test]
fn json_has_every_documented_field() {
    let manual = include_str!("../../../../man/parts/popsync-probe.roff").replace('\\', "");
    let lines = lines::json(&account(), &report(), NOW);
    let header: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let check: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
    let mut fields: Vec<String> = Vec::new();
    for object in [
        &header,
        &check,
        &header["certificate"],
        &header["unique_ids"],
    ] {
        fields.extend(object.as_object().unwrap().keys().cloned());
    }
    for object in [
        &header["capabilities"],
        &header["pipelining"],
        &header["stopped"],
    ] {
        fields.extend(object.as_object().unwrap().keys().cloned());
    }
    for field in fields {
        assert!(manual.contains(&format!("\"{field}\":")), "{field}");
    }
    assert_eq!(lines.len(), 1 + report().findings.len());
}

#[test]
fn json_tells_what_was_seen() {
    let lines = lines::json(&account(), &report(), NOW);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"event":"probe","account":"work","server":"mail.example.com:995","address":"192.0.2.1:995","greeting":"+OK \\u{1b}[31m\\u{202e}ready","tls":"TLSv1_3 TLS13_AES_256_GCM_SHA384","certificate":{"fingerprint":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","public_key":null,"subject":null,"issuer":null,"names":[],"not_before":null,"not_after":null,"days_left":null},"capabilities":{"before_tls":null,"before_login":["TOP","USER","PIPELINING"],"after_login":["TOP","PIPELINING","UTF8"]},"latency":0.0123,"pipelining":{"announced":true,"tried":null},"messages":2,"bytes":400,"listed_bytes":320,"compared":0,"exact":0,"unique_ids":{"count":2,"forms":{"decimal":1,"other":1},"shortest":4,"longest":4,"missing":0,"repeated":0,"too_long":0,"outside_outlook":1,"outside_rfc1939":0},"exchange":false,"seconds":{"connect":0.000123,"login":0.12,"tls":0.00987},"stopped":{"step":"noop","statement":"OPOP3:C0014"},"exit":75}
    {"event":"probe-check","account":"work","id":"OPOP3:C0002","rule":"the server greets","seen":"in 1 ms","verdict":"ok"}
    {"event":"probe-check","account":"work","id":"OPOP3:C0004","rule":"one blank between fields","seen":"`1\\u{9b}120` and then a few words that do not fit on one line","verdict":"tolerated"}
    {"event":"probe-check","account":"work","id":"OPOP3:C0014","rule":"commands are answered","seen":"a-word-that-is-wider-than-any-column-of-this-table-can-be","verdict":"deviates"}
    {"event":"probe-check","account":"work","id":"OPOP3:C0040","rule":"ids are not reused","seen":"no","verdict":"not seen"}
    "#);
}
