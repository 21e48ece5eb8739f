//! How a dialogue is kept from ending, and how it ends.

use std::convert::Infallible;
use std::ops::ControlFlow;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::{Dialogue, KEEP_ALIVE, LAST_WORDS};
use crate::pop3::Command;
use crate::session::{Awaited, Error, pace};

impl Dialogue {
    /// Waits for `work` of ours, and keeps the server from thinking that we are gone.
    pub(in crate::session) async fn keep_alive_while<F: Future>(
        &mut self,
        work: F,
    ) -> Result<F::Output, Error> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep(KEEP_ALIVE) => {
                    // OPOP3:C0029: a refusal would mean that something is wrong; what follows
                    // will show what.
                    let _ = self.command(Command::Noop).await?;
                }
            }
        }
    }

    /// Reads to the end of the stream behind the answer to QUIT. A server that does not close, or
    /// closes in bad order, has said no more.
    pub(in crate::session) async fn end_of_stream(&mut self) -> Result<(), Error> {
        if self.start < self.end {
            self.drain(&mut |_| ControlFlow::<Infallible>::Continue(()))?;
        }
        let limit = LAST_WORDS.min(self.timeout());
        let Ok(Ok(octets @ 1..)) = timeout(limit, self.stream.read(&mut self.input)).await else {
            return Ok(());
        };
        (self.start, self.end) = (0, octets);
        self.drain(&mut |_| ControlFlow::<Infallible>::Continue(()))?;
        Ok(())
    }

    /// Closes our side of the connection.
    pub(in crate::session) async fn shut_down(&mut self) -> Result<(), Error> {
        let limit = self.timeout();
        match pace::within(limit, self.stream.shutdown()).await {
            Some(Ok(())) => Ok(()),
            Some(Err(source)) => Err(self.lost(source)),
            None => Err(Error::TimedOut {
                awaited: Awaited::Sending,
                after: limit,
            }),
        }
    }
}
