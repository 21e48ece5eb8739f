//! A simple POP3 server, which misbehaves on request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::mail::header;

/// One message of the maildrop.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) uid: String,
    /// The content of the message.
    pub(crate) mail: usize,
    pub(crate) raw: Arc<[u8]>,
}

/// The kind of server, for a whole life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) pipelining: bool,
    pub(crate) top: bool,
    /// True if LIST gives exact sizes, and RETR too. Otherwise LIST estimates, and RETR gives none.
    pub(crate) exact: bool,
}

impl Manner {
    /// The size that LIST gives.
    pub(crate) fn listed(self, raw: &[u8]) -> u64 {
        let octets = raw.len();
        (if self.exact {
            octets
        } else {
            (octets + 1).next_multiple_of(64)
        }) as u64
    }
}

/// The way in which a server breaks at one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poison {
    Closes,
    ClosesHalfway,
    Garbage,
    Stalls,
}

/// The trouble of the server during one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Quirk {
    #[default]
    None,
    /// It shows an empty maildrop.
    Empty,
    /// It shows only every second message.
    Half,
    /// LIST and STAT leave out the last message that UIDL shows.
    Contradicts,
    /// RETR announces the length of this message, and sends only the beginning.
    Cuts(String),
    /// Dots are not stuffed; RETR announces the length of each message.
    Unstuffed,
    /// It breaks at RETR of this message.
    Breaks(String, Poison),
    /// It accepts deletions, and does not carry them out.
    KeepsAll,
}

/// The events of one session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    /// The listing, once UIDL was asked for.
    pub(crate) listed: Option<Vec<Item>>,
    pub(crate) octets: u64,
    pub(crate) retrieved: Vec<String>,
    pub(crate) deleted: Vec<String>,
}

/// The maildrop, as the test and the sessions see it.
#[derive(Debug, Default)]
pub(crate) struct Maildrop {
    pub(crate) items: Vec<Item>,
    pub(crate) quirk: Quirk,
    pub(crate) sessions: Vec<Session>,
    open: usize,
    ending: bool,
}

#[derive(Debug)]
struct Shared {
    manner: Manner,
    maildrop: Mutex<Maildrop>,
    closed: Condvar,
}

/// A server on a port of its own, until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            manner,
            maildrop: Mutex::default(),
            closed: Condvar::new(),
        });
        let serving = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let mut threads = Vec::new();
            for socket in listener.incoming().map_while(Result::ok) {
                let mut maildrop = serving.maildrop.lock().unwrap();
                if maildrop.ending {
                    break;
                }
                maildrop.open += 1;
                drop(maildrop);
                let shared = Arc::clone(&serving);
                threads.push(thread::spawn(move || {
                    let _ = talk(&shared, &socket);
                    // Reads what the client still sends, so that the client gets all that was sent.
                    let _ = socket.shutdown(Shutdown::Write);
                    let _ = (&socket).read_to_end(&mut Vec::new());
                    shared.maildrop.lock().unwrap().open -= 1;
                    shared.closed.notify_all();
                }));
            }
            for thread in threads {
                thread.join().unwrap();
            }
        });
        Self {
            port,
            shared,
            thread: Some(thread),
        }
    }

    /// The maildrop, once no session is open.
    pub(crate) fn maildrop(&self) -> MutexGuard<'_, Maildrop> {
        let maildrop = self.shared.maildrop.lock().unwrap();
        let open = |maildrop: &mut Maildrop| maildrop.open > 0;
        self.shared.closed.wait_while(maildrop, open).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut maildrop) = self.shared.maildrop.lock() {
            maildrop.ending = true;
        }
        // Wakes the listener.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The messages that a session shows with its quirk, numbered from 1.
fn shown(items: &[Item], quirk: &Quirk) -> Vec<Item> {
    match quirk {
        Quirk::Empty => Vec::new(),
        Quirk::Half => items.iter().step_by(2).cloned().collect(),
        _ => items.to_vec(),
    }
}

fn talk(shared: &Shared, socket: &TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(120)))?;
    let Manner {
        pipelining, top, ..
    } = shared.manner;
    let size = |item: &Item| shared.manner.listed(&item.raw);
    let (shown, quirk, number) = {
        let mut maildrop = shared.maildrop.lock().unwrap();
        maildrop.sessions.push(Session::default());
        let shown = shown(&maildrop.items, &maildrop.quirk);
        (shown, maildrop.quirk.clone(), maildrop.sessions.len() - 1)
    };
    let log = |note: &dyn Fn(&mut Session)| {
        note(&mut shared.maildrop.lock().unwrap().sessions[number]);
    };
    let contradicts = usize::from(quirk == Quirk::Contradicts);
    let counted = shown.len().saturating_sub(contradicts);
    let mut gone = vec![false; shown.len()];
    let mut commands = BufReader::new(socket);
    let mut out = socket;
    out.write_all(b"+OK ready\r\n")?;
    loop {
        let mut line = String::new();
        if commands.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_ascii_whitespace();
        let verb = words.next().unwrap_or("").to_ascii_uppercase();
        let place = words
            .next()
            .and_then(|word| word.parse::<usize>().ok())
            .and_then(|number| number.checked_sub(1))
            .filter(|&place| place < shown.len() && !gone[place]);
        let rows = |upto: usize, value: &dyn Fn(&Item) -> String| {
            let mut rows = String::from("+OK\r\n");
            for (place, item) in shown[..upto].iter().enumerate().filter(|(p, _)| !gone[*p]) {
                rows.push_str(&format!("{} {}\r\n", place + 1, value(item)));
            }
            rows + ".\r\n"
        };
        let answer: Vec<u8> = match (verb.as_str(), place) {
            ("CAPA", _) => format!(
                "+OK\r\nUSER\r\nUIDL\r\n{}{}.\r\n",
                if top { "TOP\r\n" } else { "" },
                if pipelining { "PIPELINING\r\n" } else { "" }
            )
            .into(),
            ("USER" | "PASS" | "NOOP", _) => b"+OK\r\n".to_vec(),
            ("STAT", _) => {
                let left = shown[..counted]
                    .iter()
                    .zip(&gone)
                    .filter(|(_, gone)| !**gone);
                let (count, octets) = left.fold((0, 0), |(count, octets), (item, _)| {
                    (count + 1, octets + size(item))
                });
                log(&|session| session.octets = octets);
                format!("+OK {count} {octets}\r\n").into()
            }
            ("UIDL", _) => {
                log(&|session| session.listed = Some(shown.clone()));
                rows(shown.len(), &|item| item.uid.clone()).into()
            }
            ("LIST", _) => rows(counted, &|item| size(item).to_string()).into(),
            ("TOP", Some(place)) if top => {
                stuffed("+OK", &[header(&shown[place].raw), b"\r\n"].concat())
            }
            ("RETR", Some(place)) => {
                let item = &shown[place];
                log(&|session| session.retrieved.push(item.uid.clone()));
                match retrieve(item, &quirk, shared.manner) {
                    Given::Answer(answer) => answer,
                    Given::Then(part, poison) => {
                        out.write_all(&part)?;
                        if poison == Poison::Stalls {
                            // Silent until the client gives up.
                            commands.read_to_end(&mut Vec::new())?;
                        }
                        return Ok(());
                    }
                }
            }
            ("DELE", Some(place)) => {
                gone[place] = true;
                log(&|session| session.deleted.push(shown[place].uid.clone()));
                b"+OK\r\n".to_vec()
            }
            ("QUIT", _) => {
                if quirk != Quirk::KeepsAll {
                    let gone: Vec<&str> = shown
                        .iter()
                        .zip(&gone)
                        .filter(|(_, gone)| **gone)
                        .map(|(item, _)| item.uid.as_str())
                        .collect();
                    let mut maildrop = shared.maildrop.lock().unwrap();
                    maildrop
                        .items
                        .retain(|item| !gone.contains(&item.uid.as_str()));
                }
                return out.write_all(b"+OK bye\r\n");
            }
            _ => b"-ERR no\r\n".to_vec(),
        };
        out.write_all(&answer)?;
    }
}

/// The answer to RETR.
enum Given {
    Answer(Vec<u8>),
    /// These octets, and then a break.
    Then(Vec<u8>, Poison),
}

fn retrieve(item: &Item, quirk: &Quirk, manner: Manner) -> Given {
    let raw = &*item.raw;
    let status = format!("+OK {} octets", raw.len());
    Given::Answer(match quirk {
        Quirk::Breaks(uid, poison) if *uid == item.uid => {
            let whole = stuffed("+OK", raw);
            let part = whole[..whole.len() / 2].to_vec();
            return match poison {
                Poison::Closes => Given::Then(Vec::new(), *poison),
                Poison::Garbage => Given::Answer(b"what did you say?\r\n".to_vec()),
                Poison::ClosesHalfway | Poison::Stalls => Given::Then(part, *poison),
            };
        }
        Quirk::Cuts(uid) if *uid == item.uid => {
            // In the middle of a line; nothing of a message that is too short.
            let part = raw[..raw.len() / 2].trim_ascii_end();
            let end: &[u8] = if part.is_empty() { b"" } else { b"\r\n" };
            stuffed(&status, &[part, end].concat())
        }
        Quirk::Unstuffed => [status.as_bytes(), b"\r\n", raw, b".\r\n"].concat(),
        _ if manner.exact => stuffed(&status, raw),
        _ => stuffed("+OK", raw),
    })
}

fn stuffed(status: &str, raw: &[u8]) -> Vec<u8> {
    let mut out = format!("{status}\r\n").into_bytes();
    for line in raw.split_inclusive(|&octet| octet == b'\n') {
        // A dot starts a line only after CRLF.
        if line.starts_with(b".") && out.ends_with(b"\r\n") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b".\r\n");
    out
}
