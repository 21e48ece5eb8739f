//! Sessions against a scripted server that knows no protocol: it sends what it is told to send
//! and checks what it receives.

use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::*;
use crate::account::{Account, Security};
use crate::pop3::Response;
use crate::profile::Profile;

mod deadlines;
mod login;
mod notices;
mod sasl;
mod seldom;

const SECOND: Duration = Duration::from_secs(1);

/// What a script does next.
enum Step {
    /// Wait for exactly these octets.
    Expect(&'static str),
    /// Send these.
    Send(&'static str),
    /// Wait this long, on the paused clock.
    Wait(Duration),
    /// Close the connection.
    Close,
}
use Step::{Close, Expect, Send as Say, Wait};

/// Plays the script; gives everything the client sent beyond it, until the client closes.
async fn serve(mut stream: DuplexStream, script: Vec<Step>) -> String {
    for step in script {
        match step {
            Say(text) => {
                if stream.write_all(text.as_bytes()).await.is_err() {
                    break;
                }
            }
            Wait(time) => sleep(time).await,
            Close => return String::new(),
            Expect(text) => {
                let mut received = vec![0; text.len()];
                if stream.read_exact(&mut received).await.is_err() {
                    break;
                }
                assert_eq!(String::from_utf8_lossy(&received), text);
            }
        }
    }
    let mut rest = String::new();
    let _ = stream.read_to_string(&mut rest).await;
    rest
}

/// A session whose server plays the script, and what else the server received.
fn session(script: Vec<Step>) -> (Session, tokio::task::JoinHandle<String>) {
    let (ours, theirs) = duplex(1 << 20);
    let server = tokio::spawn(serve(theirs, script));
    (Session::over(Box::new(ours), 60 * SECOND), server)
}

/// A session after login, whose server goes on with the script.
async fn logged_in(
    capabilities: &'static str,
    script: Vec<Step>,
) -> (Session, tokio::task::JoinHandle<String>) {
    let mut whole = vec![
        Say("+OK\r\n"),
        Expect("CAPA\r\n"),
        Say(capabilities),
        Expect("USER anna\r\n"),
        Say("+OK\r\n"),
        Expect("PASS pass word\r\n"),
        Say("+OK\r\n"),
    ];
    whole.extend(script);
    let (mut session, server) = session(whole);
    session.greeting().await.unwrap();
    session.capa().await.unwrap();
    let password = SecretString::from("pass word");
    let account = login::account(Profile::default(), Security::Stls);
    session.log_in(&account, &password).await.unwrap();
    (session, server)
}

const PLAIN: &str = "+OK\r\nTOP\r\nUIDL\r\n.\r\n";
const PIPELINING: &str = "+OK\r\nTOP\r\nUIDL\r\nPIPELINING\r\n.\r\n";

fn wanted(numbers: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = Wanted> + Send {
    numbers.map(|number| Wanted {
        number: MessageNumber::new(number).unwrap(),
        octets: None,
    })
}

/// Collects messages as text.
#[derive(Default, Clone)]
struct Collected(Arc<Mutex<Vec<String>>>);

impl Sink for Collected {
    fn begin(&mut self, _: Option<u64>) {
        self.0.lock().unwrap().push(String::new());
    }
    fn content(&mut self, octets: &[u8]) {
        let mut messages = self.0.lock().unwrap();
        messages
            .last_mut()
            .unwrap()
            .push_str(&String::from_utf8_lossy(octets));
    }
    fn end(&mut self) {
        self.0.lock().unwrap().last_mut().unwrap().push('$');
    }
    fn refused(&mut self, refusal: Refusal) {
        self.0.lock().unwrap().push(refusal.to_string());
    }
    async fn hand_over(&mut self) -> bool {
        true
    }
}

/// OPOP3:C0002: without a greeting nothing is sent, and the wait has an end.
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_greet_is_sent_nothing_and_given_up() {
    let (mut session, server) = session(vec![]);
    let error = session.greeting().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "timed out after 60 s waiting for the greeting"
    );
    drop(session);
    assert_eq!(server.await.unwrap(), "");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drips_is_given_up() {
    let mut script = Vec::new();
    for _ in 0..600 {
        script.extend([Say("+"), Wait(SECOND)]);
    }
    let began = Instant::now();
    let (mut session, _server) = session(script);
    let error = session.greeting().await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }));
    assert!(began.elapsed() < 65 * SECOND, "{:?}", began.elapsed());
}

/// Some servers put one into any listing.
#[tokio::test(start_paused = true)]
async fn a_blank_line_in_capa_is_read_over() {
    let (mut session, _server) = session(vec![
        Say("+OK\r\n"),
        Expect("CAPA\r\n"),
        Say("+OK\r\n\r\nUIDL\r\n\r\nTOP\r\n.\r\n"),
        Expect("CAPA\r\n"),
        Say("-ERR\r\n"),
    ]);
    session.greeting().await.unwrap();
    session.capa().await.unwrap();
    assert_eq!(session.capabilities().lines(), ["UIDL", "TOP"]);
    // Nothing is left over.
    session.capa().await.unwrap();
}

/// The sizes of the messages decide how far is asked ahead, and not what is out of step.
#[tokio::test(start_paused = true)]
async fn an_answer_too_few_is_noticed_also_before_a_large_message() {
    let script = vec![
        Expect("RETR 1\r\nRETR 2\r\n"),
        Say("+OK\r\nx\r\n.\r\n"),
        Wait(120 * SECOND),
    ];
    let (mut session, _server) = logged_in(PIPELINING, script).await;
    let wanted = [(1, 1), (2, 9 << 20)].map(|(number, octets)| Wanted {
        number: MessageNumber::new(number).unwrap(),
        octets: Some(octets),
    });
    let mut sink = Collected::default();
    let error = session
        .retr(wanted.into_iter(), &mut sink)
        .await
        .unwrap_err();
    assert!(session.is_out_of_step(&error), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_capa_leaves_no_capabilities() {
    let (mut session, _server) = session(vec![
        Say("+OK\r\n"),
        Expect("CAPA\r\n"),
        Say("-ERR what\r\n"),
    ]);
    session.greeting().await.unwrap();
    session.capa().await.unwrap();
    assert_eq!(session.capabilities(), &Capabilities::default());
}

#[tokio::test(start_paused = true)]
async fn without_pipelining_one_command_waits_for_the_other() {
    let (mut session, server) = logged_in(
        PLAIN,
        vec![
            Expect("STAT\r\n"),
            Wait(SECOND),
            Say("+OK 2 20\r\n"),
            Expect("UIDL\r\n"),
            Say("+OK\r\n1 a\r\n2 b\r\n.\r\n"),
            Expect("LIST\r\n"),
            Say("-ERR not today\r\n"),
            // The client checks that the server is still there.
            Expect("NOOP\r\n"),
            Say("+OK\r\n"),
            Expect("RETR 1\r\n"),
            Wait(SECOND),
            Say("+OK\r\none\r\n.\r\n"),
            Expect("RETR 2\r\n"),
            Say("-ERR gone\r\n"),
            Expect("DELE 1\r\n"),
            Wait(SECOND),
            Say("+OK\r\n"),
            Expect("DELE 2\r\n"),
            Say("-ERR\r\n"),
            Expect("QUIT\r\n"),
            Say("+OK bye\r\n"),
        ],
    )
    .await;
    let mut lines = 0;
    session.listings(true, |_| lines += 1).await.unwrap();
    assert_eq!(lines, 3);
    let mut collected = Collected::default();
    session.retr(wanted(1..=2), &mut collected).await.unwrap();
    assert_eq!(
        *collected.0.lock().unwrap(),
        ["one\r\n$", "the server refused RETR: `gone`"]
    );
    let numbers: Vec<_> = wanted(1..=2).map(|wanted| wanted.number).collect();
    let mut answers = Vec::new();
    session
        .dele(&numbers, |index, answer| {
            answers.push((index, answer.is_ok()))
        })
        .await
        .unwrap();
    assert_eq!(answers, [(0, true), (1, false)]);
    session.quit().await.unwrap().unwrap();
    drop(session);
    assert_eq!(server.await.unwrap(), "");
}

#[tokio::test(start_paused = true)]
async fn with_pipelining_commands_fly_together() {
    let (mut session, _server) = logged_in(
        PIPELINING,
        vec![
            Expect("STAT\r\nUIDL\r\nLIST\r\n"),
            Say("+OK 3 20\r\n+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n+OK\r\n1 10\r\n2 10\r\n3 9\r\n.\r\n"),
            Expect("RETR 1\r\nRETR 2\r\nRETR 3\r\n"),
            Say("+OK\r\none\r\n.\r\n-ERR gone\r\n+OK\r\n..three\r\n.\r\n"),
            Expect("DELE 1\r\nDELE 2\r\nDELE 3\r\n"),
            Say("+OK\r\n-ERR\r\n+OK\r\n"),
        ],
    )
    .await;
    let mut lines = 0;
    session.listings(true, |_| lines += 1).await.unwrap();
    assert_eq!(lines, 7);
    let mut collected = Collected::default();
    session.retr(wanted(1..=3), &mut collected).await.unwrap();
    assert_eq!(
        *collected.0.lock().unwrap(),
        ["one\r\n$", "the server refused RETR: `gone`", ".three\r\n$"]
    );
    let numbers: Vec<_> = wanted(1..=3).map(|wanted| wanted.number).collect();
    let mut answers = Vec::new();
    session
        .dele(&numbers, |_, answer| answers.push(answer.is_ok()))
        .await
        .unwrap();
    assert_eq!(answers, [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_second_answer_is_found_before_the_next_command() {
    let (mut session, server) = logged_in(
        PLAIN,
        vec![
            Expect("NOOP\r\n"),
            Say("+OK\r\n"),
            Wait(SECOND),
            Say("+OK twice\r\n"),
        ],
    )
    .await;
    session
        .dialogue
        .command(Command::Noop)
        .await
        .unwrap()
        .unwrap();
    sleep(2 * SECOND).await;
    let error = session.quit().await.unwrap_err();
    assert!(matches!(
        error,
        Error::Protocol {
            fault: pop3::Error::Leftover { .. },
            ..
        }
    ));
    drop(session);
    assert_eq!(server.await.unwrap(), "", "not even QUIT goes out");
}

/// RFC 2449 §5: what a server can do may be more behind the login. Gmail is so.
#[tokio::test(start_paused = true)]
async fn pipelining_that_shows_only_behind_the_login_is_used_where_it_is_worth_asking() {
    let flight = |numbers: std::ops::RangeInclusive<u32>| {
        let lines: Vec<String> = numbers.map(|number| format!("RETR {number}\r\n")).collect();
        &*lines.concat().leak()
    };
    let before = "+OK\r\nUSER\r\n.\r\n";
    let answers = &*"+OK\r\none\r\n.\r\n".repeat(8).leak();
    let script = vec![
        // Not worth it.
        Expect("RETR 1\r\n"),
        Say("+OK\r\none\r\n.\r\n"),
        Expect("CAPA\r\n"),
        Say(PIPELINING),
        Expect(flight(1..=8)),
        Say(answers),
        Expect(flight(1..=8)),
        Say(answers),
    ];
    let (mut session, server) = logged_in(before, script).await;
    let mut sink = Collected::default();
    session.retr(wanted(1..=1), &mut sink).await.unwrap();
    session.retr(wanted(1..=8), &mut sink).await.unwrap();
    session.retr(wanted(1..=8), &mut sink).await.unwrap();
    assert_eq!(sink.0.lock().unwrap().len(), 17);
    drop(session);
    assert_eq!(server.await.unwrap(), "");
}

/// Where it does not show then either, one by one; asked once, and not where CAPA is unknown.
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_pipeline_is_asked_again_once() {
    for (before, again) in [
        (PLAIN, Some(PLAIN)),
        (PLAIN, Some("-ERR not now\r\n")),
        ("-ERR what\r\n", None),
    ] {
        let mut script = Vec::new();
        if let Some(again) = again {
            script.extend([Expect("CAPA\r\n"), Say(again)]);
        }
        for _ in 0..2 {
            for number in 1..=8 {
                script.push(Expect(format!("RETR {number}\r\n").leak()));
                script.extend([Wait(SECOND), Say("+OK\r\none\r\n.\r\n")]);
            }
        }
        let (mut session, server) = logged_in(before, script).await;
        let known = session.capabilities().clone();
        let mut sink = Collected::default();
        session.retr(wanted(1..=8), &mut sink).await.unwrap();
        session.retr(wanted(1..=8), &mut sink).await.unwrap();
        assert_eq!(session.capabilities(), &known);
        drop(session);
        assert_eq!(server.await.unwrap(), "");
    }
}

/// XPOP3:C0005: a server may hang up once it has refused; why, it may have said before.
#[tokio::test(start_paused = true)]
async fn the_last_words_before_a_close_are_passed_on() {
    let (ours, mut theirs) = duplex(1 << 16);
    let mut session = Session::over(Box::new(ours), 60 * SECOND);
    theirs.write_all(b"+OK\r\n").await.unwrap();
    session.greeting().await.unwrap();
    theirs
        .write_all(b"-ERR Command is not valid. 21\r\n")
        .await
        .unwrap();
    session.dialogue.queue(Command::Capa).unwrap();
    session
        .dialogue
        .converse(|_| ControlFlow::Break(()))
        .await
        .unwrap();
    drop(theirs);
    let error = session
        .dialogue
        .command(Command::Capa)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("ended the session: `Command is not valid. 21`"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stat_that_makes_no_sense_ends_the_session_without_quit() {
    let (mut session, server) =
        logged_in(PLAIN, vec![Expect("STAT\r\n"), Say("+OK lots\r\n")]).await;
    let error = session.listings(false, |_| ()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server's reply to STAT makes no sense: `lots`"
    );
    assert!(session.quit().await.is_err());
    drop(session);
    assert_eq!(server.await.unwrap(), "");
}

/// A slow disk of ours: the server is kept awake, and nothing else happens.
#[tokio::test(start_paused = true)]
async fn a_noop_goes_out_while_we_are_the_slow_side() {
    let (mut session, server) = logged_in(
        PLAIN,
        vec![
            Expect("NOOP\r\n"),
            Say("+OK\r\n"),
            Expect("NOOP\r\n"),
            Say("+OK\r\n"),
        ],
    )
    .await;
    session.keep_alive_while(sleep(50 * SECOND)).await.unwrap();
    drop(session);
    assert_eq!(server.await.unwrap(), "");
}

#[test]
fn locked_maildrops_are_temporary_and_wrong_passwords_are_not() {
    let refusal = |line: &str| {
        Refusal::new(Some(Keyword::Pass), Response::parse(line.as_bytes())).is_temporary()
    };
    for line in [
        "-ERR [IN-USE] Do you have another POP session running?",
        "-ERR [LOGIN-DELAY] minimum time between logins",
        "-ERR [SYS/TEMP] try later",
        "-ERR maildrop already locked",
        "-ERR Mailbox busy",
        "-ERR Server Unavailable. 21",
        "-ERR lock busy!  Is another session active? (11)",
        "-ERR Temporary problem, please try again later",
        "-ERR Account is temporarily unavailable",
        "-ERR Exceeded the login limit for a 15 minute period. Reduce the frequency of requests",
        "-ERR too many connections",
        "-ERR Too many login failures, try again in 15 minutes",
        "-ERR Authentication failed: too many attempts",
        "-ERR login rate exceeded",
        "-ERR You log in too frequently",
        "-ERR Request throttled",
        "-ERR [X-LIMIT] Rate limit reached",
        "-ERR Server is overloaded, please try again",
        "-ERR Connection is closed. 21",
    ] {
        assert!(refusal(line), "{line}");
    }
    for line in [
        "-ERR [AUTH] mailbox locked",
        "-ERR [SYS/PERM] operator needed",
        "-ERR Logon failure: unknown user name or bad password.",
        "-ERR account locked",
        "-ERR Invalid password, please try again",
        "-ERR Authentication failed, try again",
        "-ERR [AUTH] too many letters in the password",
        "-ERR",
    ] {
        assert!(!refusal(line), "{line}");
    }
}
