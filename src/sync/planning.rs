//! Step 4: the policy's plan for one session, and what to tell of it.

use std::collections::HashSet;

use super::{Event, Request};
use crate::account::{Account, Retention};
use crate::cache::Snapshot;
use crate::maildrop::{Maildrop, Message};
use crate::policy::{self, Action, Decision, Memory, Reason};

/// What is to be done with each message of a maildrop, in its order.
pub(super) struct Plan {
    decisions: Vec<Decision>,
}

impl Plan {
    /// Decides. Messages that the server refused earlier in this run are not asked for again.
    pub(super) fn new(
        request: &Request<'_>,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
        refused: &HashSet<Vec<u8>>,
    ) -> Self {
        let Account {
            retention, limits, ..
        } = request.account;
        let now = (request.clock)();
        let mut decisions = policy::plan(maildrop, snapshot, *retention, *limits, now);
        if !refused.is_empty() {
            for (message, decision) in maildrop.iter().zip(&mut decisions) {
                if decision.action.retrieves() && refused.contains(message.unique_id) {
                    *decision = Decision {
                        action: Action::Skip,
                        reason: Reason::RefusedBefore,
                    };
                }
            }
        }
        Self { decisions }
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
    pub(super) fn change(&mut self, places: &HashSet<usize>, retention: Retention) {
        for &place in places {
            self.decisions[place] = Decision {
                action: if retention.leave_on_server {
                    Action::Retrieve
                } else {
                    Action::RetrieveThenDelete
                },
                reason: Reason::UniqueIdAmbiguous,
            };
        }
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
                "the server gives {nameless} messages no unique-id: they cannot be told apart, \
                 and stay where they are"
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
