//! Step 4: the policy's plan for one session, and what to tell of it.

use std::collections::HashSet;

use super::{Event, Request};
use crate::account::{Account, Limits, Retention};
use crate::cache::Snapshot;
use crate::maildrop::{Maildrop, Message};
use crate::policy::{
    self, Action, Brake, Circumstances, Decision, Memory, Reason, Resized, Whereabouts,
};

/// What is to be done with each message of a maildrop, in its order.
pub(super) struct Plan {
    decisions: Vec<Decision>,
    /// The places of the messages that are deleted for no other reason than that their files are
    /// gone.
    missed: Vec<usize>,
}

impl Plan {
    /// Decides. `taken` are the messages and octets that the run has retrieved so far. Messages
    /// that the server refused earlier in this run are not asked for again.
    pub(super) fn new(
        request: &Request<'_>,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
        taken: (u64, u64),
        refused: &HashSet<Vec<u8>>,
    ) -> Self {
        let Account {
            retention, limits, ..
        } = request.account;
        let now = (request.clock)();
        let mut decisions = policy::plan(maildrop, snapshot, *retention, *limits, taken, now);
        if !refused.is_empty() {
            for (message, decision) in maildrop.iter().zip(&mut decisions) {
                if decision.action.retrieves() && refused.contains(message.unique_id) {
                    *decision = Decision::refused_before();
                }
            }
        }
        let mut missed = Vec::new();
        if retention.remove_when_deleted_locally && retention.leave_on_server {
            let places = maildrop.iter().zip(&decisions).enumerate();
            let is_missed = |message: Message<'_>, decision: &Decision| {
                decision.action == Action::Delete
                    && snapshot.recall(message.unique_id).is_some_and(|known| {
                        known.whereabouts == Whereabouts::Deleted
                            && !policy::is_old(known, *retention, now)
                    })
            };
            missed.extend(
                places
                    .filter(|(_, (message, decision))| is_missed(*message, decision))
                    .map(|(place, _)| place),
            );
        }
        Self { decisions, missed }
    }

    /// The places of the messages that are deleted for no other reason than that their files are
    /// gone.
    pub(super) fn missed(&self) -> &[usize] {
        &self.missed
    }

    /// Keeps a message after all: its file is not gone.
    pub(super) fn keep(&mut self, place: usize, retention: Retention, stored_at: i64) {
        self.decisions[place] = Decision::found_again(retention, stored_at);
        self.missed.retain(|&missed| missed != place);
    }

    /// Keeps the messages of which it cannot be told whether their files are gone.
    pub(super) fn keep_missed(&mut self) {
        for place in std::mem::take(&mut self.missed) {
            self.decisions[place].action = Action::Keep;
            self.decisions[place].reason = Reason::HeldBack;
        }
    }

    /// The messages that stay as they are, and have other sizes than before.
    pub(super) fn resized(&self, maildrop: &Maildrop, snapshot: &Snapshot) -> Resized {
        policy::resized(maildrop, snapshot, &self.decisions)
    }

    /// What stops the deletions of this plan; nothing where there are none.
    pub(super) fn brakes(&self, circumstances: &Circumstances) -> Vec<Brake> {
        policy::brakes(&self.decisions, circumstances)
    }

    /// Takes all deletions back and says why; gives how many messages of earlier runs that
    /// concerns.
    pub(super) fn apply(&mut self, request: &Request<'_>, brakes: &[Brake]) -> u64 {
        self.missed.clear();
        let held = policy::hold_back(&mut self.decisions);
        let reasons: Vec<String> = brakes.iter().map(ToString::to_string).collect();
        let way_out = if brakes.iter().all(|brake| brake.is_releasable()) {
            "; if that is meant, run it once with --allow-mass-delete"
        } else {
            ""
        };
        let message = format!(
            "nothing is deleted on the server, where {held} messages are due for removal: \
             {}{way_out}",
            reasons.join("; ")
        );
        request
            .reporter
            .report(Event::Warning { message: &message });
        held
    }

    /// Decides where the server has no unique-ids. `stored` are the places of messages whose
    /// headers are those of stored ones.
    pub(super) fn by_header(
        maildrop: &Maildrop,
        stored: &HashSet<usize>,
        limits: Limits,
        taken: (u64, u64),
    ) -> Self {
        Self {
            decisions: policy::plan_by_header(maildrop, stored, limits, taken),
            missed: Vec::new(),
        }
    }

    /// The places in the maildrop of the messages whose action is one of these.
    pub(super) fn places(&self, wanted: impl Fn(Action) -> bool) -> Vec<usize> {
        let chosen = self.decisions.iter().enumerate();
        chosen
            .filter(|(_, decision)| wanted(decision.action))
            .map(|(place, _)| place)
            .collect()
    }

    /// The action for the message in this place of the maildrop.
    pub(super) fn action(&self, place: usize) -> Action {
        self.decisions[place].action
    }

    /// Decides anew for messages that were to be deleted by their remembered unique-ids, and whose
    /// header is not the one that was recorded: they are others.
    pub(super) fn change(&mut self, places: &HashSet<usize>, retention: Retention, now: i64) {
        for &place in places {
            self.decisions[place] = Decision::looked_into(retention, now);
        }
        self.missed.retain(|missed| !places.contains(missed));
    }

    /// Decides anew for messages that were to be deleted and whose headers the server does not
    /// show: their whole content has to tell whether they are the ones that are stored.
    pub(super) fn look_into(&mut self, places: &HashSet<usize>) {
        for &place in places {
            self.decisions[place].action = Action::RetrieveThenDelete;
        }
    }

    /// Whether this message, once retrieved, may be deleted only if it was stored before.
    pub(super) fn goes_only_if_known(&self, place: usize, retention: Retention) -> bool {
        retention.leave_on_server && self.action(place) == Action::RetrieveThenDelete
    }

    /// The messages with what is decided of them.
    pub(super) fn decided<'a>(
        &'a self,
        maildrop: &'a Maildrop,
    ) -> impl Iterator<Item = (Message<'a>, Decision)> {
        maildrop.iter().zip(self.decisions.iter().copied())
    }

    /// How many messages a limit leaves aside.
    pub(super) fn skipped(&self) -> u64 {
        self.count(|decision| {
            matches!(
                decision.reason,
                Reason::LargerThanMaxSize | Reason::RunLimit
            )
        })
    }

    fn count(&self, wanted: impl Fn(&Decision) -> bool) -> u64 {
        self.decisions
            .iter()
            .filter(|decision| wanted(decision))
            .count() as u64
    }

    /// The unique-ids that were gone and are back, perhaps as another message's.
    pub(super) fn doubtful(&self, maildrop: &Maildrop, snapshot: &Snapshot) -> HashSet<Vec<u8>> {
        let doubtful = maildrop.iter().filter(|message| {
            let remembered = snapshot.recall(message.unique_id);
            remembered.is_some_and(|remembered| remembered.gone.is_some())
                && policy::is_ambiguous(*message, remembered)
        });
        doubtful.map(|message| message.unique_id.to_vec()).collect()
    }

    /// Warns of what a person should know about the listing; gives how many messages or lines
    /// that makes unusable.
    pub(super) fn warn(
        &self,
        request: &Request<'_>,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
    ) -> u64 {
        let mut unusable = 0;
        if let Some(imported) = snapshot.imported_in_vain(maildrop) {
            let message = format!(
                "none of the {imported} messages taken over by `popsync import` is on the server: \
                 was that the list of another mailbox?"
            );
            request
                .reporter
                .report(Event::Warning { message: &message });
        }
        unusable += warn(request, maildrop);
        let nameless = self.count(|decision| decision.reason == Reason::NoUniqueId);
        if nameless > 0 {
            unusable += nameless;
            let message = format!(
                "messages to which the server gives no unique-id: {nameless}; they cannot be told \
                 apart, and stay where they are"
            );
            request
                .reporter
                .report(Event::Warning { message: &message });
        }
        let large = request.account.limits.headers_only_above.is_some();
        let blind = self
            .decided(maildrop)
            .filter(|(message, decision)| decision.action.retrieves() && message.octets.is_none())
            .count();
        if large && blind > 0 {
            let message = format!(
                "the server gives no sizes of {blind} messages, so that headers-only-above holds \
                 none of them back"
            );
            request
                .reporter
                .report(Event::Warning { message: &message });
        }
        unusable
    }

    /// Tells what is to be done.
    pub(super) fn report(&self, request: &Request<'_>, maildrop: &Maildrop) {
        let retrieved = self
            .decided(maildrop)
            .filter(|(_, decision)| decision.action.retrieves());
        let octets = retrieved.fold(0_u64, |sum, (message, _)| {
            sum.saturating_add(message.octets.unwrap_or(0))
        });
        request.reporter.report(Event::Planned {
            retrieve: self.count(|decision| decision.action.retrieves()),
            octets,
            delete: self.count(|decision| decision.action == Action::Delete),
            skip: self.count(|decision| decision.action == Action::Skip),
        });
    }
}

/// Warns where the listing contradicts itself; gives how often it does.
pub(super) fn warn(request: &Request<'_>, maildrop: &Maildrop) -> u64 {
    for contradiction in maildrop.contradictions() {
        let message =
            format!("the listing contradicts itself, so nothing is deleted: {contradiction}");
        request
            .reporter
            .report(Event::Warning { message: &message });
    }
    maildrop.contradictions().len() as u64
}
