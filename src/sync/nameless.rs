//! A server without unique-ids: UIDL is optional (RFC 1939 §7).
//!
//! Messages are told apart by their headers, which TOP n 0 gives. One whose header is recorded is
//! stored; the others are retrieved, and of them nothing is stored whose content is. What is
//! stored so is recorded without a unique-id, and in doubt: should the server have unique-ids one
//! day, it is found again by its header or its content. Nothing is deleted on such a server.

use std::collections::{HashMap, HashSet};

use super::headers::{self, Header};
use super::planning::Plan;
use super::{Error, Event, Request, migration};
use crate::cache::{Absent, Digest};
use crate::envelope::Envelope;
use crate::maildrop::{Maildrop, Message};
use crate::pop3::MessageNumber;
use crate::session::Session;

/// What the headers of a maildrop told.
pub(super) struct Seen {
    /// The places of messages that are stored.
    pub(super) stored: HashSet<usize>,
    /// The stored messages that none of these is, as far as their headers tell, by content.
    pub(super) others: HashMap<Digest, Vec<i64>>,
    /// What each message says of itself.
    pub(super) envelopes: Vec<Envelope>,
}

/// Asks for all headers, and compares them with those of all stored messages. None where the
/// server does not give them: then nothing can be told apart.
pub(super) async fn look(
    session: &mut Session,
    maildrop: &Maildrop,
    recorded: &[Absent],
) -> Result<Option<Seen>, Error> {
    let messages: Vec<Message<'_>> = maildrop.iter().collect();
    let numbers: Vec<MessageNumber> = messages.iter().map(|message| message.number).collect();
    let mut known = Vec::with_capacity(messages.len());
    let mut envelopes = Vec::with_capacity(messages.len());
    let pulled = headers::pull(session, &numbers, |_, header| {
        let header = match header {
            Header::Is(octets) => Some(octets),
            Header::Refused(_) | Header::Unusable => None,
        };
        known.push(header.map(migration::header));
        envelopes.push(header.map(Envelope::parse).unwrap_or_default());
    });
    let has_top = pulled.await?;
    // A message without any header is told apart by its content, but not all of them.
    if !has_top || (!messages.is_empty() && known.iter().all(Option::is_none)) {
        return Ok(None);
    }
    let pairs = migration::pairs(&messages, &known, recorded);
    let found: HashSet<i64> = pairs.iter().map(|(_, id)| *id).collect();
    let mut others: HashMap<Digest, Vec<i64>> = HashMap::new();
    for message in recorded
        .iter()
        .filter(|message| !found.contains(&message.id))
    {
        others.entry(message.sha256).or_default().push(message.id);
    }
    Ok(Some(Seen {
        stored: pairs.into_iter().map(|(place, _)| place).collect(),
        others,
        envelopes,
    }))
}

/// Says what such a server means for the account: always where it keeps from deleting, else once.
pub(super) fn warn(request: &Request<'_>, is_first: bool) {
    let retention = request.account.retention;
    let deletes = !retention.leave_on_server || retention.remove_after_days.is_some();
    if deletes || is_first {
        let message = "the server has no unique-ids (UIDL): messages are told apart by their \
                       headers, and none is deleted there";
        request.reporter.report(Event::Warning { message });
    }
}

/// The plan for such a maildrop.
pub(super) fn plan(
    request: &Request<'_>,
    maildrop: &Maildrop,
    taken: (u64, u64),
    seen: &Seen,
) -> Plan {
    Plan::by_header(maildrop, &seen.stored, request.account.limits, taken)
}
