//! AUTH line by line, and everything that can go wrong between the lines.

use secrecy::ExposeSecret;

use super::login::{account, greeted, log_in};
use super::*;
use crate::account::{Account, AuthMethod};
use crate::auth::SaslError;
use crate::auth::mechanism::Message;
use crate::exit::Exit;
use crate::failure::Failure;

/// What Exchange says it can do.
const EXCHANGE: &str = "+OK\r\nTOP\r\nUIDL\r\nSASL NTLM PLAIN LOGIN\r\nUSER\r\n.\r\n";
/// What Dovecot says, in short.
const MODERN: &str = "+OK\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nSASL PLAIN LOGIN\r\n.\r\n";

/// `\0anna\0a b`.
const PLAIN_RESPONSE: &str = "AGFubmEAYSBi\r\n";

fn with(auth: AuthMethod) -> Account {
    Account {
        auth,
        ..account(Profile::default(), Security::Stls)
    }
}

/// How the login ends against this script, and what the server is sent beyond it.
async fn ended(
    auth: AuthMethod,
    capabilities: &'static str,
    script: Vec<Step>,
) -> (Result<(), Error>, String) {
    let (session, server) = greeted("+OK\r\n", capabilities, script).await;
    let result = log_in(session, &with(auth), "a b").await;
    let result = result.map(|session| {
        assert_eq!(
            session.dialogue.connection().state(),
            pop3::State::Transaction
        );
    });
    (result, server.await.unwrap())
}

#[tokio::test]
async fn exchange_is_told_plain_in_two_steps() {
    for prompt in ["+ \r\n", "+\r\n", "+OK\r\n", "+ go ahead\r\n"] {
        let script = vec![
            Expect("AUTH PLAIN\r\n"),
            Say(prompt),
            Expect(PLAIN_RESPONSE),
            Say("+OK User successfully logged on.\r\n"),
        ];
        let (result, rest) = ended(AuthMethod::Plain, EXCHANGE, script).await;
        result.unwrap();
        assert_eq!(rest, "");
    }
}

/// RFC 5034 §4, one wait less; where the line would be longer than 255 octets it is two again.
#[tokio::test]
async fn modern_servers_are_told_plain_at_once_where_the_line_is_short_enough() {
    let script = vec![Expect("AUTH PLAIN AGFubmEAYSBi\r\n"), Say("+OK\r\n")];
    let (result, _) = ended(AuthMethod::Plain, MODERN, script).await;
    result.unwrap();
    for (octets, at_once) in [(255, true), (259, false)] {
        // Base64 makes four octets of three, and six of these are the name and two NULs.
        let password = "x".repeat((octets - "AUTH PLAIN \r\n".len()) / 4 * 3 - "\0anna\0".len());
        let response = Message::new(&[b"\0anna\0", password.as_bytes()]).encode();
        let response = response.expose_secret();
        let lines = if at_once {
            format!("AUTH PLAIN {response}\r\n")
        } else {
            "AUTH PLAIN\r\n".to_owned()
        };
        let script = vec![Expect(lines.leak()), Say("-ERR\r\n")];
        let (session, server) = greeted("+OK\r\n", MODERN, script).await;
        let error = log_in(session, &with(AuthMethod::Plain), &password).await;
        assert!(matches!(error.err(), Some(Error::Login(_))));
        assert_eq!(server.await.unwrap(), "QUIT\r\n");
    }
}

#[tokio::test]
async fn login_answers_two_questions() {
    let script = vec![
        Expect("AUTH LOGIN\r\n"),
        Say("+ VXNlcm5hbWU6\r\n"),
        Expect("YW5uYQ==\r\n"),
        Say("+ UGFzc3dvcmQ6\r\n"),
        Expect("YSBi\r\n"),
        Say("+OK\r\n"),
    ];
    let (result, rest) = ended(AuthMethod::Login, EXCHANGE, script).await;
    result.unwrap();
    assert_eq!(rest, "");
}

/// Servers are known that leave the blank out.
#[tokio::test]
async fn a_question_may_lack_the_blank_behind_its_plus() {
    let script = vec![
        Expect("AUTH LOGIN\r\n"),
        Say("+VXNlcm5hbWU6\r\n"),
        Expect("YW5uYQ==\r\n"),
        Say("+UGFzc3dvcmQ6\r\n"),
        Expect("YSBi\r\n"),
        Say("+OK\r\n"),
    ];
    let (result, rest) = ended(AuthMethod::Login, EXCHANGE, script).await;
    result.unwrap();
    assert_eq!(rest, "");
    // The digest is of what was asked: by `openssl dgst -md5 -hmac`.
    let script = vec![
        Expect("AUTH CRAM-MD5\r\n"),
        Say("+PDFAeD4x\r\n"),
        Expect("YW5uYSAwZjk1OTk5Nzc0ZDExZDZjMDg4NTYzZjkxYzAwODIwMg==\r\n"),
        Say("+OK\r\n"),
    ];
    let (result, _) = ended(AuthMethod::CramMd5, EXCHANGE, script).await;
    result.unwrap();
}

/// OPOP3:C0010, and no second guess: whatever the refusal is, QUIT follows.
#[tokio::test]
async fn a_refused_exchange_tells_the_servers_words_and_is_not_tried_again() {
    for (refusal, exit) in [
        (
            "-ERR Logon failure: unknown user name or bad password.\r\n",
            Exit::NoPermission,
        ),
        ("-ERR [AUTH] Authentication failed.\r\n", Exit::NoPermission),
        ("-ERR [SYS/PERM] the disk is gone\r\n", Exit::NoPermission),
        (
            "-ERR [SYS/TEMP] come back later\r\n",
            Exit::TemporaryFailure,
        ),
        ("-ERR [IN-USE] locked\r\n", Exit::TemporaryFailure),
        ("-ERR [LOGIN-DELAY] 300 seconds\r\n", Exit::TemporaryFailure),
    ] {
        for close in [false, true] {
            let mut script = vec![
                Expect("AUTH PLAIN\r\n"),
                Say("+ \r\n"),
                Expect(PLAIN_RESPONSE),
                Say(refusal),
            ];
            if close {
                script.push(Close);
            }
            let (result, rest) = ended(AuthMethod::Plain, EXCHANGE, script).await;
            let error = result.unwrap_err();
            assert!(matches!(error, Error::Login(_)), "{error:?}");
            assert!(error.to_string().contains(&refusal[5..refusal.len() - 2]));
            assert_eq!(error.exit(), exit, "{refusal}");
            assert!(error.hint().is_some());
            assert_eq!(rest, if close { "" } else { "QUIT\r\n" });
        }
    }
}

/// Not announced, and yet asked for: some servers have it all the same. Nothing is said to one
/// that has not.
#[tokio::test]
async fn a_mechanism_that_is_not_offered_is_named_and_told_nothing() {
    let script = || vec![Expect("AUTH PLAIN\r\n"), Say("-ERR Protocol error. 19\r\n")];
    let only_ntlm = "+OK\r\nSASL NTLM\r\nAUTH-RESP-CODE\r\n.\r\n";
    let (result, rest) = ended(AuthMethod::Plain, only_ntlm, script()).await;
    let error = result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server does not offer PLAIN: `Protocol error. 19`"
    );
    let hint = error.hint().unwrap();
    assert!(hint.starts_with("the server offers NTLM; "), "{hint}");
    assert_eq!(error.exit(), Exit::NoPermission);
    assert_eq!(rest, "QUIT\r\n");
    let (result, _) = ended(AuthMethod::Plain, PLAIN, script()).await;
    let hint = result.unwrap_err().hint().unwrap();
    assert!(
        hint.starts_with("the server offers no mechanism of AUTH"),
        "{hint}"
    );
    // A server that is busy has not said that it does not know the mechanism.
    let script = vec![Expect("AUTH PLAIN\r\n"), Say("-ERR [SYS/TEMP] later\r\n")];
    let (result, _) = ended(AuthMethod::Plain, PLAIN, script).await;
    assert_eq!(result.unwrap_err().exit(), Exit::TemporaryFailure);
    let script = vec![
        Expect("AUTH PLAIN\r\n"),
        Say("+ \r\n"),
        Expect(PLAIN_RESPONSE),
        Say("+OK\r\n"),
    ];
    let (result, _) = ended(AuthMethod::Plain, only_ntlm, script).await;
    result.unwrap();
}

#[tokio::test]
async fn a_challenge_that_makes_no_sense_is_cancelled() {
    for (challenge, fault) in [
        ("+ ***not base64***\r\n", SaslError::NotBase64),
        ("+ UGFzc3dvcmQ6\r\n", SaslError::Unexpected),
        ("+ \r\n", SaslError::Unexpected),
    ] {
        for (answer, leave) in [
            ("-ERR cancelled\r\n", "QUIT\r\n"),
            // No further word to one that says yes, or asks on.
            ("+OK welcome\r\n", ""),
            ("+ \r\n", ""),
        ] {
            let script = vec![
                Expect("AUTH PLAIN\r\n"),
                Say("+ \r\n"),
                Expect(PLAIN_RESPONSE),
                Say(challenge),
                Expect("*\r\n"),
                Say(answer),
            ];
            let (result, rest) = ended(AuthMethod::Plain, EXCHANGE, script).await;
            let error = result.unwrap_err();
            assert_eq!(error.to_string(), format!("PLAIN: {fault}"));
            assert_eq!(error.exit(), Exit::Protocol);
            assert_eq!(rest, leave, "{answer}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_a_cancellation_is_left() {
    let script = vec![
        Expect("AUTH LOGIN\r\n"),
        Say("+ ?\r\n"),
        Expect("*\r\n"),
        Wait(100 * SECOND),
    ];
    let began = Instant::now();
    let (result, rest) = ended(AuthMethod::Login, EXCHANGE, script).await;
    assert_eq!(
        result.unwrap_err().to_string(),
        "LOGIN: the server's challenge is not base64"
    );
    assert_eq!(rest, "");
    assert!(began.elapsed() < 101 * SECOND);
}

/// A challenge before our turn, and a line without an end.
#[tokio::test]
async fn what_is_out_of_step_or_without_end_ends_the_session() {
    let two = vec![Expect("AUTH PLAIN\r\n"), Say("+ \r\n+OK\r\n")];
    let (result, rest) = ended(AuthMethod::Plain, EXCHANGE, two).await;
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Protocol);
    assert_eq!(rest, "");
    let endless: &'static str = "x".repeat(1 << 20).leak();
    let script = vec![Expect("AUTH PLAIN\r\n"), Say("+ "), Say(endless)];
    let (result, rest) = ended(AuthMethod::Plain, EXCHANGE, script).await;
    let error = result.unwrap_err();
    assert!(error.to_string().contains("a line of more than"), "{error}");
    assert_eq!(rest, "");
}

#[tokio::test]
async fn a_close_in_an_exchange_is_told() {
    for script in [
        vec![Expect("AUTH PLAIN\r\n"), Close],
        vec![
            Expect("AUTH PLAIN\r\n"),
            Say("+ \r\n"),
            Expect(PLAIN_RESPONSE),
            Close,
        ],
    ] {
        let (result, _) = ended(AuthMethod::Plain, EXCHANGE, script).await;
        let error = result.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server closed the connection in answer to AUTH"
        );
        assert_eq!(error.exit(), Exit::TemporaryFailure);
    }
}

/// What comes in the exchange is quoted as well as the verdict on it.
#[tokio::test]
async fn an_objection_that_repeats_the_token_is_quoted_without_it() {
    let script = vec![
        Expect("AUTH XOAUTH2\r\n"),
        Say("+ \r\n"),
        // `user=anna`, `auth=Bearer t0ken-t0ken`.
        Expect("dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHQwa2VuLXQwa2VuAQE=\r\n"),
        // `{"status":"400","scope":"for T0KEN-t0ken"}`.
        Say("+ eyJzdGF0dXMiOiI0MDAiLCJzY29wZSI6ImZvciBUMEtFTi10MGtlbiJ9\r\n"),
        Expect("\r\n"),
        Say("-ERR no\r\n"),
    ];
    let (mut session, server) = greeted("+OK\r\n", EXCHANGE, script).await;
    // As `open` does.
    session
        .dialogue
        .keep_secret(&SecretString::from("t0ken-t0ken"));
    let error = log_in(session, &with(AuthMethod::XOauth2), "t0ken-t0ken").await;
    assert_eq!(
        error.err().unwrap().to_string(),
        "the server refused AUTH: `no`; before that the server said about the access token: \
         status 400, scope `for ***`"
    );
    assert_eq!(server.await.unwrap(), "QUIT\r\n");
}

/// `auto` takes USER and PASS only for what they can carry, and then what the server has besides.
#[tokio::test]
async fn a_password_beyond_ascii_is_not_begun_with_user() {
    let script = vec![
        Expect("AUTH LOGIN\r\n"),
        Say("+ VXNlcm5hbWU6\r\n"),
        Expect("YW5uYQ==\r\n"),
        Say("+ UGFzc3dvcmQ6\r\n"),
        // `größe`, by `base64`.
        Expect("Z3LDtsOfZQ==\r\n"),
        Say("+OK\r\n"),
    ];
    let both = "+OK\r\nUSER\r\nSASL LOGIN\r\n.\r\n";
    let (session, _server) = greeted("+OK\r\n", both, script).await;
    let session = log_in(session, &with(AuthMethod::Auto), "größe").await;
    assert!(session.is_ok());
    let (session, server) = greeted("+OK\r\n", "+OK\r\nUSER\r\n.\r\n", vec![]).await;
    let error = log_in(session, &with(AuthMethod::Auto), "größe").await;
    let error = error.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the server offers no way to log in that can send this user name and password"
    );
    assert_eq!(error.exit(), Exit::Config);
    // The end of the search: no hint that leads back to where another one led away from.
    let hint = error.hint().unwrap();
    assert!(hint.contains("choose such a name and password"), "{hint}");
    assert!(!hint.contains("`auth"), "{hint}");
    assert_eq!(server.await.unwrap(), "QUIT\r\n");
}

/// A password may be a word of the answer's; what the answer means is not hidden with it.
#[tokio::test]
async fn a_password_that_is_a_response_code_does_not_hide_it() {
    for (password, refusal, exit) in [
        ("temp", "-ERR [SYS/TEMP] later\r\n", Exit::TemporaryFailure),
        (
            "mailbox",
            "-ERR Mailbox is locked\r\n",
            Exit::TemporaryFailure,
        ),
        ("AUTH", "-ERR [AUTH] mailbox locked\r\n", Exit::NoPermission),
    ] {
        let script = vec![
            Expect("USER anna\r\n"),
            Say("+OK\r\n"),
            Expect(format!("PASS {password}\r\n").leak()),
            Say(refusal),
        ];
        let (session, _server) = greeted("+OK\r\n", EXCHANGE, script).await;
        let error = log_in(session, &with(AuthMethod::User), password).await;
        let error = error.err().unwrap();
        assert_eq!(error.exit(), exit, "{error}");
        assert!(error.to_string().contains("***"), "{error}");
    }
}
