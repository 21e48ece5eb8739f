//! A POP3 client of a few lines, plain or under TLS, for the tests of the simulator.
#![expect(clippy::unwrap_used, reason = "a failed test is what it is for")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use exchange_sim::{Builder, Knobs, LoginType, Profile, Server};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

pub(crate) const USER: &str = "anna@example.com";
pub(crate) const PASSWORD: &str = "secret pass";

/// Knobs with which login works without TLS.
pub(crate) fn plain() -> Knobs {
    Knobs {
        login_type: Some(LoginType::PlainText),
        ..Knobs::default()
    }
}

/// A server with one user and these messages.
pub(crate) fn with_messages(profile: Profile, messages: &[&[u8]]) -> Builder {
    Server::builder(profile)
        .user(USER, PASSWORD)
        .messages(USER, messages.iter().copied())
        .plain_port(true)
        .knobs(plain())
}

/// Three short messages.
pub(crate) fn three() -> Vec<&'static [u8]> {
    vec![
        b"Subject: one\r\n\r\nfirst\r\n",
        b"Subject: two\r\n\r\n.second\r\n",
        b"Subject: three\r\n\r\nline 1\r\nline 2\r\nline 3\r\n",
    ]
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(octets),
            Self::Tls(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

pub(crate) struct Client {
    stream: BufReader<Stream>,
}

pub(crate) fn tls_config(ca: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca.as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

fn socket(port: u16) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

impl Client {
    /// Connects without TLS, and does not read the greeting.
    pub(crate) fn connect(server: &Server) -> Self {
        Self::over(Stream::Plain(socket(server.pop3_port())))
    }

    /// Connects with TLS; the handshake is done at the first read.
    pub(crate) fn connect_tls(server: &Server) -> Self {
        Self::over(Self::tls(socket(server.pop3s_port()), server, "localhost"))
    }

    fn over(stream: Stream) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    fn tls(socket: TcpStream, server: &Server, name: &str) -> Stream {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let tls = ClientConnection::new(tls_config(server.ca_pem()), name).unwrap();
        Stream::Tls(Box::new(StreamOwned::new(tls, socket)))
    }

    /// Connects, reads the greeting and logs in.
    pub(crate) fn logged_in(server: &Server) -> Self {
        let mut client = Self::connect(server);
        assert!(client.line().starts_with('+'));
        client.log_in();
        client
    }

    pub(crate) fn log_in(&mut self) {
        assert!(self.ask(&format!("USER {USER}")).starts_with('+'));
        assert!(self.ask(&format!("PASS {PASSWORD}")).starts_with('+'));
    }

    /// Goes on with TLS on the same socket.
    pub(crate) fn start_tls(self, server: &Server) -> Self {
        assert!(self.stream.buffer().is_empty());
        let Stream::Plain(socket) = self.stream.into_inner() else {
            panic!("TLS is on already");
        };
        Self::over(Self::tls(socket, server, "localhost"))
    }

    pub(crate) fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.try_send(octets).unwrap();
    }

    pub(crate) fn try_send(&mut self, octets: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(octets.as_ref())?;
        self.stream.get_mut().flush()
    }

    /// A line without CRLF; lossy.
    pub(crate) fn line(&mut self) -> String {
        let line = self.raw_line();
        assert!(line.ends_with(b"\r\n"), "{line:?}");
        String::from_utf8_lossy(&line[..line.len() - 2]).into_owned()
    }

    /// A line with its line end; empty at the end.
    pub(crate) fn raw_line(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).unwrap();
        line
    }

    /// Sends a command and reads a line.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n"));
        self.line()
    }

    /// Reads lines up to the one that is a dot, which is left out.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line == "." {
                return lines;
            }
            lines.push(line);
        }
    }

    /// Sends a command, wants a positive answer, and reads its lines.
    pub(crate) fn list(&mut self, command: &str) -> Vec<String> {
        let status = self.ask(command);
        assert!(status.starts_with("+OK"), "{command}: {status}");
        self.lines()
    }

    /// The message from RETR or TOP, byte-stuffing undone.
    pub(crate) fn message(&mut self, command: &str) -> Vec<u8> {
        let status = self.ask(command);
        assert!(status.starts_with("+OK"), "{command}: {status}");
        let mut message = Vec::new();
        let mut line_start = true;
        loop {
            let line = self.raw_line();
            assert!(!line.is_empty(), "the connection ended inside a message");
            if line_start && line == b".\r\n" {
                return message;
            }
            let stuffed = line_start && line.starts_with(b".");
            message.extend_from_slice(&line[usize::from(stuffed)..]);
            line_start = message.ends_with(b"\r\n");
        }
    }

    /// All data up to the end of the connection, and an error if the end was not orderly.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut rest = Vec::new();
        let end = self.stream.read_to_end(&mut rest).map(drop);
        (rest, end)
    }

    /// Sets how long reads wait.
    pub(crate) fn patience(&mut self, time: Duration) {
        let socket = match self.stream.get_ref() {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => tls.get_ref(),
        };
        socket.set_read_timeout(Some(time)).unwrap();
    }

    /// True if nothing comes for a moment.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.patience(Duration::from_millis(150));
        let mut octet = [0];
        let read = self.stream.read(&mut octet);
        self.patience(Duration::from_secs(10));
        matches!(read, Err(error) if matches!(error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    }

    pub(crate) fn shut_down(&mut self) {
        let socket = match self.stream.get_ref() {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => tls.get_ref(),
        };
        socket.shutdown(Shutdown::Write).unwrap();
    }
}

/// The engine alone, fed by hand.
pub(crate) struct Talk {
    pub(crate) session: exchange_sim::Session,
    /// The engine's last step.
    pub(crate) step: exchange_sim::Step,
}

impl Talk {
    /// A session on the plain port.
    pub(crate) fn new(builder: Builder) -> Self {
        Self::on(&builder.site().unwrap())
    }

    pub(crate) fn on(site: &Arc<exchange_sim::Site>) -> Self {
        Self {
            session: site.session(exchange_sim::Port::Plain),
            step: exchange_sim::Step::Idle,
        }
    }

    /// A session under TLS.
    pub(crate) fn tls(site: &Arc<exchange_sim::Site>) -> Self {
        Self {
            session: site.session(exchange_sim::Port::Tls),
            step: exchange_sim::Step::Idle,
        }
    }

    /// All output that there is.
    pub(crate) fn output(&mut self) -> String {
        let mut out = Vec::new();
        loop {
            self.step = self.session.pull(&mut out);
            if self.step != exchange_sim::Step::Send {
                return String::from_utf8_lossy(&out).into_owned();
            }
        }
    }

    /// Sends octets and takes all output.
    pub(crate) fn say(&mut self, octets: impl AsRef<[u8]>) -> String {
        self.session.receive(octets.as_ref());
        self.output()
    }

    /// Sends a line and takes all output.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\r\n"))
    }

    /// Takes the greeting and logs in.
    pub(crate) fn log_in(mut self) -> Self {
        self.output();
        self.ask(&format!("USER {USER}"));
        self.ask(&format!("PASS {PASSWORD}"));
        self
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.step, exchange_sim::Step::Close(_))
    }
}

/// A session of the engine, logged in to three messages, under these knobs.
pub(crate) fn talk(knobs: Knobs) -> Talk {
    Talk::new(with_messages(Profile::Ex2016, &three()).knobs(Knobs {
        login_type: knobs.login_type.or(Some(LoginType::PlainText)),
        ..knobs
    }))
    .log_in()
}

impl Client {
    /// Reads what is there.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> usize {
        self.stream.read(into).unwrap()
    }
}
