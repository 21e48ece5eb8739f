//! STAT, UIDL and LIST, without arguments: what is in the maildrop.

use std::ops::ControlFlow;

use super::{Error, Refusal, Session};
use crate::pop3::listing::{DropListing, ScanListing, UniqueIdListing};
use crate::pop3::{self, Command, Event, Keyword};

/// One line of the listings of a maildrop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing<'a> {
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
    /// [`Error::Refused`] for STAT or UIDL.
    pub async fn listings(
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
    /// None but those of the connection.
    pub async fn scan_listing(
        &mut self,
        mut take: impl FnMut(Listing<'_>) + Send,
    ) -> Result<(), Error> {
        self.list(&[Command::List], &mut take).await
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
        self.send(commands).await?;
        self.converse(|event| {
            let complete = match event {
                Event::Reply(Keyword::Stat, response) if response.is_positive() => {
                    match DropListing::parse(response.text()) {
                        Some(listing) => take(Listing::Drop(listing)),
                        None => malformed = Some(response.text().to_vec()),
                    }
                    true
                }
                Event::Reply(keyword, response) if !response.is_positive() => {
                    if keyword != Keyword::List {
                        refusal.get_or_insert_with(|| Refusal::new(Some(keyword), response));
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
            self.connection.give_up();
            return Err(self.protocol(pop3::Error::Malformed {
                keyword: Keyword::Stat,
                line,
            }));
        }
        refusal.map_or(Ok(()), |refusal| Err(Error::Refused(refusal)))
    }
}
