//! Headers of messages, without their bodies: TOP n 0, pipelined where the server allows it.
//!
//! TOP is optional (RFC 1939 §7), and some servers send more than was asked for: what is handed
//! on ends where the header does.

use super::Error;
use crate::pop3::MessageNumber;
use crate::session::{Refusal, Session, Sink};

/// More than any header has. A longer one is not handed on.
const MAX_HEADER: usize = 1 << 20;

/// An answer of this many octets will not end.
const ENDLESS: u64 = 64 << 20;

/// What the server answered for one message.
#[derive(Debug)]
pub(super) enum Header<'a> {
    /// The header, with the empty line behind it where there is one.
    Is(&'a [u8]),
    /// Nothing that could be a header: empty, or too long.
    Unusable,
    /// The server refused it.
    Refused(Refusal),
}

/// Gives `take` the header of each of these messages, in order, with its place among them.
///
/// A server that does not announce TOP and refuses the first one is asked no further: false.
///
/// # Errors
/// Those of the connection, and [`Error::EndlessMessage`].
pub(super) async fn pull(
    session: &mut Session,
    numbers: &[MessageNumber],
    mut take: impl FnMut(usize, Header<'_>) + Send,
) -> Result<bool, Error> {
    let trial = usize::from(!session.capabilities().has("TOP")).min(numbers.len());
    let mut refused = false;
    if trial > 0 {
        let first = |place, header: Header<'_>| {
            refused = matches!(header, Header::Refused(_));
            take(place, header);
        };
        flight(session, &numbers[..trial], first).await?;
        if refused {
            return Ok(false);
        }
    }
    flight(session, &numbers[trial..], |place, header| {
        take(trial + place, header);
    })
    .await?;
    Ok(true)
}

async fn flight(
    session: &mut Session,
    numbers: &[MessageNumber],
    take: impl FnMut(usize, Header<'_>) + Send,
) -> Result<(), Error> {
    let mut headers = Headers {
        take,
        place: 0,
        octets: Vec::new(),
        received: 0,
    };
    session.headers(numbers, &mut headers).await?;
    match headers.received {
        octets if octets > ENDLESS => Err(Error::EndlessMessage { octets }),
        _ => Ok(()),
    }
}

struct Headers<F> {
    take: F,
    place: usize,
    /// The beginning of the current answer.
    octets: Vec<u8>,
    /// Its size.
    received: u64,
}

impl<F: FnMut(usize, Header<'_>) + Send> Headers<F> {
    fn next(&mut self) {
        self.octets.clear();
        self.received = 0;
        self.place += 1;
    }
}

impl<F: FnMut(usize, Header<'_>) + Send> Sink for Headers<F> {
    fn begin(&mut self) {}

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
        self.received <= ENDLESS
    }
}

/// How many octets come before the body: those of the header and of the empty line behind it.
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
