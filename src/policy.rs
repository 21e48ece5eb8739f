//! The plan, a pure function: one action for every message of the maildrop, and the reason.
//!
//! All rules about retrieving and deleting live here and nowhere else. They read only their
//! arguments: no clock, no cache, no server. A deleted message is gone for good. So every rule that
//! deletes asks first which message it is, where its copy is, and whether the copy is whole.
//!
//! When may DELE go out? [`plan`] chooses the messages to delete; `sync::delete` asks for the proof
//! of each.

use std::collections::HashSet;

mod brakes;
mod by_header;
mod decision;
mod knowledge;
mod large;

pub(crate) use brakes::clock;
pub use brakes::{Brake, Circumstances, StoreState};
pub(crate) use by_header::plan_by_header;
pub use decision::{Action, Reason};
pub(crate) use knowledge::{Counting, HeaderSeen, Trouble, resized, unsized_before};
pub use knowledge::{Evidence, Memory, Remembered, Whereabouts};
pub use large::HeaderOnly;

use crate::account::{Limits, Retention};
use crate::maildrop::{Maildrop, Message, Place};

use knowledge::{Identity, Knowledge};
use large::Portion;

const DAY: i64 = 24 * 60 * 60;

/// The time of a message that never leaves the server.
const NEVER: u32 = u32::MAX;

/// The decision on one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decision {
    /// The action.
    pub action: Action,
    /// The reason.
    pub reason: Reason,
    /// Seconds since 1970, or [`NEVER`]. There is one decision for each message of the maildrop, and
    /// this is only for people to read, so it need not tell years after 2105 apart.
    leaves_at: u32,
}

/// The inputs of a plan besides the maildrop and the memory of it.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The rules by which messages leave the server.
    pub retention: Retention,
    /// The limits on what the run may retrieve.
    pub limits: Limits,
    /// The messages and octets that earlier sessions of the run have retrieved.
    pub taken: (u64, u64),
    /// The facts that the brakes need.
    pub circumstances: &'a Circumstances,
}

/// The decisions on all messages of a maildrop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One decision a message, in the order of the maildrop.
    pub decisions: Vec<Decision>,
    /// The brakes that hold deletions back.
    pub brakes: Vec<Brake>,
    /// The number of messages of earlier runs that are held back.
    pub held: u64,
}

/// Decides for every message of the maildrop, in its order. Nothing changes these decisions
/// afterwards.
pub fn plan(
    maildrop: &Maildrop,
    memory: &impl Memory,
    evidence: &Evidence,
    rules: Rules<'_>,
) -> Plan {
    let mut run = Run::new(rules.limits, rules.taken);
    let may_delete = maildrop.contradictions().is_empty() && !rules.circumstances.contradicted;
    let decisions = maildrop.places().map(|(place, message)| {
        let knowledge = Knowledge::of(place, message, memory, evidence);
        let decision = if message.unique_id.is_empty() {
            Decision::new(Action::Skip, Reason::NoUniqueId, None)
        } else {
            decide(message, knowledge, memory, evidence, rules)
        };
        let decision = evidence.trouble.spare(message, knowledge, decision);
        // The guard is last, so that no rule can delete by a listing that contradicts itself.
        run.admit(message, decision).guarded(may_delete)
    });
    let plan = Plan {
        decisions: decisions.collect(),
        brakes: Vec::new(),
        held: 0,
    };
    match evidence.is_complete {
        true => plan.braked(rules.circumstances),
        false => plan,
    }
}

impl Plan {
    /// Turns a draft into a plan, once all its facts are known. Only for a draft that
    /// [deletes](Self::deleted) nothing of earlier runs, so that no evidence is missing.
    pub fn braked(mut self, circumstances: &Circumstances) -> Self {
        self.brakes = brakes::brakes(&self.decisions, circumstances);
        if !self.brakes.is_empty() {
            self.held = brakes::hold_back(&mut self.decisions);
        }
        self
    }

    /// The decision on the message in this place.
    ///
    /// # Panics
    /// If the maildrop has no such place.
    pub(crate) fn at(&self, place: Place) -> Decision {
        self.decisions[place.before()]
    }

    /// All decisions, each with the place of its message.
    pub(crate) fn places(&self) -> impl Iterator<Item = (Place, Decision)> {
        let decisions = self.decisions.iter().enumerate();
        decisions.map(|(before, &decision)| (Place::behind(before), decision))
    }

    /// The places of the messages of earlier runs that a draft deletes, or would delete if their
    /// copies were here.
    pub fn deleted(&self) -> impl Iterator<Item = Place> {
        let deleted = self.places().filter(|(_, decision)| {
            decision.action.deletes_known()
                || matches!(decision.reason, Reason::CopyDeleted | Reason::CopyUnclear)
        });
        deleted.map(|(place, _)| place)
    }
}

/// Decides on one message.
fn decide(
    message: Message<'_>,
    knowledge: Knowledge,
    memory: &impl Memory,
    evidence: &Evidence,
    rules: Rules<'_>,
) -> Decision {
    let (retention, now) = (rules.retention, rules.circumstances.now);
    match (knowledge.identity, knowledge.remembered) {
        (Identity::Imported, _) => Decision::new(Action::Keep, Reason::Imported, None),
        (Identity::New, _) | (Identity::Probable | Identity::Same | Identity::Shared, None) => {
            let header = memory.recall_header(message.unique_id);
            not_stored(message, header, rules)
        }
        (Identity::Open, _) => retrieved(retention, Reason::UniqueIdAmbiguous, now),
        // While the number of messages with this unique-id has not changed since all of them were
        // accounted for, they are taken for the same ones. But one is deleted only in the session
        // that has retrieved its content and found it in the store.
        (Identity::Shared, _) if retention.leave_on_server => {
            Decision::new(Action::Keep, Reason::Stored, None)
        }
        (Identity::Shared, _) => retrieved(retention, Reason::UniqueIdAmbiguous, now),
        (Identity::Probable, Some(remembered)) => {
            stored(remembered, retention, now, evidence.is_complete).by_content()
        }
        (Identity::Same, Some(remembered)) => {
            stored(remembered, retention, now, evidence.is_complete)
        }
    }
}

/// Decides on a message that is recorded as stored.
fn stored(remembered: Remembered, retention: Retention, now: i64, is_looked_at: bool) -> Decision {
    let keep = |reason, leaves_at| Decision::new(Action::Keep, reason, leaves_at);
    // The message never came whole, so the state of the incomplete copy does not matter.
    if remembered.is_doubtful {
        return retrieved(retention, Reason::Doubtful, now);
    }
    // The server's copy may be the last one, so no setting deletes it.
    if remembered.whereabouts == Whereabouts::Lost {
        return keep(Reason::CopyLost, None);
    }
    let by_age = leaves_by_age(retention, remembered.stored_at);
    let is_followed =
        retention.remove_when_deleted_locally && remembered.whereabouts == Whereabouts::Deleted;
    let reason = if !retention.leave_on_server {
        if remembered.to_go {
            Reason::DeletionInterrupted
        } else {
            Reason::NotLeftOnServer
        }
    } else if by_age.is_some_and(|time| time <= now) {
        Reason::OlderThanRemoveAfter
    } else if is_followed {
        Reason::DeletedLocally
    } else {
        return keep(Reason::Stored, by_age);
    };
    // A record is not yet a copy: only a look at the store proves that the message is there.
    match remembered.whereabouts {
        Whereabouts::HandedOver | Whereabouts::InStore => {}
        Whereabouts::Deleted if is_followed => {}
        // A draft assumes that the copy is there; these messages are then checked.
        Whereabouts::Unseen if !is_looked_at => {}
        Whereabouts::Deleted => return keep(Reason::CopyDeleted, None),
        Whereabouts::Lost | Whereabouts::Unclear | Whereabouts::Unseen => {
            return keep(Reason::CopyUnclear, None);
        }
    }
    let reason = if remembered.deletion_asked {
        Reason::AskedBefore
    } else {
        reason
    };
    Decision::new(Action::Delete, reason, Some(now))
}

/// Decides on a message that is not stored: retrieve all of it, or its header, or nothing.
fn not_stored(message: Message<'_>, header: Option<HeaderOnly>, rules: Rules<'_>) -> Decision {
    let (retention, now) = (rules.retention, rules.circumstances.now);
    match large::portion(message, header, rules.limits.headers_only_above) {
        Portion::Header => Decision::new(Action::Headers, Reason::LargerThanHeadersOnlyAbove, None),
        Portion::Nothing => Decision::new(Action::Skip, Reason::HeadersOnly, None),
        Portion::Whole => retrieved(retention, Reason::New, now),
        Portion::WholeAsMarked => retrieved(retention, Reason::Marked, now),
    }
}

/// The time when a message stored at this time leaves the server because of its age.
fn leaves_by_age(retention: Retention, stored_at: i64) -> Option<i64> {
    let days = retention.remove_after_days?;
    Some(stored_at.saturating_add(i64::from(days) * DAY))
}

/// The decision to retrieve a message whole, for this reason.
fn retrieved(retention: Retention, reason: Reason, now: i64) -> Decision {
    if retention.leave_on_server {
        Decision::new(Action::Retrieve, reason, leaves_by_age(retention, now))
    } else {
        Decision::new(Action::RetrieveThenDelete, reason, Some(now))
    }
}

impl Trouble {
    /// Changes the decision on a message with which this run had trouble.
    fn spare(&self, message: Message<'_>, knowledge: Knowledge, decision: Decision) -> Decision {
        let has = |ids: &HashSet<Vec<u8>>| !ids.is_empty() && ids.contains(message.unique_id);
        if decision.action.retrieves() && has(&self.refused) {
            return Decision::new(Action::Skip, Reason::RefusedBefore, None);
        }
        if decision.action.retrieves() && has(&self.breaks) {
            return Decision::new(Action::Skip, Reason::BreaksSession, None);
        }
        let remembered = knowledge.remembered;
        let is_doubtful = remembered.is_some_and(|remembered| remembered.is_doubtful);
        if is_doubtful && decision.action.retrieves() && has(&self.short) {
            return Decision::new(Action::Keep, Reason::Doubtful, None);
        }
        if decision.action.deletes() && has(&self.undeletable) {
            let action = match decision.action {
                // Retrieving it does no harm; only its deletion broke a session.
                Action::RetrieveThenDelete => Action::Retrieve,
                _ => Action::Keep,
            };
            return Decision::new(action, Reason::BreaksSession, None);
        }
        decision
    }
}

/// The messages and octets that the run has planned to retrieve so far.
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

    /// Checks a retrieval against the limits. Once a message does not fit, no later one does:
    /// messages come in order, so a large one does not wait for ever.
    fn admit(&mut self, message: Message<'_>, decision: Decision) -> Decision {
        if !decision.action.retrieves() {
            return decision;
        }
        let octets = message.octets.unwrap_or(0);
        // A person who marks a message has seen its size.
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
            leaves_at: leaves_at.map_or(NEVER, |time| {
                u32::try_from(time.max(0)).map_or(NEVER - 1, |time| time.min(NEVER - 1))
            }),
        }
    }

    /// The time when the message leaves the server, in seconds since 1970, as far as it is known.
    /// None if it stays. A time in the past means now.
    pub(crate) fn leaves_at(&self) -> Option<i64> {
        (self.leaves_at != NEVER).then_some(self.leaves_at.into())
    }

    /// The same decision, for a message that is only probably the stored one: it is retrieved, and
    /// deleted if it proves to be the stored one.
    fn by_content(self) -> Self {
        match self.action {
            Action::Delete => Self {
                action: Action::RetrieveThenDeleteIfKnown,
                ..self
            },
            _ => self,
        }
    }

    /// The decision without its deletion, unless messages may be deleted.
    fn guarded(self, may_delete: bool) -> Self {
        match self.action {
            Action::Delete | Action::RetrieveThenDeleteIfKnown if !may_delete => {
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

#[cfg(test)]
mod tests;
