//! Exchange's two idle timers (XPOP3:V0002), and its notice before the close (V0003).

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::time::Duration;

use exchange_sim::{Act, At, CloseHow, Knobs, LoginType, ManualClock, Profile, Server};
use popsync::config::{Base, Config};
use popsync::internals::session::{Error, Session};
use popsync::{Account, Exit, Failure};
use secrecy::SecretString;

use super::common::KEEPING;
use support::bench::{Bench, By, PASSWORD, Setup, USER, letter, letters, stored_form};

fn account(port: u16) -> Account {
    let text = format!(
        "[accounts.work]\n\
         server = \"pop3://127.0.0.1:{port}\"\n\
         tls = \"off\"\n\
         user = \"{USER}\"\n\
         profile = \"outlook-2016\"\n\
         maildir = \"/nowhere\"\n\
         timeout = \"30s\"\n"
    );
    let config = Config::parse("config.toml".as_ref(), text.as_bytes(), &Base::current()).unwrap();
    config.accounts.into_iter().next().unwrap()
}

/// A session that is idle for half an hour by the server's clock, and the result of its next
/// command.
async fn idle(knobs: Knobs) -> Error {
    let clock = ManualClock::default();
    let sim = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, letters(2))
        .knobs(Knobs {
            login_type: Some(LoginType::PlainText),
            ..knobs
        })
        .clock(clock.clone())
        .start()
        .unwrap();
    let password = SecretString::from(PASSWORD);
    let account = account(sim.pop3_port());
    let begun = Session::begin(&account, &password, None, |_| {}).await;
    let mut session = begun.unwrap();
    // XPOP3:V0002: 1800 s after login, and a command restarts them.
    clock.advance(Duration::from_secs(1799));
    session.noop().await.unwrap().unwrap();
    clock.advance(Duration::from_secs(1799));
    session.noop().await.unwrap().unwrap();
    clock.advance(Duration::from_secs(1801));
    assert!(sim.wait_until_idle(Duration::from_secs(30)));
    let error = session.noop().await.unwrap_err();
    assert!(session.quit().await.is_err(), "nothing more is sent");
    assert_eq!(sim.mailbox(USER).len(), 2);
    error
}

/// XPOP3:V0002, V0003.
#[tokio::test]
async fn the_word_before_an_autologout_is_the_reason_given() {
    let error = idle(Knobs {
        idle_notice: Some(b"-ERR Connection is closed. Idle \x1btimeout".to_vec()),
        ..Knobs::default()
    })
    .await;
    assert_eq!(
        error.to_string(),
        r"the server ended the session: `Connection is closed. Idle \u{1b}timeout`"
    );
    assert_eq!(error.exit(), Exit::TemporaryFailure);
}

/// XPOP3:V0003 if there is no notice, as in RFC 1939 §3.
#[tokio::test]
async fn an_autologout_without_a_word_is_one_too() {
    let error = idle(Knobs {
        idle_notice: None,
        ..Knobs::default()
    })
    .await;
    assert_eq!(error.to_string(), "the server ended the session");
    assert_eq!(error.exit(), Exit::TemporaryFailure);
}

/// XPOP3:V0003: the notice instead of an answer, and then the end. Its text is shown, and the
/// message is retrieved in the next session.
#[test]
fn the_word_in_place_of_an_answer_is_passed_on_and_deletes_nothing() {
    let bench = Bench::with(letters(3));
    let notice = b"-ERR Connection is closed. Idle timeout\r\n".to_vec();
    bench.knobs(
        Knobs::default()
            .rule(At::line("RETR 3"), Act::Instead(notice))
            .rule(At::line("RETR 3"), Act::CloseAfter(CloseHow::Fin)),
    );
    let ended = bench.sync("profile = \"outlook-2016\"", &[]).end();
    ended.says("`Connection is closed. Idle timeout`");
    bench.knobs(Knobs::default());
    bench.sync("profile = \"outlook-2016\"", &[]).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
}

/// The notice that Exchange sends.
const NOTICE: &[u8] = b"-ERR Connection is closed. 21\r\n";

/// The notice ends the run, in its first session, with this many messages stored; the next run
/// meets the usual server and retrieves the others.
fn ends_and_goes_on(bench: &Bench, keys: &str, usual: Knobs, at: &At, kept: usize) {
    let ended = bench.sync(keys, &[]).end();
    assert_eq!(ended.status, Some(75), "{at:?}: {}", ended.text());
    ended.says("the server ended the session: `Connection is closed. 21`");
    let text = ended.text();
    assert!(!text.contains("message"), "{at:?}: {text}");
    assert_eq!(bench.sim.transcripts().len(), 1, "{at:?}: {text}");
    assert_eq!(bench.mailbox().len(), 3, "{at:?}: {text}");
    assert_eq!(bench.store.len(), kept, "{at:?}: {text}");
    bench.knobs(usual);
    bench.sim.clear_log();
    bench.sync("profile = \"outlook-2016\"", &[]).gives(0);
    let again = bench.sim.commands_of("RETR").len();
    assert_eq!(again, 3 - kept, "{at:?}: retrieved again");
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty(), "{at:?}");
}

/// Tries the notice at each of these places, with one answer at a time or many.
fn at_each(by: By, keys: &str, knobs: &Knobs, places: &[(At, usize)], act: &Act) {
    for pipelining in [false, true] {
        for (at, kept) in places {
            let usual = || Knobs {
                pipelining,
                ..knobs.clone()
            };
            let bench = Setup::with(letters(3)).by(by).knobs(usual()).start();
            bench.knobs(
                usual()
                    .rule(at.clone(), act.clone())
                    .rule(at.clone(), Act::CloseAfter(CloseHow::Fin)),
            );
            let keys = format!("profile = \"outlook-2016\"\n{keys}");
            ends_and_goes_on(&bench, &keys, usual(), at, *kept);
        }
    }
}

/// XPOP3:V0003: the same at any command, with one answer at a time or many. Complete messages are
/// kept and not retrieved again, and no message is suspected.
#[test]
fn the_word_in_place_of_any_answer_blames_no_message() {
    let instead = Act::Instead(NOTICE.to_vec());
    let places = [
        (At::verb("CAPA"), 0),
        (At::verb("USER"), 0),
        (At::verb("PASS"), 0),
        (At::verb_nth("STAT", 1), 0),
        (At::verb("UIDL"), 0),
        (At::verb("LIST"), 0),
        (At::line("RETR 1"), 0),
        (At::line("RETR 2"), 1),
        (At::line("RETR 3"), 2),
        (At::verb_nth("STAT", 2), 3),
        (At::line("DELE 1"), 3),
        (At::line("DELE 2"), 3),
        (At::line("DELE 3"), 3),
        (At::verb("QUIT"), 3),
    ];
    at_each(By::Tls, "", &Knobs::default(), &places, &instead);
    at_each(
        By::Stls,
        "",
        &Knobs::default(),
        &[
            (At::Greeting, 0),
            (At::verb_nth("CAPA", 1), 0),
            (At::verb("STLS"), 0),
            (At::verb_nth("CAPA", 2), 0),
        ],
        &instead,
    );
    // Headers of large messages alone, and a login by SASL.
    let tops = [(At::line("TOP 1 0"), 0), (At::line("TOP 3 0"), 0)];
    let above = "headers-only-above = \"1 B\"";
    at_each(By::Tls, above, &Knobs::default(), &tops, &instead);
    let knobs = Knobs {
        mechanisms_tls: Some(vec!["PLAIN".to_owned()]),
        ..Knobs::default()
    };
    let auth = [(At::verb("AUTH"), 0)];
    at_each(By::Tls, "auth = \"plain\"", &knobs, &auth, &instead);
}

/// XPOP3:V0003: in one segment with the answer before it, whatever that answers. It is whole.
#[test]
fn the_word_behind_an_answer_blames_no_message_either() {
    let after = Act::After(NOTICE.to_vec());
    let places = [
        (At::verb("CAPA"), 0),
        (At::verb("USER"), 0),
        (At::verb("PASS"), 0),
        (At::verb_nth("STAT", 1), 0),
        (At::verb("UIDL"), 0),
        (At::verb("LIST"), 0),
        (At::line("RETR 1"), 1),
        (At::line("RETR 2"), 2),
        (At::line("RETR 3"), 3),
        (At::verb_nth("STAT", 2), 3),
        (At::line("DELE 1"), 3),
        (At::line("DELE 2"), 3),
        (At::line("DELE 3"), 3),
    ];
    at_each(By::Tls, "", &Knobs::default(), &places, &after);
    let early = [(At::Greeting, 0), (At::verb_nth("CAPA", 1), 0)];
    at_each(By::Stls, "", &Knobs::default(), &early, &after);
    let tops = [(At::line("TOP 1 0"), 0), (At::line("TOP 3 0"), 0)];
    let above = "headers-only-above = \"1 B\"";
    at_each(By::Tls, above, &Knobs::default(), &tops, &after);
    // Behind the answer to QUIT all is done.
    let bench = Bench::with(letters(3));
    bench.knobs(
        Knobs::default()
            .rule(At::verb("QUIT"), after)
            .rule(At::verb("QUIT"), Act::CloseAfter(CloseHow::Fin)),
    );
    bench.sync("profile = \"outlook-2016\"", &[]).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
}

/// XPOP3:V0003: in the middle of a message it is a line like any other, and the message is not
/// whole.
#[test]
fn the_word_in_the_middle_of_a_message_keeps_what_was_complete() {
    for pipelining in [false, true] {
        let bench = Bench::with(letters(3));
        let usual = || Knobs {
            pipelining,
            ..Knobs::default()
        };
        let half = [b"+OK\r\nSubject: half\r\n\r\n", NOTICE].concat();
        bench.knobs(
            usual()
                .rule(At::line("RETR 2"), Act::Instead(half))
                .rule(At::line("RETR 2"), Act::CloseAfter(CloseHow::Fin)),
        );
        bench.sync("profile = \"outlook-2019\"", &[]).gives(1);
        bench.assert_stored(&[1, 3].map(|number| stored_form(&letter(number))));
        bench.knobs(usual());
        bench.sync("profile = \"outlook-2016\"", &[]).gives(0);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
    }
}

/// XPOP3:V0002: 60 s before login are too short to wait for a person, so the password comes first.
#[test]
fn the_password_is_there_before_the_server_is_dialled() {
    let bench = Bench::with(letters(1));
    let keys = format!(
        "[accounts.other]\nserver = {:?}\nuser = \"anna\"\nmaildir = \"other\"\n\
         password-command = \"exit 1\"\n{KEEPING}",
        bench.url()
    );
    bench.sync(&keys, &["other"]).gives(77);
    assert!(bench.sim.transcripts().is_empty());
    assert_eq!(bench.store.len(), 0);
}
