//! Time, as the simulator sees it.
//!
//! Every timer, delay and timestamp asks a [`Clock`]. The [`RealClock`] is the default; with a
//! [`ManualClock`] a test advances an idle timer of half an hour in no time at all, and a
//! connection that waits notices the advance at once.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// A source of time for timers and timestamps.
pub trait Clock: Send + Sync + 'static {
    /// The time since the clock began.
    fn now(&self) -> Duration;

    /// The longest real time that a waiting connection may sleep before it reads the clock again,
    /// when its next timer fires at `until`. `None` is for clocks that call the waker.
    fn sleep_at_most(&self, until: Duration) -> Option<Duration> {
        let _ = until;
        Some(Duration::from_millis(10))
    }

    /// Registers a connection that wants to be woken when the time is changed by hand.
    fn register(&self, sleeper: Weak<dyn Wake>) {
        let _ = sleeper;
    }
}

/// Something that waits and can be woken.
pub trait Wake: Send + Sync {
    /// Ends the wait.
    fn wake(&self);
}

/// The time of the machine, which never goes back.
#[derive(Clone, Debug)]
pub struct RealClock {
    start: Instant,
}

impl Default for RealClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep_at_most(&self, until: Duration) -> Option<Duration> {
        Some(until.saturating_sub(self.now()))
    }
}

/// A clock that stands still until a test advances it. Clones show the same time.
///
/// ```
/// use exchange_sim::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::default();
/// clock.advance(Duration::from_secs(61));
/// assert_eq!(clock.now(), Duration::from_secs(61));
/// ```
#[derive(Clone, Default)]
pub struct ManualClock {
    shared: Arc<Manual>,
}

#[derive(Default)]
struct Manual {
    now: Mutex<Duration>,
    sleepers: Mutex<Vec<Weak<dyn Wake>>>,
}

impl ManualClock {
    /// Moves the time on and wakes every connection that waits.
    pub fn advance(&self, by: Duration) {
        *lock(&self.shared.now) += by;
        let sleepers = std::mem::take(&mut *lock(&self.shared.sleepers));
        let alive: Vec<_> = sleepers
            .into_iter()
            .filter(|sleeper| sleeper.upgrade().map(|sleeper| sleeper.wake()).is_some())
            .collect();
        lock(&self.shared.sleepers).extend(alive);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *lock(&self.shared.now)
    }

    fn sleep_at_most(&self, _until: Duration) -> Option<Duration> {
        None
    }

    fn register(&self, sleeper: Weak<dyn Wake>) {
        lock(&self.shared.sleepers).push(sleeper);
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock")
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

/// Locks a mutex, also after another thread panicked while it held it: a failed test must not
/// hide behind the panic of every connection that comes after it.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
