//! Knobs about the connection: pieces, cuts, stalls, silence, pipelining, closing.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Client, PASSWORD, Talk, USER, plain, talk, three, tls_config, with_messages};
use exchange_sim::{
    At, Certificate, CloseAfterErr, CloseHow, Cut, CutAt, Drip, Knobs, Profile, Server, StlsStrip,
    What, sample,
};

const GREETING: &[u8] = b"+OK The Microsoft Exchange POP3 service is ready.\r\n";

fn server(knobs: Knobs) -> Server {
    with_messages(Profile::Ex2016, &three())
        .knobs(Knobs {
            login_type: plain().login_type,
            ..knobs
        })
        .start()
        .unwrap()
}

#[test]
fn chunks_have_the_size_asked_for_and_lose_nothing() {
    for chunk in [1, 2, 7, 1000] {
        let seen = Arc::new(Mutex::new(0));
        let most = Arc::clone(&seen);
        let server = with_messages(Profile::Ex2016, &three())
            .knobs(Knobs {
                chunk: Some(chunk),
                ..plain()
            })
            .on_progress(move |progress| {
                let mut seen = most.lock().unwrap();
                assert!(progress.session_octets - *seen <= chunk as u64);
                assert_eq!(progress.total_octets, progress.session_octets);
                *seen = progress.session_octets;
            })
            .start()
            .unwrap();
        let mut client = Client::logged_in(&server);
        assert_eq!(client.message("RETR 2"), three()[1]);
        assert!(client.ask("QUIT").starts_with("+OK"));
        assert!(server.wait_until_idle(Duration::from_secs(5)));
        assert_eq!(server.transcripts()[0].octets_sent, *seen.lock().unwrap());
    }
}

#[test]
fn pieces_can_be_kept_apart() {
    let server = server(Knobs {
        chunk: Some(25),
        chunk_pause: Duration::from_millis(20),
        ..Knobs::default()
    });
    let start = std::time::Instant::now();
    assert!(Client::connect(&server).line().starts_with("+OK"));
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[test]
fn cr_split_ends_a_piece_behind_each_cr() {
    let mut talk = talk(Knobs {
        cr_split: true,
        ..Knobs::default()
    });
    talk.session.receive(b"RETR 1\r\n");
    let mut pieces = Vec::new();
    loop {
        let mut out = Vec::new();
        if talk.session.pull(&mut out) != exchange_sim::Step::Send {
            break;
        }
        pieces.push(String::from_utf8(out).unwrap());
    }
    assert_eq!(
        pieces,
        [
            "+OK\r",
            "\nSubject: one\r",
            "\n\r",
            "\nfirst\r",
            "\n.\r",
            "\n"
        ]
    );
}

#[test]
fn a_cut_happens_at_its_octet_and_in_its_way() {
    for octet in [0, 1, 10, GREETING.len() as u64] {
        let server = server(Knobs {
            cut: Some(Cut::fin(CutAt::Octet(octet))),
            ..Knobs::default()
        });
        let (rest, end) = Client::connect(&server).rest();
        assert_eq!(rest, GREETING[..octet as usize]);
        assert!(end.is_ok());
    }
    let server = server(Knobs {
        cut: Some(Cut::reset(CutAt::Octet(10))),
        ..Knobs::default()
    });
    let (_, end) = Client::connect(&server).rest();
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn tls_can_end_without_close_notify() {
    for how in [CloseHow::Fin, CloseHow::NoCloseNotify] {
        let server = server(Knobs {
            cut: Some(Cut {
                at: CutAt::Octet(10),
                how,
            }),
            ..Knobs::default()
        });
        let (rest, end) = Client::connect_tls(&server).rest();
        assert_eq!(rest, GREETING[..10]);
        assert_eq!(end.is_ok(), how == CloseHow::Fin);
    }
    let server = server(Knobs {
        no_close_notify: true,
        ..Knobs::default()
    });
    let mut client = Client::connect_tls(&server);
    client.line();
    client.ask("QUIT");
    assert!(client.rest().1.is_err());
}

#[test]
fn relative_cuts_find_their_answers() {
    let cut = |at| {
        let site = with_messages(Profile::Ex2016, &three())
            .knobs(Knobs {
                cut: Some(Cut::fin(at)),
                ..plain()
            })
            .site()
            .unwrap();
        let mut talk = Talk::on(&site);
        let mut output = talk.output();
        for line in [
            &format!("USER {USER}"),
            &format!("PASS {PASSWORD}"),
            "RETR 1",
            "RETR 2",
            "DELE 1",
            "QUIT",
        ] {
            if talk.is_closed() {
                break;
            }
            output = talk.ask(line);
        }
        assert!(talk.is_closed());
        (output, site)
    };
    assert_eq!(cut(CutAt::Answer(At::Greeting, 3)).0, "+OK");
    assert_eq!(cut(CutAt::Answer(At::verb("PASS"), 0)).0, "");
    assert_eq!(cut(CutAt::Answer(At::Nth(3), 8)).0, "+OK\r\nSub");
    assert_eq!(cut(CutAt::Answer(At::line("DELE 1"), 999)).0, "+OK\r\n");
    let (output, site) = cut(CutAt::MidRetr {
        number: 2,
        octets: 9,
    });
    assert_eq!(output, "+OK\r\nSubject: ");
    let ids = site.mailbox(USER).unique_ids();
    assert!(site.mailbox(USER).is_retrieved(&ids[0]));
    assert!(!site.mailbox(USER).is_retrieved(&ids[1]));
    let entries = site.transcripts().remove(0).entries;
    let messages: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| match entry.what {
            What::Message {
                number,
                octets,
                complete,
                ..
            } => Some((number, octets, complete)),
            _ => None,
        })
        .collect();
    assert_eq!(messages, [(1, 26, true), (2, 9, false)]);
    let (output, _) = cut(CutAt::AfterRetr(1));
    assert_eq!(output, "+OK\r\nSubject: one\r\n\r\nfirst\r\n.\r\n");
    let (output, site) = cut(CutAt::InQuit(4));
    assert_eq!(output, "+OK ");
    assert_eq!(site.mailbox(USER).len(), 2, "the UPDATE was done");
}

#[test]
fn a_stall_keeps_the_connection_open() {
    let server = server(Knobs {
        stall: Some(10),
        ..Knobs::default()
    });
    let mut client = Client::connect(&server);
    let mut octets = [0; 10];
    let mut read = 0;
    client.patience(Duration::from_secs(5));
    while read < 10 {
        let rest = &mut octets[read..];
        read += client.read(rest);
    }
    assert_eq!(octets, GREETING[..10]);
    assert!(client.is_silent());
}

#[test]
fn a_drip_goes_on_by_itself_in_real_time() {
    let server = server(Knobs {
        drip: Some(Drip {
            octets: 5,
            every: Duration::from_millis(5),
        }),
        ..Knobs::default()
    });
    let mut client = Client::connect(&server);
    assert!(client.line().starts_with("+OK The"));
}

#[test]
fn silence_is_for_one_command_and_closing_for_good() {
    let mut silent = talk(Knobs {
        silent_at: Some(At::Nth(3)),
        ..Knobs::default()
    });
    assert_eq!(silent.ask("STAT"), "");
    assert!(silent.ask("STAT").starts_with("+OK"));
    for how in [CloseHow::Fin, CloseHow::Reset] {
        let server = server(Knobs {
            close_at: Some((At::verb("STAT"), how)),
            ..Knobs::default()
        });
        let mut client = Client::logged_in(&server);
        client.send("STAT\r\n");
        let (rest, end) = client.rest();
        assert!(rest.is_empty());
        assert_eq!(end.is_ok(), how == CloseHow::Fin);
    }
    let server = server(Knobs {
        silent_at: Some(At::Greeting),
        ..Knobs::default()
    });
    assert!(Client::connect(&server).is_silent());
}

#[test]
fn junk_follows_an_answer() {
    let mut talk = talk(Knobs {
        pipelined_junk: Some((At::verb("STAT"), b"+OK twice\r\n".to_vec())),
        ..Knobs::default()
    });
    assert_eq!(talk.ask("STAT"), "+OK 3 4394\r\n+OK twice\r\n");
}

#[test]
fn the_greeting_can_be_anything() {
    for greeting in [
        "-ERR go away\r\n",
        "+OK gr\u{fc}\u{df}e\r\n",
        "+OK [SYS/TEMP] later\r\n",
        "+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n",
        "+OK one\r\n+OK two\r\n",
        "* not POP3\r\n",
        "",
    ] {
        let knobs = Knobs {
            greeting: Some(greeting.into()),
            ..plain()
        };
        let mut talk = Talk::new(with_messages(Profile::Ex2016, &[]).knobs(knobs));
        assert_eq!(talk.output(), greeting);
        assert!(talk.ask("CAPA").starts_with("+OK"));
    }
}

#[test]
fn an_error_closes_when_the_knob_says() {
    for (close_after_err, errors) in [
        (CloseAfterErr::Always, Some(1)),
        (CloseAfterErr::After(2), Some(2)),
        (CloseAfterErr::OnLogin(1), None),
        (CloseAfterErr::Never, None),
    ] {
        let mut talk = talk(Knobs {
            close_after_err,
            ..Knobs::default()
        });
        let closed = (1..=5).find(|_| {
            talk.ask("NONSENSE");
            talk.is_closed()
        });
        assert_eq!(closed, errors, "{close_after_err:?}");
    }
    let mut talk = Talk::new(with_messages(Profile::Ex2016, &[]));
    talk.output();
    for last in [false, false, true] {
        talk.ask("USER x");
        assert!(talk.ask("PASS y").starts_with("-ERR Logon failure"));
        assert_eq!(talk.is_closed(), last, "by default after the third login");
    }
}

#[test]
fn servers_without_pipelining_lose_commands_behind_a_command() {
    let server = server(Knobs {
        pipelining_unsupported: true,
        ..Knobs::default()
    });
    let mut client = Client::logged_in(&server);
    client.send("STAT\r\nNOOP\r\nNOOP\r\n");
    assert!(client.line().starts_with("+OK 3 "));
    assert!(client.is_silent());
    assert!(client.ask("STAT").starts_with("+OK 3 "));
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    let mut talk = talk(Knobs {
        pipelining: true,
        ..Knobs::default()
    });
    assert_eq!(
        talk.say("STAT\r\nDELE 1\r\nSTAT\r\nUIDL\r\n"),
        "+OK 3 4394\r\n+OK\r\n+OK 2 2936\r\n+OK\r\n2 6501\r\n3 6502\r\n.\r\n"
    );
}

#[test]
fn stls_can_be_stripped_broken_and_injected_into() {
    let run = |knobs: Knobs| {
        let server = server(knobs);
        let mut client = Client::connect(&server);
        client.line();
        let capa = client.list("CAPA").contains(&"STLS".to_owned());
        let answer = client.ask("STLS");
        (capa, answer.starts_with("+OK"), client, server)
    };
    for (strip, shown, works) in [
        (StlsStrip::Absent, false, false),
        (StlsStrip::Unannounced, false, true),
        (StlsStrip::Refused, true, false),
        (StlsStrip::HandshakeFails, true, true),
    ] {
        let (capa, ok, ..) = run(Knobs {
            stls_strip: Some(strip),
            ..Knobs::default()
        });
        assert_eq!((capa, ok), (shown, works), "{strip:?}");
    }
    let (_, _, client, server) = run(Knobs {
        stls_strip: Some(StlsStrip::HandshakeFails),
        ..Knobs::default()
    });
    let (_, end) = client.start_tls(&server).rest();
    assert!(format!("{:?}", end.unwrap_err()).contains("HandshakeFailure"));
    let mut injected = Talk::new(with_messages(Profile::Ex2016, &[]).knobs(Knobs {
        stls_inject: Some(b"+OK injected\r\n".to_vec()),
        ..plain()
    }));
    injected.output();
    assert_eq!(
        injected.ask("STLS"),
        "+OK Begin TLS negotiation.\r\n+OK injected\r\n"
    );
}

#[test]
fn bad_certificates_are_refused_for_what_they_are() {
    for (certificate, word) in [
        (Certificate::Expired, "Expired"),
        (Certificate::NotYetValid, "NotValidYet"),
        (Certificate::WrongName, "NotValidForName"),
        (Certificate::WildcardTooWide, "NotValidForName"),
        (Certificate::SelfSigned, "UnknownIssuer"),
        (Certificate::OtherCa, "BadSignature"),
    ] {
        let server = server(Knobs {
            certificate,
            ..Knobs::default()
        });
        let (_, end) = Client::connect_tls(&server).rest();
        let text = format!("{:?}", end.unwrap_err());
        let known = text.contains(word) || text.contains("UnknownIssuer");
        assert!(known, "{certificate:?}: {text}");
        assert!(server.wait_until_idle(Duration::from_secs(5)));
        assert_eq!(server.violations(), Vec::<String>::new());
    }
}

#[test]
fn the_good_certificate_is_good_for_addresses_too() {
    let server = with_messages(Profile::Ex2016, &three())
        .ipv6(true)
        .start()
        .unwrap();
    for address in ["127.0.0.1", "::1"] {
        let mut socket = TcpStream::connect((address, server.pop3s_port())).unwrap();
        let name = rustls::pki_types::ServerName::try_from(address).unwrap();
        let config = tls_config(server.ca_pem());
        let mut tls = rustls::ClientConnection::new(config, name).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut socket);
        stream.write_all(b"QUIT\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.contains("signing off"));
    }
}

#[test]
fn an_old_server_answers_with_protocol_version() {
    let server = server(Knobs {
        tls_version_alert: true,
        ..Knobs::default()
    });
    let (_, end) = Client::connect_tls(&server).rest();
    assert!(format!("{:?}", end.unwrap_err()).contains("ProtocolVersion"));
}

#[test]
fn knobs_are_for_the_next_connections() {
    let server = server(Knobs::default());
    let mut open = Client::logged_in(&server);
    server.set_knobs(Knobs {
        stat_line: Some(b"+OK changed".to_vec()),
        ..plain()
    });
    server.queue_knobs([Knobs {
        stat_line: Some(b"+OK queued".to_vec()),
        ..plain()
    }]);
    assert!(open.ask("STAT").starts_with("+OK 3 "));
    assert_eq!(Client::logged_in(&server).ask("STAT"), "+OK queued");
    assert_eq!(Client::logged_in(&server).ask("STAT"), "+OK changed");
    assert_eq!(server.knobs().stat_line.unwrap(), b"+OK changed");
}

#[test]
fn a_server_that_is_dropped_ends_its_connections_quickly() {
    let server = Server::builder(Profile::Ex2016)
        .user(USER, PASSWORD)
        .messages(USER, [exchange_sim::Content::large(1 << 30)])
        .messages(USER, sample::messages(1, 1))
        .knobs(plain())
        .start()
        .unwrap();
    let mut idle = Client::logged_in(&server);
    let mut busy = Client::logged_in(&server);
    // The client does not read, so the server's thread is inside a write.
    busy.send("RETR 1\r\n");
    let port = server.pop3_port();
    std::thread::sleep(Duration::from_millis(100));
    // Otherwise it would wait for the client for ever.
    let (ended, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(server);
        ended.send(())
    });
    wait.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(idle.rest().0.is_empty());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_client_that_shuts_its_side_still_gets_its_answers() {
    let server = server(Knobs::default());
    let mut client = Client::connect(&server);
    client.send("CAPA\r\nQUIT\r\n");
    client.shut_down();
    let text = String::from_utf8(client.rest().0).unwrap();
    assert!(text.ends_with("signing off.\r\n"), "{text}");
}
