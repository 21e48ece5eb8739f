//! Records: transcripts of sessions, all commands, and the rules that clients broke.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::lock;

/// The part of a listing that a transcript keeps.
const KEPT_ROWS: usize = 64 * 1024;

/// The port that a client connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The port of POP3, where TLS begins with STLS if at all.
    Plain,
    /// The port of POP3 inside TLS.
    Tls,
}

/// A session from accept to close, both directions. Credentials are in the clear: tests search for
/// them elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The number of the session, counted from 1 in order of accept.
    pub session: u64,
    /// The port.
    pub port: Port,
    /// The login that was accepted, if one was.
    pub user: Option<String>,
    /// The events, in order.
    pub entries: Vec<Entry>,
    /// Octets sent to the client, TLS not counted.
    pub octets_sent: u64,
    /// The end has been reached.
    pub ended: bool,
}

/// One event in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The time, by the server's clock.
    pub at: Duration,
    /// True if TLS was on.
    pub tls: bool,
    /// The event.
    pub what: What,
}

/// The kind of event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The client sent this line; the line end is left out.
    Client(Vec<u8>),
    /// The server sent this line; the line end is left out.
    Server(Vec<u8>),
    /// The server sent lines of a multi-line answer that is not a message.
    Rows {
        /// The first of them, up to 64 KiB.
        text: Vec<u8>,
        /// Octets of all of them.
        octets: u64,
    },
    /// The server sent a message, or a part of one.
    Message {
        /// The message-number.
        number: u64,
        /// The unique-id in the mailbox.
        unique_id: Vec<u8>,
        /// Octets sent, byte-stuffing and terminator included.
        octets: u64,
        /// True if that was the whole answer.
        complete: bool,
    },
    /// TLS is on from here.
    TlsBegins,
    /// The client broke a rule of the recorder.
    Violation(String),
    /// The client ended the connection, or it broke.
    ClientClosed,
    /// The server ended the connection.
    ServerClosed,
    /// Any other information.
    Note(String),
}

impl Transcript {
    /// The lines that the client sent, without line ends.
    pub fn client_lines(&self) -> Vec<Vec<u8>> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Client(line) => Some(line.clone()),
                _ => None,
            })
            .collect()
    }

    /// The single-line answers and first lines that the server sent, without line ends.
    pub fn server_lines(&self) -> Vec<Vec<u8>> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Server(line) => Some(line.clone()),
                _ => None,
            })
            .collect()
    }

    /// The rules that the client broke in this session.
    pub fn violations(&self) -> Vec<String> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Violation(text) => Some(text.clone()),
                _ => None,
            })
            .collect()
    }

    /// True if the client sent QUIT.
    pub fn has_quit(&self) -> bool {
        self.client_lines()
            .iter()
            .any(|line| line.eq_ignore_ascii_case(b"QUIT"))
    }
}

/// All transcripts of a server.
#[derive(Default)]
pub(crate) struct Log {
    transcripts: Mutex<Vec<Arc<Mutex<Transcript>>>>,
    commands: Mutex<Vec<String>>,
}

impl Log {
    pub(crate) fn begin(&self, session: u64, port: Port) -> Arc<Mutex<Transcript>> {
        let transcript = Arc::new(Mutex::new(Transcript {
            session,
            port,
            user: None,
            entries: Vec::new(),
            octets_sent: 0,
            ended: false,
        }));
        lock(&self.transcripts).push(Arc::clone(&transcript));
        transcript
    }

    pub(crate) fn transcripts(&self) -> Vec<Transcript> {
        let all = lock(&self.transcripts);
        all.iter().map(|one| lock(one).clone()).collect()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        let all = lock(&self.transcripts);
        let mut violations = Vec::new();
        for one in all.iter() {
            let one = lock(one);
            let session = one.session;
            violations.extend(
                one.violations()
                    .iter()
                    .map(|text| format!("session {session}: {text}")),
            );
        }
        violations
    }

    pub(crate) fn add_command(&self, line: &[u8]) {
        lock(&self.commands).push(String::from_utf8_lossy(line).into_owned());
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        lock(&self.commands).clone()
    }

    pub(crate) fn clear(&self) {
        lock(&self.transcripts).retain(|one| !lock(one).ended);
        lock(&self.commands).clear();
    }
}

/// The lines of a multi-line answer that a transcript keeps.
#[derive(Default)]
pub(crate) struct KeptRows {
    text: Vec<u8>,
    octets: u64,
}

impl KeptRows {
    pub(crate) fn add(&mut self, line: &[u8]) {
        self.octets += line.len() as u64;
        if self.text.len() + line.len() <= KEPT_ROWS {
            self.text.extend_from_slice(line);
        }
    }

    pub(crate) fn take(&mut self) -> What {
        What::Rows {
            text: std::mem::take(&mut self.text),
            octets: std::mem::take(&mut self.octets),
        }
    }
}
