//! Whole dialogues over sockets: login, listings, messages, QUIT, TLS.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Client, PASSWORD, USER, plain, three, with_messages};
use exchange_sim::{Knobs, Profile, Server, sample, wire_form};

#[test]
fn a_session_of_a_good_client_breaks_no_rule() {
    for profile in Profile::ALL {
        let server = with_messages(profile, &three()).start().unwrap();
        let mut client = Client::connect(&server);
        assert!(client.line().starts_with("+OK "), "{profile:?}");
        assert!(client.list("CAPA").contains(&"TOP".to_owned()));
        client.log_in();
        assert!(client.ask("STAT").starts_with("+OK 3 "));
        assert_eq!(client.list("LIST").len(), 3);
        let ids = client.list("UIDL");
        assert_eq!(
            ids,
            server
                .mailbox(USER)
                .unique_ids()
                .iter()
                .enumerate()
                .map(|(i, id)| format!("{} {id}", i + 1))
                .collect::<Vec<_>>()
        );
        for (i, message) in three().iter().enumerate() {
            assert_eq!(client.message(&format!("RETR {}", i + 1)), *message);
        }
        assert_eq!(client.ask("DELE 2"), "+OK");
        assert!(client.ask("QUIT").starts_with("+OK "));
        assert!(client.rest().1.is_ok());
        assert!(server.wait_until_idle(Duration::from_secs(5)));
        assert_eq!(server.violations(), Vec::<String>::new(), "{profile:?}");
        assert_eq!(server.mailbox(USER).len(), 2);
    }
}

#[test]
fn stls_and_the_tls_port_lead_to_the_same_mailbox() {
    let server = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, three())
        .start()
        .unwrap();
    let mut client = Client::connect(&server);
    client.line();
    assert_eq!(
        client.ask("USER anna"),
        "-ERR Command is not valid in this state."
    );
    assert_eq!(client.ask("STLS"), "+OK Begin TLS negotiation.");
    let mut client = client.start_tls(&server);
    assert_eq!(
        client.list("CAPA"),
        ["TOP", "UIDL", "SASL PLAIN", "USER"],
        "STLS is not offered under TLS"
    );
    client.log_in();
    assert_eq!(client.list("LIST").len(), 3);
    client.ask("QUIT");

    let mut client = Client::connect_tls(&server);
    client.line();
    client.log_in();
    assert_eq!(client.list("LIST").len(), 3);
    client.ask("QUIT");
    assert!(client.rest().1.is_ok(), "TLS ends with close_notify");
    assert!(server.wait_until_idle(Duration::from_secs(5)));
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[test]
fn nasty_messages_arrive_octet_for_octet() {
    let nasty = sample::nasty();
    let server = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, nasty.iter().map(|message| message.octets.clone()))
        .start()
        .unwrap();
    let mut client = Client::connect_tls(&server);
    client.line();
    client.log_in();
    for (i, message) in nasty.iter().enumerate() {
        assert_eq!(
            client.message(&format!("RETR {}", i + 1)),
            wire_form(&message.octets),
            "{}",
            message.name
        );
    }
}

/// Quick means without waits: the answers to commands that came together are sent together.
#[test]
fn a_thousand_messages_are_quick_with_pipelining() {
    let writes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&writes);
    let server = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, sample::messages(1000, 7))
        .knobs(Knobs {
            pipelining: true,
            ..plain()
        })
        .on_progress(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        })
        .start()
        .unwrap();
    let mut client = Client::logged_in(&server);
    writes.store(0, Ordering::Relaxed);
    for first in (1..=1000).step_by(100) {
        let commands: String = (first..first + 100)
            .map(|n| format!("RETR {n}\r\n"))
            .collect();
        client.send(commands);
        for _ in 0..100 {
            client.line();
            client.lines();
        }
    }
    let writes = writes.load(Ordering::Relaxed);
    assert!(writes < 200, "{writes} writes for 1000 messages");
}

#[test]
fn a_large_message_needs_no_memory_of_its_size() {
    let server = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, [exchange_sim::Content::large(16 * 1024 * 1024)])
        .knobs(plain())
        .start()
        .unwrap();
    let mut client = Client::logged_in(&server);
    assert_eq!(client.ask("RETR 1"), "+OK");
    let mut octets = 0;
    loop {
        let line = client.raw_line();
        if line == b".\r\n" {
            break;
        }
        octets += line.len();
    }
    assert!(octets > 16 * 1024 * 1024);
}

/// Ten times as many messages take about ten times as long, on any machine.
#[test]
fn listings_of_a_hundred_thousand_messages_are_quick() {
    let few = shortest_listing(10_000);
    let many = shortest_listing(100_000);
    assert!(many < few * 50, "{many:?}, and {few:?} for a tenth");
}

/// The best time of both listings.
#[expect(clippy::unwrap_used, reason = "a failed test is what it is for")]
fn shortest_listing(messages: usize) -> Duration {
    let server = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, (0..messages).map(|_| b"x\r\n".to_vec()))
        .knobs(plain())
        .start()
        .unwrap();
    let times = (0..3).map(|_| {
        let mut client = Client::logged_in(&server);
        let start = Instant::now();
        assert_eq!(client.list("LIST").len(), messages);
        assert_eq!(client.list("UIDL").len(), messages);
        start.elapsed()
    });
    times.min().unwrap()
}

#[test]
fn the_handshake_behind_stls_is_never_taken_for_clear_text() {
    let server = with_messages(Profile::Ex2016, &[]).start().unwrap();
    for _ in 0..100 {
        let mut client = Client::connect(&server);
        client.line();
        client.ask("STLS");
        let mut client = client.start_tls(&server);
        assert!(client.ask("QUIT").starts_with("+OK"));
    }
    assert_eq!(server.violations(), Vec::<String>::new());
}
