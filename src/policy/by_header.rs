//! The plan for a server without unique-ids: messages are recognised by their headers, if at all.

use std::collections::HashSet;

use super::large::{Portion, portion};
use super::{Action, Decision, Limits, Plan, Reason, Run};
use crate::maildrop::{Maildrop, Place};

/// Decides for every message of a maildrop without unique-ids, in its order. `stored` are the
/// places of those with the header of a stored message. `taken` is what earlier sessions of this
/// run have retrieved.
///
/// Deletes nothing, whatever the retention: a header does not prove the body.
pub(crate) fn plan_by_header(
    maildrop: &Maildrop,
    stored: &HashSet<Place>,
    limits: Limits,
    taken: (u64, u64),
) -> Plan {
    let mut run = Run::new(limits, taken);
    let decisions = maildrop.places().map(|(place, message)| {
        let decision = if stored.contains(&place) {
            Decision::new(Action::Keep, Reason::Stored, None)
        } else if portion(message, None, limits.headers_only_above) == Portion::Header {
            // A person could not mark it, because it has no unique-id.
            Decision::new(Action::Skip, Reason::LargerThanHeadersOnlyAbove, None)
        } else {
            Decision::new(Action::Retrieve, Reason::New, None)
        };
        run.admit(message, decision)
    });
    Plan {
        decisions: decisions.collect(),
        brakes: Vec::new(),
        held: 0,
    }
}
