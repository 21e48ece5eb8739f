//! Logins: USER and PASS, delegates, SASL mechanisms, refusals.

use crate::support::{PASSWORD, Talk, USER, plain, three, with_messages};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange_sim::{
    BrokenMechanism, Builder, Knobs, LoginType, Profile, RefuseLogins, SaslOdd, Server,
};

const GOOD: &str = "+OK User successfully logged on.\r\n";
const BAD: &str = "-ERR Logon failure: unknown user name or bad password.\r\n";
const UNKNOWN: &str = "-ERR Protocol error. 19\r\n";
const TOKEN: &str = "ya29.token";

fn encode(octets: impl AsRef<[u8]>) -> String {
    STANDARD.encode(octets)
}

/// Two users, of whom Bert may open Anna's mailbox.
fn two(profile: Profile, knobs: Knobs) -> Builder {
    with_messages(profile, &three())
        .user("bert@example.com", "other")
        .user("carl@example.com", "off")
        .pop_disabled("carl@example.com")
        .delegate("bert@example.com", USER)
        .token(USER, TOKEN)
        .knobs(Knobs {
            login_type: Some(LoginType::PlainText),
            ..knobs
        })
}

fn start(profile: Profile, knobs: Knobs) -> Talk {
    let mut talk = Talk::new(two(profile, knobs));
    talk.output();
    talk
}

fn pass(user: &str, password: &str) -> (String, Talk) {
    let mut talk = start(Profile::Ex2016, Knobs::default());
    assert_eq!(talk.ask(&format!("USER {user}")), "+OK\r\n");
    (talk.ask(&format!("PASS {password}")), talk)
}

#[test]
fn names_may_be_addresses_aliases_and_delegates() {
    for (user, password, count) in [
        (USER, PASSWORD, Some(3)),
        ("ANNA@example.com", PASSWORD, Some(3)),
        ("anna", PASSWORD, Some(3)),
        ("bert", "other", Some(0)),
        ("example/bert/anna", "other", Some(3)),
        ("example/bert/anna@example.com", "other", Some(3)),
        ("bert@example.com/anna", "other", Some(3)),
        ("bert@example.com/anna@example.com", "other", Some(3)),
        ("example\\bert/anna", "other", Some(3)),
        ("anna/bert", PASSWORD, None),
        ("bert/nobody", "other", None),
        ("carl", "off", None),
        ("nobody", "x", None),
        ("anna", "wrong", None),
    ] {
        let (answer, mut talk) = pass(user, password);
        match count {
            None => assert_eq!(answer, BAD, "{user}"),
            Some(count) => {
                assert_eq!(answer, GOOD, "{user}");
                assert!(talk.ask("STAT").starts_with(&format!("+OK {count} ")));
            }
        }
    }
}

#[test]
fn a_refused_login_needs_user_again() {
    let (_, mut talk) = pass("anna", "wrong");
    assert!(
        talk.ask(&format!("PASS {PASSWORD}"))
            .starts_with("-ERR Command")
    );
}

#[test]
fn passwords_may_hold_spaces_and_8_bit() {
    for password in [" lead", "trail ", "two  spaces", "gr\u{fc}n", "\\\"'"] {
        let builder = Server::builder(Profile::Ex2016)
            .user(USER, password)
            .knobs(plain());
        let mut talk = Talk::new(builder);
        talk.output();
        talk.ask(&format!("USER {USER}"));
        assert_eq!(talk.ask(&format!("PASS {password}")), GOOD, "{password:?}");
    }
}

#[test]
fn users_of_another_site_fail_on_2007_only() {
    for (profile, good) in [(Profile::Ex2007, false), (Profile::Ex2010, true)] {
        let knobs = Knobs {
            wrong_site: true,
            ..Knobs::default()
        };
        let mut talk = start(profile, knobs);
        talk.ask("USER anna");
        let answer = talk.ask(&format!("PASS {PASSWORD}"));
        assert_eq!(answer, if good { GOOD } else { BAD });
    }
}

#[test]
fn logins_can_be_refused_for_a_while_with_any_text() {
    let knobs = Knobs {
        refuse_logins: Some(RefuseLogins {
            text: "[IN-USE] busy".to_owned(),
            times: Some(2),
        }),
        ..Knobs::default()
    };
    let site = two(Profile::Ex2016, knobs).site().unwrap();
    for refused in [true, true, false] {
        let mut talk = Talk::on(&site);
        talk.output();
        talk.ask("USER anna");
        let answer = talk.ask(&format!("PASS {PASSWORD}"));
        assert_eq!(answer == "-ERR [IN-USE] busy\r\n", refused, "{answer}");
    }
}

#[test]
fn resp_codes_are_announced_and_used() {
    let knobs = Knobs {
        resp_codes: true,
        ..Knobs::default()
    };
    let mut talk = start(Profile::Ex2016, knobs);
    assert!(
        talk.ask("CAPA")
            .contains("\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n")
    );
    talk.ask("USER anna");
    assert!(talk.ask("PASS x").starts_with("-ERR [AUTH] Logon failure"));
}

#[test]
fn user_can_be_refused() {
    let knobs = Knobs {
        refuse_user: true,
        ..Knobs::default()
    };
    let mut talk = start(Profile::Ex2016, knobs);
    assert!(talk.ask("USER anna").starts_with("-ERR"));
}

#[test]
fn auth_between_user_and_pass_can_break_a_server() {
    let knobs = Knobs {
        auth_after_user_breaks: true,
        ..Knobs::default()
    };
    let mut talk = start(Profile::Ex2016, knobs);
    talk.ask("USER anna");
    talk.ask("AUTH");
    assert!(talk.is_closed());
}

#[test]
fn plain_takes_one_step_or_two_and_an_authorization_identity() {
    for (text, answer) in [
        (format!("\0{USER}\0{PASSWORD}"), GOOD),
        (format!("{USER}\0{USER}\0{PASSWORD}"), GOOD),
        (format!("{USER}\0bert\0other"), GOOD),
        (format!("bert\0anna\0{PASSWORD}"), BAD),
        (format!("\0{USER}\0wrong"), BAD),
        ("\0only two".to_owned(), BAD),
    ] {
        let mut one = start(Profile::Ex2016, Knobs::default());
        let two_steps = encode(&text);
        assert_eq!(
            one.ask(&format!("AUTH PLAIN {two_steps}")),
            answer,
            "{text:?}"
        );
        let mut two = start(Profile::Ex2016, Knobs::default());
        assert_eq!(two.ask("auth plain"), "+ \r\n");
        assert_eq!(two.ask(&two_steps), answer, "{text:?}");
    }
}

#[test]
fn continuation_lines_are_not_held_to_the_limit_unless_the_knob_says() {
    for (counts, answer) in [
        (false, BAD),
        (true, "-ERR Protocol error. Connection is closed. 10\r\n"),
    ] {
        let knobs = Knobs {
            sasl_counts_against_limit: counts,
            ..Knobs::default()
        };
        let mut talk = start(Profile::Ex2007, knobs);
        talk.ask("AUTH PLAIN");
        assert_eq!(talk.ask(&encode([b'x'; 3000])), answer);
    }
    let mut talk = start(Profile::Ex2007, Knobs::default());
    let inline = format!("AUTH PLAIN {}", encode(format!("\0{USER}\0{PASSWORD}")));
    assert!(inline.len() > 45);
    assert!(
        talk.ask(&inline)
            .starts_with("-ERR Protocol error. Connection")
    );
    assert!(talk.is_closed());
}

/// draft-murchison-sasl-login-00; Exchange has it where an administrator wants it.
#[test]
fn login_asks_for_the_name_and_then_for_the_password() {
    for (password, answer) in [(PASSWORD, GOOD), ("wrong", BAD), ("", BAD)] {
        let knobs = Knobs {
            mechanisms_plain: Some(vec!["LOGIN".to_owned()]),
            ..Knobs::default()
        };
        let mut talk = start(Profile::Ex2016, knobs);
        assert_eq!(talk.ask("AUTH LOGIN"), "+ VXNlcm5hbWU6\r\n");
        assert_eq!(talk.ask(&encode(USER)), "+ UGFzc3dvcmQ6\r\n");
        assert_eq!(talk.ask(&encode(password)), answer);
    }
    // Not announced.
    let mut talk = start(Profile::Ex2016, Knobs::default());
    assert_eq!(talk.ask("AUTH LOGIN"), UNKNOWN);
}

fn xoauth2(user: &str, token: &str) -> String {
    encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

#[test]
fn xoauth2_takes_two_steps() {
    let failure = "-ERR Authentication failure: unknown user name or bad password.\r\n";
    for (user, token, answer) in [
        (USER, TOKEN, "+OK User successfully authenticated.\r\n"),
        (USER, "old", failure),
        ("bert@example.com", TOKEN, failure),
    ] {
        let mut talk = start(Profile::Exo, Knobs::default());
        assert_eq!(talk.ask("AUTH XOAUTH2"), "+ \r\n");
        assert_eq!(talk.ask(&xoauth2(user, token)), answer);
    }
    let mut inline = start(Profile::Exo, Knobs::default());
    assert_eq!(
        inline.ask(&format!("AUTH XOAUTH2 {}", xoauth2(USER, TOKEN))),
        "-ERR Protocol error. Connection is closed. 10\r\n"
    );
    assert!(inline.is_closed());
    let knobs = Knobs {
        xoauth2_inline: true,
        ..Knobs::default()
    };
    let mut inline = start(Profile::Exo, knobs);
    let answer = inline.ask(&format!("AUTH XOAUTH2 {}", xoauth2(USER, TOKEN)));
    assert_eq!(answer, "+OK User successfully authenticated.\r\n");
}

#[test]
fn xoauth2_tokens_may_be_long() {
    let long = "t".repeat(3000);
    let mut talk = Talk::new(two(Profile::Exo, Knobs::default()).token(USER, &long));
    talk.output();
    talk.ask("AUTH XOAUTH2");
    assert!(talk.ask(&xoauth2(USER, &long)).starts_with("+OK"));
}

#[test]
fn xoauth2_can_send_a_challenge_before_it_refuses() {
    let json = r#"{"status":"401","schemes":"bearer"}"#;
    let knobs = Knobs {
        xoauth2_challenge: Some(json.to_owned()),
        ..Knobs::default()
    };
    let mut talk = start(Profile::Exo, knobs);
    talk.ask("AUTH XOAUTH2");
    let challenge = format!("+ {}\r\n", encode(json));
    assert_eq!(talk.ask(&xoauth2(USER, "old")), challenge);
    assert!(talk.ask("").starts_with("-ERR Authentication failure"));
    assert!(talk.ask("CAPA").starts_with("+OK"));
}

#[test]
fn mechanisms_can_be_hidden_added_and_broken() {
    let knobs = || Knobs {
        mechanisms_plain: Some(vec!["NTLM".to_owned()]),
        unannounced_mechanisms: vec!["XOAUTH2".to_owned()],
        broken_mechanisms: vec![
            BrokenMechanism {
                name: "CRAM-MD5".to_owned(),
                closes: false,
            },
            BrokenMechanism {
                name: "LOGIN".to_owned(),
                closes: true,
            },
        ],
        ..Knobs::default()
    };
    let mut talk = start(Profile::Ex2016, knobs());
    assert!(
        talk.ask("CAPA")
            .contains("\r\nSASL NTLM CRAM-MD5 LOGIN\r\n")
    );
    assert_eq!(talk.ask("AUTH PLAIN"), UNKNOWN);
    assert_eq!(talk.ask("AUTH CRAM-MD5"), UNKNOWN);
    assert_eq!(talk.ask("AUTH XOAUTH2"), "+ \r\n");
    talk.ask("*");
    talk.ask("AUTH LOGIN");
    assert!(talk.is_closed());
    let site = two(
        Profile::Ex2016,
        Knobs {
            mechanisms_tls: Some(Vec::new()),
            ..Knobs::default()
        },
    )
    .site()
    .unwrap();
    let mut tls = Talk::tls(&site);
    tls.output();
    assert!(!tls.ask("CAPA").contains("SASL"));
}

#[test]
fn challenges_can_be_odd() {
    let first = |odd: SaslOdd| {
        let mut talk = start(
            Profile::Ex2016,
            Knobs {
                sasl_odd: Some(odd),
                ..Knobs::default()
            },
        );
        (talk.ask("AUTH PLAIN"), talk)
    };
    let (answer, mut talk) = first(SaslOdd::PlusOnly);
    assert_eq!(answer, "+\r\n");
    let good = encode(format!("\0{USER}\0{PASSWORD}"));
    assert_eq!(talk.ask(&good), GOOD);
    assert_eq!(first(SaslOdd::OkPrompt).0, "+OK\r\n");
    assert_eq!(first(SaslOdd::Text("go on".to_owned())).0, "+ go on\r\n");
    assert_eq!(first(SaslOdd::NotBase64).0, "+ ***not base64***\r\n");
    assert_eq!(first(SaslOdd::Huge).0.len(), 2 + 64 * 1024 + 2);
    let (answer, mut talk) = first(SaslOdd::Endless);
    assert_eq!(answer, "+ \r\n");
    for _ in 0..10 {
        assert_eq!(talk.ask(&good), "+ \r\n");
    }
    assert!(talk.ask("*").starts_with("-ERR"));
}

#[test]
fn the_fake_gssapi_has_the_steps_of_rfc_4752() {
    let begin = |knobs: Knobs| {
        let mut talk = start(Profile::Ex2016, knobs);
        assert_eq!(talk.ask("AUTH GSSAPI"), "+ \r\n");
        let answer = talk.ask(&encode("FAKE-CTX:anna@EXAMPLE.COM"));
        (answer, talk)
    };
    for (layers, reply, good) in [
        ([1, 0, 0, 0], &b"\x01\0\0\0"[..], true),
        ([1, 0, 0, 0], b"\x01\0\0\0anna", true),
        ([1, 0, 0, 0], b"\x01\0\0\0bert", false),
        ([1, 0, 0, 0], b"\x02\0\0\0", false),
        ([1, 0, 0, 0], b"\x01\0\x10\0", false),
        ([1, 0, 0, 0], b"\x01", false),
        ([7, 0, 0x10, 0], b"\x01\0\0\0", true),
        ([6, 0, 0x10, 0], b"\x01\0\0\0", false),
    ] {
        let (answer, mut talk) = begin(Knobs {
            gss_layers: layers,
            ..Knobs::default()
        });
        assert_eq!(answer, format!("+ {}\r\n", encode("OK")));
        assert_eq!(talk.ask(""), format!("+ {}\r\n", encode(layers)));
        assert_eq!(
            talk.ask(&encode(reply)) == GOOD,
            good,
            "{layers:?} {reply:?}"
        );
    }
    let (answer, _) = begin(Knobs {
        gss_skip_layer: true,
        ..Knobs::default()
    });
    assert_eq!(answer, GOOD);
    let mut wrong = start(Profile::Ex2016, Knobs::default());
    assert_eq!(wrong.ask(&format!("AUTH GSSAPI {}", encode("no"))), BAD);
}

#[test]
fn exchange_2003_prompts_for_ntlm_with_ok() {
    for (profile, prompt) in [(Profile::Ex2003, "+OK\r\n"), (Profile::Ex2010, "+ \r\n")] {
        let mut talk = start(profile, Knobs::default());
        assert_eq!(talk.ask("AUTH NTLM"), prompt);
        // A client that takes +OK for the end gets what MailKit's issue 391 shows.
        assert_eq!(talk.ask("STAT"), BAD);
        assert_eq!(
            talk.ask("STAT"),
            "-ERR Command is not valid in this state.\r\n"
        );
    }
    let mut talk = start(Profile::Ex2003, Knobs::default());
    talk.ask("AUTH NTLM");
    let negotiate = b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2";
    let challenge = talk.ask(&encode(negotiate));
    assert!(challenge.starts_with("+ TlRMTVNTUAACAAAA"), "{challenge}");
}
