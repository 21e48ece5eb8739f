//! The facts about one listed message: which one it is, where its copy is, and whether it came
//! whole. Made only here, from evidence.
//!
//! A unique-id is a name. A server may give it to another message, or to several (`OPOP3:C0040`,
//! `C0041`). So a message is *the same* only while nothing contradicts it. An equal header makes it
//! *probably* the same, which saves a download but never allows a deletion. If anything contradicts
//! it, the content must be compared.

use std::collections::{HashMap, HashSet};

use super::HeaderOnly;
use crate::maildrop::{Maildrop, Message, Place};

/// The records of messages.
pub trait Memory {
    /// The record of the messages with this unique-id, if any is stored.
    fn recall(&self, unique_id: &[u8]) -> Option<Remembered>;

    /// The record of the message with this unique-id, if only its header was retrieved.
    fn recall_header(&self, _unique_id: &[u8]) -> Option<HeaderOnly> {
        None
    }
}

/// The record of the messages with one unique-id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// The time when the latest of them was stored, in seconds since 1970.
    pub stored_at: i64,
    /// True if the server was asked to delete them.
    pub deletion_asked: bool,
    /// True if they are stored here. Otherwise another program downloaded them, and nothing is
    /// known of its copy.
    pub held: bool,
    /// The size that a listing gave of the latest of them, if known.
    pub octets: Option<u64>,
    /// The number of messages in the listing with this unique-id when all of them were last
    /// accounted for. It is more than one only if a server breaks the rules, and 0 if the unique-id
    /// may not be theirs.
    pub copies: u32,
    /// Set if the unique-id was missing from the listing for a while: its size in the last listing
    /// that had it, if known. Another message may have the unique-id now.
    pub gone: Option<Option<u64>>,
    /// True if all of them were stored while the policy was to delete at once: a deletion that was
    /// not yet asked for was only interrupted.
    pub to_go: bool,
    /// True if the unique-id is only probably theirs: it was matched by the header, or was missing
    /// for a while.
    pub is_assumed: bool,
    /// True if one of them may not have come whole.
    pub is_doubtful: bool,
    /// The place of their copies.
    pub whereabouts: Whereabouts,
}

/// The place of a stored message's copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whereabouts {
    /// Unknown: nobody has looked.
    #[default]
    Unseen,
    /// In the store: a look has found it.
    InStore,
    /// With another program, which has taken it.
    HandedOver,
    /// In no folder of the store any more: a person deleted it.
    Deleted,
    /// Not in the store: this is another store than the one it was stored in, or an older copy. The
    /// server's may be the last copy.
    Lost,
    /// Unknown: a look has not found it, and could not look everywhere.
    Unclear,
}

/// Facts about the messages of a maildrop that a session has collected beyond the listing.
#[derive(Debug, Default)]
pub struct Evidence {
    /// The way in which this listing counts sizes.
    pub(crate) counting: Counting,
    /// Headers that were asked for, by place in the maildrop.
    pub(crate) headers: HashMap<Place, HeaderSeen>,
    /// True if everything was checked on which a deletion depends. Until then the plan is a draft:
    /// it shows what would be deleted if no check objects.
    pub is_complete: bool,
    /// Messages with which earlier sessions of this run had trouble.
    pub(crate) trouble: Trouble,
}

/// Messages, by unique-id, with which earlier sessions of this run had trouble.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble {
    /// The server refused to send them.
    pub refused: HashSet<Vec<u8>>,
    /// The session broke when they were asked for. They come last, one in a session.
    pub breaks: HashSet<Vec<u8>>,
    /// The session broke when they were to be deleted.
    pub undeletable: HashSet<Vec<u8>>,
    /// They came shorter than the server had announced. A later run asks again.
    pub short: HashSet<Vec<u8>>,
}

/// The way in which a listing counts sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Counting {
    /// As in the records: another size contradicts that it is the same message.
    #[default]
    AsRecorded,
    /// In another way: a sample of messages with other sizes turned out to be the same. Exchange
    /// estimates sizes, and can be told not to (`XPOP3:N5`).
    Otherwise,
}

/// The header of a recorded message, as TOP showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderSeen {
    /// Another header than the recorded one.
    Another,
    /// The recorded one.
    Recorded,
    /// None: the server does not send it.
    Withheld,
}

/// The identity of a listed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// A message that another program downloaded.
    Imported,
    /// A message that is not recorded.
    New,
    /// Unknown: the content must be compared.
    Open,
    /// Probably the recorded one.
    Probable,
    /// The recorded one: same unique-id, and nothing speaks against it.
    Same,
    /// One of several with this unique-id, all of which were accounted for.
    Shared,
}

/// The facts about one listed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Knowledge {
    pub(super) identity: Identity,
    /// The record for its unique-id.
    pub(super) remembered: Option<Remembered>,
}

impl Knowledge {
    /// Combines the evidence about the message in this place.
    pub(super) fn of(
        place: Place,
        message: Message<'_>,
        memory: &impl Memory,
        evidence: &Evidence,
    ) -> Self {
        let remembered = memory.recall(message.unique_id);
        let header = evidence.headers.get(&place).copied();
        let identity = match remembered {
            Some(remembered) => identity(message, remembered, header, evidence.counting),
            None if message.copies > 1 => Identity::Open,
            None => Identity::New,
        };
        Self {
            identity,
            remembered,
        }
    }
}

fn identity(
    message: Message<'_>,
    remembered: Remembered,
    header: Option<HeaderSeen>,
    counting: Counting,
) -> Identity {
    if !remembered.held && remembered.copies == message.copies {
        return Identity::Imported;
    }
    // The deletion was carried out, or the unique-id would not have been missing. The message that
    // has it now came later.
    let is_back = remembered.gone.is_some() && remembered.deletion_asked;
    // A message that was missing is the same only if both header and size agree.
    let is_unsized = remembered
        .gone
        .is_some_and(|before| before.is_none() || message.octets.is_none());
    let is_resized = counting == Counting::AsRecorded && has_other_size(message, remembered);
    let is_unseen = remembered.gone.is_some() && header == Some(HeaderSeen::Withheld);
    if is_back || is_unsized || is_unseen || is_resized || header == Some(HeaderSeen::Another) {
        return Identity::Open;
    }
    // Messages that share a unique-id are the recorded ones only while their number is unchanged.
    if message.copies > 1 || remembered.copies != 1 {
        return if remembered.copies == message.copies {
            Identity::Shared
        } else {
            Identity::Open
        };
    }
    // An equal header, or a unique-id that was missing, never proves more than a likeness.
    if remembered.is_assumed || remembered.gone.is_some() || header == Some(HeaderSeen::Withheld) {
        return Identity::Probable;
    }
    Identity::Same
}

/// True if the listing gives a message another size than the recorded one. If several have one
/// unique-id, nobody knows whose size it is.
fn has_other_size(message: Message<'_>, remembered: Remembered) -> bool {
    let before = remembered.gone.unwrap_or(remembered.octets);
    let is_one = message.copies == 1 && remembered.copies == 1 && remembered.held;
    // A size that was lost with others of the same unique-id belongs to no single message.
    is_one
        && message
            .octets
            .zip(before)
            .is_some_and(|(now, before)| now != before)
}

/// The places of the known messages whose sizes differ from the recorded ones, and the number of
/// those whose sizes agree.
pub(crate) fn resized(maildrop: &Maildrop, memory: &impl Memory) -> (Vec<Place>, usize) {
    let mut places = Vec::new();
    let mut same = 0;
    if !maildrop.has_sizes() {
        return (places, same);
    }
    for (place, message) in maildrop.places() {
        let Some(remembered) = memory.recall(message.unique_id) else {
            continue;
        };
        if has_other_size(message, remembered) {
            places.push(place);
        } else if message.octets.is_some() && remembered.octets.is_some() {
            same += 1;
        }
    }
    (places, same)
}

/// The places of the known messages that have a size now, and had none when they were recorded.
pub(crate) fn unsized_before(maildrop: &Maildrop, memory: &impl Memory) -> Vec<Place> {
    if !maildrop.has_sizes() {
        return Vec::new();
    }
    let unsized_ones = maildrop.places().filter(|(_, message)| {
        message.octets.is_some()
            && message.copies == 1
            && memory
                .recall(message.unique_id)
                .is_some_and(|known| known.held && known.copies == 1 && known.octets.is_none())
    });
    unsized_ones.map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pop3::MessageNumber;

    fn message(octets: Option<u64>, copies: u32) -> Message<'static> {
        Message {
            number: MessageNumber::new(1).unwrap(),
            unique_id: b"a",
            octets,
            copies,
        }
    }

    const RECORDED: Remembered = Remembered {
        stored_at: 0,
        deletion_asked: false,
        held: true,
        octets: Some(100),
        copies: 1,
        gone: None,
        to_go: false,
        is_assumed: false,
        is_doubtful: false,
        whereabouts: Whereabouts::InStore,
    };

    #[test]
    fn which_message_it_is_by_table() {
        use Counting::{AsRecorded, Otherwise};
        use HeaderSeen::{Another, Recorded, Withheld};
        let assumed = Remembered {
            is_assumed: true,
            ..RECORDED
        };
        let gone = Remembered {
            gone: Some(Some(100)),
            ..RECORDED
        };
        let gone_unsized = Remembered {
            gone: Some(None),
            octets: None,
            ..RECORDED
        };
        let deleted_and_back = Remembered {
            deletion_asked: true,
            ..gone
        };
        let asked = Remembered {
            deletion_asked: true,
            ..RECORDED
        };
        let shared = Remembered {
            copies: 2,
            ..RECORDED
        };
        let in_doubt = Remembered {
            copies: 0,
            ..RECORDED
        };
        let imported = Remembered {
            held: false,
            octets: None,
            ..RECORDED
        };
        for (remembered, octets, copies, header, counting, expected) in [
            (RECORDED, Some(100), 1, None, AsRecorded, Identity::Same),
            (RECORDED, None, 1, None, AsRecorded, Identity::Same),
            (
                RECORDED,
                Some(100),
                1,
                Some(Recorded),
                AsRecorded,
                Identity::Same,
            ),
            (
                asked,
                Some(100),
                1,
                Some(Recorded),
                AsRecorded,
                Identity::Same,
            ),
            // An equal header proves nothing if the size differs.
            (
                RECORDED,
                Some(101),
                1,
                Some(Recorded),
                AsRecorded,
                Identity::Open,
            ),
            (RECORDED, Some(101), 1, None, Otherwise, Identity::Same),
            (
                RECORDED,
                Some(100),
                1,
                Some(Another),
                AsRecorded,
                Identity::Open,
            ),
            (
                RECORDED,
                Some(101),
                1,
                Some(Another),
                Otherwise,
                Identity::Open,
            ),
            (
                RECORDED,
                Some(100),
                1,
                Some(Withheld),
                AsRecorded,
                Identity::Probable,
            ),
            (
                assumed,
                Some(100),
                1,
                Some(Recorded),
                AsRecorded,
                Identity::Probable,
            ),
            (
                assumed,
                Some(101),
                1,
                Some(Recorded),
                AsRecorded,
                Identity::Open,
            ),
            (gone, Some(100), 1, None, AsRecorded, Identity::Probable),
            (
                gone,
                Some(100),
                1,
                Some(Recorded),
                AsRecorded,
                Identity::Probable,
            ),
            (gone, Some(101), 1, None, AsRecorded, Identity::Open),
            // A message that was missing needs both a header and a size that agree.
            (
                gone,
                Some(100),
                1,
                Some(Withheld),
                AsRecorded,
                Identity::Open,
            ),
            (gone, None, 1, Some(Recorded), AsRecorded, Identity::Open),
            (
                gone_unsized,
                Some(100),
                1,
                Some(Recorded),
                AsRecorded,
                Identity::Open,
            ),
            (
                gone_unsized,
                None,
                1,
                Some(Recorded),
                Otherwise,
                Identity::Open,
            ),
            (
                deleted_and_back,
                Some(100),
                1,
                Some(Recorded),
                AsRecorded,
                Identity::Open,
            ),
            (shared, Some(7), 2, None, AsRecorded, Identity::Shared),
            (shared, Some(7), 3, None, AsRecorded, Identity::Open),
            (RECORDED, Some(7), 2, None, AsRecorded, Identity::Open),
            (in_doubt, Some(100), 1, None, AsRecorded, Identity::Open),
            (imported, Some(100), 1, None, AsRecorded, Identity::Imported),
            (imported, Some(100), 2, None, AsRecorded, Identity::Open),
        ] {
            assert_eq!(
                identity(message(octets, copies), remembered, header, counting),
                expected,
                "{remembered:?} {octets:?} {copies} {header:?} {counting:?}"
            );
        }
    }
}
