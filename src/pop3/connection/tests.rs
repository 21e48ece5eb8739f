//! The codec by table: commands sent, octets received, events expected. Every case is fed in pieces
//! of every size.

use std::sync::Mutex;

use proptest::prelude::*;
use secrecy::SecretString;

use super::super::MessageNumber;
use super::super::receive_buffer::MAX_LINE;
use super::*;

mod sasl;

use sasl::after_auth;

/// A connection after login, with these commands outstanding.
fn after_login(commands: &[Command<'_>]) -> Connection {
    let mut connection = Connection::default();
    let mut out = Vec::new();
    let password = SecretString::from("secret");
    replies(&mut connection, b"+OK ready\r\n", 100).unwrap();
    connection.send(Command::User("anna"), &mut out).unwrap();
    replies(&mut connection, b"+OK\r\n", 100).unwrap();
    connection.send(Command::Pass(&password), &mut out).unwrap();
    replies(&mut connection, b"+OK\r\n", 100).unwrap();
    for &command in commands {
        connection.send(command, &mut out).unwrap();
    }
    connection
}

/// The events in `stream` as text, content joined; fed in pieces of `size` octets.
fn replies(connection: &mut Connection, stream: &[u8], size: usize) -> Result<Vec<String>, Error> {
    let mut events: Vec<String> = Vec::new();
    let mut content = String::new();
    for mut piece in stream.chunks(size) {
        while let Some(event) = connection.next_event(&mut piece)? {
            if let Event::Content(octets) = event {
                content.extend(octets.iter().map(|&octet| char::from(octet)));
                continue;
            }
            if !content.is_empty() {
                events.push(format!("content {:?}", std::mem::take(&mut content)));
            }
            events.push(match event {
                Event::Greeting(response) => format!("greeting {}", response.is_positive()),
                Event::Reply(keyword, response) => {
                    let text = String::from_utf8_lossy(response.text());
                    format!("{keyword} {} {text}", response.is_positive())
                }
                Event::Capability(line) => format!("capa {}", String::from_utf8_lossy(line)),
                Event::ScanListing(line) => format!(
                    "scan {:?} {:?}",
                    line.number.map(MessageNumber::as_u32),
                    line.octets
                ),
                Event::UniqueIdListing(line) => format!(
                    "uid {:?} {}",
                    line.number.map(MessageNumber::as_u32),
                    String::from_utf8_lossy(line.unique_id)
                ),
                Event::LoneDot => "lone dot".to_owned(),
                Event::End(keyword) => format!("end {keyword}"),
                Event::Blank => "blank".to_owned(),
                Event::Challenge(text) => format!("challenge {}", String::from_utf8_lossy(text)),
                Event::Content(_) => unreachable!("handled above"),
            });
        }
        assert!(piece.is_empty(), "input left behind without an event");
    }
    Ok(events)
}

#[test]
fn replies_by_table_in_pieces_of_every_size() {
    let n = MessageNumber::new(1).unwrap();
    let cases: &[(&[Command<'_>], &[u8], &[&str])] = &[
        (&[Command::Stat], b"+OK 2 320\r\n", &["STAT true 2 320"]),
        (
            &[Command::List],
            b"+OK\r\n1 120\r\n2 \t200 x\r\n.\r\n",
            &[
                "LIST true ",
                "scan Some(1) Some(120)",
                "scan Some(2) Some(200)",
                "end LIST",
            ],
        ),
        // OPOP3:V0002: any line that begins with a dot ends LIST, UIDL and CAPA.
        (
            &[Command::Uidl],
            b"+OK\r\n1 abc\r\n.trailing\r\n",
            &["UIDL true ", "uid Some(1) abc", "end UIDL"],
        ),
        (
            &[Command::Capa, Command::Noop],
            b"+OK\r\nTOP\r\n..\r\n-ERR no\r\n",
            &["CAPA true ", "capa TOP", "end CAPA", "NOOP false no"],
        ),
        // OPOP3:V0002: but a message goes on.
        (
            &[Command::Retr(n)],
            b"+OK 10 octets\r\n.done\r\n..\r\n+OK\r\n.\r\n",
            &[
                "RETR true 10 octets",
                "lone dot",
                "content \"done\\r\\n.\\r\\n+OK\\r\\n\"",
                "end RETR",
            ],
        ),
        (
            &[Command::Top(n, 0), Command::Retr(n), Command::Dele(n)],
            b"+OK\r\na\r\n.\r\n-ERR gone\r\n+OK\r\n",
            &[
                "TOP true ",
                "content \"a\\r\\n\"",
                "end TOP",
                "RETR false gone",
                "DELE true ",
            ],
        ),
        // A negative reply to a multi-line command is one line.
        (
            &[Command::Uidl, Command::List, Command::Quit],
            b"-ERR\r\n-ERR\r\n+OK bye\r\n",
            &["UIDL false ", "LIST false ", "QUIT true bye"],
        ),
    ];
    for (commands, stream, expected) in cases {
        for size in 1..=stream.len() {
            let mut connection = after_login(commands);
            let events = replies(&mut connection, stream, size).unwrap();
            assert_eq!(&events, expected, "pieces of {size}");
            assert_eq!(connection.outstanding(), 0);
            assert!(!connection.is_mid_reply());
        }
    }
}

#[test]
fn whatever_nobody_asked_for_breaks_the_connection() {
    for (commands, stream) in [
        (&[][..], &b"-ERR autologout\r\n"[..]),
        (&[Command::Stat], b"+OK 1 1\r\n+OK 1 1\r\n"),
        (&[Command::Uidl], b"+OK\r\n.junk\r\n2 def\r\n.\r\n"),
        (&[Command::Noop], b"+OK\r\n\0"),
    ] {
        let mut connection = after_login(commands);
        let error = replies(&mut connection, stream, stream.len()).unwrap_err();
        assert!(matches!(error, Error::Leftover { .. }), "{error}");
        assert_eq!(connection.state(), State::Broken);
        // Not even QUIT, which would make deletions final.
        let sent = connection.send(Command::Quit, &mut Vec::new());
        assert!(matches!(sent, Err(Error::NotNow { .. })));
    }
}

#[test]
fn commands_out_of_order_are_refused_and_send_nothing() {
    let n = MessageNumber::new(1).unwrap();
    let password = SecretString::from("secret");
    let refused = |connection: &mut Connection, commands: &[Command<'_>]| {
        for &command in commands {
            let mut out = Vec::new();
            let sent = connection.send(command, &mut out);
            assert!(matches!(sent, Err(Error::NotNow { .. })), "{command:?}");
            assert!(out.is_empty());
        }
    };
    let mut connection = Connection::default();
    // OPOP3:C0002, C0007: nothing before the greeting.
    refused(
        &mut connection,
        &[Command::Capa, Command::User("a"), Command::Quit],
    );
    replies(&mut connection, b"+OK\r\n", 9).unwrap();
    // OPOP3:C0008: nothing of the TRANSACTION state before login; C0044: USER before PASS.
    refused(
        &mut connection,
        &[
            Command::Stat,
            Command::List,
            Command::Uidl,
            Command::Retr(n),
            Command::Dele(n),
            Command::Noop,
            Command::Top(n, 0),
            Command::Pass(&password),
        ],
    );
    connection
        .send(Command::User("a"), &mut Vec::new())
        .unwrap();
    replies(&mut connection, b"+OK\r\n", 9).unwrap();
    // OPOP3:C0045: after USER only PASS or QUIT.
    refused(
        &mut connection,
        &[Command::Capa, Command::Stls, Command::Stat],
    );
    connection
        .send(Command::Pass(&password), &mut Vec::new())
        .unwrap();
    replies(&mut connection, b"+OK\r\n", 9).unwrap();
    refused(&mut connection, &[Command::User("a"), Command::Stls]);
    connection.send(Command::Quit, &mut Vec::new()).unwrap();
    refused(&mut connection, &[Command::Quit, Command::Noop]);
}

#[test]
fn a_refused_user_leads_back_to_the_start() {
    let mut connection = Connection::default();
    replies(&mut connection, b"+OK\r\n", 9).unwrap();
    connection
        .send(Command::User("a"), &mut Vec::new())
        .unwrap();
    replies(&mut connection, b"-ERR plaintext not permitted\r\n", 9).unwrap();
    assert_eq!(connection.state(), State::Authorization);
    connection.send(Command::Stls, &mut Vec::new()).unwrap();
}

#[test]
fn a_close_within_a_reply_is_an_error_and_between_replies_is_not() {
    let n = MessageNumber::new(1).unwrap();
    let mut connection = after_login(&[Command::Retr(n)]);
    replies(&mut connection, b"+OK\r\nhalf a mess", 100).unwrap();
    assert!(connection.is_mid_reply());
    assert_eq!(
        connection.end_of_stream(),
        Err(Error::Closed {
            awaited: Some(Keyword::Retr)
        })
    );
    assert_eq!(after_login(&[]).end_of_stream(), Ok(()));
    assert_eq!(
        Connection::default().end_of_stream(),
        Err(Error::Closed { awaited: None })
    );
}

#[test]
fn an_endless_listing_ends() {
    let mut connection = after_login(&[Command::Uidl]);
    replies(&mut connection, b"+OK\r\n", 9).unwrap();
    let long = [b"1 ".as_slice(), &vec![b'x'; MAX_LINE - 2], b"\r\n"].concat();
    let error = (0..MAX_LISTING_LINES)
        .find_map(|_| {
            let mut input = long.as_slice();
            connection.next_event(&mut input).err()
        })
        .unwrap();
    assert!(matches!(error, Error::ListingTooLong { .. }));
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic_and_any_cut_gives_the_same(
        stream in proptest::collection::vec(
            prop_oneof![
                Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'+'), Just(b' '), Just(b'1'), any::<u8>()
            ],
            1..300,
        ),
        size in 1_usize..20,
    ) {
        let n = MessageNumber::new(1).unwrap();
        let commands = [Command::Capa, Command::Stat, Command::Uidl, Command::List, Command::Retr(n)];
        let whole = replies(&mut after_login(&commands), &stream, stream.len());
        let cut = replies(&mut after_login(&commands), &stream, size);
        match (whole, cut) {
            (Ok(whole), Ok(cut)) => prop_assert_eq!(whole, cut),
            (Err(whole), Err(cut)) => {
                // The leftover shown depends on how much had come; the verdict does not.
                prop_assert_eq!(std::mem::discriminant(&whole), std::mem::discriminant(&cut));
            }
            (whole, cut) => prop_assert!(false, "{whole:?} against {cut:?}"),
        }
    }
}

/// Records everything that it is shown.
#[derive(Debug, Default)]
struct Shown(Mutex<Vec<String>>);

impl Shown {
    fn note(&self, what: &str, octets: &[u8]) {
        let mut notes = self.0.lock().unwrap();
        let text = octets.escape_ascii().to_string();
        match notes.last_mut() {
            // Messages come in pieces.
            Some(last) if what.starts_with("message") && last.starts_with(what) => {
                last.push_str(&text);
            }
            _ => notes.push(format!("{what} {text}")),
        }
    }
}

impl Tap for Shown {
    fn line(&self, of: Option<Keyword>, place: Place, line: &[u8]) {
        let of = of.map_or("greeting", Keyword::as_str);
        self.note(&format!("{of} {place:?}"), line);
    }

    fn message(&self, of: Keyword, octets: &[u8]) {
        self.note(&format!("message of {of}"), octets);
    }

    fn unfinished(&self, octets: &[u8]) {
        self.note("unfinished", octets);
    }
}

#[test]
fn a_tap_is_shown_every_octet_as_sent() {
    let stream =
        b"+ok ready\r\n+OK \t 2\r\n+OK\r\n1\t120 x\r\n.done\r\n+OK\r\n.x\r\n..\r\n.\r\n+OK\n";
    for size in 1..=stream.len() {
        let shown = Arc::new(Shown::default());
        let mut connection = Connection::default();
        connection.tap(Arc::clone(&shown) as Arc<dyn Tap>);
        connection.state = State::Transaction;
        let number = MessageNumber::new(1).unwrap();
        let commands = [
            Command::Noop,
            Command::Stat,
            Command::List,
            Command::Retr(number),
            Command::Noop,
        ];
        for command in commands {
            connection.send(command, &mut Vec::new()).unwrap();
        }
        replies(&mut connection, stream, size).unwrap();
        connection.end_of_stream().unwrap_err();
        assert_eq!(
            *shown.0.lock().unwrap(),
            [
                "NOOP Status +ok ready",
                r"STAT Status +OK \t 2",
                "LIST Status +OK",
                r"LIST Row 1\t120 x",
                "LIST End .done",
                "RETR Status +OK",
                r"message of RETR .x\r\n..\r\n.\r\n",
                r"unfinished +OK\n",
            ],
            "pieces of {size}"
        );
    }
}

/// Salts and nonces help to guess passwords.
#[test]
fn challenges_are_not_shown_to_a_tap() {
    #[derive(Debug, Default)]
    struct Lines(Mutex<Vec<Vec<u8>>>);
    impl Tap for Lines {
        fn line(&self, _: Option<Keyword>, _: Place, line: &[u8]) {
            self.0.lock().unwrap().push(line.to_vec());
        }
        fn message(&self, _: Keyword, _: &[u8]) {}
        fn unfinished(&self, _: &[u8]) {}
    }
    let lines = Arc::new(Lines::default());
    let mut connection = after_auth(None);
    connection.tap(Arc::clone(&lines) as Arc<dyn Tap>);
    replies(&mut connection, b"+ c2FsdA==\r\n", 9).unwrap();
    connection
        .respond(&SecretString::from("YQ=="), &mut Vec::new())
        .unwrap();
    replies(&mut connection, b"-ERR no\r\n", 9).unwrap();
    assert_eq!(*lines.0.lock().unwrap(), [b"-ERR no".to_vec()]);
}

/// RFC 1939 §3: a line that begins with a dot is stuffed, unless it is the end.
#[test]
fn listings_are_unstuffed_where_rfc_1939_is_kept_to() {
    let cases: &[(&[Command<'_>], &[u8], &[&str])] = &[
        (
            &[Command::Capa],
            b"+OK\r\nUSER\r\n..ext\r\n.x\r\n..\r\nUIDL\r\n.\r\n",
            &[
                "CAPA true ",
                "capa USER",
                "capa .ext",
                "capa x",
                "capa .",
                "capa UIDL",
                "end CAPA",
            ],
        ),
        (
            &[Command::Uidl, Command::List],
            b"+OK\r\n1 .a\r\n..2 b\r\n.\r\n+OK\r\n1 5\r\n.2 7\r\n.\r\n",
            &[
                "UIDL true ",
                "uid Some(1) .a",
                "uid None b",
                "end UIDL",
                "LIST true ",
                "scan Some(1) Some(5)",
                "scan Some(2) Some(7)",
                "end LIST",
            ],
        ),
    ];
    for (commands, stream, expected) in cases {
        for size in 1..=stream.len() {
            let mut connection = after_login(commands);
            connection.unstuff_listings();
            let events = replies(&mut connection, stream, size).unwrap();
            assert_eq!(&events, expected, "pieces of {size}");
        }
    }
}
