use super::*;

/// A connection after this AUTH.
pub(super) fn after_auth(initial: Option<&SecretString>) -> Connection {
    let mut connection = Connection::default();
    replies(&mut connection, b"+OK ready\r\n", 100).unwrap();
    connection
        .send(Command::Auth("PLAIN", initial), &mut Vec::new())
        .unwrap();
    connection
}

/// RFC 5034 §4; OPOP3:V0001. In an exchange a single `+` asks for more, and any other word that
/// begins with `+` ends it. But a client that has sent nothing was not logged in.
#[test]
fn challenges_and_verdicts_are_told_apart_by_the_status_indicator() {
    use State::{Authorization, Challenged, Transaction};
    let said = SecretString::from("AGFubmEAYg==");
    let said = Some(&said);
    for (initial, line, event, state) in [
        (None, "+ ", "challenge ", Challenged),
        (None, "+", "challenge ", Challenged),
        (None, "+\t", "challenge ", Challenged),
        (None, "+ VXNlcm5hbWU6", "challenge VXNlcm5hbWU6", Challenged),
        (None, "+ go ahead", "challenge go ahead", Challenged),
        // Exchange 2003.
        (None, "+OK", "challenge ", Challenged),
        (None, "+ok PDE+", "challenge PDE+", Challenged),
        (None, "-ERR no", "AUTH false no", Authorization),
        (None, "OK", "AUTH false OK", Authorization),
        (said, "+ ", "challenge ", Challenged),
        (said, "+", "challenge ", Challenged),
        (said, "+ dj1y", "challenge dj1y", Challenged),
        (said, "+OK in", "AUTH true in", Transaction),
        (said, "+ok", "AUTH true ", Transaction),
        (said, "+YES", "AUTH true ", Transaction),
        (
            said,
            "-ERR [AUTH] no",
            "AUTH false [AUTH] no",
            Authorization,
        ),
        (said, "", "AUTH false ", Authorization),
    ] {
        let stream = format!("{line}\r\n");
        for size in 1..=stream.len() {
            let mut connection = after_auth(initial);
            let events = replies(&mut connection, stream.as_bytes(), size).unwrap();
            assert_eq!(events, [event], "{line:?} after {initial:?}");
            assert_eq!(connection.state(), state, "{line:?} after {initial:?}");
        }
    }
}

#[test]
fn an_exchange_is_answered_line_by_line_and_nothing_else_is_sent_in_it() {
    let mut connection = after_auth(None);
    let mut out = Vec::new();
    let response = SecretString::from("AGFubmEAYg==");
    let all_refused = |connection: &mut Connection| {
        for command in [
            Command::Capa,
            Command::Quit,
            Command::User("x"),
            Command::Stat,
        ] {
            let refused = connection.send(command, &mut Vec::new());
            assert!(matches!(refused, Err(Error::NotNow { .. })), "{command:?}");
        }
    };
    // It is the server's turn.
    assert!(connection.respond(&response, &mut out).is_err());
    all_refused(&mut connection);
    replies(&mut connection, b"+ \r\n", 9).unwrap();
    all_refused(&mut connection);
    connection.respond(&response, &mut out).unwrap();
    assert_eq!(out, b"AGFubmEAYg==\r\n");
    all_refused(&mut connection);
    out.clear();
    replies(&mut connection, b"+ dj1y\r\n", 9).unwrap();
    connection
        .respond(&SecretString::from(""), &mut out)
        .unwrap();
    assert_eq!(out, b"\r\n");
    replies(&mut connection, b"+OK\r\n", 9).unwrap();
    assert_eq!(connection.state(), State::Transaction);
    let again = connection.send(Command::Auth("PLAIN", None), &mut out);
    assert!(matches!(again, Err(Error::NotNow { .. })));
}

/// A line end in a response would be a second command.
#[test]
fn nothing_but_base64_is_sent_in_an_exchange() {
    for text in ["a\r\nQUIT", "*", "a b", "\0", "ä"] {
        let mut connection = after_auth(None);
        replies(&mut connection, b"+ \r\n", 9).unwrap();
        let mut out = Vec::new();
        let text = SecretString::from(text);
        let refused = connection.respond(&text, &mut out);
        assert!(matches!(refused, Err(Error::Argument { .. })));
        assert!(out.is_empty());
    }
    let mut connection = after_auth(None);
    replies(&mut connection, b"+ \r\n", 9).unwrap();
    let long = SecretString::from("A".repeat(MAX_RESPONSE));
    let refused = connection.respond(&long, &mut Vec::new());
    assert!(matches!(refused, Err(Error::CommandTooLong { .. })));
}

#[test]
fn a_cancelled_exchange_ends_in_a_refusal_or_not_at_all() {
    let cancelled = |answer: &[u8]| {
        let mut connection = after_auth(None);
        let mut out = Vec::new();
        replies(&mut connection, b"+ \r\n", 9).unwrap();
        connection.cancel(&mut out).unwrap();
        assert_eq!(out, b"*\r\n");
        // The error may come at once, or at the next call.
        let _ = replies(&mut connection, answer, 9);
        connection.state()
    };
    assert_eq!(cancelled(b"-ERR cancelled\r\n"), State::Authorization);
    for answer in [&b"+OK\r\n"[..], b"+ \r\n", b"+ dj1y\r\n"] {
        assert_eq!(cancelled(answer), State::Broken, "{answer:?}");
    }
}

/// The next challenge came before the answer to this one: client and server are out of step.
#[test]
fn what_comes_when_it_is_our_turn_nobody_asked_for() {
    let mut connection = after_auth(None);
    let error = replies(&mut connection, b"+ \r\n+OK\r\n", 100).unwrap_err();
    assert!(matches!(error, Error::Leftover { .. }), "{error:?}");
    assert_eq!(connection.state(), State::Broken);
}
