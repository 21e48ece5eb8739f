//! Commands one at a time, for looking closely at a server; a sync has better ways.

use std::ops::ControlFlow;

use super::{Command, Error, Event, Listing, MessageNumber, Refusal, Session};

impl Session {
    /// Asks anew what the server can do: after the login it may be more.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn capa_again(&mut self) -> Result<(), Error> {
        self.capa().await
    }

    /// STAT alone.
    ///
    /// # Errors
    /// [`Error::Refused`], and those of the connection.
    pub(crate) async fn stat(
        &mut self,
        mut take: impl FnMut(Listing<'_>) + Send,
    ) -> Result<(), Error> {
        self.list(&[Command::Stat], &mut take).await
    }

    /// UIDL alone.
    ///
    /// # Errors
    /// [`Error::Refused`], and those of the connection.
    pub(crate) async fn uidl(
        &mut self,
        mut take: impl FnMut(Listing<'_>) + Send,
    ) -> Result<(), Error> {
        self.list(&[Command::Uidl], &mut take).await
    }

    /// Does nothing, and waits for the answer to it.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn noop(&mut self) -> Result<Result<(), Refusal>, Error> {
        self.dialogue.command(Command::Noop).await
    }

    /// STAT and two NOOPs in one flight, whatever the server said about pipelining.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn flight(&mut self) -> Result<(), Error> {
        let commands = [Command::Stat, Command::Noop, Command::Noop];
        let mut left = commands.len();
        self.dialogue.send(&commands).await?;
        self.dialogue
            .converse(|event| {
                left -= usize::from(matches!(event, Event::Reply(..)));
                match left {
                    0 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            })
            .await
    }

    /// The header of a message, and this many lines of its body.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn top_one(
        &mut self,
        number: MessageNumber,
        lines: u32,
        take: impl FnMut(&[u8]) + Send,
    ) -> Result<Result<(), Refusal>, Error> {
        self.message(Command::Top(number, lines), take).await
    }

    /// One whole message.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn retr_one(
        &mut self,
        number: MessageNumber,
        take: impl FnMut(&[u8]) + Send,
    ) -> Result<Result<(), Refusal>, Error> {
        self.message(Command::Retr(number), take).await
    }

    async fn message(
        &mut self,
        command: Command<'_>,
        mut take: impl FnMut(&[u8]) + Send,
    ) -> Result<Result<(), Refusal>, Error> {
        self.dialogue.send(&[command]).await?;
        self.dialogue
            .converse(|event| match event {
                Event::Content(octets) => {
                    take(octets);
                    ControlFlow::Continue(())
                }
                Event::End(_) => ControlFlow::Break(Ok(())),
                Event::Reply(keyword, response) if !response.is_positive() => {
                    ControlFlow::Break(Err(Refusal::new(Some(keyword), response)))
                }
                _ => ControlFlow::Continue(()),
            })
            .await
    }
}
