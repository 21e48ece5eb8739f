//! STAT, UIDL and LIST, without arguments: what is in the maildrop.

use std::ops::ControlFlow;

use super::{Error, Refusal, Session};
use crate::pop3::listing::{DropListing, ScanListing, UniqueIdListing};
use crate::pop3::{self, Command, Event, Keyword};

/// One line of the listings of a maildrop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing<'a> {
    /// STAT's answer.
    Drop(DropListing),
    /// A line of LIST's answer.
    Scan(ScanListing),
    /// A line of UIDL's answer.
    UniqueId(UniqueIdListing<'a>),
}

impl Session {
    /// Lists the maildrop: STAT, UIDL, and LIST where `scan` asks for it; in one flight where
    /// the server pipelines.
    ///
    /// A refused LIST costs sizes, which are hints, and nothing else.
    ///
    /// # Errors
    /// [`Error::Refused`] for STAT or UIDL; those of the connection, of which
    /// [`Self::is_due_to_list`] tells more.
    pub(crate) async fn listings(
        &mut self,
        scan: bool,
        mut take: impl FnMut(Listing<'_>) + Send,
    ) -> Result<(), Error> {
        let commands: &[Command<'_>] = if scan {
            &[Command::Stat, Command::Uidl, Command::List]
        } else {
            &[Command::Stat, Command::Uidl]
        };
        if self.capabilities.pipelining() {
            self.list(commands, &mut take).await
        } else {
            for command in commands {
                self.list(std::slice::from_ref(command), &mut take).await?;
            }
            Ok(())
        }
    }

    /// Lists the sizes alone, for a maildrop that [`Self::listings`] was asked for without them.
    ///
    /// # Errors
    /// None but those of the connection, of which [`Self::is_due_to_list`] tells more.
    pub(crate) async fn scan_listing(
        &mut self,
        mut take: impl FnMut(Listing<'_>) + Send,
    ) -> Result<(), Error> {
        self.list(&[Command::List], &mut take).await
    }

    /// True if LIST may have broken the session: it was on its way, and the server hung up, or its answer
    /// did not come, or not to an end. A server that hangs up in a flight may take the answers to STAT
    /// and UIDL with it.
    pub fn is_due_to_list(&self, error: &Error) -> bool {
        let awaits_sizes = self.dialogue.connection().awaited() == Some(Keyword::List);
        self.owes_sizes
            && match error {
                Error::Gainless { .. } | Error::TimedOut { .. } => awaits_sizes,
                Error::Protocol {
                    fault: pop3::Error::LineTooLong { .. } | pop3::Error::ListingTooLong { .. },
                    ..
                } => awaits_sizes,
                // The server has reasons of its own (XPOP3:V0003).
                Error::Farewell { .. } => false,
                error => error.is_hang_up(),
            }
    }

    /// Sends these, in one flight, and hands what they list to `take`.
    pub(super) async fn list(
        &mut self,
        commands: &[Command<'_>],
        take: &mut (impl FnMut(Listing<'_>) + Send),
    ) -> Result<(), Error> {
        let mut left = commands.len();
        let mut refusal = None;
        let mut malformed = None;
        let mut is_list_refused = false;
        self.owes_sizes = commands
            .iter()
            .any(|command| command.keyword() == Keyword::List);
        self.dialogue.send(commands).await?;
        self.dialogue
            .converse(|event| {
                let complete = match event {
                    Event::Reply(Keyword::Stat, response) if response.is_positive() => {
                        match DropListing::parse(response.text()) {
                            Some(listing) => take(Listing::Drop(listing)),
                            None => malformed = Some(response.text().to_vec()),
                        }
                        true
                    }
                    Event::Reply(keyword, response) if !response.is_positive() => {
                        match keyword {
                            Keyword::List => is_list_refused = true,
                            _ => {
                                refusal
                                    .get_or_insert_with(|| Refusal::new(Some(keyword), response));
                            }
                        }
                        true
                    }
                    Event::ScanListing(line) => {
                        take(Listing::Scan(line));
                        false
                    }
                    Event::UniqueIdListing(line) => {
                        take(Listing::UniqueId(line));
                        false
                    }
                    Event::End(_) => true,
                    _ => false,
                };
                left -= usize::from(complete);
                if left == 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .await?;
        if let Some(line) = malformed {
            self.dialogue.give_up();
            return Err(self.dialogue.protocol(pop3::Error::Malformed {
                keyword: Keyword::Stat,
                line,
            }));
        }
        if is_list_refused {
            // Some servers hang up once they have refused a command (XPOP3:C0005). That is to show
            // before anything is asked of a message, which would be blamed for it.
            let _ = self.dialogue.command(Command::Noop).await?;
        }
        self.owes_sizes = false;
        refusal.map_or(Ok(()), |refusal| Err(Error::Refused(refusal)))
    }
}
