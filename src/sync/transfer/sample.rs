//! Retrieves a few messages only to compare their content. Nothing of them is stored.

use crate::account::LineEndings;
use crate::cache::Digest;
use crate::session::{Refusal, Session, Sink, Wanted};
use crate::sync::Error;

use super::Arrival;

/// The maximum size of a message of a sample.
const MAX_OCTETS: u64 = 64 << 20;

/// The digests of these messages. None for one that the server refuses.
///
/// # Errors
/// Those of the connection, and [`Error::EndlessMessage`].
pub(in crate::sync) async fn digests(
    session: &mut Session,
    wanted: &[Wanted],
) -> Result<Vec<Option<Digest>>, (Error, usize)> {
    let mut sample = Sample {
        digests: Vec::with_capacity(wanted.len()),
        arrival: None,
        discarded: Vec::new(),
    };
    let pulled = session.retr(wanted, &mut sample).await;
    let at = sample.digests.len();
    match pulled {
        Err(error) => Err((error.into(), at)),
        Ok(()) if at < wanted.len() => Err((
            Error::EndlessMessage {
                reason: "it does not end",
            },
            at,
        )),
        Ok(()) => Ok(sample.digests),
    }
}

struct Sample {
    digests: Vec<Option<Digest>>,
    arrival: Option<Arrival>,
    discarded: Vec<u8>,
}

impl Sink for Sample {
    fn begin(&mut self, _: Option<u64>) {
        self.arrival = Some(Arrival::new(LineEndings::Crlf));
    }

    fn content(&mut self, octets: &[u8]) {
        self.discarded.clear();
        if let Some(arrival) = &mut self.arrival {
            arrival.take(octets, &mut self.discarded);
        }
    }

    fn end(&mut self) {
        self.discarded.clear();
        let arrived = self
            .arrival
            .take()
            .map(|arrival| arrival.finish(&mut self.discarded));
        self.digests.push(arrived.map(|arrived| arrived.sha256));
    }

    fn refused(&mut self, _: Refusal) {
        self.digests.push(None);
    }

    async fn hand_over(&mut self) -> bool {
        let octets = self.arrival.as_ref().map_or(0, Arrival::octets);
        octets <= MAX_OCTETS
    }
}
