//! The events of a life, and how a seed becomes a life.

use crate::mail::Random;
use crate::server::{Manner, Poison};
use crate::store::{Filed, Kind};

/// The rules by which messages leave the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Keep,
    AtOnce,
    AfterDays(u32),
    WhenDeletedHere,
}

impl Policy {
    /// Its keys of the configuration.
    pub(crate) fn keys(self) -> String {
        match self {
            Self::Keep => "leave-on-server = true\n".to_owned(),
            Self::AtOnce => "leave-on-server = false\n".to_owned(),
            Self::AfterDays(days) => format!("remove-after-days = {days}\n"),
            Self::WhenDeletedHere => "remove-when-deleted-locally = true\n".to_owned(),
        }
    }
}

/// The trouble of the server. A message is chosen when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    Empty,
    Half,
    Contradicts,
    Cuts(usize),
    Unstuffed,
    Breaks(usize, Poison),
    KeepsAll,
}

/// The kind of other mail that gets a unique-id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    /// Anything.
    Any,
    /// The server counts the same number of octets for it.
    SameSize,
    /// It has the same header: the mail was edited.
    SameHeader,
}

/// One event. A number chooses a message, modulo the number of messages, so that each event is
/// possible without those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Arrives {
        count: usize,
        seed: u64,
    },
    Syncs {
        trouble: Trouble,
        mass_delete: bool,
    },
    /// A dry run, and then the sync.
    Rehearses {
        trouble: Trouble,
        mass_delete: bool,
    },
    Killed {
        step: u32,
        time: u32,
    },
    Policy(Policy),
    Days(i64),
    Deletes {
        which: usize,
        count: usize,
    },
    Files {
        which: usize,
        how: Filed,
    },
    Flags {
        which: usize,
    },
    BacksUp,
    RestoresStore {
        which: usize,
        in_place: bool,
    },
    RestoresState {
        which: usize,
    },
    LosesState,
    /// The server gives new unique-ids to every `every`th message.
    Renames {
        every: usize,
    },
    /// The server gives the unique-ids of some messages to other mail.
    Reuses {
        which: usize,
        every: usize,
        other: Other,
        seed: u64,
    },
    /// Another client takes messages out of the maildrop.
    MovesOut {
        which: usize,
        count: usize,
    },
    /// Another client puts them back.
    MovesBack {
        new_ids: bool,
    },
}

/// The start of a life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth {
    pub(crate) manner: Manner,
    pub(crate) store: Kind,
    pub(crate) policy: Policy,
    /// True if several connections may retrieve at the same time.
    pub(crate) shares: bool,
}

/// In a life with several connections this many times as much mail arrives: a further connection is
/// only made for many messages.
const MORE_MAIL: usize = 12;

/// The life of a seed.
pub(crate) fn life(seed: u64) -> (Birth, Vec<Event>) {
    let random = &mut Random::new(seed);
    // Neighbouring seeds must have nothing in common.
    let random = &mut Random::new(random.next());
    let birth = Birth {
        manner: Manner {
            pipelining: random.one_in(2),
            top: !random.one_in(5),
            exact: !random.one_in(3),
        },
        store: [Kind::Maildir, Kind::Maildir, Kind::Nested, Kind::Mbox][random.below(4)],
        policy: match random.below(3) {
            0 => policy(random),
            // If all mail leaves the server at once, few events can happen to it there.
            1 => Policy::Keep,
            _ => Policy::WhenDeletedHere,
        },
        shares: random.one_in(4),
    };
    let count = 5 + random.below(11);
    let mut events = vec![Event::Arrives {
        count: 1 + random.below(6),
        seed: random.next(),
    }];
    while events.len() < count {
        if random.one_in(8) {
            events.extend(passage(random));
        } else {
            events.push(event(random));
        }
    }
    events.truncate(MOST);
    if birth.shares {
        for event in &mut events {
            if let Event::Arrives { count, .. } = event {
                *count *= MORE_MAIL;
            }
        }
    }
    (birth, events)
}

/// The maximum number of events in a life.
const MOST: usize = 15;

const SYNCS: Event = Event::Syncs {
    trouble: Trouble::None,
    mass_delete: false,
};

/// Events that matter most in this order, which chance seldom produces.
fn passage(random: &mut Random) -> Vec<Event> {
    let which = random.below(MANY);
    let arrives = Event::Arrives {
        count: 1 + random.below(4),
        seed: random.next(),
    };
    let deletes = Event::Policy([Policy::AtOnce, Policy::WhenDeletedHere][random.below(2)]);
    match random.below(5) {
        0 => {
            let restores = Event::RestoresStore {
                which,
                in_place: random.one_in(2),
            };
            vec![
                SYNCS,
                Event::BacksUp,
                arrives,
                SYNCS,
                restores,
                deletes,
                SYNCS,
            ]
        }
        1 => {
            let restores = Event::RestoresState { which };
            vec![
                SYNCS,
                Event::BacksUp,
                arrives,
                SYNCS,
                restores,
                deletes,
                SYNCS,
            ]
        }
        2 => {
            let out = Event::MovesOut { which, count: 2 };
            let new_ids = random.one_in(2);
            vec![
                SYNCS,
                out,
                SYNCS,
                Event::MovesBack { new_ids },
                deletes,
                SYNCS,
            ]
        }
        3 => {
            let every = 1 + random.below(3);
            vec![SYNCS, Event::Renames { every }, arrives, deletes, SYNCS]
        }
        _ => {
            let deletes_here = Event::Deletes { which, count: 2 };
            vec![
                SYNCS,
                deletes_here,
                Event::Policy(Policy::WhenDeletedHere),
                SYNCS,
            ]
        }
    }
}

fn policy(random: &mut Random) -> Policy {
    match random.below(5) {
        0 => Policy::Keep,
        1 | 2 => Policy::AtOnce,
        3 => Policy::AfterDays(1 + random.below(5) as u32),
        _ => Policy::WhenDeletedHere,
    }
}

/// Messages are chosen from this many numbers: enough for each to be chosen.
const MANY: usize = 1000;

fn event(random: &mut Random) -> Event {
    let which = random.below(MANY);
    match random.below(100) {
        0..=15 => Event::Arrives {
            count: 1 + random.below(6),
            seed: random.next(),
        },
        16..=39 => Event::Syncs {
            trouble: trouble(random),
            mass_delete: random.one_in(8),
        },
        40..=46 => Event::Rehearses {
            trouble: match trouble(random) {
                Trouble::Cuts(_) | Trouble::Unstuffed | Trouble::Breaks(..) => Trouble::None,
                other => other,
            },
            mass_delete: random.one_in(8),
        },
        47..=49 => {
            let step = 1 + random.below(5) as u32;
            // Reached for each message, or piece of an mbox; other steps once for each batch.
            let times = if step == 4 { 4 } else { 1 };
            let time = 1 + random.below(times) as u32;
            Event::Killed { step, time }
        }
        50..=57 => Event::Policy(policy(random)),
        58..=61 => Event::Days(1 + random.below(6) as i64),
        62..=66 => Event::Deletes {
            which,
            count: 1 + random.below(3),
        },
        67..=70 => Event::Files {
            which,
            how: [Filed::Moved, Filed::Rewritten][random.below(2)],
        },
        71..=73 => Event::Flags { which },
        74..=78 => Event::BacksUp,
        79..=82 => Event::RestoresStore {
            which,
            in_place: random.one_in(2),
        },
        83 | 84 => Event::RestoresState { which },
        85 => Event::LosesState,
        86..=89 => Event::Renames {
            every: 1 + random.below(3),
        },
        90..=93 => Event::Reuses {
            which,
            every: [1, 2, MANY, MANY][random.below(4)],
            other: [
                Other::Any,
                Other::SameHeader,
                Other::SameHeader,
                Other::SameSize,
            ][random.below(4)],
            seed: random.next(),
        },
        94..=96 => Event::MovesOut {
            which,
            count: 1 + random.below(3),
        },
        _ => Event::MovesBack {
            new_ids: random.one_in(2),
        },
    }
}

fn trouble(random: &mut Random) -> Trouble {
    let which = random.below(MANY);
    match random.below(24) {
        0 => Trouble::Empty,
        1 => Trouble::Half,
        2 => Trouble::Contradicts,
        3 | 4 => Trouble::Cuts(which),
        5 => Trouble::Unstuffed,
        6 => Trouble::Breaks(which, Poison::Closes),
        7 => Trouble::Breaks(which, Poison::ClosesHalfway),
        8 => Trouble::Breaks(which, Poison::Garbage),
        9 if random.one_in(3) => Trouble::Breaks(which, Poison::Stalls),
        10 => Trouble::KeepsAll,
        _ => Trouble::None,
    }
}
