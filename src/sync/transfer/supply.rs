//! The messages of an order that are still to be asked for, and who has asked for which. Several
//! sessions may take from it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::order::Slot;

/// The messages of an order that are not retrieved yet.
#[derive(Debug)]
pub(super) struct Supply {
    left: Mutex<Left>,
    /// Wakes sessions that wait: there is more to ask for, or there will be none.
    changed: Notify,
}

#[derive(Debug)]
struct Left {
    /// All before this one were given out.
    next: usize,
    end: usize,
    /// Messages that some session has left to others.
    back: VecDeque<Slot>,
    /// True if no further session is to begin.
    is_closed: bool,
    /// The message that was due to each session when it broke.
    broke_at: Vec<Option<Slot>>,
    /// The messages that each session has asked for and that have not come, in order.
    due: Vec<VecDeque<Slot>>,
    /// The session that has asked for each message, if there are several sessions.
    by: Vec<u8>,
}

impl Left {
    fn is_empty(&self) -> bool {
        self.next == self.end && self.back.is_empty()
    }

    /// True if no session can leave any to the others.
    fn is_nothing_due(&self) -> bool {
        self.due.iter().all(VecDeque::is_empty)
    }
}

impl Supply {
    /// The supply of an order of so many messages, for so many sessions.
    pub(super) fn new(messages: usize, sessions: u8) -> Self {
        Self {
            left: Mutex::new(Left {
                next: 0,
                end: messages,
                back: VecDeque::new(),
                is_closed: false,
                broke_at: vec![None; usize::from(sessions)],
                due: vec![VecDeque::new(); usize::from(sessions)],
                by: if sessions > 1 {
                    vec![0; messages]
                } else {
                    Vec::new()
                },
            }),
            changed: Notify::new(),
        }
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message for this session to ask for, of those that it `has`.
    pub(super) fn next(&self, session: u8, has: impl Fn(Slot) -> bool) -> Option<Slot> {
        let mut left = self.left();
        let slot = match left.back.iter().position(|&slot| has(slot)) {
            Some(place) => left.back.remove(place),
            None => None,
        };
        let slot = slot.or_else(|| {
            while left.next < left.end {
                let slot = Slot(left.next);
                left.next += 1;
                if has(slot) {
                    return Some(slot);
                }
                left.back.push_back(slot);
            }
            None
        })?;
        left.due[usize::from(session)].push_back(slot);
        if let Some(by) = left.by.get_mut(slot.0) {
            *by = session;
        }
        if left.is_empty() {
            self.changed.notify_waiters();
        }
        Some(slot)
    }

    /// The session that has asked for this message, or was the last to do so.
    pub(super) fn session_of(&self, slot: Slot) -> u8 {
        self.left().by.get(slot.0).copied().unwrap_or(0)
    }

    /// The number of messages that nobody has asked for.
    pub(super) fn unasked(&self) -> usize {
        let left = self.left();
        left.end - left.next + left.back.len()
    }

    /// The message whose answer is due to this session.
    pub(super) fn due(&self, session: u8) -> Option<Slot> {
        self.left().due[usize::from(session)].front().copied()
    }

    /// The message that will be asked for next.
    pub(super) fn first_unasked(&self) -> Option<Slot> {
        let left = self.left();
        let back = left.back.front().copied();
        back.or_else(|| (left.next < left.end).then_some(Slot(left.next)))
    }

    /// Ends the message that is due: it has come, or was refused.
    pub(super) fn answered(&self, session: u8) {
        let mut left = self.left();
        left.due[usize::from(session)].pop_front();
        if left.is_nothing_due() {
            self.changed.notify_waiters();
        }
    }

    /// Leaves to the others whatever this session has asked for and not got. If it broke at the
    /// message that was due, that one is not asked for again.
    pub(super) fn leave(&self, session: u8, broke: bool) {
        let session = usize::from(session);
        let mut left = self.left();
        let mut due = std::mem::take(&mut left.due[session]);
        if broke {
            left.broke_at[session] = due.pop_front();
        }
        left.back.extend(due);
        self.changed.notify_waiters();
    }

    /// True if no message is left, and all that were asked for have come.
    pub(super) fn is_over(&self) -> bool {
        let left = self.left();
        left.is_empty() && left.is_nothing_due() && left.broke_at.iter().all(Option::is_none)
    }

    /// Lets no further session begin.
    pub(super) fn close(&self) {
        self.left().is_closed = true;
        self.changed.notify_waiters();
    }

    /// Waits until there is a message that this session `has`. False if there will be none.
    pub(super) async fn more(&self, has: impl Fn(Slot) -> bool) -> bool {
        self.until(|left| {
            if left.back.iter().any(|&slot| has(slot)) || left.next < left.end {
                return Some(true);
            }
            left.is_nothing_due().then_some(false)
        })
        .await
    }

    /// Waits until no further session is to begin: there is nothing to ask for, or an obstacle.
    pub(super) async fn closed(&self) {
        let closed = |left: &Left| (left.is_closed || left.is_empty()).then_some(());
        self.until(closed).await
    }

    async fn until<T>(&self, what: impl Fn(&Left) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(what) = what(&self.left()) {
                return what;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(_: Slot) -> bool {
        true
    }

    fn even(slot: Slot) -> bool {
        slot.0.is_multiple_of(2)
    }

    /// The messages that a session takes, in order.
    fn all(supply: &Supply, session: u8, has: fn(Slot) -> bool) -> Vec<usize> {
        let next = || supply.next(session, has).map(|slot| slot.0);
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn one_session_takes_all_in_order() {
        let supply = Supply::new(4, 1);
        assert_eq!(supply.first_unasked(), Some(Slot(0)));
        assert_eq!(all(&supply, 0, any), [0, 1, 2, 3]);
        assert_eq!((supply.first_unasked(), supply.unasked()), (None, 0));
        for slot in 0..4 {
            assert_eq!(supply.due(0), Some(Slot(slot)));
            assert!(!supply.is_over());
            supply.answered(0);
        }
        assert!(supply.is_over());
    }

    #[test]
    fn what_a_session_does_not_have_is_left_to_the_first() {
        let supply = Supply::new(5, 2);
        assert_eq!(all(&supply, 1, even), [0, 2, 4]);
        assert_eq!(all(&supply, 0, any), [1, 3]);
        let by: Vec<u8> = (0..5).map(|slot| supply.session_of(Slot(slot))).collect();
        assert_eq!(by, [1, 0, 1, 0, 1]);
    }

    #[tokio::test]
    async fn what_a_broken_session_leaves_is_taken_by_the_others() {
        let supply = Supply::new(4, 2);
        assert_eq!(supply.next(0, any), Some(Slot(0)));
        assert_eq!(all(&supply, 1, any), [1, 2, 3]);
        supply.answered(0);
        // Number 1 is to blame.
        let (more, ()) = tokio::join!(supply.more(any), async { supply.leave(1, true) });
        assert!(more);
        assert_eq!(all(&supply, 0, any), [2, 3]);
        supply.answered(0);
        supply.answered(0);
        assert!(!supply.more(any).await);
        // One message has not come.
        assert!(!supply.is_over());
    }

    #[tokio::test]
    async fn a_session_that_breaks_without_blame_leaves_all() {
        let supply = Supply::new(2, 2);
        assert_eq!(all(&supply, 1, any), [0, 1]);
        supply.leave(1, false);
        assert_eq!(all(&supply, 0, any), [0, 1]);
        supply.answered(0);
        supply.answered(0);
        assert!(supply.is_over());
    }

    /// The first session is gone, and nobody else has the rest.
    #[tokio::test]
    async fn nobody_waits_for_what_no_session_has() {
        let supply = Supply::new(4, 2);
        assert_eq!(supply.next(0, any), Some(Slot(0)));
        supply.leave(0, true);
        assert_eq!(all(&supply, 1, even), [2]);
        supply.answered(1);
        assert!(!supply.more(even).await);
    }

    #[tokio::test]
    async fn no_session_begins_where_nothing_is_left_or_an_obstacle_is() {
        let supply = Supply::new(1, 2);
        supply.next(0, any);
        supply.closed().await;
        let supply = Supply::new(1, 2);
        tokio::join!(supply.closed(), async { supply.close() });
    }
}
