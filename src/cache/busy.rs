//! Waiting for another run's transaction.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use crate::stop::may_wait;

/// The longest time that a run waits.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// The pause before the second attempt. Each later pause is twice as long.
const FIRST: Duration = Duration::from_millis(1);

/// The longest pause.
const LONGEST: Duration = Duration::from_millis(50);

thread_local! {
    /// The time when SQLite began to wait.
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Waits a moment, and tells SQLite to try again or to give up. SQLite has retried `times` times.
/// SQLite's own handler would not end when the program is asked to stop.
pub(super) fn wait(times: i32) -> bool {
    let now = Instant::now();
    let began = match BEGAN.get() {
        Some(began) if times > 0 => began,
        _ => now,
    };
    BEGAN.set(Some(began));
    let goes_on = now.duration_since(began) < TIMEOUT && may_wait(began);
    if goes_on {
        let doubled = FIRST.saturating_mul(1 << times.clamp(0, 10));
        thread::sleep(doubled.min(LONGEST));
    }
    goes_on
}
