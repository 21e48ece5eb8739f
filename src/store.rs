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
//! 7. only for a message that a stub stood for until now: the message is moved, durably, to where a
//!    mail program has put the stub, the stub is removed, and after that its record goes.
//!
//! That is a Maildir. In an mbox, (1) is a spool in popsync's own folder, and the messages in it
//! have the form that they will have; (2) the spool is made durable, the mbox is locked, and
//! every message gets its place behind the end of the file; (3) the places are recorded with the
//! digests; (4) the messages are appended, (5) the file is made durable, found to be still the one
//! at its path, and unlocked. After a
//! crash, what was not appended whole is cut back to where it began, and appended from the spool.
//!
//! Where messages go to a delivery agent, (1) is a spool too; the agent takes a message, and only
//! then it is recorded by itself: (2), (4) and (5) are the agent's.
//!
//! What is recorded is never ahead of what is durable. After a crash, a staged record whose
//! message is where step 1 put it is taken through step 4; one whose message is where readers
//! look needs nothing; one whose message is nowhere is forgotten, and the message is retrieved
//! again while the server has it. Whatever else lies where step 1 writes is removed.
//!
//! Names hold nothing that came from a server.

pub mod archive;
mod body;
mod closed;
mod error;
pub mod exec;
mod forms;
mod inventory;
pub mod maildir;
pub mod mbox;
mod names;
mod spool;
mod stop_point;

use std::fmt;

pub use body::Body;
pub use closed::{Place, closed};
pub use error::{Error, Unfit};
pub use exec::Exec;
pub use forms::{Fields, Forms, IsAdded, Proof, Trim};
pub use inventory::{Doubt, Inventory};
pub use maildir::{
    Filed, Maildir, Put, Replaced, Restored, Text, census, locate, names_by_tag, open_message,
    replace,
};
pub use mbox::Mbox;
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

/// Where a message is in a store that is one file, and what it is known by there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Where it begins: at the line in front of it.
    pub start: u64,
    /// How many octets it has there, with that line and the blank line behind it.
    pub length: u64,
    /// Their digest.
    pub sha256: [u8; 32],
    /// What it is known by when another program has rewritten the file.
    pub marks: mbox::Marks,
}

/// A message as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: Name,
    /// Its place, where the store is one file.
    pub extent: Option<Extent>,
}

/// What a store found after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// The records whose message is nowhere.
    pub lost: Vec<Name>,
    /// Messages that have other places now: to be recorded so, still as staged, and published.
    pub again: Vec<Record>,
    /// What a person should know.
    pub notices: Vec<Notice>,
}

/// What a person should know of a store that was opened after a crash, or after another program had
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The mbox was gone, and is begun anew.
    MadeAnew,
    /// A part of a message stays in the mbox, since another program has written behind it. The
    /// message is stored anew.
    PartStays {
        /// The offset, in octets, at which it begins.
        at: u64,
    },
}

/// What became of a message that was handed to another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It has taken it.
    Taken,
    /// It has not: why, in words safe for a terminal.
    Refused(String),
}

/// The readers' side of a store: what mail programs see of it. Looks change nothing.
pub trait Readers: Send + Sync {
    /// Looks which messages are where readers look, whatever they made of them: read, flagged,
    /// filed in a folder. Nothing where this kind of store cannot tell, because its messages went
    /// to another program. A look that leaves doubts says so in the inventory.
    ///
    /// # Errors
    /// [`Error::Io`] where the store cannot be read at all.
    fn inventory(&self) -> Result<Option<Inventory>, Error>;

    /// Whether a message may be on its way from one name to another while somebody looks, so that a
    /// look can miss it: as in a folder of files.
    fn can_miss_moves(&self) -> bool {
        true
    }

    /// Shows every message whose name `known` does not know. Mail programs file messages under
    /// names of their own making, and a message that is deleted because its file is gone must not
    /// be among these. A store whose names follow from what the messages hold has none. Gives why
    /// one that was not shown may be any message, where that is so.
    ///
    /// # Errors
    /// [`Error::Io`] where the store itself cannot be read.
    fn strangers(
        &self,
        known: &dyn Fn(&str) -> bool,
        viewer: &mut dyn Viewer,
    ) -> Result<Option<Doubt>, Error> {
        let _ = (known, viewer);
        Ok(None)
    }
}

/// A store of messages.
///
/// Drafts are written on one thread while the batch before is made durable on another, so all
/// methods take the store shared.
pub trait Store: Readers {
    /// Step 1: begins a message.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn draft(&self) -> Result<Box<dyn Draft>, Error>;

    /// Whether messages go to another program, one by one: each is then delivered, and recorded
    /// at once by itself.
    fn hands_over(&self) -> bool {
        false
    }

    /// Between steps 1 and 2: hands a written message over, where [`Self::hands_over`] says so.
    ///
    /// # Errors
    /// Those that make it pointless to go on with others.
    fn deliver(&self, name: &Name) -> Result<Delivery, Error> {
        let _ = name;
        Ok(Delivery::Taken)
    }

    /// Step 2: makes the written messages durable, and gives what is to be recorded of each
    /// besides its name. What follows is [`Self::publish`], or [`Self::discard`], at once: other
    /// programs may have to wait until then.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Locked`]; nothing may be recorded then.
    fn settle(&self, names: &[Name]) -> Result<Vec<Option<Extent>>, Error>;

    /// Steps 4 and 5: shows the recorded messages to readers, durably.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Replaced`]; nothing may be deleted on the server then.
    fn publish(&self, names: &[Name]) -> Result<(), Error>;

    /// Removes messages that were written and are not to be recorded.
    fn discard(&self, names: &[Name]);

    /// Before a run: takes `staged` records, which a crash left, through steps 4 and 5, or gives
    /// those that the caller has to take through steps 3 to 5; removes whatever else an
    /// interrupted run left behind. `last` is the place of the message that was stored last.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Locked`].
    fn recover(&self, staged: &[Record], last: Option<&Extent>) -> Result<Recovered, Error>;

    /// Whether the store had lost its end when it was opened: what it lacks then, nobody deleted.
    fn is_cut(&self) -> bool {
        false
    }

    /// Whether a store that is one file ends before the end of the message that was stored last: only
    /// then it is worth to ask what is [lost](Self::lost_from).
    ///
    /// # Errors
    /// [`Error::Io`].
    fn ends_before(&self, last: &Extent) -> Result<bool, Error> {
        let _ = last;
        Ok(false)
    }

    /// Of a store that is one file: which of the messages with these keys and places it has lost
    /// with its end, though nobody deleted them. To be asked before anything is appended.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn lost_from(&self, extents: &[(i64, Extent)]) -> Result<Vec<i64>, Error> {
        let _ = extents;
        Ok(Vec::new())
    }

    /// The key of the newest message that was stored when the stamp was set last. It stands in the
    /// store, and goes back with it when an older copy is restored. None where there is none, or
    /// it makes no sense.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read.
    fn stamp(&self) -> Result<Option<i64>, Error> {
        Ok(None)
    }

    /// Stamps the store, after step 5: all messages up to this key are in it, or were.
    ///
    /// # Errors
    /// [`Error::Io`]; then the stamp is the one that was there.
    fn set_stamp(&self, newest: i64) -> Result<(), Error> {
        let _ = newest;
        Ok(())
    }

    /// Whether a message that is written and not yet shown begins as another one that readers have:
    /// that was cut short then. The end of its last line does not count.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn goes_on_from(&self, whole: &Name, part: &Name) -> Result<bool, Error> {
        let _ = (whole, part);
        Ok(false)
    }

    /// How many octets there is room for; none where nobody can tell.
    fn room(&self) -> Option<u64> {
        None
    }
}

/// Sees the messages of a store, one after another.
pub trait Viewer {
    /// The next octets of a message, in the form in which mail programs read it. Whether more of it
    /// is wanted.
    fn content(&mut self, octets: &[u8]) -> bool;

    /// The message has come to its end, or as far as it was wanted.
    fn end(&mut self, name: &str);

    /// The rest of the message cannot be read: it is as if it had not been shown.
    fn abandon(&mut self);
}

/// A message on its way into a store. Dropping it removes what was written.
pub trait Draft: Send {
    /// Appends octets.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn write(&mut self, octets: &[u8]) -> Result<(), Error>;

    /// Ends the message. It is written whole then, but neither durable nor visible.
    ///
    /// # Errors
    /// [`Error::Io`]; then it is removed.
    fn finish(self: Box<Self>) -> Result<Name, Error>;
}
