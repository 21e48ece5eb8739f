//! A request to end before the work is done, and the signal that made it.

use std::cell::RefCell;
use std::fmt;
use std::future;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use crate::exit::Exit;

/// A signal that ends a run in an orderly way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// SIGHUP: the terminal is gone.
    HangUp,
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGQUIT: Ctrl-\.
    Quit,
    /// SIGTERM: another program asks.
    Terminate,
}

impl Signal {
    /// The status of a run that this signal ended.
    pub fn exit(self) -> Exit {
        match self {
            Self::HangUp => Exit::HungUp,
            Self::Interrupt => Exit::Interrupted,
            Self::Quit => Exit::Quit,
            Self::Terminate => Exit::Terminated,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HangUp => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// Tells a run to end as soon as all complete messages are recorded.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Option<Signal>>);

/// Asks all holders of its [`Stop`] to end.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Option<Signal>>);

impl Stopper {
    /// Asks them to end. Only the first signal counts.
    pub fn stop(&self, signal: Signal) {
        self.0.send_if_modified(|asked| {
            let is_first = asked.is_none();
            asked.get_or_insert(signal);
            is_first
        });
    }
}

impl Stop {
    /// A sender of the request and its receiver.
    pub fn pair() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(None);
        (Stopper(sender), Self(receiver))
    }

    /// For work that nobody ends early.
    pub fn never() -> Self {
        Self::pair().1
    }

    /// The signal that asked to end, if one did.
    pub fn asked(&self) -> Option<Signal> {
        *self.0.borrow()
    }

    /// Waits for the signal; for ever if nobody can send one any more.
    pub async fn wait(&self) -> Signal {
        let mut asked = self.0.clone();
        match asked.wait_for(Option::is_some).await.map(|asked| *asked) {
            Ok(Some(signal)) => signal,
            Ok(None) | Err(_) => future::pending().await,
        }
    }

    /// Awaits `doing`, unless a signal comes first; `doing` is dropped then.
    ///
    /// # Errors
    /// The signal.
    pub async fn unless_stopped<F: Future>(&self, doing: F) -> Result<F::Output, Signal> {
        tokio::select! {
            done = doing => Ok(done),
            signal = self.wait() => Err(signal),
        }
    }

    /// As [`Self::unless_stopped`], but work that may be nearly done has a moment more after the
    /// signal.
    ///
    /// # Errors
    /// The signal.
    pub async fn unless_overdue<F: Future>(&self, doing: F) -> Result<F::Output, Signal> {
        let overdue = async {
            let signal = self.wait().await;
            sleep(GRACE).await;
            signal
        };
        tokio::select! {
            done = doing => Ok(done),
            signal = overdue => Err(signal),
        }
    }
}

/// The time that is left after the signal: for the lock of another program, which others hold as
/// long, and for the message that is being received.
const GRACE: Duration = Duration::from_secs(1);

thread_local! {
    /// The request to end that applies to the work of this thread.
    static HEARD: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

impl Stop {
    /// Runs work that may block. Its waits end soon after a signal: see [`may_wait`].
    pub(crate) fn within<T>(&self, act: impl FnOnce() -> T) -> T {
        struct Before(Option<Stop>);
        impl Drop for Before {
            fn drop(&mut self) {
                HEARD.set(self.0.take());
            }
        }
        let _before = Before(HEARD.replace(Some(self.clone())));
        act()
    }
}

/// True if this thread may go on with a wait that began at `began`.
pub(crate) fn may_wait(began: Instant) -> bool {
    let is_asked = || HEARD.with_borrow(|stop| stop.as_ref().is_some_and(|s| s.asked().is_some()));
    began.elapsed() < GRACE || !is_asked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_signal_is_the_one_that_counts() {
        let (stopper, stop) = Stop::pair();
        assert_eq!(stop.asked(), None);
        assert_eq!(stop.unless_stopped(async { 7 }).await, Ok(7));
        stopper.stop(Signal::HangUp);
        stopper.stop(Signal::Terminate);
        assert_eq!(stop.asked(), Some(Signal::HangUp));
        let never = future::pending::<()>();
        assert_eq!(stop.unless_stopped(never).await, Err(Signal::HangUp));
    }

    #[test]
    fn a_lock_is_waited_for_until_the_end_is_asked_for() {
        let (stopper, stop) = Stop::pair();
        let long_ago = Instant::now().checked_sub(GRACE).unwrap();
        stop.within(|| assert!(may_wait(long_ago)));
        stopper.stop(Signal::Terminate);
        stop.within(|| {
            assert!(!may_wait(long_ago));
            // A lock that another program holds for a moment is still waited for.
            assert!(may_wait(Instant::now()));
            Stop::never().within(|| assert!(may_wait(long_ago)));
            assert!(!may_wait(long_ago));
        });
        assert!(may_wait(long_ago));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_nearly_done_may_end() {
        let (stopper, stop) = Stop::pair();
        stopper.stop(Signal::Terminate);
        assert_eq!(stop.unless_overdue(sleep(GRACE / 2)).await, Ok(()));
        let stopped = stop.unless_overdue(sleep(GRACE * 2)).await;
        assert_eq!(stopped, Err(Signal::Terminate));
    }

    #[tokio::test]
    async fn work_that_nobody_ends_goes_on() {
        let stop = Stop::never();
        let work = async {
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(stop.unless_stopped(work).await, Ok(7));
        assert_eq!(stop.asked(), None);
    }
}
