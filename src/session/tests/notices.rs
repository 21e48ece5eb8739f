//! What Exchange says before it closes an idle session (XPOP3:V0002, V0003).

use super::*;
use crate::exit::Exit;

const NOTICE: &str = "-ERR Connection is closed. Idle timeout\r\n";

/// XPOP3:V0003: the notice came while nothing was due.
#[tokio::test(start_paused = true)]
async fn a_notice_between_commands_is_passed_on_as_the_reason() {
    let (mut session, _server) =
        logged_in(PLAIN, vec![Wait(SECOND), Say(NOTICE), Wait(SECOND), Close]).await;
    sleep(SECOND + SECOND / 2).await;
    let error = session.command(Command::Noop).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server ended the session: `Connection is closed. Idle timeout`"
    );
    assert_eq!(error.exit(), Exit::TemporaryFailure);
    assert!(session.quit().await.is_err(), "nothing more is sent");
}

/// XPOP3:V0003: the notice came while a command was on its way, and is no answer to trust; the
/// end follows.
#[tokio::test(start_paused = true)]
async fn a_notice_in_place_of_an_answer_is_remembered_until_the_close() {
    let (mut session, _server) =
        logged_in(PLAIN, vec![Expect("NOOP\r\n"), Say(NOTICE), Close]).await;
    let answer = session.command(Command::Noop).await.unwrap();
    let words = "the server refused NOOP: `Connection is closed. Idle timeout`";
    assert_eq!(answer.unwrap_err().to_string(), words);
    sleep(SECOND).await;
    let error = session.command(Command::Noop).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server ended the session: `Connection is closed. Idle timeout`"
    );
}

/// RFC 1939 §3: without a word.
#[tokio::test(start_paused = true)]
async fn a_close_between_commands_is_no_missing_greeting() {
    let (mut session, _server) = logged_in(PLAIN, vec![Wait(SECOND), Close]).await;
    sleep(2 * SECOND).await;
    let error = session.command(Command::Noop).await.unwrap_err();
    assert_eq!(error.to_string(), "the server ended the session");
    assert_eq!(error.exit(), Exit::TemporaryFailure);
}

/// One negative line and then the end: anything else means that both are out of step.
#[tokio::test(start_paused = true)]
async fn what_is_not_a_notice_and_a_close_stays_a_protocol_error() {
    for behind in [
        vec![Say(NOTICE)],
        vec![Say("+OK twice\r\n"), Close],
        vec![Say("-ERR one\r\n-ERR two\r\n"), Close],
        vec![Say("-ERR half"), Close],
        vec![Say(NOTICE), Wait(SECOND), Say("+OK\r\n")],
    ] {
        let script = [Wait(SECOND)].into_iter().chain(behind).collect();
        let (mut session, _server) = logged_in(PLAIN, script).await;
        sleep(SECOND + SECOND / 2).await;
        let error = session.quit().await.unwrap_err();
        assert!(
            matches!(
                &error,
                Error::Protocol {
                    fault: pop3::Error::Leftover { .. },
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(error.exit(), Exit::Protocol);
    }
}
