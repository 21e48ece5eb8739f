//! One connection as events: commands sent, replies due, and replies received.

use std::collections::VecDeque;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::command::is_base64;
use super::listing::{ScanListing, UniqueIdListing};
use super::receive_buffer::ReceiveBuffer;
use super::{Command, Error, Keyword, Piece, Place, Response, State, Tap, Unstuffer};

/// More lines than any listing has. A server that sends more is considered hostile.
pub(crate) const MAX_LISTING_LINES: usize = 2_000_000;

/// More octets than any listing has.
pub(crate) const MAX_LISTING_OCTETS: usize = 128 << 20;

/// More lines than any list of capabilities has.
const MAX_CAPABILITY_LINES: usize = 256;

/// The longest line of a SASL exchange that is sent. The limit of commands does not apply to them
/// (RFC 5034 §4); a Kerberos ticket with everything in it has 64 KiB.
const MAX_RESPONSE: usize = 128 << 10;

/// The number of unexpected octets that are kept for the error message.
pub(crate) const LEFTOVER_SHOWN: usize = 120;

/// One event: what the server sent. Borrowed from the input where possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'e> {
    /// The greeting.
    Greeting(Response<'e>),
    /// The reply to a command, or the first line of it.
    Reply(Keyword, Response<'e>),
    /// The server asks for the next line of a SASL exchange. The text after the status indicator,
    /// in base64 if the server follows the rules. Answer by [`Connection::respond`] or
    /// [`Connection::cancel`].
    Challenge(&'e [u8]),
    /// One line of CAPA's reply.
    Capability(&'e [u8]),
    /// One line of LIST's reply.
    ScanListing(ScanListing),
    /// One line of UIDL's reply.
    UniqueIdListing(UniqueIdListing<'e>),
    /// An empty line in a listing, which lists nothing. Some servers begin with one.
    Blank,
    /// Octets of the message that RETR or TOP asked for.
    Content(&'e [u8]),
    /// The message began with a dot that the server did not stuff. The server's size has one octet
    /// more.
    LoneDot,
    /// A multi-line reply is complete.
    End(Keyword),
}

/// The client's side of one connection.
#[derive(Debug)]
pub struct Connection {
    state: State,
    /// Commands without a complete reply, oldest first.
    outstanding: VecDeque<Keyword>,
    reading: Reading,
    line: ReceiveBuffer,
    unstuffer: Unstuffer,
    /// True if lines of listings are un-stuffed, and only a lone dot ends them.
    unstuffs_listings: bool,
    tap: Option<Arc<dyn Tap>>,
}

/// The kind of the next octets.
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
            unstuffs_listings: false,
            tap: None,
        }
    }
}

impl Connection {
    /// Shows everything that is received from now on to `tap`.
    pub fn tap(&mut self, tap: Arc<dyn Tap>) {
        self.tap = Some(tap);
    }

    /// From now on reads listings as in RFC 1939 §3, and not as Outlook does: only a lone dot ends
    /// them, and any other dot at the start of a line is stuffing.
    pub fn unstuff_listings(&mut self) {
        self.unstuffs_listings = true;
    }

    /// Appends the octets of a command to `out`.
    ///
    /// The caller must know if another command may be sent before its reply (RFC 2449 §6.6).
    ///
    /// # Errors
    /// [`Error::NotNow`] if the state forbids the command, [`Error::Argument`] if its argument may
    /// not be sent. `out` is unchanged then.
    pub fn send(&mut self, command: Command<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let keyword = command.keyword();
        if !self.state.allows(keyword) {
            return Err(Error::NotNow {
                keyword,
                state: self.state,
            });
        }
        command.encode(out)?;
        self.state = self.state.sent(&command);
        self.outstanding.push_back(keyword);
        Ok(())
    }

    /// Appends the answer to a challenge to `out`: base64, or nothing for an empty one.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn respond(&mut self, response: &SecretString, out: &mut Vec<u8>) -> Result<(), Error> {
        let response = response.expose_secret();
        if !is_base64(response) {
            return Err(Error::Argument {
                keyword: Keyword::Auth,
            });
        }
        self.say(response, State::Responded, out)
    }

    /// Appends to `out` the line that cancels a SASL exchange (RFC 5034 §4). The reply to AUTH is
    /// then negative.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn cancel(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.say("*", State::Cancelled, out)
    }

    fn say(&mut self, line: &str, then: State, out: &mut Vec<u8>) -> Result<(), Error> {
        let keyword = Keyword::Auth;
        if !self.state.allows_response() {
            let state = self.state;
            return Err(Error::NotNow { keyword, state });
        }
        let octets = line.len() + "\r\n".len();
        if octets > MAX_RESPONSE {
            return Err(Error::CommandTooLong { keyword, octets });
        }
        // Reserves the final length at once: a buffer that grows leaves copies of the secret
        // behind.
        out.reserve_exact(octets);
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
        self.state = then;
        Ok(())
    }

    /// Takes the next event from `input`. Returns `None` when more octets are needed, and `input`
    /// is empty then. Call it until it returns `None`: only this also finds octets that nobody
    /// asked for.
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
        if !self.is_owed() {
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
        if self.state.is_challenge(response) {
            self.state = State::Challenged;
            let asked = response.challenge();
            return Ok(Some(Event::Challenge(
                asked.unwrap_or_else(|| response.text()),
            )));
        }
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
            _ if response.is_positive() && keyword.is_message() => {
                self.reading = Reading::Message;
            }
            _ if response.is_positive() && keyword.is_multi_line() => {
                self.reading = Reading::Listing {
                    lines: 0,
                    octets: 0,
                };
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
        let (ends, content) = match line {
            [b'.', rest @ ..] if self.unstuffs_listings && !rest.is_empty() => (false, rest),
            // OPOP3:V0002: LIST, UIDL and CAPA end at any line that begins with a dot.
            [b'.', ..] => (true, line),
            _ => (false, line),
        };
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
            _ if content.is_empty() => Event::Blank,
            Keyword::List => Event::ScanListing(ScanListing::parse(content)),
            Keyword::Uidl => Event::UniqueIdListing(UniqueIdListing::parse(content)),
            _ => Event::Capability(content),
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
            Piece::LoneDot => Some(Event::LoneDot),
            Piece::End => {
                self.reading = Reading::Status;
                self.outstanding.pop_front().map(Event::End)
            }
        }
    }

    /// Call when the server has closed the connection. That is fine between replies, an error
    /// within one.
    ///
    /// # Errors
    /// [`Error::Closed`] if a reply was due.
    pub fn end_of_stream(&mut self) -> Result<(), Error> {
        let awaited = self.outstanding.front().copied();
        if awaited.is_none() && self.state != State::Greeting {
            return Ok(());
        }
        self.give_up();
        Err(Error::Closed { awaited })
    }

    /// Makes the connection unusable: its replies made no sense one layer up, or a reply never
    /// came.
    pub fn give_up(&mut self) {
        self.state = State::Broken;
        if let (Some(tap), false) = (&self.tap, self.line.is_empty()) {
            tap.unfinished(self.line.unfinished());
        }
    }

    /// The state of the session.
    #[cfg(test)]
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The command whose reply is due next.
    pub fn awaited(&self) -> Option<Keyword> {
        self.outstanding.front().copied()
    }

    /// The number of commands without a complete reply.
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// True if a reply of the server is due. Without one, nobody asked for the octets that come.
    pub fn is_owed(&self) -> bool {
        match self.state {
            State::Greeting => true,
            State::Challenged => false,
            _ => !self.outstanding.is_empty(),
        }
    }

    /// True if a message or a line has begun and not ended.
    pub fn is_mid_reply(&self) -> bool {
        !matches!(self.reading, Reading::Status) || !self.line.is_empty()
    }
}

#[cfg(test)]
mod tests;
