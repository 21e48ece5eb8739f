//! The brakes: reasons to stop all deletions of a run, although they are in the plan.
//!
//! The plan follows the settings. A brake says that the facts behind it have changed in a way that
//! no person meant. Then nothing is deleted, and a person decides. Only deletions of messages of
//! earlier runs trigger a brake: a message of this session is safely stored when its DELE goes out.

use std::fmt;

use super::{Action, DAY, Decision, Reason};

/// This many deletions are always allowed, however small the mailbox is.
const ALWAYS_ALLOWED: u64 = 10;

/// A clock that is this far behind the last run was set back.
const CLOCK_BACK: i64 = DAY;

/// A clock that is this far ahead of the last run was set ahead, or nobody has looked after this
/// mailbox for a long time. Both need a person.
const CLOCK_AHEAD: i64 = 90 * DAY;

/// The facts that the plan itself does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// The time.
    pub now: i64,
    /// The end of the last run whose clock was trusted, if there was one.
    pub trusted_at: Option<i64>,
    /// The number of messages that the server lists.
    pub on_server: u64,
    /// True if the records were made by the runs that stored the messages. False if they were
    /// rebuilt.
    pub has_history: bool,
    /// The state of the store.
    pub store: StoreState,
    /// The maximum number of messages of earlier runs that may be deleted.
    pub max_deletions: u64,
    /// True if a person has said that so many deletions are meant.
    pub allowed: bool,
    /// True if an earlier listing contradicted itself, and no later one has agreed in full.
    pub contradicted: bool,
    /// True if an earlier run held back too many deletions, and no person has released them.
    pub held: bool,
}

/// The state of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreState {
    /// None of the stored messages is there.
    Emptied,
    /// Stored messages are there.
    Holds,
    /// It cannot be read.
    Unreadable,
}

/// The reason why nothing is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brake {
    /// The clock is far ahead of the last run.
    ClockAhead {
        /// The number of days.
        days: i64,
    },
    /// The clock is behind the last run.
    ClockBack {
        /// The number of days.
        days: i64,
    },
    /// An earlier run held deletions back, and no person has released them.
    Held {
        /// The number of deletions.
        deletions: u64,
    },
    /// The runs that stored the messages did not make the records.
    NoHistory,
    /// More than half of the mailbox would be deleted.
    OverHalf {
        /// The number of deletions.
        deletions: u64,
        /// Messages on the server.
        messages: u64,
    },
    /// None of the stored messages is in the store.
    StoreEmptied,
    /// The store cannot be read, so nobody can tell.
    StoreUnreadable,
    /// More than `max-deletions` would be deleted.
    TooMany {
        /// The number of deletions.
        deletions: u64,
        /// `max-deletions`.
        most: u64,
    },
}

impl Brake {
    /// True if a person can release it by saying that the deletions are meant.
    pub fn is_releasable(self) -> bool {
        self != Self::StoreUnreadable
    }

    /// True if it stays until a person releases it, however few the deletions become.
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

/// The brake for a clock so far from the last run that ages are meaningless.
pub(crate) fn clock(now: i64, trusted_at: Option<i64>) -> Option<Brake> {
    let ahead = now.saturating_sub(trusted_at?);
    if ahead > CLOCK_AHEAD {
        Some(Brake::ClockAhead { days: ahead / DAY })
    } else if ahead < -CLOCK_BACK {
        Some(Brake::ClockBack { days: -ahead / DAY })
    } else {
        None
    }
}

/// All brakes on these deletions.
pub(super) fn brakes(decisions: &[Decision], circumstances: &Circumstances) -> Vec<Brake> {
    let mut brakes = Vec::new();
    let count = |wanted: &dyn Fn(Reason) -> bool| {
        let deleted = decisions
            .iter()
            .filter(|decision| decision.action.deletes_known() && wanted(decision.reason));
        deleted.count() as u64
    };
    // A message that is due and has no copy here stays anyway. But the user must hear that the
    // reason is the state of the store.
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
    // If nothing is due, only the state of the store is worth a warning.
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
    // Deletions that the policy asked for before, or had begun, are not news.
    let is_news = |reason| !matches!(reason, Reason::AskedBefore | Reason::DeletionInterrupted);
    let deletions = count(&is_news);
    // Deletions by age were announced when the message was stored, if the clock is right.
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

/// Removes all deletions from a plan. Returns the number of affected messages of earlier runs.
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
            // It is stored now, and stays on the server until the brake is released.
            Action::RetrieveThenDelete => decision.action = Action::Retrieve,
            Action::Headers | Action::Keep | Action::Retrieve | Action::Skip => {}
        }
    }
    held
}

#[cfg(test)]
mod tests;
