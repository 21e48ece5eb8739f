//! Reports of a decision to the user.

use super::{Basis, Decided, Inspection};
use crate::maildrop::Maildrop;
use crate::policy::{Action, Decision, Plan, Reason};
use crate::sync::{Event, Request, Summary, Warning, Worry};

/// Warns once, and not in each run, that it is unknown which messages were deleted from the store.
pub(super) fn worry(basis: &mut Basis<'_>, inspection: &Inspection) {
    let Some(worry) = inspection.worry() else {
        return;
    };
    let is_followed = basis.request.account.retention.remove_when_deleted_locally;
    // Nothing was stored yet that a person could have deleted.
    if basis.brakes.is_new() || !is_followed {
        return;
    }
    let words = match worry {
        Worry::Doubtful(doubt) => doubt.to_string(),
        Worry::Unreadable(error) => error.to_string(),
    };
    if basis.brakes.tells(&words) {
        basis.request.warn(Warning::LocalDeletionsUnknown { worry });
    }
}

/// The number of messages skipped because of a limit.
pub(in crate::sync) fn skipped(plan: &Plan) -> u64 {
    count(plan, |decision| {
        matches!(
            decision.reason,
            Reason::LargerThanMaxSize | Reason::RunLimit
        )
    })
}

fn count(plan: &Plan, wanted: impl Fn(&Decision) -> bool) -> u64 {
    let wanted = plan.decisions.iter().filter(|decision| wanted(decision));
    wanted.count() as u64
}

/// Warns of contradictions in the listing. Returns their number.
pub(in crate::sync) fn warn_of_contradictions(request: &Request<'_>, maildrop: &Maildrop) -> u64 {
    for contradiction in maildrop.contradictions() {
        request.warn(Warning::Contradiction { contradiction });
    }
    maildrop.contradictions().len() as u64
}

impl Decided {
    /// Warns the user, and counts the affected messages or lines.
    pub(in crate::sync) fn warn(
        &self,
        request: &Request<'_>,
        maildrop: &Maildrop,
        summary: &mut Summary,
    ) {
        if let Some(imported) = self.snapshot.imported_in_vain(maildrop) {
            request.warn(Warning::ImportedInVain { messages: imported });
        }
        warn_of_brakes(request, &self.plan);
        warn_of_unsized(request, maildrop, &self.plan);
        summary.failed += warn_of_contradictions(request, maildrop);
        summary.failed += warn_of_nameless(request, &self.plan);
        summary.held += self.plan.held;
    }
}

/// Reports the brakes that hold deletions back.
fn warn_of_brakes(request: &Request<'_>, plan: &Plan) {
    if plan.brakes.is_empty() {
        return;
    }
    request.warn(Warning::DeletionsHeld {
        messages: plan.held,
        brakes: &plan.brakes,
    });
}

fn warn_of_nameless(request: &Request<'_>, plan: &Plan) -> u64 {
    let nameless = count(plan, |decision| decision.reason == Reason::NoUniqueId);
    if nameless > 0 {
        request.warn(Warning::WithoutUniqueId { messages: nameless });
    }
    nameless
}

fn warn_of_unsized(request: &Request<'_>, maildrop: &Maildrop, plan: &Plan) {
    let messages = maildrop.iter().zip(&plan.decisions);
    let blind = messages
        .filter(|(message, decision)| decision.action.retrieves() && message.octets.is_none())
        .count();
    if request.account.limits.headers_only_above.is_some() && blind > 0 {
        request.warn(Warning::WithoutSize { messages: blind });
    }
}

/// Reports the plan.
pub(in crate::sync) fn report(request: &Request<'_>, maildrop: &Maildrop, plan: &Plan) {
    let retrieved = maildrop
        .iter()
        .zip(&plan.decisions)
        .filter(|(_, decision)| decision.action.retrieves());
    let octets = retrieved.fold(0_u64, |sum, (message, _)| {
        sum.saturating_add(message.octets.unwrap_or(0))
    });
    request.reporter.report(Event::Planned {
        retrieve: count(plan, |decision| decision.action.retrieves()),
        octets,
        headers: count(plan, |decision| decision.action == Action::Headers),
        delete: count(plan, |decision| decision.action.deletes()),
        skip: count(plan, |decision| decision.action == Action::Skip),
    });
}
