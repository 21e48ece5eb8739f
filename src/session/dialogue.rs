//! Commands out, replies in, in step: the octets of a session.
//!
//! Nothing is sent before all that was received is read, and nothing is waited for without a
//! deadline. What cannot be understood breaks the connection for good.

use std::convert::Infallible;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::yield_now;

use super::farewell::is_farewell;
use super::pace::{self, Pace};
use super::refusal::shown;
use super::{Awaited, Error, Refusal, Stream};
use crate::auth::secrets::Secrets;
use crate::pop3::{self, Command, Connection, Event, Keyword, Tap};

mod ending;
mod farewell;
mod trace;

use trace::{Bulk, WIRE, trace_command, trace_line, trace_response};

/// How many octets of decrypted input are taken at a time.
pub(crate) const INPUT_SIZE: usize = 64 * 1024;

/// How long the session may lie idle before the server is reminded of us. Servers that cut idle
/// sessions after a minute exist.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long the end of a connection may take behind the server's last words.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The commands and replies of one connection.
pub(super) struct Dialogue {
    stream: Box<dyn Stream>,
    connection: Connection,
    pace: Pace,
    /// `input[start..end]` is received and not yet read.
    input: Vec<u8>,
    start: usize,
    end: usize,
    output: Vec<u8>,
    /// The text of the last answer, where it was negative: where the server closes next, the
    /// reason.
    last_words: Option<String>,
    /// Words that are not repeated when a server says them.
    secrets: Secrets,
    /// CAPA was asked, had no positive answer, and nothing secret was said since: where the
    /// server hangs up, CAPA may be why, and a session without it is worth a try.
    snubbed: bool,
    /// The part of a reply that the log counts instead of showing it.
    bulk: Bulk,
}

impl Dialogue {
    pub(super) fn over(stream: Box<dyn Stream>, timeout: Duration) -> Self {
        Self {
            stream,
            connection: Connection::default(),
            pace: Pace::new(timeout),
            input: vec![0; INPUT_SIZE],
            start: 0,
            end: 0,
            output: Vec::new(),
            last_words: None,
            secrets: Secrets::default(),
            snubbed: false,
            bulk: Bulk::default(),
        }
    }

    /// The state of the protocol: whether replies are due, and for what.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The time-out of one silence.
    pub(super) fn timeout(&self) -> Duration {
        self.pace.timeout()
    }

    /// The message that arrives next is listed with so many octets.
    pub(super) fn expect(&mut self, listed: Option<u64>) {
        self.pace.expect(listed);
    }

    /// RFC 1939 §3: lines of listings that begin with a dot are stuffed.
    pub(super) fn unstuff_listings(&mut self) {
        self.connection.unstuff_listings();
    }

    /// Lets somebody read all that is received and sent.
    pub(super) fn tap(&mut self, tap: Arc<dyn Tap>) {
        self.connection.tap(tap);
    }

    /// The secrets that are hidden in the server's replies.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// From now on no word of the server's repeats this.
    pub(super) fn keep_secret(&mut self, secret: &SecretString) {
        self.secrets.add(secret.expose_secret().as_bytes());
    }

    /// No further command goes out: nobody knows any more to which one an answer belongs.
    pub(super) fn give_up(&mut self) {
        self.connection.give_up();
    }

    /// True if CAPA may be the reason when the server hangs up.
    pub(super) fn is_snubbed(&self) -> bool {
        self.snubbed
    }

    /// The stream without its dialogue, which goes on with [`Self::resume`].
    pub(super) fn suspend(&mut self) -> Box<dyn Stream> {
        std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()))
    }

    /// Goes on over another stream. RFC 2595 §4: whatever was heard before may be a forgery.
    pub(super) fn resume(&mut self, stream: Box<dyn Stream>) {
        self.stream = stream;
        self.last_words = None;
        self.snubbed = false;
    }
    /// Sends one command and reads its one-line reply.
    pub(super) async fn command(
        &mut self,
        command: Command<'_>,
    ) -> Result<Result<(), Refusal>, Error> {
        self.send(&[command]).await?;
        self.reply().await
    }

    /// Reads a one-line reply.
    pub(super) async fn reply(&mut self) -> Result<Result<(), Refusal>, Error> {
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
    pub(super) async fn send(&mut self, commands: &[Command<'_>]) -> Result<(), Error> {
        self.assert_quiet().await?;
        for &command in commands {
            self.queue(command)?;
        }
        self.flush().await
    }

    /// Puts a command into the output, to be sent by [`Self::flush`].
    pub(super) fn queue(&mut self, command: Command<'_>) -> Result<(), Error> {
        if self.connection.outstanding() == 0 {
            self.pace.restart();
        }
        self.connection
            .send(command, &mut self.output)
            .map_err(|fault| self.protocol(fault))?;
        trace_command(command);
        self.snubbed |= command.keyword() == Keyword::Capa;
        if let Command::Apop(_, secret) | Command::Auth(_, Some(secret)) | Command::Pass(secret) =
            command
        {
            self.keep_secret(secret);
            self.snubbed = false;
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        let limit = self.pace.timeout();
        let sent = pace::within(limit, async {
            self.stream.write_all(&self.output).await?;
            self.stream.flush().await
        })
        .await;
        // What was sent may have held the password.
        self.output.fill(0);
        self.output.clear();
        match sent {
            Some(Ok(())) => Ok(()),
            Some(Err(source)) => Err(self.lost(source)),
            None => Err(Error::TimedOut {
                awaited: Awaited::Sending,
                after: limit,
            }),
        }
    }

    /// Sends a line of a SASL exchange.
    pub(super) async fn respond(&mut self, message: &SecretString) -> Result<(), Error> {
        self.assert_quiet().await?;
        self.pace.restart();
        self.connection
            .respond(message, &mut self.output)
            .map_err(|fault| self.protocol(fault))?;
        tracing::trace!(target: WIRE, "C: ***");
        self.keep_secret(message);
        self.flush().await
    }

    /// Sends the `*` that ends a SASL exchange (RFC 5034 §4), and reads the answer.
    pub(super) async fn cancel(&mut self) -> Result<Result<(), Refusal>, Error> {
        self.assert_quiet().await?;
        self.connection
            .cancel(&mut self.output)
            .map_err(|fault| self.protocol(fault))?;
        tracing::trace!(target: WIRE, "C: *");
        self.flush().await?;
        self.reply().await
    }

    /// Makes sure that the server has said nothing since its last reply. A second answer to one
    /// command would otherwise be taken for the answer to the next.
    pub(super) async fn assert_quiet(&mut self) -> Result<(), Error> {
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
            Err(error) => Err(self.settle(error).await),
        }
    }

    /// Hands every event to `take` until it breaks, reading as needed.
    pub(super) async fn converse<T>(
        &mut self,
        mut take: impl FnMut(Event<'_>) -> ControlFlow<T> + Send,
    ) -> Result<T, Error> {
        loop {
            match self.drain(&mut take) {
                Ok(ControlFlow::Break(value)) => return Ok(value),
                Ok(ControlFlow::Continue(())) => self.fill().await?,
                Err(error) => return Err(self.settle(error).await),
            }
        }
    }

    /// Hands the events of what was received to `take`, until it breaks or more is needed.
    pub(super) fn drain<T>(
        &mut self,
        take: &mut impl FnMut(Event<'_>) -> ControlFlow<T>,
    ) -> Result<ControlFlow<T>, Error> {
        let mut input = &self.input[self.start..self.end];
        let mut outcome = ControlFlow::Continue(());
        let mut hidden;
        let mut farewell = None;
        let failure = loop {
            match self.connection.next_event(&mut input) {
                Ok(None) => break None,
                Err(error) => break Some(error),
                Ok(Some(mut event)) => {
                    if let Event::Reply(_, response) | Event::Greeting(response) = event {
                        trace_response(response, &self.secrets);
                        self.last_words = None;
                        if !response.is_positive() {
                            hidden = self.secrets.without(response.text());
                            let words = shown(&hidden);
                            if is_farewell(response.text()) {
                                // It is no answer: nothing was refused.
                                self.snubbed &= !matches!(event, Event::Reply(Keyword::Capa, _));
                                farewell = Some(words);
                                break None;
                            }
                            self.last_words = Some(words);
                            let response = response.shown_as(&hidden);
                            event = match event {
                                Event::Reply(keyword, _) => Event::Reply(keyword, response),
                                _ => Event::Greeting(response),
                            };
                        }
                    }
                    self.pace.note(event);
                    match event {
                        Event::Challenge(_) => {
                            self.last_words = None;
                            tracing::trace!(target: WIRE, "S: + ***");
                        }
                        Event::Content(octets) => self.bulk.add_content(octets),
                        Event::ScanListing(line) => self.bulk.add_scan(line),
                        Event::UniqueIdListing(line) => self.bulk.add_unique_id(line),
                        Event::Capability(line) => trace_line(line, &self.secrets),
                        Event::End(keyword) => {
                            self.snubbed &= keyword != Keyword::Capa;
                            self.bulk.trace(keyword);
                        }
                        _ => {}
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
        if let Some(notice) = farewell {
            self.connection.give_up();
            return Err(Error::Farewell {
                notice,
                is_closed: false,
            });
        }
        match failure {
            Some(error) => Err(self.protocol(error)),
            None => Ok(match outcome {
                ControlFlow::Break(value) => ControlFlow::Break(value),
                ControlFlow::Continue(()) => ControlFlow::Continue(()),
            }),
        }
    }

    /// Reads more input.
    pub(super) async fn fill(&mut self) -> Result<(), Error> {
        debug_assert_eq!(self.start, self.end, "unread input would be lost");
        (self.start, self.end) = (0, 0);
        let reading = self.stream.read(&mut self.input);
        let (read, waited) = pace::wait(self.pace.patience(), reading).await;
        let Some(read) = read else {
            return Err(self.out_of_time());
        };
        self.received(read)?;
        self.pace.received(self.end, waited);
        Ok(())
    }

    fn out_of_time(&mut self) -> Error {
        // An answer that comes after all would be taken for that to something else.
        self.connection.give_up();
        if self.pace.is_gainless() {
            return Error::Gainless {
                after: self.pace.ceiling(),
            };
        }
        Error::TimedOut {
            awaited: match self.connection.awaited() {
                Some(keyword) => Awaited::Reply(keyword),
                None => Awaited::Greeting,
            },
            after: self.pace.timeout(),
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

    pub(super) fn protocol(&self, mut fault: pop3::Error) -> Error {
        if let pop3::Error::Leftover { text } | pop3::Error::Malformed { line: text, .. } =
            &mut fault
        {
            *text = self.secrets.without(text).into_owned();
            text.truncate(pop3::LEFTOVER_SHOWN);
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
        // The TLS library's words for it are a link to a manual for programmers.
        let source = match source.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it was closed in the middle, without TLS's word for the end",
            ),
            _ => source,
        };
        Error::Lost {
            last_words: self.last_words.clone(),
            source,
        }
    }
}
