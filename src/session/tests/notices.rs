//! What Exchange says before it closes an idle session (XPOP3:V0002, V0003).

use super::*;
use crate::exit::Exit;
use crate::failure::Failure;

const NOTICE: &str = "-ERR Connection is closed. Idle timeout\r\n";

/// XPOP3:V0003: the notice came while nothing was due.
#[tokio::test(start_paused = true)]
async fn a_notice_between_commands_is_passed_on_as_the_reason() {
    let (mut session, _server) =
        logged_in(PLAIN, vec![Wait(SECOND), Say(NOTICE), Wait(SECOND), Close]).await;
    sleep(SECOND + SECOND / 2).await;
    let error = session.dialogue.command(Command::Noop).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server ended the session: `Connection is closed. Idle timeout`"
    );
    assert_eq!(error.exit(), Exit::TemporaryFailure);
    assert!(session.quit().await.is_err(), "nothing more is sent");
}

const SAYS: &str = "the server ended the session: `Connection is closed. Idle timeout`";

/// XPOP3:V0003: the notice came while a command was on its way, and is no answer to it.
#[tokio::test(start_paused = true)]
async fn a_notice_in_place_of_an_answer_is_the_reason_of_the_end() {
    let retr = async |s: &mut Session| s.retr(wanted(1..=3), &mut Collected::default()).await;
    let top = async |s: &mut Session| {
        let numbers = [MessageNumber::new(1).unwrap()];
        s.headers(&numbers, &mut Collected::default()).await
    };
    let dele = async |s: &mut Session| {
        s.dele(&[MessageNumber::new(1).unwrap()], |_, answer| {
            panic!("{answer:?}")
        })
        .await
    };
    // It may come in pieces, and the end later.
    let ways = || {
        [
            vec![Say(NOTICE), Close],
            vec![Say(NOTICE), Wait(SECOND), Close],
            vec![Say(&NOTICE[..9]), Wait(SECOND), Say(&NOTICE[9..]), Close],
        ]
    };
    for way in 0..3 {
        let script = |command| {
            let mut script = vec![Expect(command)];
            script.extend(ways().into_iter().nth(way).unwrap());
            script
        };
        let all = [
            ended(script("NOOP\r\n"), async |s| s.noop().await.map(drop)).await,
            ended(script("STAT\r\n"), async |s| s.listings(true, |_| ()).await).await,
            ended(script("UIDL\r\n"), async |s| s.uidl(|_| ()).await).await,
            ended(script("LIST\r\n"), async |s| s.scan_listing(|_| ()).await).await,
            ended(script("RETR 1\r\n"), retr).await,
            ended(script("TOP 1 0\r\n"), top).await,
            ended(script("DELE 1\r\n"), dele).await,
            ended(script("CAPA\r\n"), async |s| s.capa_again().await).await,
            ended(script("QUIT\r\n"), async |s| s.quit().await?).await,
        ];
        for error in all {
            assert_eq!(error.to_string(), SAYS);
            assert_eq!(error.exit(), Exit::TemporaryFailure);
            assert!(!error.is_break(), "no message is to blame");
        }
    }
}

/// How a session ends whose server does this at last, and that nothing is sent behind it.
async fn ended(
    script: Vec<Step>,
    work: impl AsyncFnOnce(&mut Session) -> Result<(), Error>,
) -> Error {
    let (mut session, _server) = logged_in(PLAIN, script).await;
    let error = work(&mut session).await.unwrap_err();
    assert!(session.quit().await.is_err(), "nothing more is sent");
    assert!(!session.is_out_of_step(&error), "{error}");
    error
}

/// XPOP3:V0003: in the same segment as the answer before it. That answer is whole.
#[tokio::test(start_paused = true)]
async fn a_notice_behind_an_answer_keeps_what_was_complete() {
    let collected = Collected::default();
    let mut sink = collected.clone();
    let answer = "+OK\r\none\r\n.\r\n-ERR Connection is closed. Idle timeout\r\n";
    let script = vec![Expect("RETR 1\r\n"), Say(answer), Close];
    let error = ended(script, async |s| s.retr(wanted(1..=2), &mut sink).await).await;
    assert_eq!(error.to_string(), SAYS);
    assert_eq!(*collected.0.lock().unwrap(), ["one\r\n$"]);
    // Behind the last answer of all it changes nothing.
    let answer = "+OK bye\r\n-ERR Connection is closed. Idle timeout\r\n";
    let script = vec![Expect("QUIT\r\n"), Say(answer), Close];
    let (mut session, _server) = logged_in(PLAIN, script).await;
    let behind = session.quit().await.unwrap().unwrap_err();
    assert_eq!(behind.to_string(), SAYS);
}

/// XPOP3:V0003: several commands were on their way, and each may have that answer.
#[tokio::test(start_paused = true)]
async fn a_notice_for_each_command_of_a_flight_is_one_notice() {
    for times in 1..=4 {
        let script = vec![
            Expect("RETR 1\r\nRETR 2\r\nRETR 3\r\n"),
            Say(NOTICE.repeat(times).leak()),
            Close,
        ];
        let (mut session, _server) = logged_in(PIPELINING, script).await;
        let mut sink = Collected::default();
        let error = session.retr(wanted(1..=3), &mut sink).await.unwrap_err();
        match times {
            4 => assert!(session.is_out_of_step(&error), "{error}"),
            _ => assert_eq!(error.to_string(), SAYS),
        }
    }
}

/// A message that holds such a line behind a dot, and a server that stuffs no dots: what comes
/// behind it tells that it was no word of the server's.
#[tokio::test(start_paused = true)]
async fn a_notice_that_a_message_forges_is_found_out() {
    for rest in [
        vec![Say("third\r\n.\r\n")],
        vec![Wait(SECOND), Say("third\r\n.\r\n"), Close],
        // Perhaps it only comes later.
        vec![],
    ] {
        let forged = "+OK\r\none\r\n.\r\n-ERR Connection is closed. 21\r\n";
        let mut script = vec![Expect("RETR 1\r\nRETR 2\r\n"), Say(forged)];
        script.extend(rest);
        let (mut session, _server) = logged_in(PIPELINING, script).await;
        let mut sink = Collected::default();
        let error = session.retr(wanted(1..=2), &mut sink).await.unwrap_err();
        assert!(session.is_out_of_step(&error), "{error}");
        assert!(session.quit().await.is_err(), "nothing more is sent");
    }
}

/// RFC 1939 §3: without a word.
#[tokio::test(start_paused = true)]
async fn a_close_between_commands_is_no_missing_greeting() {
    let (mut session, _server) = logged_in(PLAIN, vec![Wait(SECOND), Close]).await;
    sleep(2 * SECOND).await;
    let error = session.dialogue.command(Command::Noop).await.unwrap_err();
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
