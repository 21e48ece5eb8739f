//! The pure plan: for every message of the maildrop one action, and why.
//!
//! All rules about retrieving and deleting live here and nowhere else. Nothing is read but the
//! arguments: no clock, no cache, no server. What is deleted here is gone for good, so every
//! rule that deletes asks first whether the message is stored.

use std::fmt;

mod brakes;
mod by_header;
mod large;
mod resized;

pub use brakes::{Brake, Circumstances, StoreState, brakes, clock, hold_back};
pub use by_header::plan_by_header;
pub use large::HeaderOnly;
pub use resized::{Resized, resized};

use crate::account::{Limits, Retention};
use crate::maildrop::{Maildrop, Message};

use large::Portion;

const DAY: i64 = 24 * 60 * 60;

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
    /// Where they are here.
    pub whereabouts: Whereabouts,
}

/// Where a message that was stored is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whereabouts {
    /// In the store, as far as anybody knows or needs to.
    #[default]
    Stored,
    /// In no folder of the store any more: a person deleted it.
    Deleted,
    /// Not in the store, which is another or an older copy than the one it was stored in. What
    /// the server has may be all that is left.
    Lost,
}

/// No time at which a message leaves the server.
const NEVER: i64 = i64::MIN;

/// What the plan says of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decision {
    /// What is to be done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Or [`NEVER`]: there is one decision for each message of the maildrop, and an `Option` takes
    /// half as much again.
    leaves_at: i64,
}

/// Decides for every message of the maildrop, in its order. `taken` are the messages and octets
/// that earlier sessions of the run have retrieved; `now` is in seconds since 1970.
pub fn plan(
    maildrop: &Maildrop,
    memory: &impl Memory,
    retention: Retention,
    limits: Limits,
    taken: (u64, u64),
    now: i64,
) -> Vec<Decision> {
    let mut run = Run::new(limits, taken);
    let may_delete = maildrop.contradictions().is_empty();
    maildrop
        .iter()
        .map(|message| {
            let remembered = memory.recall(message.unique_id);
            let decision = if message.unique_id.is_empty() {
                Decision::new(Action::Skip, Reason::NoUniqueId, None)
            } else if is_imported(message, remembered) {
                Decision::new(Action::Keep, Reason::Imported, None)
            } else if is_ambiguous(message, remembered) {
                ambiguous(message, remembered, retention, now)
            } else {
                remembered.map_or_else(
                    || {
                        let header = memory.recall_header(message.unique_id);
                        not_stored(message, header, retention, limits, now)
                    },
                    |remembered| known(remembered, retention, now),
                )
            };
            run.admit(message, decision).guarded(may_delete)
        })
        .collect()
}

/// A message that is stored.
fn known(remembered: Remembered, retention: Retention, now: i64) -> Decision {
    if remembered.whereabouts == Whereabouts::Lost {
        return Decision::new(Action::Keep, Reason::CopyLost, None);
    }
    let by_age = leaves_by_age(retention, remembered.stored_at);
    let reason = if !retention.leave_on_server {
        if remembered.to_go {
            Reason::DeletionInterrupted
        } else {
            Reason::NotLeftOnServer
        }
    } else if by_age.is_some_and(|time| time <= now) {
        Reason::OlderThanRemoveAfter
    } else if retention.remove_when_deleted_locally
        && remembered.whereabouts == Whereabouts::Deleted
    {
        Reason::DeletedLocally
    } else {
        return Decision::new(Action::Keep, Reason::Stored, by_age);
    };
    if remembered.deletion_asked {
        Decision::new(Action::Delete, Reason::AskedBefore, Some(now))
    } else {
        Decision::new(Action::Delete, reason, Some(now))
    }
}

/// A message that is not stored: all of it is retrieved, or its header, or nothing more.
fn not_stored(
    message: Message<'_>,
    header: Option<HeaderOnly>,
    retention: Retention,
    limits: Limits,
    now: i64,
) -> Decision {
    match large::portion(message, header, limits.headers_only_above) {
        Portion::Header => Decision::new(Action::Headers, Reason::LargerThanHeadersOnlyAbove, None),
        Portion::Nothing => Decision::new(Action::Skip, Reason::HeadersOnly, None),
        Portion::Whole => retrieved(retention, Reason::New, now),
        Portion::WholeAsMarked => retrieved(retention, Reason::Marked, now),
    }
}

/// Whether a stored message leaves the server for its age, whatever else is true of it.
pub fn is_old(remembered: Remembered, retention: Retention, now: i64) -> bool {
    leaves_by_age(retention, remembered.stored_at).is_some_and(|time| time <= now)
}

/// When a message that was stored at this time leaves the server for its age.
fn leaves_by_age(retention: Retention, stored_at: i64) -> Option<i64> {
    let days = retention.remove_after_days?;
    Some(stored_at.saturating_add(i64::from(days) * DAY))
}

/// A message that is not stored, for this or that reason.
fn retrieved(retention: Retention, reason: Reason, now: i64) -> Decision {
    if retention.leave_on_server {
        Decision::new(Action::Retrieve, reason, leaves_by_age(retention, now))
    } else {
        Decision::new(Action::RetrieveThenDelete, reason, Some(now))
    }
}

/// Whether another program had this message, and all others with its unique-id: deleting one could
/// delete the last copy.
fn is_imported(message: Message<'_>, remembered: Option<Remembered>) -> bool {
    remembered.is_some_and(|remembered| !remembered.held && remembered.copies == message.copies)
}

/// Whether the unique-id does not tell which message this is (`OPOP3:C0040`, `C0041`): others
/// have it too, or had it when it was last looked into; or it was deleted and is back; or it was
/// gone and is back with another size.
pub fn is_ambiguous(message: Message<'_>, remembered: Option<Remembered>) -> bool {
    let Some(remembered) = remembered else {
        return message.copies > 1;
    };
    message.copies > 1 || remembered.copies != 1 || is_back_changed(message, remembered)
}

fn is_back_changed(message: Message<'_>, remembered: Remembered) -> bool {
    remembered.gone.is_some_and(|size| {
        let sizes = message.octets.zip(size);
        remembered.deletion_asked || sizes.is_some_and(|(now, before)| now != before)
    })
}

/// A message whose unique-id does not tell which one it is. As long as there are as many as
/// there were when all of them were accounted for, they are taken for the same ones; but one is
/// deleted only in the session in which its own content was retrieved and found to be stored.
fn ambiguous(
    message: Message<'_>,
    remembered: Option<Remembered>,
    retention: Retention,
    now: i64,
) -> Decision {
    if !retention.leave_on_server {
        return retrieved(retention, Reason::UniqueIdAmbiguous, now);
    }
    let accounted_for = remembered.is_some_and(|remembered| {
        remembered.copies == message.copies && !is_back_changed(message, remembered)
    });
    if accounted_for {
        Decision::new(Action::Keep, Reason::Stored, None)
    } else {
        Decision::new(Action::Retrieve, Reason::UniqueIdAmbiguous, None)
    }
}

/// What the run has taken on so far.
struct Run {
    limits: Limits,
    messages: u64,
    octets: u64,
    full: bool,
}

impl Run {
    /// `taken` are the messages and octets of earlier sessions.
    fn new(limits: Limits, taken: (u64, u64)) -> Self {
        Self {
            limits,
            messages: taken.0,
            octets: taken.1,
            full: false,
        }
    }

    /// Holds what is to be retrieved against the limits. Once one message does not fit, none
    /// behind it does: messages come in order, and no large one waits for ever.
    fn admit(&mut self, message: Message<'_>, decision: Decision) -> Decision {
        if !decision.action.retrieves() {
            return decision;
        }
        let octets = message.octets.unwrap_or(0);
        // Who marks a message has seen its size.
        let marked = decision.reason == Reason::Marked;
        if !marked && self.limits.max_size.is_some_and(|max| octets > max.get()) {
            return Decision::new(Action::Skip, Reason::LargerThanMaxSize, None);
        }
        let messages = self.messages + 1;
        let total = self.octets.saturating_add(octets);
        self.full = self.full
            || self
                .limits
                .max_messages
                .is_some_and(|max| messages > max.get())
            || (self.messages > 0 && self.limits.max_octets.is_some_and(|max| total > max.get()));
        if self.full {
            return Decision::new(Action::Skip, Reason::RunLimit, None);
        }
        (self.messages, self.octets) = (messages, total);
        decision
    }
}

impl Decision {
    pub(crate) fn new(action: Action, reason: Reason, leaves_at: Option<i64>) -> Self {
        Self {
            action,
            reason,
            leaves_at: leaves_at.unwrap_or(NEVER),
        }
    }

    /// When the message leaves the server, in seconds since 1970, as far as that can be told;
    /// none where it stays. A time that has come means now.
    pub fn leaves_at(&self) -> Option<i64> {
        (self.leaves_at != NEVER).then_some(self.leaves_at)
    }

    /// What a message becomes that is not the one that its unique-id stood for: it is retrieved.
    pub fn looked_into(retention: Retention, now: i64) -> Self {
        retrieved(retention, Reason::UniqueIdAmbiguous, now)
    }

    /// What a message becomes that a person was thought to have deleted, and did not.
    pub fn found_again(retention: Retention, stored_at: i64) -> Self {
        let leaves_at = leaves_by_age(retention, stored_at);
        Self::new(Action::Keep, Reason::Stored, leaves_at)
    }

    /// What a message becomes that the server refused earlier in this run.
    pub fn refused_before() -> Self {
        Self::new(Action::Skip, Reason::RefusedBefore, None)
    }

    /// The decision without its deletion, where nothing may be deleted.
    fn guarded(self, may_delete: bool) -> Self {
        match self.action {
            Action::Delete if !may_delete => {
                let reason = Reason::ListingContradictsItself;
                Self::new(Action::Keep, reason, self.leaves_at())
            }
            Action::RetrieveThenDelete if !may_delete => {
                Self::new(Action::Retrieve, self.reason, self.leaves_at())
            }
            _ => self,
        }
    }
}

/// What is to be done with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Delete it on the server; it was stored before.
    Delete,
    /// Retrieve its header, and leave it on the server.
    Headers,
    /// Do nothing: it is stored, and it stays.
    Keep,
    /// Retrieve it, and leave it on the server.
    Retrieve,
    /// Retrieve it, and delete it on the server once it is safely stored.
    RetrieveThenDelete,
    /// Leave it aside although it is not stored.
    Skip,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The server was asked to delete it before and still lists it.
    AskedBefore,
    /// Its header is here; it is large, and nobody has asked for the rest.
    HeadersOnly,
    /// It is larger than `headers-only-above`.
    LargerThanHeadersOnlyAbove,
    /// Another program had it, and popsync holds no copy.
    Imported,
    /// It was stored, and is not in the store that there is now: the server's may be the last.
    CopyLost,
    /// No folder of the store holds it any more.
    DeletedLocally,
    /// It is stored and was to be deleted at once, but that session came to no end.
    DeletionInterrupted,
    /// It is to go, but a brake holds all deletions back.
    HeldBack,
    /// It is larger than `max-size`.
    LargerThanMaxSize,
    /// It is large, and a person has asked for all of it.
    Marked,
    /// It is not in the cache.
    New,
    /// The listing gives it no unique-id, so it could not be told apart later.
    NoUniqueId,
    /// The policy deletes what is stored, and it is.
    NotLeftOnServer,
    /// `remove-after-days` have passed since it was stored.
    OlderThanRemoveAfter,
    /// The server refused it earlier in this run, and hung up.
    RefusedBefore,
    /// The run's `max-messages` or `max-octets` is used up.
    RunLimit,
    /// It is stored, and the policy leaves it on the server.
    Stored,
    /// The unique-id does not tell which message this is: several have it, or it was gone.
    UniqueIdAmbiguous,
    /// The listing contradicts itself, so nothing known is deleted in this session.
    ListingContradictsItself,
}

impl Action {
    /// Whether anything is done with the message.
    fn touches(self) -> bool {
        !matches!(self, Self::Keep | Self::Skip)
    }

    /// Whether the message is to be retrieved.
    pub fn retrieves(self) -> bool {
        matches!(self, Self::Retrieve | Self::RetrieveThenDelete)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delete => "delete",
            Self::Headers => "headers only",
            Self::Keep => "keep",
            Self::Retrieve => "retrieve",
            Self::RetrieveThenDelete => "retrieve, then delete",
            Self::Skip => "skip",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AskedBefore => "deletion asked before, still listed",
            Self::HeadersOnly => "headers only, not marked",
            Self::LargerThanHeadersOnlyAbove => "larger than headers-only-above",
            Self::Imported => "had by another program, and not stored here",
            Self::CopyLost => "stored, but missing from the store as it is now",
            Self::DeletedLocally => "stored, and deleted from the store since",
            Self::DeletionInterrupted => "stored, and its deletion was interrupted",
            Self::HeldBack => "due for removal, and held back",
            Self::LargerThanMaxSize => "larger than max-size",
            Self::Marked => "marked",
            Self::New => "new",
            Self::NoUniqueId => "no unique-id",
            Self::NotLeftOnServer => "stored, and not left on the server",
            Self::OlderThanRemoveAfter => "stored longer ago than remove-after-days",
            Self::RefusedBefore => "refused by the server earlier in this run",
            Self::RunLimit => "over this run's max-messages or max-octets",
            Self::Stored => "stored",
            Self::UniqueIdAmbiguous => "the unique-id does not tell which message this is",
            Self::ListingContradictsItself => "the listing contradicts itself",
        })
    }
}

#[cfg(test)]
mod tests;
