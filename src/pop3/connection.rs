//! One connection as events: what was sent, what is due, and what has come.

use std::collections::VecDeque;
use std::sync::Arc;

use super::listing::{ScanListing, UniqueIdListing};
use super::receive_buffer::ReceiveBuffer;
use super::{Command, Error, Keyword, Piece, Place, Response, State, Tap, Unstuffer};

/// More lines than any listing has. Beyond it the server is taken for hostile.
pub const MAX_LISTING_LINES: usize = 2_000_000;

/// More octets than any listing has.
pub const MAX_LISTING_OCTETS: usize = 128 << 20;

/// More lines than any list of capabilities has.
const MAX_CAPABILITY_LINES: usize = 256;

/// How much of what nobody asked for is kept for the error message.
const LEFTOVER_SHOWN: usize = 120;

/// What the server said. Lent from the input where possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'e> {
    /// The greeting.
    Greeting(Response<'e>),
    /// The reply to a command, or the first line of it.
    Reply(Keyword, Response<'e>),
    /// One line of CAPA's reply.
    Capability(&'e [u8]),
    /// One line of LIST's reply.
    ScanListing(ScanListing),
    /// One line of UIDL's reply.
    UniqueIdListing(UniqueIdListing<'e>),
    /// An empty line in a listing, which lists nothing: some servers begin with one.
    Blank,
    /// Octets of the message that RETR or TOP asked for.
    Content(&'e [u8]),
    /// A multi-line reply is complete.
    End(Keyword),
}

/// The client's side of one connection.
#[derive(Debug)]
pub struct Connection {
    state: State,
    /// Commands without a whole reply, oldest first.
    outstanding: VecDeque<Keyword>,
    reading: Reading,
    line: ReceiveBuffer,
    unstuffer: Unstuffer,
    tap: Option<Arc<dyn Tap>>,
}

/// What the next octets are.
#[derive(Debug, Clone, Copy)]
enum Reading {
    Status,
    Listing { lines: usize, octets: usize },
    Message,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            state: State::Greeting,
            outstanding: VecDeque::new(),
            reading: Reading::Status,
            line: ReceiveBuffer::default(),
            unstuffer: Unstuffer::default(),
            tap: None,
        }
    }
}

impl Connection {
    /// Shows everything that is received from now on to `tap`.
    pub fn tap(&mut self, tap: Arc<dyn Tap>) {
        self.tap = Some(tap);
    }

    /// Appends the octets of a command to `out`.
    ///
    /// Whether another command may be on its way at the same time is for the caller to know
    /// (RFC 2449 §6.6).
    ///
    /// # Errors
    /// [`Error::NotNow`] where the state forbids the command, [`Error::Argument`] where its
    /// argument may not be sent. `out` is then as it was.
    pub fn send(&mut self, command: Command<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let keyword = command.keyword();
        if !self.state.allows(keyword) {
            return Err(Error::NotNow {
                keyword,
                state: self.state,
            });
        }
        command.encode(out)?;
        self.state = self.state.sent(keyword);
        self.outstanding.push_back(keyword);
        Ok(())
    }

    /// Takes the next event off `input`; `None` when more octets are needed, and then `input` is
    /// empty. Call it until it gives `None`: that is also what finds octets nobody asked for.
    ///
    /// # Errors
    /// Any error breaks the connection: drop it without another command.
    pub fn next_event<'e, 'i: 'e>(
        &'e mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Event<'e>>, Error> {
        match self.reading {
            _ if self.state == State::Broken => Err(Error::Broken),
            Reading::Status => self.status(input),
            Reading::Listing { lines, octets } => self.listing(lines, octets, input),
            Reading::Message => Ok(self.message(input)),
        }
    }

    fn status<'e, 'i: 'e>(&'e mut self, input: &mut &'i [u8]) -> Result<Option<Event<'e>>, Error> {
        let greeting = self.state == State::Greeting;
        if !greeting && self.outstanding.is_empty() {
            if input.is_empty() {
                return Ok(None);
            }
            self.state = State::Broken;
            return Err(Error::Leftover {
                text: input[..input.len().min(LEFTOVER_SHOWN)].to_vec(),
            });
        }
        let line = match self.line.line(input) {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.state = State::Broken;
                return Err(error);
            }
        };
        let response = Response::parse(line);
        if let Some(tap) = &self.tap {
            tap.line(self.outstanding.front().copied(), Place::Status, line);
        }
        if greeting {
            self.state = State::Authorization;
            return Ok(Some(Event::Greeting(response)));
        }
        let Some(&keyword) = self.outstanding.front() else {
            return Ok(None);
        };
        self.state = self.state.answered(keyword, response.is_positive());
        match keyword {
            Keyword::Capa | Keyword::List | Keyword::Uidl if response.is_positive() => {
                self.reading = Reading::Listing {
                    lines: 0,
                    octets: 0,
                };
            }
            Keyword::Retr | Keyword::Top if response.is_positive() => {
                self.reading = Reading::Message;
            }
            _ => {
                self.outstanding.pop_front();
            }
        }
        Ok(Some(Event::Reply(keyword, response)))
    }

    fn listing<'e, 'i: 'e>(
        &'e mut self,
        lines: usize,
        octets: usize,
        input: &mut &'i [u8],
    ) -> Result<Option<Event<'e>>, Error> {
        let Some(&keyword) = self.outstanding.front() else {
            return Ok(None);
        };
        let line = match self.line.line(input) {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.state = State::Broken;
                return Err(error);
            }
        };
        // OPOP3:V0002: LIST, UIDL and CAPA end at any line that begins with a dot.
        let ends = line.first() == Some(&b'.');
        if let Some(tap) = &self.tap {
            let place = if ends { Place::End } else { Place::Row };
            tap.line(Some(keyword), place, line);
        }
        if ends {
            self.outstanding.pop_front();
            self.reading = Reading::Status;
            return Ok(Some(Event::End(keyword)));
        }
        let octets = octets + line.len();
        let most = match keyword {
            Keyword::Capa => MAX_CAPABILITY_LINES,
            _ => MAX_LISTING_LINES,
        };
        if lines >= most || octets > MAX_LISTING_OCTETS {
            self.state = State::Broken;
            return Err(Error::ListingTooLong { keyword, lines });
        }
        self.reading = Reading::Listing {
            lines: lines + 1,
            octets,
        };
        Ok(Some(match keyword {
            _ if line.is_empty() => Event::Blank,
            Keyword::List => Event::ScanListing(ScanListing::parse(line)),
            Keyword::Uidl => Event::UniqueIdListing(UniqueIdListing::parse(line)),
            _ => Event::Capability(line),
        }))
    }

    fn message<'e>(&mut self, input: &mut &'e [u8]) -> Option<Event<'e>> {
        let before = *input;
        let piece = self.unstuffer.next_piece(input);
        if let (Some(tap), Some(&keyword)) = (&self.tap, self.outstanding.front()) {
            tap.message(keyword, &before[..before.len() - input.len()]);
        }
        match piece? {
            Piece::Content(octets) => Some(Event::Content(octets)),
            Piece::End => {
                self.reading = Reading::Status;
                self.outstanding.pop_front().map(Event::End)
            }
        }
    }

    /// Tells that the server closed the connection. Fine between replies, an error within one.
    ///
    /// # Errors
    /// [`Error::Closed`] where something was due.
    pub fn end_of_stream(&mut self) -> Result<(), Error> {
        let awaited = self.outstanding.front().copied();
        if awaited.is_none() && self.state != State::Greeting {
            return Ok(());
        }
        self.give_up();
        Err(Error::Closed { awaited })
    }

    /// Makes the connection unusable: what it said made no sense one layer up, or what is due
    /// never came.
    pub fn give_up(&mut self) {
        self.state = State::Broken;
        if let (Some(tap), false) = (&self.tap, self.line.is_empty()) {
            tap.unfinished(self.line.unfinished());
        }
    }

    /// Where the session stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The command whose reply is due next.
    pub fn awaited(&self) -> Option<Keyword> {
        self.outstanding.front().copied()
    }

    /// How many commands have no whole reply yet.
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// Whether a message or a line has begun and not ended.
    pub fn is_mid_reply(&self) -> bool {
        !matches!(self.reading, Reading::Status) || !self.line.is_empty()
    }
}

#[cfg(test)]
mod tests;
