//! The threads that serve accounts, each of them one account at a time.
//!
//! Each has a runtime of its own: nothing else waits for it, so it also does the account's work with files
//! and with the state. To hand that to other threads took a quarter of a small account's time. What panics
//! in one account ends nothing else.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::blocking;
use crate::cli::descriptors;
use crate::cli::runtime::SHUTDOWN_TIMEOUT;

/// Threads that do work whose result is a `T`.
pub(super) struct Crew<T> {
    hands: Vec<Hand<T>>,
    /// The hands that wait for work.
    idle: Vec<usize>,
    results: UnboundedReceiver<(usize, Option<T>)>,
    /// For further hands.
    to_results: UnboundedSender<(usize, Option<T>)>,
    /// The runtime that has threads for what an account does beside.
    others: Handle,
}

/// A thread that waits for work. It ends when nobody can give it any.
struct Hand<T> {
    to_work: Sender<Work<T>>,
    thread: JoinHandle<()>,
}

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<T: Send + 'static> Crew<T> {
    /// A crew with one thread. More are started when there is work for them. Call it within a runtime.
    ///
    /// # Errors
    /// The system's, if it cannot start a thread or its runtime.
    pub(super) fn begin() -> io::Result<Self> {
        let (to_results, results) = unbounded_channel();
        let mut crew = Self {
            hands: Vec::new(),
            idle: Vec::new(),
            results,
            to_results,
            others: Handle::current(),
        };
        crew.grow()?;
        Ok(crew)
    }

    /// True if work can begin now. If the system does not give another thread, those that there are
    /// do the work.
    pub(super) fn has_room(&mut self) -> bool {
        !self.idle.is_empty() || self.grow().is_ok()
    }

    /// Begins this work. Gives the number of its thread, or none if there is no room.
    pub(super) fn start(
        &mut self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<usize> {
        let hand = self.idle.pop()?;
        self.hands[hand].to_work.send(Box::pin(work)).ok()?;
        Some(hand)
    }

    /// Waits for the next result, and gives the number of the thread that it comes from. The result is
    /// missing if the work panicked. It is safe to drop the future.
    pub(super) async fn next(&mut self) -> Option<(usize, Option<T>)> {
        let (hand, result) = self.results.recv().await?;
        self.idle.push(hand);
        Some((hand, result))
    }

    fn grow(&mut self) -> io::Result<()> {
        descriptors::for_a_runtime()?;
        let number = self.hands.len();
        let (to_work, work) = channel();
        let (began, beginning) = channel();
        let results = self.to_results.clone();
        let others = self.others.clone();
        // The thread makes its runtime itself: to drop one within another panics.
        let thread = thread::Builder::new()
            .name("account".to_owned())
            .spawn(move || {
                let runtime = match Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(began.send(Err(error))),
                };
                let _ = began.send(Ok(()));
                blocking::serving_one(others, || serve(&runtime, &work, number, &results));
                runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
            })?;
        let failed = |_| io::Error::other("a thread ended before it began");
        beginning.recv().map_err(failed)??;
        self.hands.push(Hand { to_work, thread });
        self.idle.push(number);
        Ok(())
    }
}

/// Does work until there is no more.
fn serve<T>(
    runtime: &Runtime,
    work: &Receiver<Work<T>>,
    number: usize,
    results: &UnboundedSender<(usize, Option<T>)>,
) {
    while let Ok(work) = work.recv() {
        let result = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
        if results.send((number, result.ok())).is_err() {
            return;
        }
    }
}

impl<T> Drop for Crew<T> {
    /// Waits until all threads have ended. No work is going on, or it goes on to its end.
    fn drop(&mut self) {
        let threads: Vec<_> = self.hands.drain(..).map(|hand| hand.thread).collect();
        for thread in threads {
            // Panics of the work were caught.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn there_is_a_thread_for_each_account_at_work() {
        let mut crew = Crew::begin().unwrap();
        let (first_go, first) = oneshot::channel();
        let (second_go, second) = oneshot::channel();
        assert!(crew.has_room());
        let one = crew.start(first).unwrap();
        assert!(crew.has_room());
        let two = crew.start(second).unwrap();
        assert_ne!(one, two);
        second_go.send("second").unwrap();
        assert_eq!(crew.next().await.unwrap(), (two, Some(Ok("second"))));
        // A thread that has nothing to do has the next one.
        assert_eq!(crew.start(async { Ok("third") }), Some(two));
        assert_eq!(crew.next().await.unwrap(), (two, Some(Ok("third"))));
        first_go.send("first").unwrap();
        assert_eq!(crew.next().await.unwrap(), (one, Some(Ok("first"))));
        assert_eq!(crew.hands.len(), 2);
    }

    #[tokio::test]
    async fn a_panic_ends_one_account_and_not_its_thread() {
        let mut crew = Crew::begin().unwrap();
        let hand = crew.start(async { panic!("on purpose") }).unwrap();
        assert_eq!(crew.next().await.unwrap(), (hand, None::<u8>));
        assert_eq!(crew.start(async { 7 }), Some(hand));
        assert_eq!(crew.next().await.unwrap(), (hand, Some(7)));
    }
}
