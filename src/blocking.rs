//! Work that may block: with files, and with the state.
//!
//! A thread that serves the sockets of several accounts leaves it to another thread. One that serves a
//! single account does it by itself: to hand it over and to be woken at its end costs more than most of
//! it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

/// The work ended otherwise than by returning.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Panicked(String);

impl From<JoinError> for Panicked {
    fn from(error: JoinError) -> Self {
        Self(error.to_string())
    }
}

thread_local! {
    /// The runtime that has the other threads, if this thread serves one account alone.
    static OTHERS: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Runs `act`, within which this thread serves one account and nothing else. If other threads are
/// needed, they are those of `others`.
#[cfg(feature = "cli")]
pub(crate) fn serving_one<T>(others: Handle, act: impl FnOnce() -> T) -> T {
    /// Ends it, also after a panic.
    struct Before(Option<Handle>);

    impl Drop for Before {
        fn drop(&mut self) {
            OTHERS.set(self.0.take());
        }
    }

    let _before = Before(OTHERS.replace(Some(others)));
    act()
}

/// True if this thread serves one account and nothing else.
fn serves_one() -> bool {
    OTHERS.with_borrow(Option::is_some)
}

/// Runs `act` on this thread, if it serves one account alone, and else as [`aside`] does.
///
/// # Errors
/// [`Panicked`].
pub(crate) async fn run<T: Send + 'static>(
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    if serves_one() {
        let done = catch_unwind(AssertUnwindSafe(act));
        return done.map_err(|_| Panicked("work with files or with the state panicked".to_owned()));
    }
    aside(act).await
}

/// Runs `act` on another thread, and this one goes on meanwhile: it serves a connection, or hears a
/// signal. If the future is dropped, `act` goes on all the same.
///
/// # Errors
/// [`Panicked`].
pub(crate) async fn aside<T: Send + 'static>(
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    Ok(begin(act).await?)
}

/// Begins `act` on another thread.
pub(crate) fn begin<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    match OTHERS.with_borrow(Option::clone) {
        Some(others) => others.spawn_blocking(act),
        None => spawn_blocking(act),
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use std::thread::{self, ThreadId};

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_current_thread()
            .build()
            .expect("a runtime without drivers")
    }

    fn here() -> ThreadId {
        thread::current().id()
    }

    #[test]
    fn a_thread_that_serves_one_account_does_it_by_itself() {
        let (own, others) = (runtime(), runtime());
        assert_ne!(own.block_on(run(here)).unwrap(), here());
        serving_one(others.handle().clone(), || {
            assert_eq!(own.block_on(run(here)).unwrap(), here());
            assert_ne!(own.block_on(aside(here)).unwrap(), here());
        });
        assert!(!serves_one());
    }

    #[test]
    fn a_panic_is_an_error_wherever_it_happens() {
        let (own, others) = (runtime(), runtime());
        let panics = || own.block_on(run(|| panic!("on purpose"))).unwrap_err();
        panics();
        serving_one(others.handle().clone(), panics);
        assert!(!serves_one());
    }
}
