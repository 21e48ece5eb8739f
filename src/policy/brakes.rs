//! What stops all deletions of a run, although the plan has them.
//!
//! The plan says what the settings ask for; a brake says that what they rest on has changed in a
//! way that no person meant. Then nothing is deleted, and a person decides. Only messages of
//! earlier runs make a brake bite: what this session stores is safe when its DELE goes out.

use std::fmt;

use super::{Action, DAY, Decision, Reason};

/// Up to so many deletions are no mass, however small the mailbox.
const ALWAYS_ALLOWED: u64 = 10;

/// A clock that is behind the last run by more than this was set back.
const CLOCK_BACK: i64 = DAY;

/// A clock that is ahead of the last run by more than this was set ahead, or nobody has looked
/// after this mailbox for a long time: both want a person.
const CLOCK_AHEAD: i64 = 90 * DAY;

/// What a plan does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// The time.
    pub now: i64,
    /// When the last run ended whose clock was believed, if there was one.
    pub trusted_at: Option<i64>,
    /// How many messages the server lists.
    pub on_server: u64,
    /// Whether what is remembered was recorded by the runs that stored it. Not so where it was
    /// rebuilt.
    pub has_history: bool,
    /// How the store was found.
    pub store: StoreState,
    /// The most messages of earlier runs that may be deleted.
    pub max_deletions: u64,
    /// A person has said that so many deletions are meant.
    pub allowed: bool,
    /// An earlier listing contradicted itself, and none has agreed in full since.
    pub contradicted: bool,
    /// An earlier run held deletions back for being too many, and no person has released them.
    pub held: bool,
}

/// How the store was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreState {
    /// None of the messages that were stored is there.
    Emptied,
    /// Messages that were stored are there.
    Holds,
    /// It cannot be read.
    Unreadable,
}

/// Why nothing is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brake {
    /// The clock is far ahead of the last run.
    ClockAhead {
        /// By how many days.
        days: i64,
    },
    /// The clock is behind the last run.
    ClockBack {
        /// By how many days.
        days: i64,
    },
    /// An earlier run held deletions back, and no person has released them.
    Held {
        /// Deletions.
        deletions: u64,
    },
    /// What is remembered was not recorded by the runs that stored it.
    NoHistory,
    /// More than half of the mailbox.
    OverHalf {
        /// Deletions.
        deletions: u64,
        /// Messages on the server.
        messages: u64,
    },
    /// None of the stored messages is in the store.
    StoreEmptied,
    /// Whether they are cannot be told.
    StoreUnreadable,
    /// More than `max-deletions`.
    TooMany {
        /// Deletions.
        deletions: u64,
        /// `max-deletions`.
        most: u64,
    },
}

impl Brake {
    /// Whether a person can release it by saying that the deletions are meant.
    pub fn is_releasable(self) -> bool {
        self != Self::StoreUnreadable
    }

    /// Whether it stays until a person releases it, however few the deletions become.
    pub fn is_lasting(self) -> bool {
        matches!(
            self,
            Self::Held { .. } | Self::OverHalf { .. } | Self::TooMany { .. }
        )
    }
}

impl fmt::Display for Brake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockAhead { days } => {
                write!(f, "the clock is {days} days ahead of the last run")
            }
            Self::ClockBack { days } => {
                write!(f, "the clock is {days} days behind the last run")
            }
            Self::Held { deletions } => write!(
                f,
                "{deletions} messages would be, and an earlier run held them back"
            ),
            Self::NoHistory => f.write_str("what is remembered of the messages was rebuilt"),
            Self::OverHalf {
                deletions,
                messages,
            } => write!(
                f,
                "{deletions} of the {messages} messages there would be, more than half"
            ),
            Self::StoreEmptied => f.write_str("the store holds none of the messages stored in it"),
            Self::StoreUnreadable => f.write_str("the store cannot be read"),
            Self::TooMany { deletions, most } => {
                write!(
                    f,
                    "{deletions} messages would be, and max-deletions is {most}"
                )
            }
        }
    }
}

/// Whether the clock is so far from the last run that ages say nothing.
pub fn clock(now: i64, trusted_at: Option<i64>) -> Option<Brake> {
    let ahead = now.saturating_sub(trusted_at?);
    if ahead > CLOCK_AHEAD {
        Some(Brake::ClockAhead { days: ahead / DAY })
    } else if ahead < -CLOCK_BACK {
        Some(Brake::ClockBack { days: -ahead / DAY })
    } else {
        None
    }
}

/// All that stops these deletions.
pub(super) fn brakes(decisions: &[Decision], circumstances: &Circumstances) -> Vec<Brake> {
    let mut brakes = Vec::new();
    let count = |wanted: &dyn Fn(Reason) -> bool| {
        let deleted = decisions
            .iter()
            .filter(|decision| decision.action.deletes_known() && wanted(decision.reason));
        deleted.count() as u64
    };
    // What is due and has no copy here stays anyway; that the store is to blame wants saying.
    let is_missed =
        |decision: &Decision| matches!(decision.reason, Reason::CopyDeleted | Reason::CopyUnclear);
    let is_due = count(&|_| true) > 0;
    if is_due || decisions.iter().any(is_missed) {
        match circumstances.store {
            StoreState::Emptied => brakes.push(Brake::StoreEmptied),
            StoreState::Holds => {}
            StoreState::Unreadable => brakes.push(Brake::StoreUnreadable),
        }
    }
    if !is_due {
        if circumstances.allowed {
            brakes.retain(|brake| !brake.is_releasable());
        }
        return brakes;
    }
    let clock = clock(circumstances.now, circumstances.trusted_at);
    brakes.extend(clock);
    if !circumstances.has_history {
        brakes.push(Brake::NoHistory);
    }
    // What the policy asked for before, or was about to, is no news.
    let is_news = |reason| !matches!(reason, Reason::AskedBefore | Reason::DeletionInterrupted);
    let deletions = count(&is_news);
    // What leaves by its age was announced when it was stored, as long as the clock is right.
    let surprises = count(&|reason| {
        is_news(reason) && (clock.is_some() || reason != Reason::OlderThanRemoveAfter)
    });
    let messages = circumstances.on_server;
    if deletions > circumstances.max_deletions {
        brakes.push(Brake::TooMany {
            deletions,
            most: circumstances.max_deletions,
        });
    } else if surprises > ALWAYS_ALLOWED
        && (circumstances.held || surprises.saturating_mul(2) > messages)
    {
        brakes.push(if surprises.saturating_mul(2) > messages {
            Brake::OverHalf {
                deletions: surprises,
                messages,
            }
        } else {
            Brake::Held {
                deletions: surprises,
            }
        });
    }
    if circumstances.allowed {
        brakes.retain(|brake| !brake.is_releasable());
    }
    brakes
}

/// Takes all deletions out of a plan; gives how many messages of earlier runs that concerns.
pub(super) fn hold_back(decisions: &mut [Decision]) -> u64 {
    let mut held = 0;
    for decision in decisions {
        match decision.action {
            Action::Delete | Action::RetrieveThenDeleteIfKnown => {
                decision.action = Action::Keep;
                decision.reason = Reason::HeldBack;
                held += 1;
            }
            Action::Keep
                if matches!(decision.reason, Reason::CopyDeleted | Reason::CopyUnclear) =>
            {
                decision.reason = Reason::HeldBack;
                held += 1;
            }
            Action::RetrieveThenDelete => decision.action = Action::Retrieve,
            Action::Headers | Action::Keep | Action::Retrieve | Action::Skip => {}
        }
    }
    held
}

#[cfg(test)]
mod tests;
