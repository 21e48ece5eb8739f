//! Where Outlook stops responding, every wait has an end (OPOP3:C0002, C0005, C0006, C0014).

use super::*;

/// How a session ends whose server does this at last.
async fn ends(
    script: Vec<Step>,
    work: impl AsyncFnOnce(&mut Session) -> Result<(), Error>,
) -> (String, String) {
    let (mut session, server) = logged_in(PLAIN, script).await;
    let began = Instant::now();
    let error = work(&mut session).await.unwrap_err();
    assert!(began.elapsed() < 62 * SECOND, "{:?}", began.elapsed());
    assert!(session.quit().await.is_err(), "nothing more is sent");
    drop(session);
    (error.to_string(), server.await.unwrap())
}

fn numbers() -> [MessageNumber; 1] {
    [MessageNumber::new(1).unwrap()]
}

/// OPOP3:C0014: a command that is not answered.
#[tokio::test(start_paused = true)]
async fn a_command_without_an_answer_is_given_up() {
    let silent = |command| vec![Expect(command)];
    let retr =
        async |session: &mut Session| session.retr(wanted(1..=1), &mut Collected::default()).await;
    let all = [
        ends(silent("STAT\r\n"), async |s| s.listings(true, |_| ()).await).await,
        ends(silent("LIST\r\n"), async |s| s.scan_listing(|_| ()).await).await,
        ends(silent("RETR 1\r\n"), retr).await,
        ends(silent("DELE 1\r\n"), async |s| {
            s.dele(&numbers(), |_, _| ()).await
        })
        .await,
        ends(silent("NOOP\r\n"), async |s| s.noop().await.map(drop)).await,
        ends(silent("QUIT\r\n"), async |s| s.quit().await?).await,
    ];
    for ((error, rest), verb) in all
        .iter()
        .zip(["STAT", "LIST", "RETR", "DELE", "NOOP", "QUIT"])
    {
        assert_eq!(
            *error,
            format!("timed out after 60 s waiting for the reply to {verb}")
        );
        assert_eq!(rest, "");
    }
}

/// OPOP3:C0005: a line without its CRLF. A bare LF or CR is none.
#[tokio::test(start_paused = true)]
async fn a_line_without_crlf_is_given_up() {
    for text in ["+OK 1 20", "+OK 1 20\n", "+OK 1 20\r"] {
        let script = vec![Expect("STAT\r\n"), Say(text)];
        let (error, _) = ends(script, async |s| s.listings(false, |_| ()).await).await;
        assert_eq!(error, "timed out after 60 s waiting for the reply to STAT");
    }
}

/// OPOP3:C0006: an answer of several lines without its end. What came of a message is no message.
#[tokio::test(start_paused = true)]
async fn a_multi_line_answer_without_its_end_is_given_up() {
    for text in ["+OK\r\n1 20\r\n", "+OK\r\n1 20\r\n."] {
        let script = vec![Expect("LIST\r\n"), Say(text)];
        let (error, _) = ends(script, async |s| s.scan_listing(|_| ()).await).await;
        assert_eq!(error, "timed out after 60 s waiting for the reply to LIST");
    }
    for text in [
        "+OK\r\none\r\n",
        "+OK\r\none\r\n.",
        "+OK\r\none\r\n.\r",
        "+OK\r\none\n.\n",
        "+OK\r\none\n.\r\n",
    ] {
        let collected = Collected::default();
        let mut sink = collected.clone();
        let retr = async |session: &mut Session| session.retr(wanted(1..=1), &mut sink).await;
        let (error, _) = ends(vec![Expect("RETR 1\r\n"), Say(text)], retr).await;
        assert_eq!(error, "timed out after 60 s waiting for the reply to RETR");
        let messages = collected.0.lock().unwrap();
        assert!(messages.iter().all(|message| !message.ends_with('$')));
    }
}

/// A server that refuses each message just before the time-out does not hold the run for weeks.
#[tokio::test(start_paused = true)]
async fn a_session_in_which_nothing_is_gained_is_given_up() {
    let mut script = Vec::new();
    for number in 1..=40 {
        script.push(Expect(format!("RETR {number}\r\n").leak()));
        script.extend([Wait(50 * SECOND), Say("-ERR not now\r\n")]);
    }
    let (mut session, _server) = logged_in(PLAIN, script).await;
    session.ask_one_by_one();
    let began = Instant::now();
    let mut sink = Collected::default();
    let error = session.retr(wanted(1..=40), &mut sink).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "gave up after 1800 s in which the server sent nothing of use"
    );
    assert!((1790..=1810).contains(&began.elapsed().as_secs()));
    let refused = sink.0.lock().unwrap().len();
    assert!((35..=36).contains(&refused), "{refused}");
}

/// The same server that sends them is waited for, however long it takes.
#[tokio::test(start_paused = true)]
async fn a_session_in_which_messages_come_slowly_goes_on() {
    let mut script = Vec::new();
    for number in 1..=80 {
        script.push(Expect(format!("RETR {number}\r\n").leak()));
        script.extend([Wait(50 * SECOND), Say("+OK\r\none\r\n.\r\n")]);
    }
    let (mut session, _server) = logged_in(PLAIN, script).await;
    session.ask_one_by_one();
    let mut sink = Collected::default();
    session.retr(wanted(1..=80), &mut sink).await.unwrap();
    assert_eq!(sink.0.lock().unwrap().len(), 80);
}

/// However much came before: each silence has the time-out, and no more.
#[tokio::test(start_paused = true)]
async fn a_silence_behind_many_octets_is_no_longer_than_another() {
    let much = format!("+OK\r\n{}", "0123456789abcdef\r\n".repeat(20_000));
    let script = vec![Expect("RETR 1\r\n"), Say(much.leak())];
    let (mut session, _server) = logged_in(PLAIN, script).await;
    let began = Instant::now();
    let mut sink = Collected::default();
    let error = session.retr(wanted(1..=1), &mut sink).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "timed out after 60 s waiting for the reply to RETR"
    );
    assert!(began.elapsed() < 62 * SECOND, "{:?}", began.elapsed());
}
