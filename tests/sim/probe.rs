//! `popsync probe` with every simulated Exchange, and with servers whose oddities only the wire
//! shows.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

mod maildrop;
mod told;

use std::fs;

use exchange_sim::{
    Act, At, BareLf, Certificate, CloseHow, Knobs, LoginType, Missing, NoCapa, Profile, Separator,
    StatusCase, Text,
};
use serde_json::Value;
use support::cli::Popsync;
use tempfile::TempDir;
use told::{Told, USER, odd, popsync, probe, probe_with, server, told_of};

#[test]
fn every_exchange_is_known_and_keeps_its_statements() {
    for profile in Profile::ALL {
        let sim = server(profile, Knobs::default());
        let told = probe_with(&sim, profile, &["--deep"]);
        let name = profile.name();
        assert_eq!((told.status, told.err.as_str()), (0, ""), "{name}");
        assert_eq!(told.header["exchange"], true, "{name}");
        assert_eq!(told.header["messages"], 6, "{name}");
        assert_eq!(told.with("deviates"), [""; 0], "{name}");
        let violations: Vec<_> = sim.violations();
        assert!(violations.is_empty(), "{name}: {violations:?}");
        // XPOP3:N5 contradicts OPOP3:C0021.
        assert_eq!(told.on("OPOP3:C0021").0, "tolerated", "{name}");
        assert_eq!(told.on("XPOP3:N5").0, "ok", "{name}");
        let ids = &told.header["unique_ids"]["forms"];
        let (decimal, base64) = match profile {
            Profile::Ex2003 => (Value::Null, Value::from(6)),
            Profile::Ex2003Migrated => (Value::from(3), Value::from(3)),
            _ => (Value::from(6), Value::Null),
        };
        assert_eq!((&ids["decimal"], &ids["base64"]), (&decimal, &base64));
        let pipelines = profile == Profile::Ex2003;
        let tried = if pipelines {
            Value::from("in-order")
        } else {
            Value::Null
        };
        assert_eq!(told.header["pipelining"]["announced"], pipelines, "{name}");
        assert_eq!(told.header["pipelining"]["tried"], tried, "{name}");
    }
}

#[test]
fn the_header_tells_of_tls_and_capabilities_before_and_after() {
    let sim = odd(Knobs {
        capa_plain: Some(vec!["STLS".to_owned(), "TOP".to_owned()]),
        capa_tls: Some(vec!["TOP".to_owned(), "USER".to_owned()]),
        capa_after_login: Some(vec!["TOP".to_owned(), "UIDL".to_owned()]),
        ..Knobs::default()
    });
    let url = format!("pop3://{USER}@localhost:{}", sim.pop3_port());
    let arguments = ["probe", &url, "--ca-file", "ca.pem", "--json"];
    let run = Popsync::new(&arguments)
        .file("ca.pem", sim.ca_pem())
        .env("POPSYNC_PASSWORD", "secret");
    let told = Told::of(run.run());
    let header = &told.header;
    assert_eq!(told.status, 0, "{}", told.err);
    assert!(header["tls"].as_str().unwrap().starts_with("TLSv1_3"));
    let capabilities = &header["capabilities"];
    assert_eq!(capabilities["before_tls"][0], "STLS");
    assert_eq!(capabilities["before_login"][1], "USER");
    assert_eq!(capabilities["after_login"][1], "UIDL");
    let certificate = &header["certificate"];
    assert_eq!(certificate["subject"], "CN=simulated POP3 server");
    assert_eq!(certificate["names"][0], "localhost");
    assert_eq!(certificate["not_after"], "2090-01-01T00:00:00Z");
    for step in ["connect", "tls", "greeting", "capa", "login", "quit"] {
        assert!(header["seconds"][step].is_number(), "{step}");
    }
}

#[test]
fn a_certificate_that_is_refused_is_shown_all_the_same() {
    for (certificate, words) in [
        (Certificate::Expired, "it expired on 2020-01-01"),
        (Certificate::WrongName, "it was issued for"),
        (Certificate::SelfSigned, "self-signed"),
    ] {
        let told = told_of(Knobs {
            certificate,
            ..Knobs::default()
        });
        assert_eq!(told.status, 69);
        assert!(told.err.contains(words), "{}", told.err);
        assert!(told.err.contains("hint: "), "{}", told.err);
        let shown = &told.header["certificate"]["subject"];
        assert_eq!(shown, "CN=simulated POP3 server");
        assert_eq!(told.header["stopped"]["step"], "tls");
        assert_eq!(told.on("OPOP3:C0002"), ("not seen", "not reached"));
    }
}

#[test]
fn odd_blanks_and_words_are_seen() {
    let told = told_of(Knobs {
        sep: Separator::Mixed,
        ..Knobs::default()
    });
    assert_eq!(told.status, 0);
    assert_eq!(told.with("tolerated"), ["OPOP3:C0004"]);
    assert!(told.on("OPOP3:C0004").1.contains(r"1 \t\t "));
    let told = told_of(Knobs {
        sep: Separator::TrailingBlanks,
        ..Knobs::default()
    });
    assert_eq!(told.on("OPOP3:C0004").0, "tolerated");
    let told = told_of(Knobs {
        extra: Some("more of it".to_owned()),
        ..Knobs::default()
    });
    let (verdict, words) = told.on("OPOP3:C0017");
    assert_eq!(verdict, "ok");
    assert!(words.ends_with("`more of it` is allowed"), "{words}");
    assert_eq!(told.on("OPOP3:C0038").0, "ok");
    assert_eq!(told.with("tolerated"), ["XPOP3:V0004", "XPOP3:V0005"]);
}

#[test]
fn odd_status_indicators_are_seen() {
    let told = told_of(Knobs {
        status_case: StatusCase::Lower,
        ..Knobs::default()
    });
    assert_eq!(told.status, 0);
    let (verdict, words) = told.on("OPOP3:V0001");
    assert_eq!(verdict, "tolerated");
    assert!(words.starts_with("`+ok` for the greeting"), "{words}");
    let told = told_of(Knobs {
        status_odd: Some((At::verb("NOOP"), b"OK".to_vec())),
        ..Knobs::default()
    });
    assert_eq!(
        told.on("OPOP3:V0001"),
        ("deviates", "`OK` for NOOP counts as -ERR")
    );
    assert_eq!(told.on("OPOP3:C0029").0, "tolerated");
}

#[test]
fn a_trailing_text_behind_the_last_dot_is_seen() {
    let told = told_of(Knobs {
        term: Some(b".trailing".to_vec()),
        ..Knobs::default()
    });
    assert_eq!(told.status, 0);
    assert_eq!(
        told.on("OPOP3:V0002"),
        ("tolerated", "CAPA ends with `.trailing`")
    );
    assert_eq!(told.on("OPOP3:C0006").0, "ok");
}

#[test]
fn lines_without_cr_are_named_when_the_visit_ends_at_them() {
    let sim = odd(Knobs {
        bare_lf: BareLf {
            status: true,
            ..BareLf::default()
        },
        ..Knobs::default()
    });
    let told = probe(&sim, &["--timeout", "1s"]);
    assert_eq!(told.status, 75);
    let (verdict, words) = told.on("OPOP3:C0005");
    assert_eq!(verdict, "deviates");
    assert!(words.ends_with(r".\n` and no CRLF"), "{words}");
    assert_eq!(told.header["stopped"]["step"], "greeting");
    assert_eq!(told.header["stopped"]["statement"], "OPOP3:C0005");
    // The port may belong to another service.
    assert!(told.err.contains("check the port:"), "{}", told.err);
}

/// Half a list of capabilities does not prove what the server lacks.
#[test]
fn capabilities_that_do_not_end_are_not_judged() {
    let sim = odd(Knobs {
        bare_lf: BareLf {
            listing: true,
            ..BareLf::default()
        },
        ..Knobs::default()
    });
    let told = probe(&sim, &["--timeout", "1s"]);
    assert_eq!(told.status, 75);
    assert_eq!(told.with("deviates"), ["OPOP3:C0005", "OPOP3:C0014"]);
    assert_eq!(told.on("XPOP3:E0002"), ("not seen", "not reached"));
    assert_eq!(told.on("XPOP3:V0007"), ("not seen", "not reached"));
    assert_eq!(told.header["capabilities"]["before_login"], Value::Null);
}

/// As sent by servers that could not read a message.
#[test]
fn a_message_that_comes_empty_is_not_judged_by_its_end() {
    let sim = odd(Knobs {
        empty_body: true,
        ..Knobs::default()
    });
    let told = probe(&sim, &["--deep"]);
    assert_eq!(told.status, 0);
    assert_eq!(told.with("deviates"), ["OPOP3:C0023"]);
    assert_eq!(told.on("XPOP3:C0011").0, "ok");
}

#[test]
fn a_listing_that_does_not_end_is_named() {
    let sim =
        odd(Knobs::default().rule(At::verb("LIST"), Act::Rewrite(b"+OK\r\n1 120\r\n".to_vec())));
    let told = probe(&sim, &["--timeout", "1s"]);
    assert_eq!(told.status, 75);
    assert_eq!(told.on("OPOP3:C0006").0, "deviates");
    assert_eq!(told.header["stopped"]["step"], "list");
    assert_eq!(told.header["stopped"]["statement"], "OPOP3:C0006");
    // The observations before the failure are shown.
    assert_eq!(told.on("OPOP3:C0037").0, "ok");
    assert_eq!(told.on("OPOP3:C0029"), ("not seen", "not reached"));
}

#[test]
fn a_command_without_an_answer_is_named() {
    let sim = odd(Knobs {
        silent_at: Some(At::verb("UIDL")),
        ..Knobs::default()
    });
    let told = probe(&sim, &["--timeout", "1s"]);
    assert_eq!(told.status, 75);
    assert_eq!(told.header["stopped"]["statement"], "OPOP3:C0014");
    assert_eq!(told.on("OPOP3:C0014").0, "deviates");
    assert!(told.err.contains("hint: "), "{}", told.err);
    assert!(!told.err.contains("stored"), "{}", told.err);
}

#[test]
fn two_answers_to_one_command_are_out_of_step() {
    let told = told_of(Knobs {
        pipelined_junk: Some((At::verb("STAT"), b"+OK 9 9\r\n".to_vec())),
        ..Knobs::default()
    });
    assert_eq!(told.status, 76);
    assert_eq!(told.on("OPOP3:C0014").0, "deviates");
}

#[test]
fn a_stat_that_cannot_be_read_ends_the_visit() {
    let told = told_of(Knobs {
        stat_line: Some(b"+OK 6".to_vec()),
        ..Knobs::default()
    });
    assert_eq!(told.status, 76);
    assert_eq!(
        told.on("OPOP3:C0017"),
        ("deviates", "`+OK 6`: two numbers are due")
    );
    assert_eq!(told.header["stopped"]["step"], "stat");
}

/// The status is that of a sync, which uses headers if there are no unique-ids.
#[test]
fn a_refused_uidl_fails_where_headers_cannot_be_had_either() {
    for announced in [Missing::Refused, Missing::Absent] {
        let knobs = Knobs {
            no_uidl: Some(announced),
            ..Knobs::default()
        };
        let told = told_of(knobs.clone());
        assert_eq!((told.status, told.err.as_str()), (0, ""));
        assert_eq!(told.on("OPOP3:C0037").0, "deviates");
        assert_eq!(told.on("OPOP3:C0034").0, "ok");
        assert_eq!(told.header["stopped"], Value::Null);
        let text = popsync(&odd(knobs.clone()), Profile::Ex2016, &[]).run().out;
        assert!(text.contains("apart by their headers"), "{text}");

        let told = told_of(Knobs {
            no_top: Some(announced),
            ..knobs
        });
        assert_eq!(told.status, 76);
        assert!(told.err.contains("tells messages apart by LIST and TOP"));
        assert_eq!(told.on("OPOP3:C0037").0, "deviates");
        assert_eq!(told.header["stopped"]["step"], "uidl");
        // The other checks still run.
        assert_eq!(told.on("OPOP3:C0020"), ("ok", "6 lines for 6 messages"));
    }
    let refusal = b"-ERR [SYS/TEMP] not now\r\n".to_vec();
    let told = told_of(Knobs::default().rule(At::verb("UIDL"), Act::Instead(refusal)));
    assert_eq!(told.status, 75);
    assert_eq!(told.header["stopped"]["step"], "uidl");
}

#[test]
fn a_refused_list_is_no_failure() {
    let told = told_of(Knobs {
        no_list: Some(Missing::Absent),
        ..Knobs::default()
    });
    assert_eq!(told.status, 0);
    assert_eq!(told.on("OPOP3:C0020").0, "tolerated");
    assert_eq!(told.on("OPOP3:C0031").0, "deviates");
    // Without sizes, the first message is used for TOP.
    assert_eq!(told.on("OPOP3:C0034").0, "ok");
}

#[test]
fn a_refused_login_is_told_with_its_status_and_a_hint() {
    let sim = odd(Knobs::default());
    let run = popsync(&sim, Profile::Ex2016, &["--json"]).env("POPSYNC_PASSWORD", "wrong");
    let told = Told::of(run.run());
    assert_eq!(told.status, 77);
    assert_eq!(told.header["stopped"]["step"], "login");
    assert!(told.err.contains("hint: "), "{}", told.err);
    assert_eq!(told.on("OPOP3:C0009"), ("ok", "USER, PLAIN"));
    let plain = odd(Knobs {
        login_type: Some(LoginType::Secure),
        ..Knobs::default()
    });
    let url = format!("pop3://{USER}@localhost:{}", plain.pop3_port());
    let run = Popsync::new(&["probe", &url, "--tls", "off", "--json"]);
    let told = Told::of(run.env("POPSYNC_PASSWORD", "secret").run());
    assert_eq!(told.status, 77);
    assert_eq!(told.on("XPOP3:V0008").0, "tolerated");
}

#[test]
fn a_server_without_capa_is_probed_without() {
    let no_capa = |no_capa| Knobs {
        no_capa: Some(no_capa),
        ..Knobs::default()
    };
    // XPOP3:C0005: a close behind the refusal.
    let refuses_and_closes =
        no_capa(NoCapa::Err).rule(At::verb("CAPA"), Act::CloseAfter(CloseHow::Fin));
    for (knobs, connections) in [
        (no_capa(NoCapa::Err), 1),
        (no_capa(NoCapa::Close), 2),
        (refuses_and_closes, 2),
    ] {
        let sim = odd(knobs);
        let told = probe(&sim, &[]);
        assert_eq!(told.status, 0, "{}", told.err);
        assert_eq!(sim.transcripts().len(), connections);
        assert_eq!(told.header["capabilities"]["before_login"], Value::Null);
        let answers = if connections == 1 { "ok" } else { "tolerated" };
        assert_eq!(told.on("OPOP3:C0014").0, answers);
        assert_eq!(
            told.on("OPOP3:C0009"),
            ("ok", "no CAPA; USER and PASS work")
        );
    }
}

#[test]
fn pipelining_that_was_announced_is_tried() {
    let told = told_of(Knobs {
        pipelining: true,
        ..Knobs::default()
    });
    assert_eq!(told.header["pipelining"]["tried"], "in-order");
    let sim = odd(Knobs {
        pipelining: true,
        pipelining_unsupported: true,
        ..Knobs::default()
    });
    let told = probe(&sim, &["--timeout", "1s"]);
    assert_eq!(told.status, 75);
    assert_eq!(told.header["pipelining"]["tried"], "lost");
}

#[test]
fn another_banner_does_not_hide_an_exchange() {
    let told = told_of(Knobs::default().text(Text::Greeting, "Authorized Users Only!"));
    assert_eq!(told.header["exchange"], true);
}

#[test]
fn an_unreachable_server_still_gets_its_table() {
    let sim = odd(Knobs::default());
    let port = sim.pop3s_port();
    drop(sim);
    let url = format!("pop3s://{USER}@127.0.0.1:{port}");
    let run = Popsync::new(&["probe", &url]).env("POPSYNC_PASSWORD", "secret");
    let ended = run.run();
    assert_eq!(ended.status, 69);
    assert!(ended.out.contains("stopped"), "{}", ended.out);
    assert!(
        ended
            .out
            .contains("0 ok, 0 tolerated, 0 deviates, 25 not seen")
    );
    assert!(ended.err.contains("hint: check the port:"), "{}", ended.err);
}

/// No colour, no folder, nothing that acts on a terminal, in a pipe.
#[test]
fn the_table_is_safe_and_nothing_is_left_behind() {
    let sim = odd(Knobs::default().text(
        Text::Greeting,
        "\u{1b}]0;owned\u{7} The Microsoft Exchange POP3 service \u{202e}",
    ));
    let home = TempDir::new().unwrap();
    let run = Popsync::new(&["probe", "work"]).file("ca.pem", sim.ca_pem());
    let config = format!(
        "[accounts.work]\nserver = \"pop3s://{USER}@localhost:{}\"\n\
         maildir = \"~/Mail\"\ntls = {{ ca-file = {:?} }}\n",
        sim.pop3s_port(),
        run.path("ca.pem")
    );
    let run = run
        .config(&config)
        .env("POPSYNC_PASSWORD", "secret")
        .env("HOME", home.path().to_str().unwrap());
    let config = run.path(".config/popsync/config.toml");
    let ended = run.env("POPSYNC_CONFIG", config.to_str().unwrap()).run();
    let left = fs::read_dir(home.path()).unwrap();
    assert_eq!(ended.status, 0, "{}", ended.text());
    assert!(!ended.out.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    assert!(ended.out.starts_with("work\n"));
    assert!(ended.out.contains("OPOP3:C0002  the server greets"));
    assert_eq!(left.count(), 0);
}

#[test]
fn the_account_is_a_name_or_a_url() {
    let probe = |arguments: &[&str]| {
        let all = [&["probe"][..], arguments].concat();
        let config = "[accounts.work]\nserver = \"pop3s://a@h\"\nmaildir = \"m\"\n";
        Popsync::new(&all).config(config)
    };
    probe(&["home"]).gives(
        64,
        "",
        "popsync: there is no account `home`\nhint: known: work\n",
    );
    probe(&["work", "--user", "anna"]).gives(
        64,
        "",
        "popsync: --user: `work` is not a URL\n\
         hint: the settings of an account are in the configuration file; a URL begins with \
         `pop3s://` or `pop3://`\n",
    );
    probe(&["pop3s://mail.example.com"]).gives(
        64,
        "",
        "popsync: URL: `user` is missing\n\
         hint: write `pop3s://USER@HOST`, or add `--user NAME`\n",
    );
}
