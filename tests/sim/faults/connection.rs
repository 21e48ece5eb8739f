//! The network. (Catalogue 58, 67, 70, 75–78, 80; knobs `silent_at`, `close_at`, `slow_drip`.)

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use exchange_sim::{Act, At, CloseHow, Drip, Knobs, ManualClock, Unsolicited};

use super::table::fault;
use support::bench::{Bench, By, Setup, letters};

/// The time limit for a run with a time-out of a second.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn a_command_that_is_never_answered_ends_the_run_in_time() {
    for verb in ["CAPA", "USER", "PASS", "STAT", "UIDL", "RETR"] {
        let silent = Knobs {
            silent_at: Some(At::verb(verb)),
            ..Knobs::default()
        };
        fault(format!("no answer to {verb}"), silent)
            .hangs()
            .fails(75, "timed out after 1 s waiting for the reply to")
            .unpipelined()
            .holds();
        // With pipelining, the later answers come too early.
        let silent = Knobs {
            silent_at: Some(At::verb(verb)),
            ..Knobs::default()
        };
        fault(format!("no answer to {verb}"), silent)
            .hangs()
            .fails_either(&[75, 76])
            .pipelined()
            .holds();
    }
    let stls = Knobs::default().rule(At::verb("STLS"), Act::Instead(Vec::new()));
    fault("no answer to STLS", stls)
        .by(By::Stls)
        .hangs()
        .fails_before_login(75, "waiting for the reply to STLS")
        .holds();
    for verb in ["DELE", "QUIT"] {
        let silent = Knobs::default().rule(At::verb(verb), Act::Instead(Vec::new()));
        fault(format!("no answer to {verb}"), silent)
            .hangs()
            .keeps_everything(75, &format!("waiting for the reply to {verb}"))
            .deletes()
            .holds();
    }
}

#[test]
fn a_quit_that_is_never_answered_holds_nobody_when_nothing_was_deleted() {
    let silent = Knobs::default().rule(At::verb("QUIT"), Act::Instead(Vec::new()));
    let bench = Setup::with(letters(2)).knobs(silent).start();
    let ended = bench.fetch(&[]).within(SOON).start().end();
    bench.sim.disconnect_all();
    assert_eq!(ended.status, Some(0), "{}", ended.text());
    bench.assert_exactly_once();
}

#[test]
fn a_connection_that_closes_at_any_command_is_told_as_such() {
    for how in [CloseHow::Fin, CloseHow::Reset, CloseHow::NoCloseNotify] {
        for verb in ["USER", "PASS", "STAT", "UIDL", "RETR"] {
            let closed = Knobs {
                close_at: Some((At::verb(verb), how)),
                ..Knobs::default()
            };
            // At RETR the message may be the reason, so others are tried: at most three in vain.
            let sessions = |pipelining| match verb {
                "RETR" => 3,
                // LIST is outstanding, too, and may be the reason.
                "STAT" | "UIDL" if pipelining => 2,
                _ => 1,
            };
            let closed = || {
                fault(format!("{how:?} at {verb}"), closed.clone())
                    .fails(75, "hint: complete mail is stored")
            };
            closed().sessions(sessions(false)).unpipelined().holds();
            closed().sessions(sessions(true)).pipelined().holds();
        }
        let greeting = Knobs {
            close_at: Some((At::Greeting, how)),
            ..Knobs::default()
        };
        fault(format!("{how:?} at once"), greeting)
            .fails_before_login_either(&[69, 75])
            .says("hint: ")
            .holds();
    }
}

#[test]
fn a_stall_anywhere_ends_the_run_in_time() {
    let stall = |octet| Knobs {
        stall: Some(octet),
        ..Knobs::default()
    };
    // In the greeting, in CAPA, in the listings, in messages; if a router drops large packets
    // (catalogue 76), in the first of many octets.
    // Each session stalls there, so at most three bring nothing. A session that retrieves nothing
    // more deletes the messages of the first one.
    for (octet, stored, left) in [
        (0, 0, 4),
        (10, 0, 4),
        (60, 0, 4),
        (130, 0, 4),
        (200, 0, 4),
        (260, 0, 4),
        (330, 1, 3),
    ] {
        fault(format!("a stall at octet {octet}"), stall(octet))
            .hangs()
            .fails(75, "timed out after 1 s")
            .stores_first(stored)
            .leaves(left)
            .deletes()
            .unpipelined()
            .holds();
    }
    // One message in each session, and in the end all.
    fault("a stall at octet 420", stall(420))
        .hangs()
        .retrieves(&[1, 2, 3, 4, 1, 1])
        .unpipelined()
        .holds();
}

#[test]
fn a_server_that_drips_is_given_up() {
    let drip = |octets, every| Knobs {
        drip: Some(Drip { octets, every }),
        ..Knobs::default()
    };
    fault("an octet at a time", drip(1, Duration::from_millis(300)))
        .hangs()
        .fails(75, "timed out after 1 s")
        .unpipelined()
        .holds();
    // Slow, but at a tolerable pace.
    fault(
        "1000 octets at a time",
        drip(1000, Duration::from_millis(50)),
    )
    .arguments(&["--timeout", "5s"])
    .holds();
}

#[test]
fn a_line_that_nobody_asked_for_ends_the_run() {
    for line in [
        "+OK still here\r\n",
        "-ERR Connection is closed. Idle timeout\r\n",
    ] {
        let knobs = Knobs {
            unsolicited: Some(Unsolicited {
                after: Duration::ZERO,
                line: line.into(),
            }),
            ..Knobs::default()
        };
        fault(line, knobs)
            .fails(76, "not asked for")
            .stores_some()
            .unpipelined()
            .holds();
    }
}

#[test]
fn an_idle_time_out_of_the_server_is_told_in_its_own_words() {
    let notice = "-ERR Connection is closed. Idle timeout";
    for notice in [Some(notice), None] {
        let clock = ManualClock::default();
        let of_server = clock.clone();
        let bench = Setup::with(letters(4))
            .knobs(Knobs {
                idle_notice: notice.map(Into::into),
                // The answer is held back until the clock has moved on.
                ..Knobs::default().rule(At::line("RETR 3"), Act::Instead(Vec::new()))
            })
            .build(|builder| builder.clock(of_server))
            .start();
        let site = Arc::clone(bench.sim.site());
        bench.on_command(move |seen, _| {
            if seen.session == 1 && seen.number == Some(3) {
                let (clock, site) = (clock.clone(), Arc::clone(&site));
                // The timer is armed in a moment: until then, moving the clock has no effect.
                thread::spawn(move || {
                    while !site.transcripts()[0].ended {
                        clock.advance(Duration::from_secs(1801));
                        thread::yield_now();
                    }
                });
            }
        });
        let run = bench.fetch(&["--profile", "outlook-2016"]);
        let ended = run.within(SOON).end();
        bench.no_hooks();
        // XPOP3:V0003: the notice is no answer to RETR: what was complete is kept, and no message is
        // to blame. Without it, message 3 comes last.
        let mut stored = bench.held();
        if notice.is_some() {
            assert_eq!(ended.status, Some(75), "{}", ended.text());
            ended.says("Idle timeout");
            assert!(!ended.err.contains("message 3"), "{}", ended.text());
            assert_eq!(bench.sim.transcripts().len(), 1);
            stored.truncate(2);
        } else {
            assert_eq!(ended.status, Some(0), "{}", ended.text());
            assert_eq!(bench.sim.transcripts().len(), 3);
        }
        bench.assert_stored(&stored);
        bench.knobs(Knobs::default());
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        bench.assert_exactly_once();
    }
}

#[test]
fn mail_that_is_hidden_after_a_drop_comes_back_and_is_deleted_then() {
    let clock = ManualClock::default();
    let of_server = clock.clone();
    let bench = Setup::with(letters(4))
        .knobs(Knobs {
            hidden_after_drop: Some(Duration::from_secs(600)),
            close_at: Some((At::verb("QUIT"), CloseHow::Fin)),
            ..Knobs::default()
        })
        .build(|builder| builder.clock(of_server))
        .start();
    bench.fetch(&["--profile", "outlook-2016"]).gives(75);
    bench.knobs(Knobs::default());
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_exactly_once();
    clock.advance(Duration::from_secs(601));
    bench.sim.clear_log();
    bench.fetch(&["--profile", "outlook-2016"]).gives(0);
    bench.assert_exactly_once();
    assert!(bench.mailbox().is_empty());
}

#[test]
fn a_name_without_address_and_a_port_without_server_are_told_apart() {
    let bench = Bench::with(letters(1));
    let ended = bench
        .fetch_from("pop3s://no-such-host.invalid", &["--timeout", "10s"])
        .end();
    assert!(matches!(ended.status, Some(69 | 75)), "{}", ended.text());
    ended.says("no-such-host.invalid");
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ended = bench.fetch_from(&format!("pop3s://{free}"), &[]).gives(69);
    ended.says("cannot connect to");
    ended.says("hint: check the port:");
}

#[test]
fn one_dead_address_of_two_costs_nothing() {
    // The simulator listens on 127.0.0.1; ::1, where the system has it, refuses.
    let bench = Bench::with(letters(2));
    let url = format!("pop3s://localhost:{}", bench.sim.pop3s_port());
    bench.fetch_from(&url, &[]).within(SOON).gives(0);
    bench.assert_exactly_once();
}

/// A server that accepts, sends these texts, one for each line it reads, and is silent from then
/// on.
fn silent_server(words: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let mut stream: TcpStream = stream;
            for (index, words) in words.iter().enumerate() {
                let mut line = String::new();
                if index > 0 && lines.read_line(&mut line).unwrap() == 0 {
                    break;
                }
                stream.write_all(words.as_bytes()).unwrap();
            }
            open.push((stream, lines));
        }
    });
    address.to_string()
}

#[test]
fn a_handshake_that_stalls_is_given_up_in_time() {
    let bench = Bench::with(letters(1));
    let url = format!("pop3s://{}", silent_server(&[]));
    let ended = bench
        .fetch_from(&url, &["--timeout", "1s"])
        .within(SOON)
        .gives(75);
    ended.says("waiting for the TLS handshake");
    let bench = Setup::with(letters(1)).by(By::Stls).start();
    let server = silent_server(&["+OK\r\n", "+OK\r\nSTLS\r\n.\r\n", "+OK go on\r\n"]);
    let url = format!("pop3://{server}");
    let ended = bench
        .fetch_from(&url, &["--timeout", "1s"])
        .within(SOON)
        .gives(75);
    ended.says("waiting for the TLS handshake");
}

#[test]
fn a_server_of_another_protocol_is_no_pop3_server() {
    let bench = Bench::with(letters(1));
    // Plain text where TLS is due.
    let url = format!("pop3s://127.0.0.1:{}", bench.sim.pop3_port());
    let ended = bench
        .fetch_from(&url, &["--timeout", "2s"])
        .within(SOON)
        .gives(69);
    ended.says("hint: is this a TLS port?");
    // TLS where plain text is due: both wait for the other.
    let url = format!("pop3://127.0.0.1:{}", bench.sim.pop3s_port());
    let ended = bench
        .fetch_from(&url, &["--timeout", "1s"])
        .within(SOON)
        .gives(75);
    ended.says("waiting for the greeting");
}
