//! Where messages are kept, and the order that makes each of them be there exactly once.
//!
//! Messages are stored in batches, because durability is paid per batch. The steps, by number;
//! each line of code that does one names it, and crash tests stop the program at each:
//!
//! 1. every message of the batch is written whole, out of the readers' sight;
//! 2. its data, and the folder entry that leads to it, are made durable;
//! 3. one transaction of the cache records every message of the batch as staged, with its name;
//! 4. every message is renamed to where readers look;
//! 5. that folder is made durable. Only now may a DELE go out;
//! 6. the records become stored, with the next transaction.
//! 7. only for a message that a stub stood for until now: the stub is removed, wherever a mail
//!    program has put it, and after that its record goes.
//!
//! What is recorded is never ahead of what is durable. After a crash, a staged record whose
//! message is where step 1 put it is taken through step 4; one whose message is where readers
//! look needs nothing; one whose message is nowhere is forgotten, and the message is retrieved
//! again while the server has it. Whatever else lies where step 1 writes is removed.
//!
//! Names hold nothing that came from a server.

mod durable;
mod error;
mod inventory;
pub mod maildir;
mod stop_point;

use std::fmt;

pub use error::Error;
pub use inventory::{Doubt, Inventory};
pub use maildir::{Maildir, locate, remove};
pub use stop_point::stop_point;

/// The name of a stored message, made up by the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(pub(crate) String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A store of messages.
///
/// Drafts are written on one thread while the batch before is made durable on another, so all
/// methods take the store shared.
pub trait Store: Send + Sync {
    /// Step 1: begins a message.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn draft(&self) -> Result<Box<dyn Draft>, Error>;

    /// Step 2: makes the written messages durable.
    ///
    /// # Errors
    /// [`Error::Io`]; nothing may be recorded then.
    fn settle(&self, names: &[Name]) -> Result<(), Error>;

    /// Steps 4 and 5: shows the recorded messages to readers, durably.
    ///
    /// # Errors
    /// [`Error::Io`]; nothing may be deleted on the server then.
    fn publish(&self, names: &[Name]) -> Result<(), Error>;

    /// Removes messages that were written and are not to be recorded.
    fn discard(&self, names: &[Name]);

    /// After a crash: takes `staged` records through steps 4 and 5, removes whatever else an
    /// interrupted run left behind, and gives the records whose message is nowhere.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn recover(&self, staged: &[Name]) -> Result<Vec<Name>, Error>;

    /// Looks which messages are where readers look, whatever they made of them: read, flagged,
    /// filed in a folder. Nothing where this kind of store cannot tell, because its messages went
    /// to another program. A look that leaves doubts says so in the inventory.
    ///
    /// # Errors
    /// [`Error::Io`] where the store cannot be read at all.
    fn inventory(&self) -> Result<Option<Inventory>, Error>;

    /// Shows the name and the beginning, at least the header, of every message whose name
    /// `known` does not know. Mail programs file messages under names of their own making, and a
    /// message that is deleted because its file is gone must not be among these. A store whose
    /// names follow from what the messages hold has none.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn strangers(
        &self,
        known: &dyn Fn(&str) -> bool,
        show: &mut dyn FnMut(&str, &[u8]),
    ) -> Result<(), Error> {
        let _ = (known, show);
        Ok(())
    }
}

/// A message on its way into a store. Dropping it removes what was written.
pub trait Draft: Send {
    /// Appends octets.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn write(&mut self, octets: &[u8]) -> Result<(), Error>;

    /// Ends the message. It is written whole then, but neither durable nor visible.
    fn finish(self: Box<Self>) -> Name;
}
