//! Large messages: only their headers are retrieved, and the rest when a person asks.
//!
//! Such a message is not stored, so nothing here can lead to a deletion. If a person asks for it,
//! it is first retrieved whole; then the retention applies.

use std::num::NonZeroU64;

use crate::maildrop::Message;

/// The record of a message of which only the header was retrieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderOnly {
    /// Its size in the scan listing at that time.
    pub octets: u64,
    /// True if a person asked for the whole message.
    pub marked: bool,
}

/// The part of a message that is to be retrieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Portion {
    /// Its header, which is not known yet.
    Header,
    /// Nothing: its header is known.
    Nothing,
    /// All of it, as a person asked.
    WholeAsMarked,
    /// All of it.
    Whole,
}

/// The part to retrieve of a message that is not stored. If the listing gives no size, the earlier
/// size counts; without one, the message counts as small.
pub(super) fn portion(
    message: Message<'_>,
    header: Option<HeaderOnly>,
    above: Option<NonZeroU64>,
) -> Portion {
    if header.is_some_and(|header| header.marked) {
        return Portion::WholeAsMarked;
    }
    let octets = message
        .octets
        .or_else(|| header.map(|header| header.octets));
    let is_large = above
        .zip(octets)
        .is_some_and(|(above, octets)| octets > above.get());
    match header {
        _ if !is_large => Portion::Whole,
        // Another size under the same unique-id may mean another message (OPOP3:C0040).
        Some(header) if octets == Some(header.octets) => Portion::Nothing,
        _ => Portion::Header,
    }
}
