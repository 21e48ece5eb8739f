//! Many commands of one kind, several on their way at once where the server allows it
//! (RFC 2449 §6.6).

use std::collections::VecDeque;
use std::convert::Infallible;

use super::{Command, ControlFlow, Error, Event, Keyword, MessageNumber, Refusal, Session, pop3};

/// How many commands may be on their way at once. They are about a dozen octets each, so that
/// together they fit into any socket buffer: we never wait to send while the server waits for
/// us to read.
const WINDOW: usize = 512;

/// How many octets of messages may be asked for ahead. What was asked for and not yet read is
/// lost when the connection breaks.
const WINDOW_OCTETS: u64 = 8 << 20;

/// The size assumed where the listing gives none.
const UNKNOWN_OCTETS: u64 = 64 << 10;

/// The size assumed for a header.
const HEADER_OCTETS: u64 = 4 << 10;

/// From so many commands on it is worth a wait to ask whether they may travel together after all.
const WORTH_ASKING: usize = 8;

/// A message to retrieve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Which one.
    pub number: MessageNumber,
    /// Its size by the scan listing: how far to ask ahead, nothing else.
    pub octets: Option<u64>,
}

/// Takes messages as they arrive, in the order in which they were asked for.
///
/// The first four methods are called with what has been received and must not wait. Whatever
/// waits, for a disk say, does so in [`Sink::hand_over`], which is called between two reads of
/// the socket.
pub(crate) trait Sink: Send {
    /// The next message begins. `announced` is the size that the server gives it here.
    fn begin(&mut self, announced: Option<u64>);
    /// Octets of it, un-stuffed.
    fn content(&mut self, octets: &[u8]);
    /// The server counts one octet more: it did not stuff the dot that the message begins with.
    fn lone_dot(&mut self) {}
    /// It is complete.
    fn end(&mut self);
    /// The next message cannot be had.
    fn refused(&mut self, refusal: Refusal);
    /// Passes on what has come. False ends the retrieval.
    fn hand_over(&mut self) -> impl Future<Output = bool> + Send;
}

/// How commands travel in a session.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// All commands of the current retrieval are on their way or answered.
    all_sent: bool,
    /// CAPA was asked again behind the login.
    has_asked_again: bool,
    /// No command goes out before the one before it was answered.
    is_one_by_one: bool,
}

impl Session {
    /// From now on each command waits for the answer to the one before it, so that an answer too
    /// many or too few shows where it happens.
    pub fn ask_one_by_one(&mut self) {
        self.flight.is_one_by_one = true;
    }

    fn pipelines(&self) -> bool {
        self.capabilities.pipelining() && !self.flight.is_one_by_one
    }

    /// Asks once more what the server can do, where so many commands would be waited for one by
    /// one: some servers, as Gmail, show PIPELINING only behind the login (RFC 2449 §5).
    async fn ask_again(&mut self, commands: usize) -> Result<(), Error> {
        let answers = !self.capabilities.lines().is_empty();
        if commands < WORTH_ASKING
            || self.flight.has_asked_again
            || self.flight.is_one_by_one
            || self.pipelines()
            || !answers
        {
            return Ok(());
        }
        self.flight.has_asked_again = true;
        let before = self.capabilities.clone();
        self.capa().await?;
        if self.capabilities.lines().is_empty() {
            self.capabilities = before;
        }
        Ok(())
    }

    /// How many commands may be on their way.
    fn window(&self) -> usize {
        if self.pipelines() { WINDOW } else { 1 }
    }

    /// Retrieves messages in the order in which `wanted` gives them. It is asked for the next one
    /// when that may be sent, and the upper bound of its size hint counts as their number.
    ///
    /// Returns early, and with replies still due, when the sink wants no more: the session is
    /// then good for nothing but being dropped.
    ///
    /// # Errors
    /// Those of the connection; what the sink was given until then is whole.
    pub(crate) async fn retr(
        &mut self,
        wanted: impl Iterator<Item = Wanted> + Send,
        sink: &mut impl Sink,
    ) -> Result<(), Error> {
        self.pull(wanted, |wanted| Command::Retr(wanted.number), sink)
            .await
    }

    /// Retrieves the headers of messages in the given order, without their bodies, by TOP.
    ///
    /// # Errors
    /// As [`Self::retr`].
    pub(crate) async fn headers(
        &mut self,
        numbers: &[MessageNumber],
        sink: &mut impl Sink,
    ) -> Result<(), Error> {
        let headers = numbers.iter().map(|&number| Wanted {
            number,
            octets: Some(HEADER_OCTETS),
        });
        self.pull(headers, |wanted| Command::Top(wanted.number, 0), sink)
            .await
    }

    async fn pull(
        &mut self,
        mut wanted: impl Iterator<Item = Wanted> + Send,
        command: impl Fn(Wanted) -> Command<'static> + Send,
        sink: &mut impl Sink,
    ) -> Result<(), Error> {
        self.ask_again(wanted.size_hint().1.unwrap_or(0)).await?;
        let window = self.window();
        let size = |octets: Option<u64>| octets.unwrap_or(UNKNOWN_OCTETS);
        // The sizes of the messages that were asked for and have not come.
        let mut due: VecDeque<Option<u64>> = VecDeque::new();
        let mut ahead = 0;
        self.dialogue.assert_quiet().await?;
        loop {
            // Refilled at half, so that a flight of commands is one packet and the server never
            // runs dry.
            if due.is_empty() || (due.len() <= window / 2 && ahead <= WINDOW_OCTETS / 2) {
                while due.is_empty() || (due.len() < window && ahead < WINDOW_OCTETS) {
                    let Some(next) = wanted.next() else {
                        break;
                    };
                    self.dialogue.queue(command(next))?;
                    ahead = ahead.saturating_add(size(next.octets));
                    due.push_back(next.octets);
                }
                self.dialogue.flush().await?;
                self.flight.all_sent = wanted.size_hint().1 == Some(0);
            }
            let Some(&next) = due.front() else {
                return Ok(());
            };
            self.dialogue.expect(next);
            self.dialogue.fill().await?;
            let mut done = 0;
            let drained = self.dialogue.drain(&mut |event| {
                match event {
                    Event::Reply(_, response) if response.is_positive() => {
                        sink.begin(response.announced_octets());
                    }
                    Event::Reply(keyword, response) => {
                        sink.refused(Refusal::new(Some(keyword), response));
                        done += 1;
                    }
                    Event::Content(octets) => sink.content(octets),
                    Event::LoneDot => sink.lone_dot(),
                    Event::End(_) => {
                        sink.end();
                        done += 1;
                    }
                    _ => {}
                }
                ControlFlow::<Infallible>::Continue(())
            });
            if let Err(error) = drained {
                let error = self.dialogue.settle(error).await;
                // Messages that came in one read with the farewell are whole.
                if matches!(error, Error::Farewell { is_closed, .. } if is_closed) {
                    sink.hand_over().await;
                }
                return Err(error);
            }
            ahead =
                (due.drain(..done)).fold(ahead, |ahead, octets| ahead.saturating_sub(size(octets)));
            let goes_on = if self.dialogue.connection().outstanding() == 0 {
                self.keep_alive_while(sink.hand_over()).await?
            } else {
                sink.hand_over().await
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Whether, after this error, it is in doubt which reply belonged to which command. A server
    /// that leaves out one answer among many shows it only at the end, when the last command
    /// has none; one that gives two, by what is left over.
    pub fn is_out_of_step(&self, error: &Error) -> bool {
        match error {
            Error::Protocol { fault, .. } => !matches!(fault, pop3::Error::Closed { .. }),
            // The line that looked like a farewell may be a part of a message.
            Error::Farewell { is_closed, .. } => !is_closed,
            Error::TimedOut { .. } => {
                self.pipelines()
                    && self.flight.all_sent
                    && !self.dialogue.connection().is_mid_reply()
            }
            _ => false,
        }
    }

    /// Marks messages as deleted; `answered` learns what became of each, in order. Nothing is
    /// gone before QUIT.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn dele(
        &mut self,
        numbers: &[MessageNumber],
        mut answered: impl FnMut(usize, Result<(), Refusal>) + Send,
    ) -> Result<(), Error> {
        let window = self.window();
        let mut done = 0;
        for flight in numbers.chunks(window) {
            self.dialogue.assert_quiet().await?;
            for &number in flight {
                self.dialogue.queue(Command::Dele(number))?;
            }
            self.dialogue.flush().await?;
            let end = done + flight.len();
            self.dialogue
                .converse(|event| {
                    if let Event::Reply(Keyword::Dele, response) = event {
                        answered(
                            done,
                            if response.is_positive() {
                                Ok(())
                            } else {
                                Err(Refusal::new(Some(Keyword::Dele), response))
                            },
                        );
                        done += 1;
                    }
                    if done == end {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })
                .await?;
        }
        Ok(())
    }
}
