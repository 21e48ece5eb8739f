//! Several threads that read stored messages: to digest takes longer than to read.

use std::num::NonZero;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::local::Reader;

/// At most this many threads read. More of them would make the other accounts wait for the disk.
const MOST: usize = 4;

/// The readers, one for each thread.
pub(super) struct Readers {
    first: Reader,
    others: Vec<Reader>,
}

impl Readers {
    /// As many as the machine can run at once, up to [`MOST`].
    pub(super) fn new() -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            first: Reader::new(),
            others: (1..threads.min(MOST)).map(|_| Reader::new()).collect(),
        }
    }

    /// Calls `work` for each item. The results are in the order of the items.
    pub(super) fn each<T: Sync, R: Send>(
        &mut self,
        items: &[T],
        work: impl Fn(&mut Reader, &T) -> R + Sync,
    ) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let take = |reader: &mut Reader| {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else {
                    return done;
                };
                done.push((index, work(reader, item)));
            }
        };
        let mut done = thread::scope(|scope| {
            // If the system gives no thread, the others do its work.
            let start = |reader| {
                let thread = thread::Builder::new();
                thread.spawn_scoped(scope, move || take(reader)).ok()
            };
            let others = self.others.iter_mut().take(items.len().saturating_sub(1));
            let others: Vec<_> = others.filter_map(start).collect();
            let mut done = take(&mut self.first);
            for other in others {
                done.extend(
                    other
                        .join()
                        .unwrap_or_else(|panic| panic::resume_unwind(panic)),
                );
            }
            done
        });
        done.sort_unstable_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_worked_on_once_and_results_keep_the_order() {
        let mut readers = Readers::new();
        for count in [0, 1, 2, 3, 1_000] {
            let items: Vec<usize> = (0..count).collect();
            let calls = AtomicUsize::new(0);
            let results = readers.each(&items, |_, item| {
                calls.fetch_add(1, Ordering::Relaxed);
                item * 2
            });
            assert_eq!(
                results,
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
            assert_eq!(calls.into_inner(), count);
        }
    }
}
