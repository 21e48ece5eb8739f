//! Profile × setting × state × time: every case of a message with a unique-id of its own.

use std::collections::HashMap;

use super::{KEEP, NOW, decisions, maildrop, stored};
use crate::account::DEFAULT_MAX_DELETIONS;
use crate::policy::*;
use crate::profile::Profile;

const FOLLOW: Retention = Retention {
    leave_on_server: true,
    remove_after_days: None,
    remove_when_deleted_locally: true,
    remove_imported: false,
    max_deletions: DEFAULT_MAX_DELETIONS,
};

/// The state of a message, apart from its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Stored,
    Asked,
    Deleted,
    DeletedAndAsked,
    Lost,
}

const STATES: [State; 6] = [
    State::New,
    State::Stored,
    State::Asked,
    State::Deleted,
    State::DeletedAndAsked,
    State::Lost,
];

/// The decision on a message that was stored this many seconds ago.
fn decided(state: State, age: i64, retention: Retention) -> Decision {
    let memory: HashMap<_, _> = match state {
        State::New => HashMap::new(),
        _ => {
            let (id, mut remembered) = stored("a", 0, false);
            remembered.stored_at = NOW - age;
            remembered.deletion_asked = matches!(state, State::Asked | State::DeletedAndAsked);
            remembered.whereabouts = match state {
                State::Deleted | State::DeletedAndAsked => Whereabouts::Deleted,
                State::Lost => Whereabouts::Lost,
                _ => Whereabouts::InStore,
            };
            HashMap::from([(id, remembered)])
        }
    };
    let maildrop = maildrop(&["1 a 10"]);
    let limits = Limits::default();
    decisions(&maildrop, &memory, retention, limits)[0]
}

/// Profile × setting × state × time: all decisions on a message with a unique-id of its own. The
/// rules are written down here a second time, from the manual.
#[test]
fn every_case_of_the_policy_by_table() {
    const DAYS: [i64; 5] = [0, 13, 14, 15, 400];
    let mut cases = 0;
    for profile in Profile::ALL {
        for leave in [None, Some(true), Some(false)] {
            for days in [None, Some(14)] {
                for follow in [false, true] {
                    // A removal that is asked for implies that messages stay until then.
                    let stays = leave
                        .unwrap_or_else(|| days.is_some() || follow || profile.leaves_on_server());
                    let retention = Retention {
                        remove_when_deleted_locally: follow,
                        ..Retention::new(stays, days)
                    };
                    for state in STATES {
                        for age in DAYS.map(|days| days * DAY) {
                            let old = days.is_some_and(|days| age >= i64::from(days) * DAY);
                            let missed =
                                follow && matches!(state, State::Deleted | State::DeletedAndAsked);
                            let asked = matches!(state, State::Asked | State::DeletedAndAsked);
                            let by_age = days.map(|days| NOW - age + i64::from(days) * DAY);
                            let expected = match state {
                                State::New if stays => (
                                    Action::Retrieve,
                                    Reason::New,
                                    days.map(|days| NOW + i64::from(days) * DAY),
                                ),
                                State::New => (Action::RetrieveThenDelete, Reason::New, Some(NOW)),
                                State::Lost => (Action::Keep, Reason::CopyLost, None),
                                // The server's copy is the last one, unless its deletion was asked
                                // for.
                                State::Deleted | State::DeletedAndAsked
                                    if !follow && (!stays || old) =>
                                {
                                    (Action::Keep, Reason::CopyDeleted, None)
                                }
                                _ if asked && (!stays || old || missed) => {
                                    (Action::Delete, Reason::AskedBefore, Some(NOW))
                                }
                                _ if !stays => (Action::Delete, Reason::NotLeftOnServer, Some(NOW)),
                                _ if old => {
                                    (Action::Delete, Reason::OlderThanRemoveAfter, Some(NOW))
                                }
                                _ if missed => (Action::Delete, Reason::DeletedLocally, Some(NOW)),
                                _ => (Action::Keep, Reason::Stored, by_age),
                            };
                            let decision = decided(state, age, retention);
                            assert_eq!(
                                (decision.action, decision.reason, decision.leaves_at()),
                                expected,
                                "{profile} {leave:?} {days:?} {follow} {state:?} {age}"
                            );
                            cases += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cases, 9 * 3 * 2 * 2 * 6 * 5);
}

/// A message in any folder of the Maildir counts as stored.
#[test]
fn only_who_asks_for_it_has_messages_deleted_for_being_deleted_here() {
    assert_eq!(decided(State::Deleted, DAY, KEEP).action, Action::Keep);
    assert_eq!(decided(State::Deleted, DAY, FOLLOW).action, Action::Delete);
    assert_eq!(
        decided(State::Stored, 400 * DAY, FOLLOW).action,
        Action::Keep
    );
}
