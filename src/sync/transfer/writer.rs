//! The writer's side of a retrieval: step 1 of the store's order, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SendError, SyncSender};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{Receiver, Sender};

use super::arrival::Arrived;
use super::chunk::{Chunk, Step};
use super::order::Slot;
use crate::store::{self, Draft, Name, Store};

/// A batch is closed at this many messages: enough to make the cost of a flush negligible.
const BATCH_MESSAGES: usize = 512;

/// A batch is closed at this many octets, so that large messages soon become durable.
const BATCH_OCTETS: u64 = 32 << 20;

/// A batch is closed at this age, so that a slow link does not delay complete messages.
const BATCH_AGE: Duration = Duration::from_secs(2);

/// Messages that are written, and are made durable together.
pub(super) struct Batch {
    pub(super) messages: Vec<Message>,
    octets: u64,
    began: Instant,
}

/// A message of a batch.
pub(super) struct Message {
    /// Its place in the order of retrieval.
    pub(super) slot: Slot,
    pub(super) name: Name,
    pub(super) arrived: Arrived,
    /// The size in the answer to RETR.
    pub(super) announced: Option<u64>,
    /// Its size as the server counts it.
    pub(super) counted: u64,
    /// True if it begins like an answer of the server.
    pub(super) begins_like_answer: bool,
}

impl Batch {
    fn new() -> Self {
        Self {
            messages: Vec::new(),
            octets: 0,
            began: Instant::now(),
        }
    }

    fn is_due(&self) -> bool {
        !self.messages.is_empty()
            && (self.messages.len() >= BATCH_MESSAGES
                || self.octets >= BATCH_OCTETS
                || self.began.elapsed() >= BATCH_AGE)
    }
}

/// The result of a writer.
pub(super) struct Written {
    /// The messages that would be larger than a file may be.
    pub(super) too_large: Vec<Slot>,
    pub(super) result: Result<(), store::Error>,
}

/// Writes chunks until there are no more, and passes on the batches.
pub(super) struct Writer {
    pub(super) store: Arc<dyn Store>,
    pub(super) chunks: Receiver<Chunk>,
    pub(super) spare: Sender<Chunk>,
    pub(super) batches: SyncSender<Batch>,
    /// True if the committer has failed; it reports the reason.
    pub(super) failed: Arc<AtomicBool>,
}

impl Writer {
    /// Writes what comes, until nothing can come any more. For a thread of its own.
    pub(super) fn run(self) -> Written {
        self.write_all(Receiver::blocking_recv)
    }

    /// Writes what has come.
    pub(super) fn write_what_came(self) -> Written {
        self.write_all(|chunks| chunks.try_recv().ok())
    }

    /// Complete messages are passed on even if writing fails; an incomplete one is removed.
    fn write_all(mut self, next: impl Fn(&mut Receiver<Chunk>) -> Option<Chunk>) -> Written {
        let mut batch = Batch::new();
        // Each session is in the middle of a message of its own.
        let mut drafts: Vec<Option<(Slot, Box<dyn Draft>)>> = Vec::new();
        let mut too_large = Vec::new();
        let mut result = Ok(());
        while let Some(mut chunk) = next(&mut self.chunks) {
            let session = usize::from(chunk.session);
            if drafts.len() <= session {
                drafts.resize_with(session + 1, || None);
            }
            result = self.write(&chunk, &mut drafts[session], &mut batch, &mut too_large);
            chunk.clear();
            // Spare chunks are optional: one that does not fit is freed.
            let _ = self.spare.try_send(chunk);
            if result.is_err() || self.failed.load(Ordering::Relaxed) {
                break;
            }
            if batch.is_due() {
                self.pass_on(std::mem::replace(&mut batch, Batch::new()));
            }
        }
        drop(drafts);
        if !batch.messages.is_empty() {
            self.pass_on(batch);
        }
        Written { too_large, result }
    }

    /// Passes a batch on. The committer takes every batch, if only to remove it: it ends after the
    /// writer.
    fn pass_on(&self, batch: Batch) {
        if let Err(SendError(batch)) = self.batches.send(batch) {
            let names: Vec<Name> = batch
                .messages
                .into_iter()
                .map(|message| message.name)
                .collect();
            self.store.discard(&names);
        }
    }

    fn write(
        &self,
        chunk: &Chunk,
        current: &mut Option<(Slot, Box<dyn Draft>)>,
        batch: &mut Batch,
        too_large: &mut Vec<Slot>,
    ) -> Result<(), store::Error> {
        let mut from = 0;
        for mark in &chunk.marks {
            append(current, &chunk.octets[from..mark.at], too_large)?;
            from = mark.at;
            match mark.step {
                Step::Begin { slot } => *current = Some((slot, self.store.draft()?)),
                Step::Discard => *current = None,
                Step::End(ended) => {
                    let Some((slot, draft)) = current.take() else {
                        continue;
                    };
                    let Some(name) = unless_too_large(draft.finish(), slot, too_large)? else {
                        continue;
                    };
                    if batch.messages.is_empty() {
                        batch.began = Instant::now();
                    }
                    batch.octets += ended.arrived.octets;
                    batch.messages.push(Message {
                        slot,
                        name,
                        arrived: ended.arrived,
                        announced: ended.announced,
                        counted: ended.counted,
                        begins_like_answer: ended.begins_like_answer,
                    });
                }
            }
        }
        append(current, &chunk.octets[from..], too_large)
    }
}

/// Writes octets of a message. A message that is too large is dropped, and the rest of it is
/// ignored.
fn append(
    current: &mut Option<(Slot, Box<dyn Draft>)>,
    octets: &[u8],
    too_large: &mut Vec<Slot>,
) -> Result<(), store::Error> {
    if let Some((slot, draft)) = current
        && !octets.is_empty()
        && unless_too_large(draft.write(octets), *slot, too_large)?.is_none()
    {
        *current = None;
    }
    Ok(())
}

fn unless_too_large<T>(
    result: Result<T, store::Error>,
    slot: Slot,
    too_large: &mut Vec<Slot>,
) -> Result<Option<T>, store::Error> {
    match result {
        Err(error) if error.is_too_large() => {
            too_large.push(slot);
            Ok(None)
        }
        result => result.map(Some),
    }
}
