//! What is known of one listed message: which one it is, where its copy is, whether it came
//! whole. Made here and nowhere else, from evidence alone.
//!
//! A unique-id is a name, and names are given anew, shared, and taken over by other mail
//! (`OPOP3:C0040`, `C0041`). So a message is *the same* only while nothing speaks against it; an
//! equal header makes it *probably* the same, which saves a download and never allows a deletion;
//! and where anything speaks against it, its content has to tell.

use std::collections::{HashMap, HashSet};

use super::HeaderOnly;
use crate::maildrop::{Maildrop, Message, Place};

/// What is remembered of messages.
pub trait Memory {
    /// What is remembered of the messages with this unique-id, if any is stored.
    fn recall(&self, unique_id: &[u8]) -> Option<Remembered>;

    /// What is remembered of the message with this unique-id, if its header alone was retrieved.
    fn recall_header(&self, _unique_id: &[u8]) -> Option<HeaderOnly> {
        None
    }
}

/// What is remembered of the messages with one unique-id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// When the latest of them was stored, in seconds since 1970.
    pub stored_at: i64,
    /// Whether the server was asked to delete them.
    pub deletion_asked: bool,
    /// Whether they are stored here. Otherwise another program had them, and nothing is known of
    /// its copy.
    pub held: bool,
    /// The size that a listing gave of the latest of them, if known.
    pub octets: Option<u64>,
    /// How many messages of the listing had this unique-id when all of them were last accounted
    /// for: more than one only where a server breaks the rules; none where it is in doubt whether
    /// the unique-id is theirs.
    pub copies: u32,
    /// Where no listing showed the unique-id for a while: the size that it had in the last one,
    /// if known. Whatever has it now may be another message.
    pub gone: Option<Option<u64>>,
    /// Whether all of them were stored while the policy was to delete at once: then a deletion
    /// that was not asked for yet was only interrupted.
    pub to_go: bool,
    /// Whether the unique-id is only probably theirs: the header told, or it was missing for a
    /// while.
    pub is_assumed: bool,
    /// Whether one of them may not have come whole.
    pub is_doubtful: bool,
    /// Where they are here.
    pub whereabouts: Whereabouts,
}

/// Where a message that was stored is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whereabouts {
    /// Nobody has looked.
    #[default]
    Unseen,
    /// In the store: a look has found it there.
    InStore,
    /// With another program, which took it.
    HandedOver,
    /// In no folder of the store any more: a person deleted it.
    Deleted,
    /// Not in the store, which is another or an older copy than the one it was stored in. What
    /// the server has may be all that is left.
    Lost,
    /// A look has not found it, and could not look everywhere.
    Unclear,
}

/// What a session has found out about the messages of its maildrop, beyond the listing.
#[derive(Debug, Default)]
pub struct Evidence {
    /// How the sizes of this listing are counted.
    pub counting: Counting,
    /// Headers that were asked for, by place in the maildrop.
    pub headers: HashMap<Place, HeaderSeen>,
    /// Whether all was looked into that a deletion depends on. Until then the plan is a draft: it
    /// shows what would be deleted if nothing speaks against it.
    pub is_complete: bool,
    /// Messages that earlier sessions of this run had trouble with.
    pub trouble: Trouble,
}

/// Messages, by unique-id, that earlier sessions of this run had trouble with.
#[derive(Debug, Clone, Default)]
pub struct Trouble {
    /// The server refused to give them.
    pub refused: HashSet<Vec<u8>>,
    /// The session broke when they were asked for: they come last, one in a session.
    pub breaks: HashSet<Vec<u8>>,
    /// The session broke when they were to be deleted.
    pub undeletable: HashSet<Vec<u8>>,
    /// They came shorter than the server had said: a later run asks again.
    pub short: HashSet<Vec<u8>>,
}

/// How the sizes of a listing are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// As those that are recorded: another size speaks against the same message.
    #[default]
    AsRecorded,
    /// Otherwise: a sample of messages with other sizes turned out to be the same. Exchange
    /// estimates, and may be told not to (`XPOP3:N5`).
    Otherwise,
}

/// What TOP showed of a message that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderSeen {
    /// Another header than the recorded one.
    Another,
    /// The recorded one.
    Recorded,
    /// None: the server does not give it.
    Withheld,
}

/// Which message a listed one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// One that another program had.
    Imported,
    /// One that is not recorded.
    New,
    /// Its content has to tell.
    Open,
    /// Probably the recorded one.
    Probable,
    /// The recorded one: same unique-id, and nothing speaks against it.
    Same,
    /// One of several with this unique-id, all of which were accounted for.
    Shared,
}

/// What is known of one listed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Knowledge {
    pub(super) identity: Identity,
    /// The record under its unique-id.
    pub(super) remembered: Option<Remembered>,
}

impl Knowledge {
    /// Puts the evidence about the message in this place together.
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
    // A deletion that was asked for was done, or the unique-id would not have been missing: what
    // has it now came later.
    let is_back = remembered.gone.is_some() && remembered.deletion_asked;
    // A message that was missing is the same only where header and size both agree.
    let is_unsized = remembered
        .gone
        .is_some_and(|before| before.is_none() || message.octets.is_none());
    let is_resized = counting == Counting::AsRecorded && has_other_size(message, remembered);
    let is_unseen = remembered.gone.is_some() && header == Some(HeaderSeen::Withheld);
    if is_back || is_unsized || is_unseen || is_resized || header == Some(HeaderSeen::Another) {
        return Identity::Open;
    }
    if message.copies > 1 || remembered.copies != 1 {
        return if remembered.copies == message.copies {
            Identity::Shared
        } else {
            Identity::Open
        };
    }
    if remembered.is_assumed || remembered.gone.is_some() || header == Some(HeaderSeen::Withheld) {
        return Identity::Probable;
    }
    Identity::Same
}

/// Whether the listing gives a message another size than the one that is recorded. Of several
/// with one unique-id nobody knows whose size it is.
fn has_other_size(message: Message<'_>, remembered: Remembered) -> bool {
    let before = remembered.gone.unwrap_or(remembered.octets);
    let is_one = message.copies == 1 && remembered.copies == 1 && remembered.held;
    // A size that was lost with others of the same unique-id is nobody's.
    is_one
        && message
            .octets
            .zip(before)
            .is_some_and(|(now, before)| now != before)
}

/// The places of the known messages whose sizes are not those that are recorded, and how many
/// others have the recorded ones.
pub fn resized(maildrop: &Maildrop, memory: &impl Memory) -> (Vec<Place>, usize) {
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
pub fn unsized_before(maildrop: &Maildrop, memory: &impl Memory) -> Vec<Place> {
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
            // An equal header proves nothing against a size that says otherwise.
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
            // A message that was missing needs a header and a size that agree.
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
