//! The attacks that other clients fell for, by their numbers: A1–A8 by an attacker in the network,
//! S5–S8 by a server. In none of them is a name or a password sent in the clear.
//!
//! `attacks.toml` names the tests of each, here and elsewhere.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

mod hosts;
mod map;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use exchange_sim::{Act, At, Cut, CutAt, Knobs};

use support::bench::{Bench, By, Ended, PASSWORD, Setup, USER, letters, lock};

/// The time limit for a run if the server hangs and the time-out is a second.
const HANGING: Duration = Duration::from_secs(20);

/// Ways to log in that could reveal something.
const METHODS: [&[&str]; 4] = [
    &["--auth", "user"],
    &["--auth", "plain"],
    &["--auth", "login"],
    &["--auth", "apop", "--profile", "rfc1939"],
];

/// The capabilities of a server that offers everything.
const CAPABILITIES: &[u8] =
    b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\nPIPELINING\r\nSTLS\r\nSASL PLAIN LOGIN CRAM-MD5\r\n.\r\n";

const GREETING: &[u8] = b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n";

/// A server with arbitrary answers that records every octet it receives.
struct Liar {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// One connection to it.
struct Dialogue {
    reader: BufReader<TcpStream>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Liar {
    fn start(script: impl Fn(&mut Dialogue) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
        let all = Arc::clone(&heard);
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, heard) = (Arc::clone(&script), Arc::clone(&all));
                let stream = stream?;
                stream.set_read_timeout(Some(HANGING))?;
                thread::spawn(move || {
                    let reader = BufReader::new(stream);
                    let mut dialogue = Dialogue { reader, heard };
                    script(&mut dialogue)?;
                    dialogue.listen_on()
                });
            }
            Ok::<_, io::Error>(())
        });
        Self { port, heard }
    }

    fn heard(&self) -> Vec<u8> {
        lock(&self.heard).clone()
    }

    /// Asserts that nothing useful to an attacker was received.
    #[track_caller]
    fn assert_knows_nothing(&self, about: &str) {
        let heard = self.heard();
        let text = String::from_utf8_lossy(&heard);
        for words in ["USER", "PASS", "AUTH", "APOP", USER, PASSWORD] {
            assert!(!text.contains(words), "{about}: {words} was sent: {text:?}");
        }
        for skip in 0..3 {
            let octets = [&vec![b'x'; skip][..], PASSWORD.as_bytes()].concat();
            let coded = STANDARD_NO_PAD.encode(octets);
            let inner = &coded[4..coded.len() - 1];
            assert!(!text.contains(inner), "{about}: {text:?}");
        }
    }
}

impl Dialogue {
    fn say(&mut self, octets: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(octets)
    }

    /// The next line. None at the end.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line)?;
        lock(&self.heard).extend_from_slice(&line);
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        Ok((!line.is_empty()).then_some(text))
    }

    /// True if unexpected octets came after the line that was read last.
    fn has_more(&self) -> bool {
        !self.reader.buffer().is_empty()
    }

    /// Greets, and answers CAPA until the client wants TLS.
    fn up_to_stls(&mut self) -> io::Result<()> {
        self.say(GREETING)?;
        while let Some(line) = self.line()? {
            match line.as_str() {
                "STLS" => return Ok(()),
                "CAPA" => self.say(CAPABILITIES)?,
                _ => self.say(b"+OK\r\n")?,
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    /// Reads until the client closes.
    fn listen_on(&mut self) -> io::Result<()> {
        let mut octets = [0; 4096];
        loop {
            match self.reader.read(&mut octets)? {
                0 => return Ok(()),
                read => lock(&self.heard).extend_from_slice(&octets[..read]),
            }
        }
    }
}

/// Runs the program with a false server.
fn visit(liar: &Liar, arguments: &[&str]) -> Ended {
    let bench = Bench::with(letters(1));
    let url = format!("pop3://127.0.0.1:{}", liar.port);
    let all = [&["--timeout", "1s", "-vv"], arguments].concat();
    let ended = bench.fetch_bare(&url, &all).within(HANGING).end();
    bench.assert_stored(&[]);
    ended
}

#[test]
fn a1_without_tls_nothing_is_said() {
    for method in METHODS {
        for answer in [
            &b"-ERR no\r\n"[..],
            b"-ERR\r\n",
            b"+OK\r\n",
            b"+OK begin TLS\r\n",
            b"garbage\r\n",
            b"",
        ] {
            let liar = Liar::start(move |dialogue| {
                dialogue.up_to_stls()?;
                dialogue.say(answer)?;
                // The handshake, read as commands.
                while dialogue.line()?.is_some() {
                    dialogue.say(b"+OK in the clear\r\n")?;
                }
                Ok(())
            });
            let ended = visit(&liar, method);
            let failed = matches!(ended.status, Some(69 | 75 | 76));
            assert!(failed, "{answer:?}: {}", ended.text());
            liar.assert_knows_nothing(&format!("{method:?}, {answer:?}"));
        }
    }
}

#[test]
fn a1_a_server_that_offers_no_tls_hears_nothing() {
    for method in METHODS {
        let liar = Liar::start(|dialogue| {
            dialogue.say(GREETING)?;
            while let Some(line) = dialogue.line()? {
                match line.as_str() {
                    "CAPA" => dialogue.say(b"+OK\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n")?,
                    "STLS" => dialogue.say(b"-ERR what?\r\n")?,
                    _ => dialogue.say(b"+OK\r\n")?,
                }
            }
            Ok(())
        });
        let ended = visit(&liar, method);
        assert_eq!(ended.status, Some(69), "{}", ended.text());
        ended.says("the server offers no encryption");
        liar.assert_knows_nothing(&format!("{method:?}"));
    }
}

#[test]
fn a2_words_in_front_of_the_handshake_end_the_run() {
    for method in METHODS {
        for forged in [
            &b"+OK\r\n"[..],
            CAPABILITIES,
            b"+OK\r\n+OK\r\n+OK logged in\r\n",
            b"\0",
        ] {
            let liar = Liar::start(move |dialogue| {
                dialogue.up_to_stls()?;
                dialogue.say(&[b"+OK\r\n", forged].concat())
            });
            let ended = visit(&liar, method);
            assert_eq!(ended.status, Some(76), "{}", ended.text());
            ended.says("data was injected before the TLS handshake");
            liar.assert_knows_nothing(&format!("{method:?}, {forged:?}"));
        }
    }
}

#[test]
fn a3_only_capabilities_from_behind_the_handshake_count() {
    let lines = |lines: &[&str]| Some(lines.iter().map(|&line| line.to_owned()).collect());
    // A capability announced in plain text is missing: the server takes commands one by one.
    let bench = Setup::with(letters(3))
        .by(By::Stls)
        .knobs(Knobs {
            pipelining: false,
            capa_plain: lines(&["PIPELINING", "UIDL", "USER", "STLS"]),
            capa_tls: lines(&["UIDL", "USER"]),
            ..Knobs::default()
        })
        .start();
    bench.fetch(&["--profile", "rfc1939"]).gives(0);
    bench.assert_exactly_once();
    bench.assert_no_violations();
    // A capability announced only under TLS is used.
    bench.knobs(Knobs {
        capa_plain: lines(&["STLS"]),
        capa_tls: lines(&["UIDL", "USER", "SASL PLAIN"]),
        ..Knobs::default()
    });
    bench.fetch(&["--auth", "plain"]).gives(0);
    bench.assert_exactly_once();
}

#[test]
fn a4_nothing_is_sent_ahead_of_an_answer_to_stls_or_auth() {
    let early: Arc<Mutex<Vec<String>>> = Arc::default();
    for method in METHODS {
        let to = Arc::clone(&early);
        let liar = Liar::start(move |dialogue| {
            dialogue.up_to_stls()?;
            if dialogue.has_more() {
                lock(&to).push("behind STLS".to_owned());
            }
            dialogue.say(b"-ERR\r\n")
        });
        visit(&liar, method);
    }
    for method in &METHODS[..3] {
        let to = Arc::clone(&early);
        let liar = Liar::start(move |dialogue| {
            dialogue.say(GREETING)?;
            while let Some(line) = dialogue.line()? {
                if dialogue.has_more() {
                    lock(&to).push(line.clone());
                }
                match line.as_str() {
                    "CAPA" => dialogue.say(CAPABILITIES)?,
                    "AUTH PLAIN" | "AUTH LOGIN" => dialogue.say(b"-ERR\r\n")?,
                    _ => dialogue.say(b"-ERR no\r\n")?,
                }
            }
            Ok(())
        });
        let ended = visit(&liar, &[&["--tls", "off"], *method].concat());
        assert_ne!(ended.status, Some(0), "{}", ended.text());
    }
    assert_eq!(*lock(&early), [""; 0]);
}

#[test]
fn a5_a_handshake_that_stalls_is_given_up() {
    for (said, method) in [&b""[..], b"\x16\x03\x03", b"\x16\x03\x03\x40\x00\x02"]
        .into_iter()
        .zip(METHODS)
    {
        let liar = Liar::start(move |dialogue| {
            dialogue.up_to_stls()?;
            dialogue.say(b"+OK\r\n")?;
            // The handshake begins; then silence.
            let mut first = [0; 1];
            dialogue.reader.read_exact(&mut first)?;
            dialogue.say(said)
        });
        let ended = visit(&liar, method);
        assert_eq!(ended.status, Some(75), "{}", ended.text());
        ended.says("timed out after 1 s waiting for the TLS handshake");
        liar.assert_knows_nothing(&format!("{said:?}"));
    }
}

#[test]
fn a7_a_mechanism_that_is_taken_away_is_not_replaced_by_a_weaker_one() {
    for (method, name) in [("plain", "PLAIN"), ("login", "LOGIN")] {
        for offered in ["", "SASL NTLM\r\n", "USER\r\n", "USER\r\nSASL CRAM-MD5\r\n"] {
            let capabilities = format!("+OK\r\n{offered}UIDL\r\n.\r\n");
            let liar = Liar::start(move |dialogue| {
                dialogue.say(GREETING)?;
                while let Some(line) = dialogue.line()? {
                    match line.as_str() {
                        "CAPA" => dialogue.say(capabilities.as_bytes())?,
                        "QUIT" => dialogue.say(b"+OK\r\n")?,
                        _ => dialogue.say(b"-ERR no such mechanism\r\n")?,
                    }
                }
                Ok(())
            });
            let ended = visit(&liar, &["--tls", "off", "--auth", method]);
            assert_eq!(ended.status, Some(77), "{offered:?}: {}", ended.text());
            ended.says(name);
            let heard = String::from_utf8(liar.heard()).unwrap();
            for weaker in ["USER ", "PASS ", "APOP "] {
                assert!(!heard.contains(weaker), "{offered:?}: {heard}");
            }
        }
    }
}

#[test]
fn a8_a_message_that_is_cut_off_is_none() {
    for octets in [0, 50, 95] {
        let bench = Setup::with(letters(2))
            .knobs(Knobs {
                cut: Some(Cut::no_close_notify(CutAt::MidRetr { number: 2, octets })),
                ..Knobs::default()
            })
            .start();
        let ended = bench.fetch(&["--profile", "outlook-2019"]).gives(1);
        ended.says("message 2 (6501): the connection to the server was lost");
        bench.assert_stored(&bench.held()[..1]);
        // The second time it is cut off: message 1 is deleted, and message 2 gets its number.
        bench.fetch(&["--profile", "outlook-2016"]).gives(0);
        bench.assert_exactly_once();
        assert!(bench.mailbox().is_empty());
    }
}

#[test]
fn s5_what_a_server_says_cannot_act_on_a_terminal() {
    let text = b"\x1b]0;owned\x07\x1b[31m\x9b2J\xc2\x9b\rHIDDEN\x0b\x7f\xe2\x80\xae\xe2\x80\x8bend";
    for verb in ["USER", "PASS", "STAT", "UIDL", "RETR", "QUIT"] {
        for arguments in [&["-vv"][..], &["-vv", "--json"], &[]] {
            let line = [b"-ERR ", &text[..], b"\r\n"].concat();
            let bench = Setup::with(letters(1))
                .knobs(Knobs::default().rule(At::verb(verb), Act::Instead(line)))
                .start();
            // Every run's output is searched for control characters.
            let ended = bench.fetch(arguments).end();
            // Without UIDL messages are identified by their headers.
            if !["QUIT", "UIDL"].contains(&verb) {
                assert_ne!(ended.status, Some(0), "{verb}: {}", ended.text());
                ended.says("HIDDEN");
            }
            for hidden in ['\u{202e}', '\u{200b}'] {
                assert!(!ended.text().contains(hidden), "{verb}: {}", ended.text());
            }
        }
    }
}

#[test]
fn s6_odd_challenges_end_the_exchange() {
    let huge = [b"+ ", "QUJD".repeat(300_000).as_bytes(), b"\r\n"].concat();
    let challenges: [Vec<u8>; 8] = [
        b"+ \r\n".to_vec(),
        b"+\r\n".to_vec(),
        b"+ not base64!\r\n".to_vec(),
        b"+ QUJ\r\n".to_vec(),
        b"+ \x00\xff\r\n".to_vec(),
        b"+ VXNlcm5hbWU6\r\n".to_vec(),
        b"+OK\r\n".to_vec(),
        huge,
    ];
    for challenge in challenges {
        for method in ["plain", "login"] {
            let answers: Arc<Mutex<usize>> = Arc::default();
            let count = Arc::clone(&answers);
            let about = String::from_utf8_lossy(&challenge[..challenge.len().min(20)]).into_owned();
            let challenge = challenge.clone();
            let liar = Liar::start(move |dialogue| {
                dialogue.say(GREETING)?;
                while let Some(line) = dialogue.line()? {
                    match line.as_str() {
                        "CAPA" => dialogue.say(CAPABILITIES)?,
                        "QUIT" => return dialogue.say(b"+OK\r\n"),
                        "*" => dialogue.say(b"-ERR cancelled\r\n")?,
                        _ => {
                            *lock(&count) += 1;
                            dialogue.say(&challenge)?;
                        }
                    }
                }
                Ok(())
            });
            let ended = visit(&liar, &["--tls", "off", "--auth", method]);
            assert_ne!(ended.status, Some(0), "{about}, {method}: {}", ended.text());
            let answers = *lock(&answers);
            assert!(answers <= 5, "{about}, {method}: {answers} answers");
        }
    }
}

#[test]
fn s8_an_odd_stamp_is_no_challenge() {
    let long = format!("+OK <{}@x>", "a".repeat(1000));
    let endless = format!("+OK <{}@x>", "a".repeat(100_000));
    for (greeting, sends_digest) in [
        (&b"+OK ready <1896.697170952@dbc.mtview.ca.us>"[..], true),
        (b"+OK ready", false),
        (b"+OK <>", false),
        (b"+OK <no at sign>", false),
        (b"+OK 1896.697170952@dbc.mtview.ca.us", false),
        (b"+OK <a@b", false),
        (b"+OK <a\x00b@c>", false),
        (b"+OK <a\x1b[2J@c>", false),
        (b"+OK <\xff\xfe@c>", false),
        (long.as_bytes(), false),
        (endless.as_bytes(), false),
    ] {
        let line = [greeting, b"\r\n"].concat();
        let liar = Liar::start(move |dialogue| {
            dialogue.say(&line)?;
            while let Some(line) = dialogue.line()? {
                match line.as_str() {
                    "CAPA" => dialogue.say(CAPABILITIES)?,
                    _ => dialogue.say(b"-ERR\r\n")?,
                }
            }
            Ok(())
        });
        let arguments = ["--tls", "off", "--auth", "apop", "--profile", "rfc1939"];
        let ended = visit(&liar, &arguments);
        let about = String::from_utf8_lossy(&greeting[..greeting.len().min(40)]).into_owned();
        assert!(
            matches!(ended.status, Some(76 | 77)),
            "{about}: {}",
            ended.text()
        );
        let heard = String::from_utf8(liar.heard()).unwrap();
        assert_eq!(heard.contains("APOP"), sends_digest, "{about}: {heard}");
        for words in ["PASS", PASSWORD] {
            assert!(!heard.contains(words), "{about}: {heard}");
        }
    }
}

/// A message that is cut at a dot may continue with forged replies. A sender of all the mail there
/// knows the number of messages, but not their octets and unique-ids.
#[test]
fn a_reply_that_a_sender_wrote_lets_no_message_be_deleted() {
    let listed = "+OK\r\n1 only\r\n.\r\n";
    // The rest of the message, and its end.
    let forged = "+OK\r\n+OK\r\nthree\r\n.\r\n";
    let guessed = "+OK\r\n1 mine\r\n.\r\n";
    for (stat, uidl, may_delete) in [
        ("+OK 1 50\r\n", listed, true),
        // A server that estimates.
        ("+OK 1 99\r\n", listed, true),
        ("+OK 1 -5\r\n", listed, true),
        ("+OK 1\r\n", listed, false),
        ("+OK 1 99\r\n", forged, false),
        ("+OK 1 99\r\n", guessed, false),
        ("+OK 1 99\r\n", "-ERR no\r\n", false),
        ("+OK 2 50\r\n", listed, false),
    ] {
        let liar = Liar::start(move |dialogue| {
            dialogue.say(GREETING)?;
            let mut is_cut = false;
            while let Some(line) = dialogue.line()? {
                let answer = match line.as_str() {
                    "CAPA" => "+OK\r\nUSER\r\nUIDL\r\n.\r\n",
                    "STAT" if is_cut => stat,
                    "STAT" => "+OK 1 50\r\n",
                    "UIDL" if is_cut => uidl,
                    "UIDL" => listed,
                    "LIST" => "+OK\r\n1 50\r\n.\r\n",
                    "RETR 1" => {
                        is_cut = true;
                        "+OK\r\nSubject: x\r\n\r\none\r\n.\r\n"
                    }
                    _ => "+OK\r\n",
                };
                dialogue.say(answer.as_bytes())?;
            }
            Ok(())
        });
        let bench = Bench::with(letters(1));
        let url = format!("pop3://127.0.0.1:{}", liar.port);
        let arguments = [
            "--tls",
            "off",
            "--profile",
            "outlook-2016",
            "--timeout",
            "1s",
        ];
        let ended = bench.fetch_bare(&url, &arguments).within(HANGING).end();
        let heard = String::from_utf8(liar.heard()).unwrap();
        let text = ended.text();
        assert_eq!(
            heard.contains("DELE"),
            may_delete,
            "{stat}{uidl}: {heard} {text}"
        );
    }
}
