//! The suite's interface to a server, and a client that checks the results independently of
//! popsync.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::alteration::Alteration;
use support::dovecot::PASSWORD;
use support::mail::Mail;

/// The time limit for a server to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The user of every server.
pub(crate) const USER: &str = "anna";

/// A running server with one mailbox, empty at first.
pub(crate) trait Server {
    /// Its name.
    const NAME: &'static str;

    /// The source of its unique-ids.
    const UNIQUE_IDS: &'static str;

    /// The changes that this server makes to delivered octets before they reach the wire.
    const ALTERATIONS: &'static [Alteration];

    /// The statements that it breaks in a way that popsync tolerates.
    const TOLERATED: &'static [&'static str];

    /// Facts that `popsync probe` reports about it, among others.
    const PROBED: &'static [&'static str];

    /// Messages that the server does not accept, by their names, and the reasons.
    const REFUSES: &'static [(&'static str, &'static str)] = &[];

    /// True if messages of the same content have the same unique-id. Then popsync cannot
    /// distinguish them, and keeps one.
    const TWINS_ARE_ONE: bool = false;

    /// Starts a new one.
    fn start() -> Self;

    /// The URL of the mailbox for popsync.
    fn url(&self) -> String;

    /// The flags by which popsync trusts the server, or does without TLS.
    fn trust(&self) -> Vec<String>;

    /// The port without TLS.
    fn plain_port(&self) -> u16;

    /// Puts messages into the mailbox as the server's own delivery does.
    fn deliver(&self, mails: &[Mail]);

    /// Waits until an earlier session has left nothing behind, such as the lock of the mailbox.
    fn settle(&self) {}

    /// A stored message without the parts that differ between two RETR of the same one.
    fn comparable(&self, octets: Vec<u8>) -> Vec<u8> {
        octets
    }

    /// Another client's session.
    fn session(&self) -> Session {
        self.settle();
        Session::begin(self.plain_port())
    }

    /// The number of messages, by another client's STAT.
    fn messages(&self) -> usize {
        let mut session = self.session();
        let stat = session.command("STAT");
        session.quit();
        let count = stat.split(' ').nth(1).unwrap();
        count.parse().unwrap()
    }

    /// Another client deletes the message with this number.
    fn delete(&self, number: usize) {
        let mut session = self.session();
        session.command(&format!("DELE {number}"));
        session.quit();
    }
}

/// The greeting of the server on a port of 127.0.0.1.
pub(crate) fn greeting(port: u16) -> io::Result<String> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line)
}

/// A session of a client that is not popsync, after its login.
pub(crate) struct Session(BufReader<TcpStream>);

impl Session {
    fn begin(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut session = Self(BufReader::new(stream));
        session.line();
        session.command(&format!("USER {USER}"));
        session.command(&format!("PASS {PASSWORD}"));
        session
    }

    /// Sends a command, which must succeed, and returns the first line of its answer.
    pub(crate) fn command(&mut self, command: &str) -> String {
        let stream = self.0.get_mut();
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .unwrap();
        let line = self.line();
        assert!(line.starts_with("+OK"), "{command}: {line}");
        line
    }

    /// The lines of a command's answer after the first one. None if it is refused.
    pub(crate) fn lines(&mut self, command: &str) -> Vec<String> {
        let stream = self.0.get_mut();
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .unwrap();
        if !self.line().starts_with("+OK") {
            return Vec::new();
        }
        let lines = std::iter::repeat_with(|| self.line());
        lines.take_while(|line| line != ".").collect()
    }

    /// The unique-id of a message.
    pub(crate) fn unique_id(&mut self, number: usize) -> String {
        let answer = self.command(&format!("UIDL {number}"));
        answer.split(' ').nth(2).unwrap().to_owned()
    }

    /// Ends it, and waits until the server has closed.
    pub(crate) fn quit(mut self) {
        self.command("QUIT");
        assert_eq!(self.line(), "");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
