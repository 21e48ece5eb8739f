//! A server that has renamed its messages: the same mailbox under new unique-ids.
//!
//! After a move to another server every unique-id is unknown, and a client that believes them
//! retrieves and stores everything a second time. So where most known messages are gone at once
//! and unknown ones have come, the headers of the unknown ones are compared with those that are
//! recorded. What matches is the same message; only the rest is retrieved, and of that nothing
//! is stored whose content is: TOP may be missing, or show other headers than RETR.

use std::collections::HashMap;

use mail_parser::MessageParser;

use super::arrival::Arrival;
use crate::account::LineEndings;
use crate::cache::{Absent, Digest, Renamed};
use crate::maildrop::{Maildrop, Message};
use crate::policy::Memory;
use crate::pop3::MessageNumber;
use crate::session::{self, Refusal, Session, Sink};

/// More than any header has. What is longer is not compared, and retrieved.
const MAX_HEADER: usize = 1 << 20;

/// The header of a message as TOP gives it.
pub(super) struct Header {
    /// Without the empty line behind it.
    pub(super) sha256: Digest,
    pub(super) message_id: Option<String>,
}

/// The places of the messages that nothing is known of.
pub(super) fn unknown(maildrop: &Maildrop, memory: &impl Memory) -> Vec<usize> {
    let places = maildrop.iter().enumerate();
    let unknown = places.filter(|(_, message)| {
        !message.unique_id.is_empty()
            && memory.recall(message.unique_id).is_none()
            && memory.recall_header(message.unique_id).is_none()
    });
    unknown.map(|(place, _)| place).collect()
}

/// Which of the absent messages are these unknown ones, under new names.
///
/// # Errors
/// Those of the connection. A server without TOP is none: then nothing is recognised.
pub(super) async fn recognise(
    session: &mut Session,
    maildrop: &Maildrop,
    unknown: &[usize],
    absent: &[Absent],
) -> Result<Vec<Renamed>, session::Error> {
    let messages: Vec<Message<'_>> = unknown
        .iter()
        .filter_map(|&place| maildrop.get(place))
        .collect();
    let numbers: Vec<MessageNumber> = messages.iter().map(|message| message.number).collect();
    let mut headers = Headers::default();
    session.headers(&numbers, &mut headers).await?;
    Ok(matches(&messages, &headers.all, absent))
}

/// The headers of the messages in these places; none where TOP does not tell.
///
/// # Errors
/// Those of the connection.
pub(super) async fn headers(
    session: &mut Session,
    maildrop: &Maildrop,
    places: &[usize],
) -> Result<Vec<Option<Header>>, session::Error> {
    let messages = places.iter().filter_map(|&place| maildrop.get(place));
    let numbers: Vec<MessageNumber> = messages.map(|message| message.number).collect();
    let mut headers = Headers::default();
    session.headers(&numbers, &mut headers).await?;
    Ok(headers.all)
}

/// The messages that are renamed ones: each pair's.
fn matches(
    messages: &[Message<'_>],
    headers: &[Option<Header>],
    absent: &[Absent],
) -> Vec<Renamed> {
    let pairs = pairs(messages, headers, absent).into_iter();
    let renamed = pairs.map(|(place, id)| Renamed {
        id,
        unique_id: messages[place].unique_id.to_vec(),
        listed_octets: messages[place].octets,
    });
    renamed.collect()
}

/// Pairs each message with one absent message of the same header, each used once: its place among
/// these, and the other's key.
pub(super) fn pairs(
    messages: &[Message<'_>],
    headers: &[Option<Header>],
    absent: &[Absent],
) -> Vec<(usize, i64)> {
    let mut by_header: HashMap<Digest, Vec<&Absent>> = HashMap::new();
    for message in absent {
        by_header
            .entry(message.header_sha256)
            .or_default()
            .push(message);
    }
    let mut pairs = Vec::new();
    for (place, (message, header)) in messages.iter().zip(headers).enumerate() {
        let Some(header) = header else { continue };
        let Some(candidates) = by_header.get_mut(&header.sha256) else {
            continue;
        };
        let same_size = |absent: &&Absent| {
            message.octets.is_some_and(|octets| {
                octets == absent.octets || Some(octets) == absent.listed_octets
            })
        };
        // Sizes may be counted otherwise on the new server. Where they differ, only a header
        // that no other message can have is proof enough.
        let index = candidates
            .iter()
            .position(same_size)
            .or_else(|| (header.message_id.is_some() && candidates.len() == 1).then_some(0));
        if let Some(index) = index {
            pairs.push((place, candidates.swap_remove(index).id));
        }
    }
    pairs
}

/// Takes the headers that TOP gives.
#[derive(Default)]
struct Headers {
    all: Vec<Option<Header>>,
    octets: Vec<u8>,
}

impl Sink for Headers {
    fn begin(&mut self) {
        self.octets.clear();
    }

    fn content(&mut self, octets: &[u8]) {
        let room = (MAX_HEADER + 1).saturating_sub(self.octets.len());
        self.octets
            .extend_from_slice(&octets[..octets.len().min(room)]);
    }

    fn end(&mut self) {
        let whole = !self.octets.is_empty() && self.octets.len() <= MAX_HEADER;
        self.all.push(whole.then(|| header(&self.octets)));
    }

    fn refused(&mut self, _: Refusal) {
        self.all.push(None);
    }

    async fn hand_over(&mut self) -> bool {
        true
    }
}

/// The digest of a header, without the empty line behind it, as it is recorded of a message.
pub(super) fn digest(octets: &[u8]) -> Digest {
    let mut arrival = Arrival::new(LineEndings::Crlf);
    let mut copy = Vec::new();
    arrival.take(octets, &mut copy);
    arrival.finish(&mut copy).header_sha256
}

/// Reads a header, with the empty line behind it or without.
pub(super) fn header(octets: &[u8]) -> Header {
    let parser = MessageParser::new().with_message_ids();
    let message_id = parser
        .parse_headers(octets)
        .and_then(|message| message.message_id().map(str::to_owned));
    Header {
        sha256: digest(octets),
        message_id,
    }
}
