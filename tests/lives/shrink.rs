//! Runs a life to its end, and finds the shortest one with the same failure.

use std::panic::{self, AssertUnwindSafe};

use tokio::runtime::Runtime;

use crate::event::{Birth, Event, Trouble};
use crate::judgement::{Kind, Violation};
use crate::life::Life;
use crate::server::Manner;
use crate::store;

/// The failure of a life.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) violation: Violation,
    /// All events.
    pub(crate) story: Vec<String>,
}

/// The runtime and the slot of a life.
pub(crate) struct Place<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) slot: usize,
}

/// Runs this life. Returns its failure, if any.
pub(crate) fn live(birth: Birth, events: &[Event], place: &Place<'_>) -> Option<Failure> {
    let lived = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut life = Life::begin(birth, place.runtime, place.slot);
        let mut events = events.iter();
        let judged = events
            .try_for_each(|event| life.happens(*event))
            .and_then(|()| life.closes());
        judged.err().map(|violation| Failure {
            violation,
            story: std::mem::take(&mut life.story),
        })
    }));
    lived.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        Some(Failure {
            violation: Violation {
                kind: Kind::Breaks,
                words: words.unwrap_or_else(|| "a panic".to_owned()),
            },
            story: vec![format!("{events:?}")],
        })
    })
}

/// The maximum number of lives to try in shortening one.
const MOST: usize = 200;

/// Drops and simplifies events while the life fails in the same way.
pub(crate) fn shrink(
    mut birth: Birth,
    mut events: Vec<Event>,
    mut failure: Failure,
    place: &Place<'_>,
) -> (Vec<Event>, Failure) {
    let mut left = MOST;
    let mut ends_as_badly = |birth: Birth, events: &[Event], failure: &mut Failure| {
        left = left.saturating_sub(1);
        let again = (left > 0).then(|| live(birth, events, place)).flatten();
        let again = again.filter(|again| again.violation.kind == failure.violation.kind);
        again.is_some_and(|again| {
            *failure = again;
            true
        })
    };
    loop {
        let before = (events.clone(), birth.manner.pipelining, birth.store);
        for place in (0..events.len()).rev() {
            let mut fewer = events.clone();
            fewer.remove(place);
            if ends_as_badly(birth, &fewer, &mut failure) {
                events = fewer;
            }
        }
        for place in 0..events.len() {
            for simpler in simpler(events[place]) {
                let mut changed = events.clone();
                changed[place] = simpler;
                if ends_as_badly(birth, &changed, &mut failure) {
                    events = changed;
                    break;
                }
            }
        }
        for simpler in plainer(birth) {
            if ends_as_badly(simpler, &events, &mut failure) {
                birth = simpler;
            }
        }
        if before == (events.clone(), birth.manner.pipelining, birth.store) {
            return (events, failure);
        }
    }
}

/// Simpler forms of the event.
fn simpler(event: Event) -> Vec<Event> {
    match event {
        Event::Arrives { count, seed } => [1, 2, count - 1]
            .into_iter()
            .filter(|&fewer| 0 < fewer && fewer < count)
            .map(|count| Event::Arrives { count, seed })
            .collect(),
        Event::Syncs {
            trouble,
            mass_delete,
        } if trouble != Trouble::None || mass_delete => vec![
            Event::Syncs {
                trouble: Trouble::None,
                mass_delete: false,
            },
            Event::Syncs {
                trouble,
                mass_delete: false,
            },
        ],
        Event::Rehearses {
            trouble,
            mass_delete,
        } => vec![Event::Syncs {
            trouble,
            mass_delete,
        }],
        Event::Killed { .. } => vec![Event::Syncs {
            trouble: Trouble::None,
            mass_delete: false,
        }],
        Event::Deletes { which, count } if count > 1 => vec![Event::Deletes { which, count: 1 }],
        Event::MovesOut { which, count } if count > 1 => vec![Event::MovesOut { which, count: 1 }],
        _ => Vec::new(),
    }
}

/// Births nearer to the usual one.
fn plainer(birth: Birth) -> Vec<Birth> {
    let mut plainer = Vec::new();
    if birth.shares {
        plainer.push(Birth {
            shares: false,
            ..birth
        });
    }
    let mut with = |manner: Manner, store: store::Kind| {
        plainer.push(Birth {
            manner,
            store,
            ..birth
        });
    };
    let (manner, store) = (birth.manner, birth.store);
    if store != store::Kind::Maildir {
        with(manner, store::Kind::Maildir);
    }
    if manner.pipelining {
        let pipelining = false;
        with(
            Manner {
                pipelining,
                ..manner
            },
            store,
        );
    }
    plainer
}
