//! A server without unique-ids: UIDL is optional (RFC 1939 §7).
//!
//! Messages are recognised by their headers, from TOP n 0. A message with a recorded header is
//! stored. The others are retrieved, and stored unless their content already is. They are recorded
//! without a unique-id: if the server has unique-ids one day, they are found by their headers or
//! their content. Nothing is deleted on such a server.

use std::collections::HashSet;

use super::renamed;
use crate::cache::{Absent, MessageKey};
use crate::envelope::Envelope;
use crate::maildrop::{Maildrop, Message, Place};
use crate::policy::{Plan, plan_by_header};
use crate::session::Session;
use crate::sync::headers::{self, Header, Known};
use crate::sync::{Error, Request, Warning};

/// The result of reading the headers of a maildrop.
pub(in crate::sync) struct Seen {
    /// The places of messages that are stored.
    stored: HashSet<Place>,
    /// The records of these.
    pub(in crate::sync) taken: HashSet<MessageKey>,
    /// The envelope of each message, if its header was asked for.
    pub(in crate::sync) envelopes: Vec<Envelope>,
}

/// Asks for all headers, and compares them with those of all stored messages. None if the server
/// does not send them: then messages cannot be recognised.
///
/// # Errors
/// Those of the connection.
pub(in crate::sync) async fn look(
    session: &mut Session,
    maildrop: &Maildrop,
    recorded: &[Absent],
    with_envelopes: bool,
) -> Result<Option<Seen>, Error> {
    let messages: Vec<Message<'_>> = maildrop.iter().collect();
    let asked: Vec<headers::Asked> = messages.iter().map(|&message| message.into()).collect();
    let mut known = Vec::with_capacity(messages.len());
    let mut envelopes = Vec::new();
    let has_top = headers::pull(session, &asked, |_, header| {
        let header = match header {
            Header::Is(octets) => Some(octets),
            Header::Refused(_) | Header::Unusable => None,
        };
        known.push(header.map(Known::of));
        if with_envelopes {
            envelopes.push(header.map(Envelope::parse).unwrap_or_default());
        }
    })
    .await?;
    // Messages without any header are distinguished by their content, but not if all lack one.
    if !has_top || (!messages.is_empty() && known.iter().all(Option::is_none)) {
        return Ok(None);
    }
    let pairs = renamed::pairs(&messages, &known, recorded);
    // Only the header links the messages, but a size that differs outweighs it.
    let stored = pairs.into_iter().filter(|pair| pair.has_size);
    let (stored, taken) = stored
        .map(|pair| (Place::behind(pair.index), recorded[pair.absent].key))
        .unzip();
    Ok(Some(Seen {
        stored,
        taken,
        envelopes,
    }))
}

/// Warns what such a server means for the account: always if it prevents deletions, otherwise once.
pub(in crate::sync) fn warn(request: &Request<'_>, is_first: bool) {
    let retention = request.account.retention;
    let deletes = !retention.leave_on_server || retention.remove_after_days.is_some();
    if deletes || is_first {
        request.warn(Warning::NoUniqueIds);
    }
}

/// The plan for such a maildrop.
pub(in crate::sync) fn plan(
    request: &Request<'_>,
    maildrop: &Maildrop,
    taken: (u64, u64),
    seen: &Seen,
) -> Plan {
    plan_by_header(maildrop, &seen.stored, request.account.limits, taken)
}
