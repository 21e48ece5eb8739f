//! The threads of a retrieval, except the one that reads the socket.

use tokio::task::{JoinHandle, spawn_blocking};

use super::committer::{Committer, Done};
use super::pull::Pull;
use super::writer::{Writer, Written};
use crate::session::Session;
use crate::stop::Stop;
use crate::sync::Error;

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

    /// Waits until all retrieved octets are written and committed.
    ///
    /// # Errors
    /// [`Error::Panicked`].
    pub(super) async fn end(self, pull: &mut Pull, session: &mut Session) -> Result<Ended, Error> {
        // Without a sender the writer ends, and then the committer.
        pull.close();
        let joined = async { (self.writer.await, self.committer.await) };
        tokio::pin!(joined);
        let mut ended = None;
        // A slow disk may take its time, and QUIT is still to come, so the session is kept alive.
        // After an error, or in the middle of a message, no command may be sent.
        if pull.result.is_ok() {
            match session.keep_alive_while(joined.as_mut()).await {
                Ok(both) => ended = Some(both),
                Err(error) => pull.break_off(error, session),
            }
        }
        let (written, committed) = match ended {
            Some(both) => both,
            None => joined.await,
        };
        Ok(Ended {
            committed: committed.map_err(Error::panicked)?,
            written: written.map_err(Error::panicked)?,
        })
    }
}
