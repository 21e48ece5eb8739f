//! Idle timers, delays and other things of time, with a clock that the tests advance.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::time::Duration;

use crate::support::{Client, PASSWORD, Talk, USER, plain, three, with_messages};
use exchange_sim::{At, Drip, Knobs, ManualClock, Profile, Server, Unsolicited};

const NOTICE: &str = "-ERR Connection is closed. Idle timeout";

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn server(clock: &ManualClock, knobs: Knobs) -> Server {
    with_messages(Profile::Ex2016, &three())
        .knobs(knobs)
        .clock(clock.clone())
        .start()
        .unwrap()
}

#[test]
fn before_login_the_connection_lasts_sixty_seconds() {
    let clock = ManualClock::default();
    let server = server(&clock, plain());
    let mut client = Client::connect(&server);
    client.line();
    clock.advance(seconds(59));
    assert!(client.is_silent());
    clock.advance(seconds(1));
    assert_eq!(client.line(), NOTICE);
    assert_eq!(client.rest().0, b"");
}

#[test]
fn any_complete_command_resets_the_timer_and_a_part_of_one_does_not() {
    let clock = ManualClock::default();
    let server = server(&clock, plain());
    let mut client = Client::connect(&server);
    client.line();
    clock.advance(seconds(50));
    assert!(client.ask("NONSENSE").starts_with("-ERR"));
    clock.advance(seconds(50));
    client.send("CAP");
    assert!(client.is_silent());
    clock.advance(seconds(10));
    assert_eq!(client.line(), NOTICE);
}

#[test]
fn after_login_the_connection_lasts_half_an_hour_and_nothing_is_deleted() {
    let clock = ManualClock::default();
    let server = server(&clock, plain());
    let mut client = Client::logged_in(&server);
    assert_eq!(client.ask("DELE 1"), "+OK");
    clock.advance(seconds(1799));
    assert!(client.is_silent());
    clock.advance(seconds(1));
    assert_eq!(client.line(), NOTICE);
    assert!(client.rest().0.is_empty());
    assert!(server.wait_until_idle(seconds(5)));
    assert_eq!(server.mailbox(USER).len(), 3);
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[test]
fn noop_keeps_a_session_alive() {
    let clock = ManualClock::default();
    let server = server(&clock, plain());
    let mut client = Client::logged_in(&server);
    for _ in 0..5 {
        clock.advance(seconds(1700));
        assert_eq!(client.ask("NOOP"), "+OK");
    }
}

#[test]
fn the_timer_stands_still_while_an_answer_is_sent() {
    let clock = ManualClock::default();
    let mut talk = Talk::new(
        with_messages(Profile::Ex2016, &three())
            .knobs(Knobs {
                drip: Some(Drip {
                    octets: 10,
                    every: seconds(600),
                }),
                ..plain()
            })
            .clock(clock.clone()),
    );
    let mut output = String::new();
    let mut turns = 0;
    talk.session
        .receive(format!("USER {USER}\r\nPASS {PASSWORD}\r\nRETR 3\r\n").as_bytes());
    while !output.ends_with("line 3\r\n.\r\n") {
        output += &talk.output();
        clock.advance(seconds(600));
        talk.session.tick();
        turns += 1;
        assert!(turns < 100, "{output}");
    }
    assert!(!talk.is_closed());
}

#[test]
fn a_handshake_that_never_comes_ends_too() {
    let clock = ManualClock::default();
    let server = server(&clock, plain());
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", server.pop3s_port())).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    clock.advance(seconds(60));
    let mut rest = Vec::new();
    // An alert may come before the end, but no line.
    std::io::Read::read_to_end(&mut socket, &mut rest).unwrap();
    assert!(!rest.contains(&b'\n'));
}

#[test]
fn timers_have_the_ranges_of_exchange() {
    for (pre, auth, fine) in [
        (29, 1800, false),
        (30, 30, true),
        (3600, 86_400, true),
        (3601, 1800, false),
        (60, 86_401, false),
    ] {
        let knobs = Knobs {
            pre_auth_timeout: seconds(pre),
            auth_timeout: seconds(auth),
            ..Knobs::default()
        };
        let made = Server::builder(Profile::Ex2016).knobs(knobs).site();
        assert_eq!(made.is_ok(), fine, "{pre} {auth}");
    }
}

#[test]
fn the_notice_can_be_another_or_none() {
    let clock = ManualClock::default();
    let knobs = Knobs {
        idle_notice: None,
        pre_auth_timeout: seconds(30),
        ..plain()
    };
    let server = server(&clock, knobs);
    let mut client = Client::connect(&server);
    client.line();
    clock.advance(seconds(30));
    assert_eq!(client.rest().0, b"");
}

#[test]
fn an_unsolicited_line_comes_once_after_its_time() {
    let clock = ManualClock::default();
    let knobs = Knobs {
        unsolicited: Some(Unsolicited {
            after: seconds(10),
            line: b"+OK are you there?\r\n".to_vec(),
        }),
        ..plain()
    };
    let server = server(&clock, knobs);
    let mut client = Client::logged_in(&server);
    clock.advance(seconds(10));
    assert_eq!(client.line(), "+OK are you there?");
    clock.advance(seconds(10));
    assert!(client.is_silent());
    assert!(client.ask("STAT").starts_with("+OK 3"));
}

#[test]
fn a_drip_sends_a_few_octets_at_a_time() {
    let clock = ManualClock::default();
    let knobs = Knobs {
        drip: Some(Drip {
            octets: 3,
            every: seconds(1),
        }),
        ..plain()
    };
    let mut talk = Talk::new(
        with_messages(Profile::Ex2016, &[])
            .knobs(knobs)
            .clock(clock.clone()),
    );
    assert_eq!(talk.output(), "+OK");
    assert_eq!(talk.output(), "");
    clock.advance(seconds(1));
    assert_eq!(talk.output(), " Th");
}

#[test]
fn delays_are_by_the_servers_clock() {
    let clock = ManualClock::default();
    let knobs = Knobs {
        refusal_delay: seconds(5),
        delay: Some((At::verb("CAPA"), seconds(3))),
        ..plain()
    };
    let server = server(&clock, knobs);
    let mut client = Client::connect(&server);
    client.line();
    client.send("CAPA\r\n");
    assert!(client.is_silent());
    clock.advance(seconds(3));
    assert_eq!(client.line(), "+OK");
    client.lines();
    client.ask(&format!("USER {USER}"));
    client.send("PASS wrong\r\n");
    assert!(client.is_silent());
    clock.advance(seconds(5));
    assert!(client.line().starts_with("-ERR Logon failure"));
}

#[test]
fn login_delay_is_announced_and_enforced() {
    let clock = ManualClock::default();
    let knobs = Knobs {
        login_delay: Some(300),
        ..plain()
    };
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(knobs)
        .clock(clock.clone())
        .site()
        .unwrap();
    let mut talk = Talk::on(&site).log_in();
    assert!(talk.ask("CAPA").contains("\r\nLOGIN-DELAY 300 USER\r\n"));
    talk.ask("QUIT");
    let mut early = Talk::on(&site);
    early.output();
    early.ask(&format!("USER {USER}"));
    let answer = early.ask(&format!("PASS {PASSWORD}"));
    assert!(answer.starts_with("-ERR [LOGIN-DELAY] "), "{answer}");
    clock.advance(seconds(300));
    assert!(Talk::on(&site).log_in().ask("STAT").starts_with("+OK 3"));
}

#[test]
fn a_maildrop_can_be_busy_after_quit() {
    let clock = ManualClock::default();
    let knobs = Knobs {
        busy_after_quit: Some(seconds(5)),
        ..plain()
    };
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(knobs)
        .clock(clock.clone())
        .site()
        .unwrap();
    Talk::on(&site).log_in().ask("QUIT");
    let mut early = Talk::on(&site);
    early.output();
    early.ask(&format!("USER {USER}"));
    assert!(
        early
            .ask(&format!("PASS {PASSWORD}"))
            .starts_with("-ERR [IN-USE] ")
    );
    clock.advance(seconds(5));
    assert!(Talk::on(&site).log_in().ask("STAT").starts_with("+OK 3"));
}

#[test]
fn an_update_can_come_late() {
    let clock = ManualClock::default();
    let knobs = Knobs {
        update_delay: Some(seconds(20)),
        ..plain()
    };
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(knobs)
        .clock(clock.clone())
        .site()
        .unwrap();
    let mut talk = Talk::on(&site).log_in();
    talk.ask("DELE 1");
    assert!(talk.ask("QUIT").starts_with("+OK"));
    assert_eq!(site.mailbox(USER).len(), 3);
    clock.advance(seconds(20));
    assert_eq!(site.mailbox(USER).len(), 2);
}

#[test]
fn a_drop_can_hide_or_lose_mail() {
    let clock = ManualClock::default();
    let site = with_messages(Profile::Ex2016, &three())
        .knobs(Knobs {
            hidden_after_drop: Some(seconds(600)),
            ..plain()
        })
        .clock(clock.clone())
        .site()
        .unwrap();
    let mut talk = Talk::on(&site).log_in();
    talk.ask("DELE 1");
    talk.session.end(true);
    assert!(Talk::on(&site).log_in().ask("STAT").starts_with("+OK 2 "));
    clock.advance(seconds(600));
    assert!(Talk::on(&site).log_in().ask("STAT").starts_with("+OK 3 "));
    site.set_knobs(Knobs {
        drop_empties: true,
        ..plain()
    });
    let mut talk = Talk::on(&site).log_in();
    talk.session.end(true);
    assert!(site.mailbox(USER).is_empty());
}
