//! The threads of a retrieval, except the one that reads the sockets.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::task::JoinHandle;

use super::chunk::Chunk;
use super::committer::{Committer, Done};
use super::order::Slot;
use super::writer::{Writer, Written};
use crate::blocking::{self, Panicked};
use crate::stop::Stop;
use crate::sync::{Event, Reporter};

/// The writer and the committer. Each has a thread, unless one chunk is all that there is: that is soon
/// written, and nothing is said to the server meanwhile.
pub(super) struct Workers(Mutex<State>);

enum State {
    /// There has been nothing to write.
    Waiting(Box<Waiting>),
    Running {
        writer: JoinHandle<Written>,
        committer: JoinHandle<Done>,
    },
    Ended,
}

/// Both before they begin.
struct Waiting {
    writer: Writer,
    committer: Committer,
    stop: Stop,
}

/// The results of both.
pub(super) struct Ended {
    pub(super) written: Written,
    pub(super) committed: Done,
}

impl Workers {
    pub(super) fn new(writer: Writer, committer: Committer, stop: Stop) -> Self {
        Self(Mutex::new(State::Waiting(Box::new(Waiting {
            writer,
            committer,
            stop,
        }))))
    }

    /// Starts them, unless they run.
    pub(super) fn start(&self) {
        let mut state = locked(&self.0);
        *state = match std::mem::replace(&mut *state, State::Ended) {
            State::Waiting(waiting) => waiting.start(),
            running => running,
        };
    }

    /// True if they run.
    pub(super) fn are_running(&self) -> bool {
        matches!(&*locked(&self.0), State::Running { .. })
    }

    /// Waits until all octets that were passed on are written and committed. It takes as long as
    /// there are senders. If they have not begun, at most one chunk was passed on.
    ///
    /// # Errors
    /// [`Panicked`].
    pub(super) async fn end(&self) -> Result<Ended, Panicked> {
        let state = std::mem::replace(&mut *locked(&self.0), State::Ended);
        match state {
            State::Waiting(waiting) => blocking::run(|| waiting.work()).await,
            State::Running { writer, committer } => {
                // Without a sender the writer ends, and then the committer.
                let (written, committed) = (writer.await, committer.await);
                Ok(Ended {
                    committed: committed?,
                    written: written?,
                })
            }
            State::Ended => unreachable!("a retrieval ends once"),
        }
    }
}

impl Waiting {
    /// Starts a thread for each.
    fn start(self) -> State {
        let Self {
            writer,
            committer,
            stop,
        } = self;
        State::Running {
            writer: blocking::begin(|| writer.run()),
            committer: blocking::begin(move || stop.within(|| committer.run())),
        }
    }

    /// Does the work of both on this thread. One chunk is one batch, for which there is room between
    /// them.
    fn work(self) -> Ended {
        let written = self.writer.write_what_came();
        let committed = self.stop.within(|| self.committer.run());
        Ended { written, committed }
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
