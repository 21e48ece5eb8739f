//! The stores of messages, and the order of steps that stores each message exactly once.
//!
//! Messages are stored in batches, because durability is paid per batch. The steps, by number;
//! each line of code that does one names it, and crash tests stop the program at each:
//!
//! 1. every message of the batch is written whole, out of the readers' sight;
//! 2. its data, and the folder entries that lead to it, are made durable;
//! 3. one transaction of the cache records every message of the batch as staged, with its name;
//! 4. every message is renamed to where readers look;
//! 5. that folder is made durable. Only now may a DELE go out;
//! 6. the records become stored, with the next transaction.
//! 7. only for a message that a stub stood for until now: the message is moved, durably, to where a
//!    mail program has put the stub, the stub is removed, and after that its record goes.
//!
//! That is a Maildir. In an mbox, (1) is a spool in popsync's own folder, with the messages in
//! their final form; (2) the spool is made durable, the mbox is locked, and every message gets its
//! place after the end of the file; (3) the places are recorded with the digests; (4) the messages
//! are appended; (5) the file is made durable, checked to be still the one at its path, and
//! unlocked. After a crash, a message that was not appended whole is cut off at its start, and
//! appended again from the spool.
//!
//! If messages go to a delivery agent, (1) is a spool too. Each message is recorded by itself,
//! after the agent has taken it: (2), (4) and (5) are the agent's.
//!
//! A record never claims more than is durable. After a crash, a staged record whose message is
//! where step 1 put it is taken through step 4. If the message is where readers look, nothing is
//! left to do. If it is nowhere, the record is removed, and the message is retrieved again while
//! the server has it. All other files where step 1 writes are removed.
//!
//! Names contain nothing from a server.

pub(crate) mod archive;
mod body;
mod closed;
mod compression;
mod error;
pub(crate) mod exec;
mod forms;
mod inventory;
pub(crate) mod maildir;
pub mod mbox;
mod names;
mod rename;
mod spool;
mod stop_point;

use std::fmt;

pub(crate) use body::Body;
pub(crate) use closed::{Place, closed};
pub use error::{Error, MailFileError};
pub(crate) use exec::Exec;
pub(crate) use forms::{Fields, Forms, IsAdded, Proof, Trim};
pub use inventory::{Gap, Inventory};
pub use maildir::Maildir;
pub(crate) use maildir::{
    Filed, Put, Restored, Text, census, locate, names_by_tag, open_message, replace,
};
pub use mbox::Mbox;
pub(crate) use stop_point::stop_point;

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

/// The place of a message in a store that is one file, and the marks that it is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The first octet: that of the line in front of the message.
    pub start: u64,
    /// The length in octets, with that line and the blank line after the message.
    pub length: u64,
    /// The digest of these octets.
    pub sha256: [u8; 32],
    /// Its marks, to find it when another program has rewritten the file.
    pub marks: mbox::Marks,
}

/// A message as the cache records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: Name,
    /// Its place, if the store is one file.
    pub extent: Option<Extent>,
}

/// The state of a store after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// The records whose message is nowhere.
    pub lost: Vec<Name>,
    /// Messages that have other places now. Record them with these, still as staged, and publish
    /// them.
    pub again: Vec<Record>,
    /// Notices for the user.
    pub notices: Vec<Notice>,
}

/// A notice for the user about a store that was opened after a crash, or after another program
/// changed it.
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

/// The answer of another program that a message was handed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The program has taken it.
    Taken,
    /// The program has not taken it. The reason, in words safe for a terminal.
    Refused(String),
}

/// The readers' side of a store: the messages as mail programs see them. Looking changes nothing.
pub trait Readers: Send + Sync {
    /// Lists the messages that readers see, also those that were read, flagged or filed in a
    /// folder. None if this kind of store cannot tell, because its messages went to another
    /// program. A look that leaves doubts says so in the inventory.
    ///
    /// # Errors
    /// [`Error::Io`] if the store cannot be read at all.
    fn inventory(&self) -> Result<Option<Inventory>, Error>;

    /// True if a look can miss a message because a mail program renames it meanwhile. This is so in
    /// a folder of files.
    fn can_miss_moves(&self) -> bool {
        true
    }

    /// Shows every message whose name `known` does not know. Mail programs rename the messages that
    /// they file, and before a message is deleted because its file is gone, it must be looked for
    /// among these. A store has none if its names follow from the content of the messages. Returns
    /// the reason why a message that could not be shown may be any message, if there is one.
    ///
    /// # Errors
    /// [`Error::Io`] where the store itself cannot be read.
    fn strangers(
        &self,
        known: &dyn Fn(&str) -> bool,
        viewer: &mut dyn Viewer,
    ) -> Result<Option<Gap>, Error> {
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

    /// True if messages go to another program, one by one. Each is then delivered, and recorded at
    /// once by itself.
    fn hands_over(&self) -> bool {
        false
    }

    /// Between steps 1 and 2: hands a written message to the other program. Only if
    /// [`Self::hands_over`].
    ///
    /// # Errors
    /// Those that make it pointless to go on with other messages.
    fn deliver(&self, name: &Name) -> Result<Delivery, Error> {
        let _ = name;
        Ok(Delivery::Taken)
    }

    /// Step 2: makes the written messages durable. Returns for each its place, if the store has
    /// places; it is recorded with the name. Call [`Self::publish`] or [`Self::discard`] at once
    /// after it: other programs may have to wait until then.
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

    /// True if the store had lost its end when it was opened. Nobody deleted the messages it lacks
    /// then.
    fn is_cut(&self) -> bool {
        false
    }

    /// The key of the newest message that was stored when the stamp was set last. The stamp is in
    /// the store, and goes back with it when an older copy is restored. None if there is no stamp,
    /// or if it makes no sense.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read.
    fn stamp(&self) -> Result<Option<i64>, Error> {
        Ok(None)
    }

    /// Stamps the store, after step 5: all messages up to this key are or were in it.
    ///
    /// # Errors
    /// [`Error::Io`]; the old stamp stays then.
    fn set_stamp(&self, newest: i64) -> Result<(), Error> {
        let _ = newest;
        Ok(())
    }

    /// True if a message that is written and not yet shown begins with the whole of another one
    /// that readers have: the other one was cut short. The end of its last line does not count.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn goes_on_from(&self, whole: &Name, part: &Name) -> Result<bool, Error> {
        let _ = (whole, part);
        Ok(false)
    }

    /// The free space in octets. None if nobody can tell.
    fn room(&self) -> Option<u64> {
        None
    }
}

/// Sees the messages of a store, one after another.
pub trait Viewer {
    /// Takes the next octets of a message, in the form in which mail programs read it. Returns true
    /// if it wants more of the message.
    fn content(&mut self, octets: &[u8]) -> bool;

    /// Ends the message, or the part of it that was wanted.
    fn end(&mut self, name: &str);

    /// Drops the message, as if it had not been shown: the rest of it cannot be read.
    fn abandon(&mut self);
}

/// A message on its way into a store. Dropping it removes what was written.
pub trait Draft: Send {
    /// Appends octets.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn write(&mut self, octets: &[u8]) -> Result<(), Error>;

    /// Ends the message. It is whole then, but neither durable nor visible.
    ///
    /// # Errors
    /// [`Error::Io`]; then it is removed.
    fn finish(self: Box<Self>) -> Result<Name, Error>;
}
