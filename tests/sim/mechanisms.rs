//! The mechanisms of AUTH with the simulated Exchange: the dialogues of each version, and the
//! results of incorrect ones.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::File;
use std::io::Write;

use exchange_sim::{
    BrokenMechanism, Builder, CloseAfterErr, ExtendedProtection, Knobs, LoginType, Profile,
    RefuseLogins, SaslOdd,
};

use support::bench::{Bench, By, Ended, PASSWORD, Setup, USER, letters};

const TOKEN: &str = "ya29.a0token";

/// The message of PLAIN, in base64.
const PLAIN_RESPONSE: &str = "AGFubmFAZXhhbXBsZS5jb20AY29ycmVjdCBIb3JzZSAgPSsgYmF0dGVyeQ==";

/// A server that offers these mechanisms, and also accepts passwords without TLS.
fn offering(mechanisms: &[&str]) -> Knobs {
    let names: Vec<_> = mechanisms.iter().map(|name| (*name).to_owned()).collect();
    Knobs {
        mechanisms_plain: Some(names.clone()),
        mechanisms_tls: Some(names),
        login_type: Some(LoginType::PlainText),
        ..Knobs::default()
    }
}

fn bench(profile: Profile, by: By, knobs: Knobs) -> Bench {
    Setup::with(letters(2))
        .profile(profile)
        .by(by)
        .knobs(knobs)
        .build(|builder| builder.token(USER, TOKEN))
        .start()
}

/// Writes another secret to the password file.
fn set_secret(bench: &Bench, secret: &str) {
    let mut file = File::create(bench.path("password")).unwrap();
    writeln!(file, "{secret}").unwrap();
}

/// `-vv` with this method shows neither password nor token, in any form.
#[track_caller]
fn fetch(bench: &Bench, method: &str, status: i32) -> Ended {
    let ended = bench.fetch(&["--auth", method, "-vv"]).gives(status);
    for secret in [PASSWORD, TOKEN, PLAIN_RESPONSE, "TlRMTVNT", "Y29ycmVj"] {
        assert!(!ended.text().contains(secret), "{secret}: {}", ended.text());
    }
    bench.settle();
    bench.assert_no_violations();
    ended
}

/// Everything is retrieved, with one AUTH.
#[track_caller]
fn logs_in(profile: Profile, by: By, knobs: Knobs, method: &str, line: &str) {
    let bench = bench(profile, by, knobs);
    fetch(&bench, method, 0).says(line);
    bench.assert_exactly_once();
    assert_eq!(bench.sim.commands_of("AUTH").len(), 1);
    assert_eq!(bench.sim.commands_of("USER").len(), 0);
}

#[test]
fn every_version_is_logged_in_to_by_what_it_has() {
    // The only mechanism of 2003, which asks with `+OK`.
    logs_in(
        Profile::Ex2003,
        By::Plain,
        Knobs::default(),
        "ntlm",
        "C: AUTH NTLM\n",
    );
    for profile in [
        Profile::Ex2007,
        Profile::Ex2010,
        Profile::Ex2013,
        Profile::Ex2016,
    ] {
        for by in [By::Plain, By::Stls, By::Tls] {
            let knobs = || offering(&["NTLM", "GSSAPI", "PLAIN", "LOGIN"]);
            logs_in(profile, by, knobs(), "ntlm", "C: AUTH NTLM\n");
            logs_in(profile, by, knobs(), "plain", "C: AUTH PLAIN\n");
            logs_in(profile, by, knobs(), "login", "C: AUTH LOGIN\n");
        }
        let exchange = offering(&["NTLM", "PLAIN"]);
        logs_in(
            profile,
            By::Tls,
            exchange,
            "auto",
            "plain is chosen, because TLS protects",
        );
    }
}

/// Exchange Online hangs up if the token is in the line of AUTH.
#[test]
fn access_tokens_go_to_exchange_online_in_two_steps() {
    let bench = bench(Profile::Exo, By::Tls, Knobs::default());
    let url = bench.url();
    let fetch = |method: &str, token: &str| {
        let run = bench.fetch_from(&url, &["--auth", method, "-vv"]);
        // In place of the password file.
        set_secret(&bench, token);
        run
    };
    let ended = fetch("xoauth2", TOKEN).gives(0);
    ended.says("C: AUTH XOAUTH2\n");
    assert!(!ended.text().contains(TOKEN), "{}", ended.text());
    bench.assert_exactly_once();
    let ended = fetch("xoauth2", "ya29.expired").gives(77);
    ended.says(
        "the server refused AUTH: `Authentication failure: unknown user name or bad password.`",
    );
    ended.says("hint: ");
    // Gmail sends the reason first, and waits for an empty line.
    bench.knobs(Knobs {
        xoauth2_challenge: Some(
            r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#.to_owned(),
        ),
        ..Knobs::default()
    });
    let ended = fetch("xoauth2", "ya29.expired").gives(77);
    ended.says(
        "bad password.`; before that the server said about the access token: status 400, scope \
         `https://mail.google.com/`",
    );
    ended.says("hint: the token may have expired");
    assert!(!ended.text().contains("ya29.expired"), "{}", ended.text());
    bench.settle();
    bench.assert_no_violations();
}

#[test]
fn a_refusal_is_told_once_with_the_servers_words() {
    for method in ["plain", "login", "ntlm", "auto"] {
        for close in [CloseAfterErr::Never, CloseAfterErr::Always] {
            let bench = bench(
                Profile::Ex2016,
                By::Tls,
                Knobs {
                    close_after_err: close,
                    ..offering(&["NTLM", "PLAIN", "LOGIN"])
                },
            );
            bench.sim.set_password(USER, "another");
            let ended = fetch(&bench, method, 77);
            ended.says(
                "the server refused AUTH: `Logon failure: unknown user name or bad password.`",
            );
            ended.says("hint: check user name and password");
            assert_eq!(bench.sim.commands_of("AUTH").len(), 1, "{method}");
            assert!(bench.sim.commands_of("USER").is_empty(), "{method}");
        }
        for (text, status) in [
            ("[AUTH] wrong", 77),
            ("[SYS/PERM] the disk is gone", 77),
            ("[SYS/TEMP] later", 75),
            ("[IN-USE] locked", 75),
            ("[LOGIN-DELAY] 300 seconds", 75),
        ] {
            let refuse_logins = Some(RefuseLogins {
                text: text.to_owned(),
                times: None,
            });
            let knobs = Knobs {
                refuse_logins,
                ..offering(&["NTLM", "PLAIN", "LOGIN"])
            };
            let bench = bench(Profile::Ex2016, By::Tls, knobs);
            fetch(&bench, method, status).says(text);
            assert_eq!(bench.sim.commands_of("AUTH").len(), 1, "{method}");
        }
    }
}

#[test]
fn a_mechanism_that_is_missing_is_told_nothing() {
    for method in [
        "login",
        "cram-md5",
        "scram-sha-1",
        "scram-sha-256",
        "ntlm",
        "oauthbearer",
    ] {
        let bench = bench(Profile::Ex2016, By::Tls, offering(&["PLAIN"]));
        let ended = fetch(
            &bench,
            method,
            if method == "oauthbearer" { 78 } else { 77 },
        );
        if method != "oauthbearer" {
            let name = method.to_ascii_uppercase();
            ended.says(&format!(
                "the server does not offer {name}: `Protocol error. 19`"
            ));
            ended.says("hint: the server offers PLAIN; leave `auth` out for USER and PASS");
            assert_eq!(bench.sim.commands_of("AUTH"), [format!("AUTH {name}")]);
        }
    }
    // Not announced, but it works.
    let knobs = Knobs {
        unannounced_mechanisms: vec!["LOGIN".to_owned()],
        ..offering(&[])
    };
    logs_in(Profile::Ex2016, By::Tls, knobs, "login", "C: AUTH LOGIN\n");
}

/// Announced, and then refused, or answered by hanging up.
#[test]
fn a_mechanism_that_is_broken_is_not_followed_by_another() {
    for (closes, status) in [(false, 77), (true, 75)] {
        let knobs = Knobs {
            broken_mechanisms: vec![BrokenMechanism {
                name: "NTLM".to_owned(),
                closes,
            }],
            ..offering(&["NTLM", "PLAIN"])
        };
        let bench = bench(Profile::Ex2016, By::Tls, knobs);
        fetch(&bench, "ntlm", status).says("AUTH");
        assert_eq!(bench.sim.commands_of("AUTH"), ["AUTH NTLM"]);
    }
}

#[test]
fn challenges_played_badly_end_the_login_and_nothing_else() {
    for (odd, method, status, words) in [
        (SaslOdd::PlusOnly, "plain", 0, "C: AUTH PLAIN"),
        (SaslOdd::OkPrompt, "plain", 0, "C: AUTH PLAIN"),
        (
            SaslOdd::Text("go ahead".to_owned()),
            "plain",
            0,
            "C: AUTH PLAIN",
        ),
        (SaslOdd::PlusOnly, "ntlm", 0, "C: AUTH NTLM"),
        (SaslOdd::OkPrompt, "ntlm", 0, "C: AUTH NTLM"),
        (
            SaslOdd::NotBase64,
            "login",
            76,
            "LOGIN: the server's challenge is not base64",
        ),
        (
            SaslOdd::NotBase64,
            "ntlm",
            76,
            "NTLM: the server's challenge is not base64",
        ),
        (
            SaslOdd::Endless,
            "plain",
            76,
            "PLAIN: the server sent one challenge more than",
        ),
        (
            SaslOdd::Endless,
            "login",
            76,
            "LOGIN: the server sent one challenge more than",
        ),
        (
            SaslOdd::Endless,
            "ntlm",
            76,
            "NTLM: the server sent something that is no NTLM",
        ),
        (
            SaslOdd::Huge,
            "login",
            76,
            "the server sent a line of more than",
        ),
        (
            SaslOdd::Huge,
            "ntlm",
            76,
            "the server sent a line of more than",
        ),
    ] {
        let name = format!("{odd:?} {method}");
        let knobs = Knobs {
            sasl_odd: Some(odd),
            ..offering(&["NTLM", "PLAIN", "LOGIN"])
        };
        let bench = bench(Profile::Ex2016, By::Tls, knobs);
        let ended = bench.fetch(&["--auth", method, "-vv"]).gives(status);
        assert!(ended.err.contains(words), "{name}: {}", ended.text());
        assert!(!ended.err.contains("C: RETR") || status == 0, "{name}");
        assert_eq!(bench.sim.commands_of("AUTH").len(), 1, "{name}");
    }
}

/// Attack A7: an attacker shortens the list, and learns nothing.
#[test]
fn without_tls_auto_says_what_it_would_not_do() {
    for mechanisms in [&["PLAIN"][..], &["NTLM"], &["PLAIN", "LOGIN", "NTLM"], &[]] {
        let bench = bench(Profile::Ex2010, By::Plain, offering(mechanisms));
        let ended = fetch(&bench, "auto", 77);
        ended.says("no way to log in that hides the password from eavesdroppers");
        ended.says("hint: the server offers ");
        ended.says("use TLS; another `auth` lets everybody on the way read the password");
        for verb in ["AUTH", "USER", "PASS"] {
            assert!(bench.sim.commands_of(verb).is_empty(), "{mechanisms:?}");
        }
        assert_eq!(bench.sim.commands_of("QUIT").len(), 1);
    }
}

/// A name that USER could not carry, and a password that PASS could not.
#[test]
fn sasl_carries_more_than_ascii() {
    for method in ["plain", "login", "ntlm"] {
        let setup = Setup::with(letters(1)).knobs(offering(&["NTLM", "PLAIN", "LOGIN"]));
        let bench = setup.start();
        bench.sim.set_password(USER, "pässwörd-€");
        set_secret(&bench, "pässwörd-€");
        bench.fetch(&["--auth", method]).gives(0);
        bench.assert_exactly_once();
        let ended = bench.fetch(&["--auth", "user"]).gives(78);
        ended.says("a character outside ASCII");
    }
}

/// Each hint once led to the next, and the last back to the first.
#[test]
fn what_no_login_carries_is_said_in_the_end() {
    let setup = Setup::with(letters(1)).knobs(offering(&[]));
    let bench = setup.start();
    set_secret(&bench, "pässwörd-€");
    bench.fetch(&[]).gives(78).says("write `auth = \"auto\"`");
    for method in ["plain", "login", "ntlm"] {
        let ended = bench.fetch(&["--auth", method]).gives(77);
        ended.says("write `auth = \"auto\"` to use what can send");
    }
    let ended = bench.fetch(&["--auth", "auto"]).gives(78);
    ended.says("no way to log in that can send this user name and password");
    ended.says("choose such a name and password at the provider");
    assert!(!ended.err.contains("`auth"), "{}", ended.text());
    // With SASL the first hint works there.
    bench.knobs(offering(&["PLAIN"]));
    bench.sim.set_password(USER, "pässwörd-€");
    bench.fetch(&["--auth", "auto"]).gives(0);
}

/// OPOP3:C0004, C0042: in USER they would be another name.
#[test]
fn blanks_in_a_name_go_through_sasl_alone() {
    for user in [" anna", "anna ", "an  na"] {
        let build = move |builder: Builder| builder.user(user, PASSWORD);
        let setup = Setup::with([]).knobs(offering(&["PLAIN"])).build(build);
        let bench = setup.start();
        let sync = |method: &str| {
            let keys = format!(
                "[accounts.other]\nserver = {:?}\nuser = {user:?}\nmaildir = \"other\"\n\
                 auth = {method:?}\npassword-file = \"password\"\n\
                 tls = {{ ca-file = \"ca.pem\" }}",
                bench.url()
            );
            bench.sync(&keys, &["other"])
        };
        let ended = sync("user").gives(78);
        ended.says("blanks at its ends, or two in a row");
        ended.says("hint: take them out, or write `auth = \"plain\"` as well");
        sync("plain").gives(0);
        sync("auto").gives(0);
        bench.knobs(offering(&[]));
        sync("auto")
            .gives(78)
            .says("no way to log in that can send");
        assert_eq!(bench.sim.commands_of("USER"), [""; 0]);
    }
}

/// `ExtendedProtectionPolicy`: the login signs the server's certificate.
#[test]
fn ntlm_is_bound_to_the_certificate_where_exchange_wants_it() {
    for by in [By::Stls, By::Tls] {
        let knobs = Knobs {
            extended_protection: ExtendedProtection::Require,
            ..offering(&["NTLM"])
        };
        logs_in(Profile::Ex2016, by, knobs, "ntlm", "C: AUTH NTLM\n");
    }
}
