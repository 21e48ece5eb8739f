//! One connection to a server: dialling, TLS, login, commands, time-outs.
//!
//! The methods are named after the commands. What octets mean is for [`crate::pop3`] to say;
//! this layer moves them, never waits without a deadline, and keeps client and server in step:
//! after every reply the input is empty, and anything else ends the session without another
//! command.

use std::convert::Infallible;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::account::{Account, Security};
use crate::auth::binding::ChannelBindings;
use crate::pop3::listing::{DropListing, ScanListing, UniqueIdListing};
use crate::pop3::{
    self, Capabilities, Command, Connection, Event, Keyword, MessageNumber, Printable, Response,
    Tap,
};

pub mod certificate;
mod dial;
mod error;
mod login;
mod pace;
mod pipeline;
mod proxy;
mod sasl;
mod single;
mod tls;
mod watch;
mod wire;

pub use dial::Address;
pub use error::{Awaited, Error, Refusal};
pub use pipeline::{Sink, Wanted};
pub use proxy::ProxyFault;
pub use tls::{CertificateFault, ClientFault, Distrust, RootsFault, TlsFault};
pub use watch::Watch;

use pace::Pace;
use tls::Connector;
use wire::{Secrets, WIRE, trace_command, trace_response};

/// How many octets of decrypted input are taken at a time.
pub const INPUT_SIZE: usize = 64 * 1024;

/// How long the session may lie idle before the server is reminded of us. Servers that cut idle
/// sessions after a minute exist.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long the end of a connection may take behind the server's last words.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A bidirectional stream of octets.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A session with a POP3 server. Dropping it closes the connection without QUIT: nothing is
/// deleted then (RFC 1939 §6).
pub struct Session {
    stream: Box<dyn Stream>,
    connection: Connection,
    /// The text of the greeting.
    greeting: Vec<u8>,
    capabilities: Capabilities,
    /// What a login can be bound to; nothing without TLS.
    bindings: ChannelBindings,
    pace: Pace,
    /// `input[start..end]` is received and not yet read.
    input: Vec<u8>,
    start: usize,
    end: usize,
    output: Vec<u8>,
    /// The text of the last answer, where it was negative: where the server closes next, the
    /// reason.
    last_words: Option<String>,
    /// What no word of the server's is to repeat.
    secrets: Secrets,
    /// All commands of the current retrieval are on their way or answered.
    all_sent: bool,
    /// Octets of message bodies since the last log line about them.
    body_octets: u64,
}

/// What the connection turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Who answered.
    pub address: Address,
    /// Protocol version and cipher suite; none on a plain connection.
    pub tls: Option<String>,
}

/// One line of the listings of a maildrop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing<'a> {
    /// STAT's answer.
    Drop(DropListing),
    /// A line of LIST's answer.
    Scan(ScanListing),
    /// A line of UIDL's answer.
    UniqueId(UniqueIdListing<'a>),
}

impl Session {
    /// Connects as the account says, up to the point where it may log in: greeting, and STLS
    /// where it is due. `capa` tells whether CAPA may be sent.
    async fn open(
        account: &Account,
        capa: bool,
        watch: Option<&Arc<dyn Watch>>,
    ) -> Result<(Self, Peer), Error> {
        let server = &account.server;
        let connector = match server.security {
            Security::Plain => None,
            Security::ImplicitTls | Security::Stls => Some(connector(account, watch).await?),
        };
        let (stream, address) = dial::dial(account).await?;
        if let Some(watch) = watch {
            watch.connected(&address);
        }
        let protected_by = |protection: String| {
            if let Some(watch) = watch {
                watch.protected(&protection);
            }
            Some(protection)
        };
        let mut peer = Peer { address, tls: None };
        let mut bindings = ChannelBindings::default();
        let mut stream = stream;
        if let (Security::ImplicitTls, Some(connector)) = (server.security, &connector) {
            let (protected, protection) = connector.handshake(stream, account.timeout).await?;
            stream = protected;
            peer.tls = protected_by(protection.words);
            bindings = protection.bindings;
        }
        let mut session = Self::over(stream, account.timeout);
        session.bindings = bindings;
        if let Some(watch) = watch {
            session.connection.tap(Arc::clone(watch) as Arc<dyn Tap>);
        }
        session.greeting().await?;
        if let (Security::Stls, Some(connector)) = (server.security, &connector) {
            if capa {
                session.capa().await?;
            }
            session.stls().await?;
            let plain = std::mem::replace(&mut session.stream, Box::new(tokio::io::empty()));
            let (protected, protection) = connector.handshake(plain, account.timeout).await?;
            session.stream = protected;
            peer.tls = protected_by(protection.words);
            session.bindings = protection.bindings;
            // RFC 2595 §4: whatever was learnt before the handshake may be a forgery.
            session.capabilities = Capabilities::default();
            session.last_words = None;
        }
        tracing::debug!(address = %peer.address, tls = peer.tls.as_deref().unwrap_or("off"), "connected");
        Ok((session, peer))
    }

    fn over(stream: Box<dyn Stream>, timeout: Duration) -> Self {
        Self {
            stream,
            connection: Connection::default(),
            greeting: Vec::new(),
            capabilities: Capabilities::default(),
            bindings: ChannelBindings::default(),
            pace: Pace::new(timeout),
            input: vec![0; INPUT_SIZE],
            start: 0,
            end: 0,
            output: Vec::new(),
            last_words: None,
            secrets: Secrets::default(),
            all_sent: false,
            body_octets: 0,
        }
    }

    async fn greeting(&mut self) -> Result<(), Error> {
        let mut text = Vec::new();
        let refusal = self
            .converse(|event| match event {
                Event::Greeting(response) if response.is_positive() => {
                    text = response.text().to_vec();
                    ControlFlow::Break(None)
                }
                Event::Greeting(response) => ControlFlow::Break(Some(Refusal::new(None, response))),
                _ => ControlFlow::Continue(()),
            })
            .await?;
        self.greeting = text;
        refusal.map_or(Ok(()), |refusal| Err(Error::Greeting(refusal)))
    }

    /// Asks what the server can do. A server that does not know the command can do nothing
    /// beyond RFC 1939.
    async fn capa(&mut self) -> Result<(), Error> {
        self.send(&[Command::Capa]).await?;
        self.capa_reply().await
    }

    async fn capa_reply(&mut self) -> Result<(), Error> {
        let mut capabilities = Capabilities::default();
        self.converse(|event| match event {
            Event::Capability(line) => {
                capabilities.push(line);
                ControlFlow::Continue(())
            }
            Event::Reply(Keyword::Capa, response) if response.is_positive() => {
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        })
        .await?;
        tracing::debug!(capabilities = ?capabilities.lines(), "the server's capabilities");
        self.capabilities = capabilities;
        Ok(())
    }

    async fn stls(&mut self) -> Result<(), Error> {
        // Sent whether it was announced or not: an answer of the server's is better than a
        // capability list that anybody on the way could have changed.
        match self.command(Command::Stls).await {
            Ok(answer) => answer.map_err(Error::StlsRefused),
            Err(Error::Protocol {
                fault: pop3::Error::Leftover { text },
                ..
            }) => Err(Error::StlsInjected { text }),
            Err(error) => Err(error),
        }
    }

    /// What the server said it can do.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Lists the maildrop: STAT, UIDL, and LIST where `scan` asks for it; in one flight where
    /// the server pipelines.
    ///
    /// A refused LIST costs sizes, which are hints, and nothing else.
    ///
    /// # Errors
    /// [`Error::Refused`] for STAT or UIDL.
    pub async fn listings(
        &mut self,
        scan: bool,
        mut take: impl FnMut(Listing<'_>) + Send,
    ) -> Result<(), Error> {
        let commands: &[Command<'_>] = if scan {
            &[Command::Stat, Command::Uidl, Command::List]
        } else {
            &[Command::Stat, Command::Uidl]
        };
        if self.capabilities.pipelining() {
            self.list(commands, &mut take).await
        } else {
            for command in commands {
                self.list(std::slice::from_ref(command), &mut take).await?;
            }
            Ok(())
        }
    }

    /// Lists the sizes alone, for a maildrop that [`Self::listings`] was asked for without them.
    ///
    /// # Errors
    /// None but those of the connection.
    pub async fn scan_listing(
        &mut self,
        mut take: impl FnMut(Listing<'_>) + Send,
    ) -> Result<(), Error> {
        self.list(&[Command::List], &mut take).await
    }

    async fn list(
        &mut self,
        commands: &[Command<'_>],
        take: &mut (impl FnMut(Listing<'_>) + Send),
    ) -> Result<(), Error> {
        let mut left = commands.len();
        let mut refusal = None;
        let mut malformed = None;
        self.send(commands).await?;
        self.converse(|event| {
            let complete = match event {
                Event::Reply(Keyword::Stat, response) if response.is_positive() => {
                    match DropListing::parse(response.text()) {
                        Some(listing) => take(Listing::Drop(listing)),
                        None => malformed = Some(response.text().to_vec()),
                    }
                    true
                }
                Event::Reply(keyword, response) if !response.is_positive() => {
                    if keyword != Keyword::List {
                        refusal.get_or_insert_with(|| Refusal::new(Some(keyword), response));
                    }
                    true
                }
                Event::ScanListing(line) => {
                    take(Listing::Scan(line));
                    false
                }
                Event::UniqueIdListing(line) => {
                    take(Listing::UniqueId(line));
                    false
                }
                Event::End(_) => true,
                _ => false,
            };
            left -= usize::from(complete);
            if left == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await?;
        if let Some(line) = malformed {
            self.connection.give_up();
            return Err(self.protocol(pop3::Error::Malformed {
                keyword: Keyword::Stat,
                line,
            }));
        }
        refusal.map_or(Ok(()), |refusal| Err(Error::Refused(refusal)))
    }

    /// Ends the session in good order. Only its success makes deletions more than a wish, and
    /// even then not a certainty (`XPOP3:V0006`).
    ///
    /// # Errors
    /// [`Error::Refused`] where the server could not remove what was deleted.
    pub async fn quit(&mut self) -> Result<(), Error> {
        self.command(Command::Quit).await?.map_err(Error::Refused)
    }

    /// Waits for `work` of ours, and keeps the server from thinking that we are gone.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn keep_alive_while<F: Future>(&mut self, work: F) -> Result<F::Output, Error> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep(KEEP_ALIVE) => {
                    // OPOP3:C0029: a refusal would mean that something is wrong; what follows
                    // will show what.
                    let _ = self.command(Command::Noop).await?;
                }
            }
        }
    }

    /// Ends the session in good order without waiting for the answer, where nothing depends on
    /// it: nothing was deleted.
    ///
    /// # Errors
    /// Those of the connection, which mean nothing any more.
    pub async fn leave(mut self) -> Result<(), Error> {
        self.send(&[Command::Quit]).await?;
        let limit = self.pace.timeout();
        match timeout(limit, self.stream.shutdown()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(self.lost(source)),
            Err(_) => Err(Error::TimedOut {
                awaited: Awaited::Sending,
                after: limit,
            }),
        }
    }

    /// Sends one command and reads its one-line reply.
    async fn command(&mut self, command: Command<'_>) -> Result<Result<(), Refusal>, Error> {
        self.send(&[command]).await?;
        self.reply().await
    }

    /// Reads a one-line reply.
    async fn reply(&mut self) -> Result<Result<(), Refusal>, Error> {
        self.converse(|event| match event {
            Event::Reply(_, response) if response.is_positive() => ControlFlow::Break(Ok(())),
            Event::Reply(keyword, response) => {
                ControlFlow::Break(Err(Refusal::new(Some(keyword), response)))
            }
            _ => ControlFlow::Continue(()),
        })
        .await
    }

    /// Sends commands in one flight.
    async fn send(&mut self, commands: &[Command<'_>]) -> Result<(), Error> {
        self.assert_quiet().await?;
        for &command in commands {
            self.queue(command)?;
        }
        self.flush().await
    }

    /// Puts a command into the output, to be sent by [`Self::flush`].
    fn queue(&mut self, command: Command<'_>) -> Result<(), Error> {
        if self.connection.outstanding() == 0 {
            self.pace.restart();
        }
        self.connection
            .send(command, &mut self.output)
            .map_err(|fault| self.protocol(fault))?;
        trace_command(command);
        if let Command::Apop(_, secret) | Command::Auth(_, Some(secret)) | Command::Pass(secret) =
            command
        {
            self.secrets.add(secret.expose_secret().as_bytes());
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let limit = self.pace.timeout();
        let sent = timeout(limit, async {
            self.stream.write_all(&self.output).await?;
            self.stream.flush().await
        })
        .await;
        // What was sent may have held the password.
        self.output.fill(0);
        self.output.clear();
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(self.lost(source)),
            Err(_) => Err(Error::TimedOut {
                awaited: Awaited::Sending,
                after: limit,
            }),
        }
    }

    /// Makes sure that the server has said nothing since its last reply. A second answer to one
    /// command would otherwise be taken for the answer to the next.
    async fn assert_quiet(&mut self) -> Result<(), Error> {
        if self.connection.is_owed() {
            return Ok(());
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            // So that the runtime looks at the socket once more: what came meanwhile is then
            // not taken for the answer to what is sent next.
            yield_now().await;
            tokio::select! {
                biased;
                read = self.stream.read(&mut self.input) => self.received(read)?,
                () = std::future::ready(()) => return Ok(()),
            }
        }
        match self.drain(&mut |_| ControlFlow::<Infallible>::Continue(())) {
            Ok(ControlFlow::Continue(())) => Ok(()),
            Err(error) => Err(self.autologout().await.unwrap_or(error)),
        }
    }

    /// Whether what nobody asked for is the word that Exchange says before it closes an idle
    /// session (XPOP3:V0003): one negative line, and then the end.
    async fn autologout(&mut self) -> Option<Error> {
        let said = &self.input[self.start..self.end];
        let line = said.strip_suffix(b"\r\n")?;
        if line.first() != Some(&b'-') || line.contains(&b'\n') {
            return None;
        }
        let notice = self.secrets.without(Response::parse(line).text());
        let notice = Some(Printable(&notice).to_string());
        match timeout(LAST_WORDS, self.stream.read(&mut self.input)).await {
            Ok(Ok(0) | Err(_)) => Some(Error::Autologout { notice }),
            Ok(Ok(_)) | Err(_) => None,
        }
    }

    /// Hands every event to `take` until it breaks, reading as needed.
    async fn converse<T>(
        &mut self,
        mut take: impl FnMut(Event<'_>) -> ControlFlow<T> + Send,
    ) -> Result<T, Error> {
        loop {
            if let ControlFlow::Break(value) = self.drain(&mut take)? {
                return Ok(value);
            }
            self.fill().await?;
        }
    }

    /// Hands the events of what was received to `take`, until it breaks or more is needed.
    fn drain<T>(
        &mut self,
        take: &mut impl FnMut(Event<'_>) -> ControlFlow<T>,
    ) -> Result<ControlFlow<T>, Error> {
        let mut input = &self.input[self.start..self.end];
        let mut outcome = ControlFlow::Continue(());
        let mut hidden;
        let failure = loop {
            match self.connection.next_event(&mut input) {
                Ok(None) => break None,
                Err(error) => break Some(error),
                Ok(Some(mut event)) => {
                    match event {
                        Event::Reply(keyword, response) => {
                            trace_response(response, &self.secrets);
                            self.last_words = None;
                            if !response.is_positive() {
                                hidden = self.secrets.without(response.text());
                                event = Event::Reply(keyword, response.with_text(&hidden));
                                self.last_words = Some(Printable(&hidden).to_string());
                            }
                            self.pace.restart();
                        }
                        Event::Greeting(response) => {
                            trace_response(response, &self.secrets);
                            self.pace.restart();
                        }
                        Event::Challenge(_) => {
                            self.last_words = None;
                            tracing::trace!(target: WIRE, "S: + ***");
                            self.pace.restart();
                        }
                        Event::Content(octets) => self.body_octets += octets.len() as u64,
                        Event::Capability(line) => {
                            tracing::trace!(target: WIRE, "S: {}", Printable(line));
                        }
                        Event::End(_) => {
                            tracing::trace!(target: WIRE, octets = self.body_octets, "S: .");
                            self.body_octets = 0;
                            self.pace.restart();
                        }
                        Event::Blank | Event::ScanListing(_) | Event::UniqueIdListing(_) => {}
                    }
                    if let ControlFlow::Break(value) = take(event) {
                        outcome = ControlFlow::Break(value);
                        // With nothing more due, the next event can only be an error.
                        if self.connection.is_owed() {
                            break None;
                        }
                        break self.connection.next_event(&mut input).err();
                    }
                }
            }
        };
        self.start = self.end - input.len();
        match failure {
            Some(error) => Err(self.protocol(error)),
            None => Ok(match outcome {
                ControlFlow::Break(value) => ControlFlow::Break(value),
                ControlFlow::Continue(()) => ControlFlow::Continue(()),
            }),
        }
    }

    /// Reads more input.
    async fn fill(&mut self) -> Result<(), Error> {
        debug_assert_eq!(self.start, self.end, "unread input would be lost");
        (self.start, self.end) = (0, 0);
        let began = Instant::now();
        let deadline = self.pace.deadline(began);
        match timeout_at(deadline, self.stream.read(&mut self.input)).await {
            Ok(read) => {
                self.received(read)?;
                self.pace.received(self.end, began.elapsed());
                Ok(())
            }
            Err(_) => {
                let awaited = match self.connection.awaited() {
                    Some(keyword) => Awaited::Reply(keyword),
                    None => Awaited::Greeting,
                };
                // What comes after all would be taken for the answer to something else.
                self.connection.give_up();
                let after = self.pace.timeout();
                Err(Error::TimedOut { awaited, after })
            }
        }
    }

    fn received(&mut self, read: io::Result<usize>) -> Result<(), Error> {
        match read {
            // Also where TLS ends without close_notify: somebody may have cut it.
            Err(source) => Err(self.lost(source)),
            Ok(0) => Err(match self.connection.end_of_stream() {
                Err(fault) => self.protocol(fault),
                // RFC 1939 §3: a server that has waited too long closes without a word.
                Ok(()) => {
                    self.connection.give_up();
                    Error::Autologout {
                        notice: self.last_words.clone(),
                    }
                }
            }),
            Ok(octets) => {
                self.end = octets;
                Ok(())
            }
        }
    }

    fn protocol(&self, mut fault: pop3::Error) -> Error {
        if let pop3::Error::Leftover { text } | pop3::Error::Malformed { line: text, .. } =
            &mut fault
        {
            *text = self.secrets.without(text).into_owned();
        }
        Error::Protocol {
            last_words: match fault {
                pop3::Error::Closed { .. } => self.last_words.clone(),
                _ => None,
            },
            fault,
        }
    }

    fn lost(&mut self, source: io::Error) -> Error {
        self.connection.give_up();
        Error::Lost {
            last_words: self.last_words.clone(),
            source,
        }
    }
}

/// Makes the TLS settings into something that can connect. Their files are read on a thread
/// that may block, and a pipe that nobody writes to is left behind with it.
async fn connector(account: &Account, watch: Option<&Arc<dyn Watch>>) -> Result<Connector, Error> {
    let (settings, server) = (account.tls.clone(), account.server.clone());
    let watch = watch.cloned();
    let made = spawn_blocking(move || Connector::new(&settings, &server, watch));
    match timeout(account.timeout, made).await {
        Ok(Ok(made)) => made,
        Ok(Err(join)) => std::panic::resume_unwind(join.into_panic()),
        Err(_) => Err(Error::TimedOut {
            awaited: Awaited::Certificates,
            after: account.timeout,
        }),
    }
}

#[cfg(test)]
mod tests;
