//! Logging in, and what a refusal leads to.

use super::*;
use crate::account::{
    AuthMethod, Identity, Limits, LineEndings, PasswordSource, Retention, Route, Server,
    StoreSettings, TlsSettings,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::profile::Profile;

const TIMESTAMP: &str = "+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n";

/// A session after its greeting and CAPA.
pub(super) async fn greeted(
    greeting: &'static str,
    capabilities: &'static str,
    script: Vec<Step>,
) -> (Session, tokio::task::JoinHandle<String>) {
    let mut whole = vec![Say(greeting), Expect("CAPA\r\n"), Say(capabilities)];
    whole.extend(script);
    let (mut session, server) = session(whole);
    session.greeting().await.unwrap();
    session.capa().await.unwrap();
    (session, server)
}

/// As [`Session::begin`] does it.
pub(super) async fn log_in(
    mut session: Session,
    account: &Account,
    password: &str,
) -> Result<Session, Error> {
    let password = SecretString::from(password);
    let logged_in = session.log_in(account, &password).await;
    session.or_leave(logged_in).await
}

/// The error of a login whose answers are these, and what else went out.
async fn refused(user: &str, password: &str, script: Vec<Step>) -> (Error, String) {
    let (session, server) = greeted("+OK\r\n", PIPELINING, script).await;
    let account = Account {
        user: user.to_owned(),
        ..account(Profile::default(), Security::Stls)
    };
    let error = log_in(session, &account, password).await.err().unwrap();
    (error, server.await.unwrap())
}

/// OPOP3:C0045, C0047: also where the server pipelines, PASS waits for the answer to USER.
#[tokio::test(start_paused = true)]
async fn outlook_sends_pass_only_after_user_was_accepted() {
    let (_session, _server) = logged_in(PIPELINING, vec![]).await;
    let (error, rest) = refused(
        "anna",
        "secret",
        vec![
            Expect("USER anna\r\n"),
            Wait(SECOND),
            Say("-ERR Command is not valid in this state.\r\n"),
        ],
    )
    .await;
    assert_eq!(
        error.to_string(),
        "the server refused USER: `Command is not valid in this state.`"
    );
    assert_eq!(rest, "QUIT\r\n", "no PASS, and leave is taken");
}

/// OPOP3:C0010, C0045: after a refused login a new one or QUIT; never the same password again.
#[tokio::test(start_paused = true)]
async fn a_refused_login_is_followed_by_quit_and_not_tried_again() {
    for refusal in ["-ERR Logon failure\r\n", "-ERR [IN-USE] locked\r\n"] {
        let script = vec![
            Expect("USER anna\r\n"),
            Say("+OK\r\n"),
            Expect("PASS a b\r\n"),
            Say(refusal),
        ];
        let (error, rest) = refused("anna", "a b", script).await;
        assert!(matches!(error, Error::Login(_)), "{error}");
        assert_eq!(rest, "QUIT\r\n");
    }
}

/// XPOP3:E0006, N2: a line of 48 octets may be why, one of 47 is not.
#[tokio::test(start_paused = true)]
async fn a_refused_line_over_47_octets_is_said_to_be_one() {
    let line = "USER anna.lovelace.engines@mail.example.co.uk1\r\n";
    assert_eq!(line.len(), 48);
    for answer in [
        vec![
            Say("-ERR Protocol error. Connection is closed. 10\r\n"),
            Close,
        ],
        vec![Close],
    ] {
        let script = [Expect(line)].into_iter().chain(answer).collect();
        let (error, _) = refused(&line[5..46], "secret", script).await;
        let hint = error.hint().unwrap();
        let (long, otherwise) = hint.split_once("; else ").unwrap();
        assert_eq!(
            long,
            "the USER line has 48 bytes, and Exchange 2007 accepts 47 unless its administrator \
             raises MaxCommandSize: try a shorter one, or `auth = \"plain\"`, which takes two \
             steps"
        );
        assert_ne!(otherwise, "");
    }
    let line = "USER anna.lovelace.engines@mail.example.co.uk\r\n";
    assert_eq!(line.len(), 47);
    let script = vec![Expect(line), Say("-ERR no\r\n")];
    let (error, _) = refused(&line[5..45], "secret", script).await;
    assert!(!error.hint().unwrap().contains("bytes"));
}

/// The same for PASS; but the length of a password is nobody's business, and a server that says
/// why needs no guess.
#[tokio::test(start_paused = true)]
async fn a_refused_long_password_is_said_to_be_long_and_not_how_long() {
    let line = "PASS correct horse battery staple correct horse\r\n";
    let script = |answer| {
        vec![
            Expect("USER anna\r\n"),
            Say("+OK\r\n"),
            Expect(line),
            Say(answer),
        ]
    };
    let password = line[5..].trim_end();
    let (error, _) = refused("anna", password, script("-ERR Logon failure\r\n")).await;
    assert_eq!(
        error.to_string(),
        "the server refused PASS: `Logon failure`"
    );
    let hint = error.hint().unwrap();
    assert!(
        hint.starts_with("the PASS line has more than 47 bytes, and Exchange 2007"),
        "{hint}"
    );
    assert_eq!(error.exit(), Exit::NoPermission);
    for answer in ["-ERR [AUTH] no\r\n", "-ERR [SYS/TEMP] no\r\n"] {
        let (error, _) = refused("anna", password, script(answer)).await;
        assert!(!error.hint().unwrap().contains("bytes"), "{answer}");
    }
}

/// Only the generic profile, over TLS, and where PIPELINING was announced (RFC 2449 §6.6).
#[tokio::test(start_paused = true)]
async fn pass_goes_with_user_under_the_generic_profile_and_over_tls_alone() {
    let together = || vec![Expect("USER anna\r\nPASS a b\r\n"), Say("+OK\r\n+OK\r\n")];
    let apart = || {
        vec![
            Expect("USER anna\r\n"),
            Wait(SECOND),
            Say("+OK\r\n"),
            Expect("PASS a b\r\n"),
            Say("+OK\r\n"),
        ]
    };
    for profile in Profile::ALL {
        for security in [Security::ImplicitTls, Security::Stls, Security::Plain] {
            for capabilities in [PLAIN, PIPELINING] {
                let may = profile == Profile::Rfc1939
                    && security != Security::Plain
                    && capabilities == PIPELINING;
                let script = if may { together() } else { apart() };
                let (session, server) = greeted("+OK\r\n", capabilities, script).await;
                let session = log_in(session, &account(profile, security), "a b")
                    .await
                    .unwrap();
                assert_eq!(
                    session.dialogue.connection().state(),
                    pop3::State::Transaction
                );
                drop(session);
                assert_eq!(server.await.unwrap(), "", "{profile} {security:?}");
            }
        }
    }
}

/// What was known is checked: CAPA goes out all the same, in front.
#[tokio::test(start_paused = true)]
async fn capa_goes_with_the_login_to_a_server_that_is_known_to_pipeline() {
    for profile in Profile::ALL {
        for security in [Security::ImplicitTls, Security::Stls, Security::Plain] {
            let together = profile == Profile::Rfc1939 && security != Security::Plain;
            let mut script = vec![Say("+OK\r\n")];
            if together {
                script.push(Expect("CAPA\r\nUSER anna\r\nPASS a b\r\n"));
                script.extend([Wait(SECOND), Say(PLAIN), Say("+OK\r\n+OK\r\n")]);
            } else {
                script.push(Expect("CAPA\r\nUSER anna\r\n"));
                script.extend([Wait(SECOND), Say(PLAIN), Say("+OK\r\n")]);
                script.extend([Expect("PASS a b\r\n"), Say("+OK\r\n")]);
            }
            let (mut session, server) = session(script);
            session.greeting().await.unwrap();
            let password = SecretString::from("a b");
            let account = account(profile, security);
            session.capa_with_user(&account, &password).await.unwrap();
            assert_eq!(
                session.dialogue.connection().state(),
                pop3::State::Transaction
            );
            assert!(!session.capabilities().pipelining());
            drop(session);
            assert_eq!(server.await.unwrap(), "", "{profile} {security:?}");
        }
    }
}

/// A server that refuses USER and hangs up is told for the refusal.
#[tokio::test(start_paused = true)]
async fn a_refused_user_counts_also_where_pass_gets_no_answer() {
    let script = vec![
        Expect("USER anna\r\nPASS a b\r\n"),
        Say("-ERR who\r\n"),
        Close,
    ];
    let (session, server) = greeted("+OK\r\n", PIPELINING, script).await;
    let account = account(Profile::Rfc1939, Security::Stls);
    let error = log_in(session, &account, "a b").await.err().unwrap();
    assert_eq!(error.to_string(), "the server refused USER: `who`");
    server.await.unwrap();
}

/// USER refused, and PASS accepted all the same: no login.
#[tokio::test(start_paused = true)]
async fn a_refused_user_is_no_login_whatever_pass_is_told() {
    let script = vec![
        Expect("USER anna\r\nPASS a b\r\n"),
        Say("-ERR who\r\n+OK\r\n"),
    ];
    let (session, server) = greeted("+OK\r\n", PIPELINING, script).await;
    let account = account(Profile::Rfc1939, Security::Stls);
    let error = log_in(session, &account, "a b").await.err().unwrap();
    assert_eq!(error.to_string(), "the server refused USER: `who`");
    assert_eq!(server.await.unwrap(), "QUIT\r\n");
}

pub(super) fn account(profile: Profile, security: Security) -> Account {
    Account {
        name: String::new(),
        identity: Identity {
            key: String::new(),
            host: String::new(),
            user: String::new(),
        },
        server: Server {
            host: String::new(),
            port: 0,
            security,
        },
        user: "anna".to_owned(),
        auth: AuthMethod::User,
        password: PasswordSource::Ask,
        profile,
        store: StoreSettings::Maildir {
            path: "/".into(),
            line_endings: LineEndings::Lf,
        },
        retention: Retention::new(true, None),
        limits: Limits::default(),
        route: Route::default(),
        tls: TlsSettings::default(),
        timeout: SECOND,
        alerts: crate::account::Alerts::default(),
    }
}

fn with_apop() -> Account {
    Account {
        user: "mrose".to_owned(),
        auth: AuthMethod::Apop,
        ..account(Profile::Rfc1939, Security::Stls)
    }
}

/// RFC 1939 §7, with its example.
#[tokio::test(start_paused = true)]
async fn apop_sends_the_digest_in_place_of_the_password() {
    let script = vec![
        Expect("APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"),
        Say("+OK\r\n"),
    ];
    let (session, server) = greeted(TIMESTAMP, PIPELINING, script).await;
    let session = log_in(session, &with_apop(), "tanstaaf").await.unwrap();
    assert_eq!(
        session.dialogue.connection().state(),
        pop3::State::Transaction
    );
    drop(session);
    assert_eq!(server.await.unwrap(), "");
}

#[tokio::test(start_paused = true)]
async fn apop_without_a_valid_msg_id_sends_nothing_but_quit() {
    for (greeting, words) in [
        ("+OK ready\r\n", "the server's greeting offers no APOP"),
        (
            "+OK <a\u{e9}@b>\r\n",
            "the server's greeting holds a msg-id that is not valid",
        ),
    ] {
        let (session, server) = greeted(greeting, PLAIN, vec![]).await;
        let login = log_in(session, &with_apop(), "tanstaaf").await;
        let error = login.err().unwrap();
        assert_eq!(error.to_string(), words);
        assert_eq!(error.exit(), Exit::NoPermission);
        assert_eq!(server.await.unwrap(), "QUIT\r\n");
    }
}

/// OPOP3:V0008, XPOP3:V0012: a timestamp in the greeting tempts no Outlook.
#[tokio::test(start_paused = true)]
async fn outlook_answers_a_timestamp_with_user_and_pass() {
    for &profile in &Profile::ALL[..8] {
        let script = vec![
            Expect("USER anna\r\n"),
            Say("+OK\r\n"),
            Expect("PASS tanstaaf\r\n"),
            Say("+OK\r\n"),
        ];
        let (session, _server) = greeted(TIMESTAMP, PLAIN, script).await;
        let account = account(profile, Security::Stls);
        log_in(session, &account, "tanstaaf").await.unwrap();
    }
}

/// No means no, also where it is said twice: 77, and no doubt about the dialogue (catalogue 12).
#[tokio::test(start_paused = true)]
async fn a_password_that_is_refused_twice_is_a_refused_password() {
    let no = "-ERR wrong\r\n";
    let twice = "-ERR wrong\r\n-ERR really\r\n";
    let ways = [
        vec![Say(twice)],
        vec![Say(no), Wait(SECOND), Say("-ERR really\r\n")],
        vec![Say(no), Say("-ERR really\r\n"), Close],
        vec![Say("-ERR wrong\r\n+OK\r\n")],
        vec![
            Say("-ERR wrong\r\n-ERR Connection is closed. 21\r\n"),
            Close,
        ],
        vec![Say(no), Close],
    ];
    for way in ways {
        let mut script = vec![Expect("USER anna\r\n"), Say("+OK\r\n")];
        script.push(Expect("PASS secret\r\n"));
        script.extend(way);
        let (error, rest) = refused("anna", "secret", script).await;
        assert_eq!(error.to_string(), "the server refused PASS: `wrong`");
        assert_eq!(error.exit(), Exit::NoPermission);
        assert!(["", "QUIT\r\n"].contains(&rest.as_str()), "{rest}");
    }
    let script = vec![Expect("USER anna\r\n"), Say(twice)];
    let (error, _) = refused("anna", "secret", script).await;
    assert_eq!(error.to_string(), "the server refused USER: `wrong`");
    // A yes that is said twice is out of step.
    let mut script = vec![Expect("USER anna\r\n"), Say("+OK\r\n")];
    script.extend([Expect("PASS secret\r\n"), Say("+OK\r\n+OK\r\n")]);
    let (error, _) = refused("anna", "secret", script).await;
    assert_eq!(error.exit(), Exit::Protocol, "{error}");
}

/// XPOP3:V0003 in place of the answer to a password: the session has lasted too long.
#[tokio::test(start_paused = true)]
async fn a_notice_in_place_of_the_answer_to_a_login_is_no_wrong_password() {
    let notice = "-ERR Connection is closed. 21\r\n";
    let user = vec![Expect("USER anna\r\n"), Say(notice), Close];
    let mut pass = vec![Expect("USER anna\r\n"), Say("+OK\r\n")];
    pass.extend([Expect("PASS secret\r\n"), Say(notice), Close]);
    for script in [user, pass] {
        let (error, _) = refused("anna", "secret", script).await;
        assert_eq!(
            error.to_string(),
            "the server ended the session: `Connection is closed. 21`"
        );
        assert_eq!(error.exit(), Exit::TemporaryFailure);
    }
}

/// A server's words are cut to a length that people read; their meaning is not.
#[tokio::test(start_paused = true)]
async fn a_refusal_of_many_octets_is_cut() {
    let long = format!("-ERR {}ü, try again later\r\n", "wordy ".repeat(1300));
    let mut script = vec![Expect("USER anna\r\n"), Say("+OK\r\n")];
    script.extend([Expect("PASS secret\r\n"), Say(long.leak())]);
    let (error, _) = refused("anna", "secret", script).await;
    let text = error.to_string();
    assert!(text.len() < 300 && text.ends_with("…`"), "{text}");
    assert_eq!(error.exit(), Exit::TemporaryFailure);
}
