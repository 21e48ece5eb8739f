//! The threads of a retrieval, except the one that reads the sockets.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::task::{JoinHandle, spawn_blocking};

use super::chunk::Chunk;
use super::committer::{Committer, Done};
use super::order::Slot;
use super::writer::{Writer, Written};
use crate::stop::Stop;
use crate::sync::{Error, Event, Reporter};

/// The running writer and committer.
pub(super) struct Workers {
    writer: JoinHandle<Written>,
    committer: JoinHandle<Done>,
}

/// The results of both.
pub(super) struct Ended {
    pub(super) written: Written,
    pub(super) committed: Done,
}

impl Workers {
    pub(super) fn start(writer: Writer, committer: Committer, stop: Stop) -> Self {
        Self {
            writer: spawn_blocking(|| writer.run()),
            committer: spawn_blocking(move || stop.within(|| committer.run())),
        }
    }

    /// Waits until all octets that were passed on are written and committed. It takes as long as
    /// there are senders.
    ///
    /// # Errors
    /// [`Error::Panicked`].
    pub(super) async fn end(self) -> Result<Ended, Error> {
        // Without a sender the writer ends, and then the committer.
        let (written, committed) = (self.writer.await, self.committer.await);
        Ok(Ended {
            committed: committed.map_err(Error::panicked)?,
            written: written.map_err(Error::panicked)?,
        })
    }
}

/// The things that the workers give back to the reader of the sockets.
pub(super) struct Returns {
    spare: Mutex<Receiver<Chunk>>,
    stored: Mutex<UnboundedReceiver<Slot>>,
}

impl Returns {
    pub(super) fn new(spare: Receiver<Chunk>, stored: UnboundedReceiver<Slot>) -> Self {
        Self {
            spare: Mutex::new(spare),
            stored: Mutex::new(stored),
        }
    }

    /// A chunk for octets of this session.
    pub(super) fn spare(&self, session: u8) -> Chunk {
        let mut chunk = locked(&self.spare).try_recv().unwrap_or_default();
        chunk.session = session;
        chunk
    }

    /// Reports the number of messages that have become durable since the last call.
    pub(super) fn report_stored(&self, reporter: &dyn Reporter) {
        let mut stored = locked(&self.stored);
        let mut messages = 0;
        while stored.try_recv().is_ok() {
            messages += 1;
        }
        if messages > 0 {
            reporter.report(Event::Stored { messages });
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
