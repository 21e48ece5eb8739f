//! Headers of messages, without their bodies: TOP n 0, pipelined if the server allows it.
//!
//! TOP is optional (RFC 1939 §7), and some servers send more than was asked for: only the header is
//! passed on.

use mail_parser::MessageParser;
use sha2::{Digest as _, Sha256};

use super::Error;
use super::broke::{Broke, Untoppable};
use super::transfer::Arrival;
use crate::account::LineEndings;
use crate::cache::Digest;
use crate::maildrop::{Maildrop, Message, Place};
use crate::pop3::MessageNumber;
use crate::session::{Refusal, Session, Sink};

/// The maximum size of a header. A longer one is not passed on.
const MAX_HEADER: usize = 1 << 20;

/// An answer of this many octets is considered endless. Some servers send the whole message, so a
/// message with a larger listed size may have twice that.
const ENDLESS: u64 = 8 << 20;

/// The server's answer for one message.
#[derive(Debug)]
pub(super) enum Header<'a> {
    /// The header, with the empty line after it if there is one.
    Is(&'a [u8]),
    /// Nothing that could be a header: empty, or too long.
    Unusable,
    /// The server refused it.
    Refused(Refusal),
}

/// The results of `read` for the headers of the messages in these places. None if TOP gave no
/// header. The messages in `spare` are not asked for.
///
/// # Errors
/// Those of the connection, with the message at which it broke. A server without TOP is no error.
pub(super) async fn of<T: Clone + Send>(
    session: &mut Session,
    maildrop: &Maildrop,
    places: &[Place],
    spare: &Untoppable,
    read: impl Fn(&[u8]) -> T + Send + Sync,
) -> Result<Vec<Option<T>>, Broke> {
    let mut headers = vec![None; places.len()];
    let asked = places.iter().enumerate().filter_map(|(index, &place)| {
        let message = maildrop.get(place)?;
        (!spare.has(message.unique_id)).then_some((index, message))
    });
    let (indices, messages): (Vec<usize>, Vec<_>) = asked.unzip();
    let wanted: Vec<Asked> = messages.iter().map(|&message| message.into()).collect();
    let pulled = pull(session, &wanted, |at, header| {
        if let Header::Is(octets) = header {
            headers[indices[at]] = Some(read(octets));
        }
    })
    .await;
    match pulled {
        Ok(_) => Ok(headers),
        Err(cut) => {
            let at = messages.get(cut.index);
            let at = at.map(|message| message.unique_id.to_vec());
            Err(Broke::at_top(cut.error, at))
        }
    }
}

/// A message whose header is to be asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) number: MessageNumber,
    /// Its size in the scan listing.
    pub(super) octets: Option<u64>,
}

impl From<Message<'_>> for Asked {
    fn from(message: Message<'_>) -> Self {
        Self {
            number: message.number,
            octets: message.octets,
        }
    }
}

/// The reason why the headers ended early.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) error: Error,
    /// The message that was due, by its index among those asked for.
    pub(super) index: usize,
}

impl From<Cut> for Error {
    fn from(cut: Cut) -> Self {
        cut.error
    }
}

/// Calls `take` with the header of each of these messages, in order, and its index.
///
/// Returns false if a server without TOP in its capabilities refuses the first one; the others are
/// not asked for.
///
/// # Errors
/// Those of the connection, and [`Error::EndlessMessage`].
pub(super) async fn pull(
    session: &mut Session,
    messages: &[Asked],
    mut take: impl FnMut(usize, Header<'_>) + Send,
) -> Result<bool, Cut> {
    let trial = usize::from(!session.capabilities().has("TOP")).min(messages.len());
    let mut refused = false;
    if trial > 0 {
        let first = |place, header: Header<'_>| {
            refused = matches!(header, Header::Refused(_));
            take(place, header);
        };
        flight(session, &messages[..trial], first).await?;
        if refused {
            return Ok(false);
        }
    }
    let rest = |place, header: Header<'_>| take(trial + place, header);
    match flight(session, &messages[trial..], rest).await {
        Ok(()) => Ok(true),
        Err(cut) => Err(Cut {
            index: trial + cut.index,
            ..cut
        }),
    }
}

async fn flight(
    session: &mut Session,
    messages: &[Asked],
    take: impl FnMut(usize, Header<'_>) + Send,
) -> Result<(), Cut> {
    let mut headers = Headers {
        take,
        messages,
        place: 0,
        octets: Vec::new(),
        received: 0,
    };
    let numbers: Vec<MessageNumber> = messages.iter().map(|message| message.number).collect();
    let pulled = session.headers(&numbers, &mut headers).await;
    let index = headers.place;
    match pulled {
        Err(error) => Err(Cut {
            error: error.into(),
            index,
        }),
        Ok(()) if headers.is_endless() => Err(Cut {
            error: Error::EndlessMessage {
                reason: "its header does not end",
            },
            index,
        }),
        Ok(()) => Ok(()),
    }
}

/// A header from TOP, in as little memory as a comparison needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Digest, without the empty line after it.
    pub(super) sha256: Digest,
    /// Digest of the Message-ID, if there is one.
    pub(super) message_id: Option<Digest>,
}

impl Known {
    /// Reads a header, with or without the empty line after it.
    pub(super) fn of(octets: &[u8]) -> Self {
        let parser = MessageParser::new().with_message_ids();
        let message_id = parser.parse_headers(octets).and_then(|message| {
            let message_id = message.message_id()?.trim();
            (!message_id.is_empty()).then(|| Sha256::digest(message_id).into())
        });
        Self {
            sha256: digest(octets),
            message_id,
        }
    }
}

/// The digest of a header, without the empty line after it, in the form that is recorded.
pub(super) fn digest(octets: &[u8]) -> Digest {
    let mut arrival = Arrival::new(LineEndings::Crlf);
    let mut copy = Vec::new();
    arrival.take(octets, &mut copy);
    arrival.finish(&mut copy).header_sha256
}

struct Headers<'a, F> {
    take: F,
    messages: &'a [Asked],
    place: usize,
    /// The beginning of the current answer.
    octets: Vec<u8>,
    /// Its size.
    received: u64,
}

impl<F: FnMut(usize, Header<'_>) + Send> Headers<'_, F> {
    fn is_endless(&self) -> bool {
        let message = self.messages.get(self.place);
        let listed = message.and_then(|message| message.octets).unwrap_or(0);
        self.received > listed.saturating_mul(2).max(ENDLESS)
    }

    fn next(&mut self) {
        self.octets.clear();
        self.received = 0;
        self.place += 1;
    }
}

impl<F: FnMut(usize, Header<'_>) + Send> Sink for Headers<'_, F> {
    fn begin(&mut self, _: Option<u64>) {}

    fn content(&mut self, octets: &[u8]) {
        self.received += octets.len() as u64;
        let room = (MAX_HEADER + 1).saturating_sub(self.octets.len());
        self.octets
            .extend_from_slice(&octets[..octets.len().min(room)]);
    }

    fn end(&mut self) {
        let header = match end_of_header(&self.octets) {
            0 => Header::Unusable,
            end if end > MAX_HEADER => Header::Unusable,
            end => Header::Is(&self.octets[..end]),
        };
        (self.take)(self.place, header);
        self.next();
    }

    fn refused(&mut self, refusal: Refusal) {
        (self.take)(self.place, Header::Refused(refusal));
        self.next();
    }

    async fn hand_over(&mut self) -> bool {
        !self.is_endless()
    }
}

/// The number of octets before the body: those of the header and of the empty line after it.
fn end_of_header(octets: &[u8]) -> usize {
    if octets.starts_with(b"\r\n") {
        return 2;
    }
    memchr::memmem::find(octets, b"\r\n\r\n").map_or(octets.len(), |at| at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_with_the_empty_line() {
        for (octets, end) in [
            (&b""[..], 0),
            (b"\r\nbody", 2),
            (b"A: b\r\n", 6),
            (b"A: b\r\n\r\n", 8),
            (b"A: b\r\n\r\nbody\r\n\r\n", 8),
            (b"A: b\n\nC: d\r\n\r\nbody", 14),
        ] {
            assert_eq!(end_of_header(octets), end, "{octets:?}");
        }
    }
}
