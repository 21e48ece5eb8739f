//! Retrieves a few messages only to compare their content. Nothing of them is stored.

use crate::account::LineEndings;
use crate::cache::Digest;
use crate::session::{Refusal, Session, Sink, Wanted};
use crate::sync::Error;

use super::{Arrival, Arrived};

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
    let arrived = arrivals(session, wanted, MAX_OCTETS).await?;
    let digests = arrived.into_iter().map(|one| Some(one?.sha256));
    Ok(digests.collect())
}

/// The facts about these messages, of which none is larger than `max_octets`. None for one that the
/// server refuses.
///
/// # Errors
/// Those of [`digests`].
pub(in crate::sync) async fn arrivals(
    session: &mut Session,
    wanted: &[Wanted],
    max_octets: u64,
) -> Result<Vec<Option<Arrived>>, (Error, usize)> {
    let mut sample = Sample {
        arrived: Vec::with_capacity(wanted.len()),
        arrival: None,
        discarded: Vec::new(),
        max_octets,
    };
    let pulled = session.retr(wanted.iter().copied(), &mut sample).await;
    let at = sample.arrived.len();
    match pulled {
        Err(error) => Err((error.into(), at)),
        Ok(()) if at < wanted.len() => Err((
            Error::EndlessMessage {
                reason: "it does not end",
            },
            at,
        )),
        Ok(()) => Ok(sample.arrived),
    }
}

struct Sample {
    arrived: Vec<Option<Arrived>>,
    arrival: Option<Arrival>,
    discarded: Vec<u8>,
    max_octets: u64,
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
        self.arrived.push(arrived);
    }

    fn refused(&mut self, _: Refusal) {
        self.arrived.push(None);
    }

    async fn hand_over(&mut self) -> bool {
        let octets = self.arrival.as_ref().map_or(0, Arrival::octets);
        octets <= self.max_octets
    }
}
