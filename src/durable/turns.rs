//! One flush of the disk for all who wait for one.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Turns at work that makes durable whatever was written before it began. Those who ask while a turn
/// is under way share the next one: the one under way may have begun before they wrote.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    progress: Mutex<Progress>,
    ended: Condvar,
    /// The number of threads that wait for a turn of others to end.
    #[cfg(test)]
    waiting: std::sync::atomic::AtomicUsize,
}

#[derive(Debug, Default)]
struct Progress {
    /// The number of turns that have begun.
    begun: u64,
    is_under_way: bool,
    /// The last turn that failed, and why.
    failed: Option<(u64, Failed)>,
}

/// An error that several threads get.
#[derive(Debug)]
struct Failed {
    system: Option<i32>,
    kind: io::ErrorKind,
    text: String,
}

impl Progress {
    /// The result for one whose turn was this one. If a later turn failed, it is an error as well:
    /// nobody can tell whose octets were lost.
    fn result(&self, turn: u64) -> io::Result<()> {
        match &self.failed {
            Some((failed, error)) if *failed >= turn => Err(error.again()),
            _ => Ok(()),
        }
    }
}

impl Failed {
    fn of(error: &io::Error) -> Self {
        Self {
            system: error.raw_os_error(),
            kind: error.kind(),
            text: error.to_string(),
        }
    }

    fn again(&self) -> io::Error {
        match self.system {
            Some(number) => io::Error::from_raw_os_error(number),
            None => io::Error::new(self.kind, self.text.clone()),
        }
    }
}

impl Turns {
    /// Returns when a turn has ended that began after this call. This thread does the work, or another
    /// one that waits too.
    ///
    /// # Errors
    /// Those of the work, for all who shared it.
    pub(crate) fn wait(&self, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.wait_for(self.next(), work)
    }

    /// The number of the first turn that begins after this call. What was written before is durable
    /// when it has ended.
    pub(crate) fn next(&self) -> u64 {
        self.progress().begun + 1
    }

    /// As [`Self::wait`], for the turn with this number, which [`Self::next`] gave: at once if it has
    /// ended by now.
    ///
    /// # Errors
    /// Those of the work, for all who shared it; those of later turns, too.
    pub(crate) fn wait_for(
        &self,
        mine: u64,
        work: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let mut progress = self.progress();
        loop {
            if progress.begun > mine || progress.begun == mine && !progress.is_under_way {
                return progress.result(mine);
            }
            if !progress.is_under_way {
                break;
            }
            #[cfg(test)]
            self.waiting
                .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let woken = self.ended.wait(progress);
            progress = woken.unwrap_or_else(PoisonError::into_inner);
        }
        progress.begun = mine;
        progress.is_under_way = true;
        drop(progress);
        let mut turn = Turn {
            turns: self,
            number: mine,
            failed: Some(Failed::of(&io::Error::other(
                "the thread that flushed panicked",
            ))),
        };
        let result = work();
        turn.failed = result.as_ref().err().map(Failed::of);
        result
    }

    /// The number of the first turn whose failure may concern what is written from now on.
    #[cfg(target_os = "linux")]
    pub(crate) fn first_to_heed(&self) -> u64 {
        let progress = self.progress();
        progress.begun + u64::from(!progress.is_under_way)
    }

    /// The error of a turn with this number or a higher one, if one has failed.
    #[cfg(target_os = "linux")]
    pub(crate) fn failed_since(&self, turn: u64) -> io::Result<()> {
        self.progress().result(turn)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn under way. It ends when this is dropped, also by a panic: others must not wait for ever.
struct Turn<'a> {
    turns: &'a Turns,
    number: u64,
    failed: Option<Failed>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut progress = self.turns.progress();
        if let Some(failed) = self.failed.take() {
            progress.failed = Some((self.number, failed));
        }
        progress.is_under_way = false;
        self.turns.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Begins a turn that lasts until something is sent, and gives its thread.
    fn long_turn<'s>(
        scope: &'s thread::Scope<'s, '_>,
        turns: &'s Turns,
        result: fn() -> io::Result<()>,
    ) -> (
        mpsc::Sender<()>,
        thread::ScopedJoinHandle<'s, io::Result<()>>,
    ) {
        let (end, ended) = mpsc::channel();
        let (begin, begun) = mpsc::channel();
        let handle = scope.spawn(move || {
            turns.wait(|| {
                begin.send(()).unwrap();
                ended.recv().unwrap();
                result()
            })
        });
        begun.recv().unwrap();
        (end, handle)
    }

    /// Those who ask during a turn do not get that one, which may have missed their writes, and share
    /// the next.
    #[test]
    fn who_asks_during_a_turn_shares_the_next_one() {
        let (turns, flushes) = (Turns::default(), AtomicUsize::new(0));
        thread::scope(|scope| {
            let (end, first) = long_turn(scope, &turns, || Ok(()));
            let waiting: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        turns.wait(|| {
                            flushes.fetch_add(1, Ordering::SeqCst);
                            Ok(())
                        })
                    })
                })
                .collect();
            while turns.waiting.load(Ordering::SeqCst) < 8 {
                thread::yield_now();
            }
            assert_eq!(flushes.load(Ordering::SeqCst), 0);
            end.send(()).unwrap();
            first.join().unwrap().unwrap();
            for one in waiting {
                one.join().unwrap().unwrap();
            }
        });
        assert_eq!(flushes.into_inner(), 1);
    }

    #[test]
    fn who_wrote_before_a_turn_began_waits_for_no_other_one() {
        let (turns, flushes) = (Turns::default(), AtomicUsize::new(0));
        let flush = || {
            flushes.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let (first, again) = (turns.next(), turns.next());
        turns.wait_for(first, flush).unwrap();
        turns.wait_for(again, flush).unwrap();
        assert_eq!(flushes.load(Ordering::SeqCst), 1);
        let second = turns.next();
        turns.wait(flush).unwrap();
        turns.wait(flush).unwrap();
        turns.wait_for(second, flush).unwrap();
        assert_eq!(flushes.load(Ordering::SeqCst), 3);
        let third = turns.next();
        let full = || Err(io::Error::from_raw_os_error(28));
        turns.wait(full).unwrap_err();
        let failed = turns.wait_for(third, flush).unwrap_err();
        assert_eq!(failed.raw_os_error(), Some(28));
    }

    #[test]
    fn a_failure_is_that_of_all_who_shared_the_turn_and_of_nobody_later() {
        let turns = Turns::default();
        let full = || Err(io::Error::from_raw_os_error(28));
        assert_eq!(turns.wait(full).unwrap_err().raw_os_error(), Some(28));
        turns.wait(|| Ok(())).unwrap();
        thread::scope(|scope| {
            let (end, first) = long_turn(scope, &turns, || Ok(()));
            let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| turns.wait(full))).collect();
            while turns.waiting.load(Ordering::SeqCst) < 4 {
                thread::yield_now();
            }
            end.send(()).unwrap();
            first.join().unwrap().unwrap();
            for one in waiting {
                assert_eq!(one.join().unwrap().unwrap_err().raw_os_error(), Some(28));
            }
        });
        turns.wait(|| Ok(())).unwrap();
    }

    #[test]
    fn a_panic_is_a_failure_for_those_who_wait_and_nobody_waits_for_ever() {
        let turns = Turns::default();
        thread::scope(|scope| {
            let (end, first) = long_turn(scope, &turns, || panic!("in a test"));
            let waiting = scope.spawn(|| turns.wait(|| Ok(())));
            end.send(()).unwrap();
            first.join().unwrap_err();
            waiting.join().unwrap().unwrap();
        });
        turns.wait(|| Ok(())).unwrap();
    }
}
