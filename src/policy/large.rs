//! Large messages: their headers are retrieved, and the rest of them only when a person asks.
//!
//! Such a message is not stored. So nothing here can lead to a deletion: it is retrieved whole
//! first, and under the retention from then on.

use std::num::NonZeroU64;

use crate::maildrop::Message;

/// What is remembered of a message of which only the header was retrieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderOnly {
    /// Its size by the scan listing when that was done.
    pub octets: u64,
    /// A person asked for the whole message.
    pub marked: bool,
}

/// What a message that is not stored calls for.
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

/// How much of a message that is not stored is to be retrieved. A size that the listing does
/// not give is the one that it gave before, or small.
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
        // Another size under its unique-id may be another message (OPOP3:C0040).
        Some(header) if octets == Some(header.octets) => Portion::Nothing,
        _ => Portion::Header,
    }
}
