//! The content of the spool: messages one after another in a few files, each in its form in the
//! mbox.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::Arc;

use super::Marks;
use crate::durable::sync_content;
use crate::store::spool::Spool;
use crate::store::{Error, Name};

/// No message is added to a file of this size: it is removed once all its messages are stored.
const FULL: u64 = 32 << 20;

/// The messages that are written and not yet stored.
#[derive(Debug, Default)]
pub(super) struct Spooled {
    messages: HashMap<Name, Message>,
    /// The files that the messages are in.
    files: HashMap<Name, Held>,
    /// The file that the next message may be appended to.
    open: Option<Writing>,
}

/// A message in the spool.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) file: Name,
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) sha256: [u8; 32],
    pub(super) marks: Marks,
}

#[derive(Debug)]
struct Held {
    file: Arc<File>,
    messages: usize,
    /// True if the folder's entry is durable.
    synced: bool,
}

/// A file that a message is being appended to.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) name: Name,
    pub(super) file: Arc<File>,
    pub(super) end: u64,
}

impl Message {
    /// The recorded name: the place of the message in the spool, and its marks in the mbox,
    /// `FILE:START+LENGTH:PART…`.
    pub(super) fn name(&self) -> Name {
        let mut name = format!("{}:{}+{}", self.file, self.start, self.length);
        for part in self.marks.parts() {
            name.push(':');
            name.push_str(&part);
        }
        Name(name)
    }
}

/// The file, start and length in such a name.
pub(super) fn place(name: &Name) -> Option<(&str, u64, u64)> {
    let mut fields = name.as_str().split(':');
    let file = fields.next()?;
    let (start, length) = fields.next()?.split_once('+')?;
    Some((file, start.parse().ok()?, length.parse().ok()?))
}

/// The marks in such a name.
pub(super) fn parts(name: &Name) -> Vec<&str> {
    name.as_str().split(':').skip(2).collect()
}

impl Spooled {
    /// A file that only the caller appends to.
    pub(super) fn take(&mut self, spool: &Spool) -> Result<Writing, Error> {
        if let Some(open) = self.open.take() {
            return Ok(open);
        }
        let (name, file) = spool.create()?;
        Ok(Writing {
            name,
            file: Arc::new(file),
            end: 0,
        })
    }

    /// Returns the file without a new message.
    pub(super) fn give_back(&mut self, spool: &Spool, writing: Writing) {
        if writing.end < FULL && self.open.is_none() {
            self.open = Some(writing);
        } else if !self.files.contains_key(&writing.name) {
            spool.remove(writing.name.as_str());
        }
    }

    /// Returns the file with a new message at its end.
    pub(super) fn add(&mut self, spool: &Spool, writing: Writing, message: Message) -> Name {
        let held = self
            .files
            .entry(writing.name.clone())
            .or_insert_with(|| Held {
                file: Arc::clone(&writing.file),
                messages: 0,
                synced: false,
            });
        held.messages += 1;
        let name = message.name();
        self.messages.insert(name.clone(), message);
        self.give_back(spool, writing);
        name
    }

    /// Adds a message that an earlier run wrote.
    pub(super) fn take_up(&mut self, file: &Arc<File>, message: Message) {
        let held = self
            .files
            .entry(message.file.clone())
            .or_insert_with(|| Held {
                file: Arc::clone(file),
                messages: 0,
                synced: true,
            });
        held.messages += 1;
        self.messages.insert(message.name(), message);
    }

    pub(super) fn message(&self, name: &Name) -> Option<&Message> {
        self.messages.get(name)
    }

    /// The number of octets that the mbox grows by with all of them.
    pub(super) fn length(&self) -> u64 {
        self.messages.values().map(|message| message.length).sum()
    }

    /// The file, start and length of a message.
    pub(super) fn range(&self, name: &Name) -> Option<(Arc<File>, u64, u64)> {
        let message = self.messages.get(name)?;
        let held = self.files.get(&message.file)?;
        Some((Arc::clone(&held.file), message.start, message.length))
    }

    /// Step 2: makes these messages durable.
    pub(super) fn sync(&mut self, spool: &Spool, names: &[Name]) -> Result<(), Error> {
        let messages = names.iter().filter_map(|name| self.messages.get(name));
        let files: HashSet<Name> = messages.map(|message| message.file.clone()).collect();
        let mut new = false;
        for name in files {
            if let Some(held) = self.files.get_mut(&name) {
                sync_content(&held.file)
                    .map_err(|error| Error::io("syncing", &spool.path_of(name.as_str()), error))?;
                new |= !std::mem::replace(&mut held.synced, true);
            }
        }
        if new {
            spool.sync()?;
        }
        Ok(())
    }

    /// Removes these messages, and the files that hold no others.
    pub(super) fn forget(&mut self, spool: &Spool, names: &[Name]) {
        for name in names {
            let Some(message) = self.messages.remove(name) else {
                continue;
            };
            let Some(held) = self.files.get_mut(&message.file) else {
                continue;
            };
            held.messages -= 1;
            if held.messages == 0 {
                self.files.remove(&message.file);
                let open = self.open.as_ref().map(|open| &open.name);
                if open == Some(&message.file) {
                    self.open = None;
                }
                spool.remove(message.file.as_str());
            }
        }
    }

    /// Ends: removes a file without messages.
    pub(super) fn end(&mut self, spool: &Spool) {
        if let Some(open) = self.open.take()
            && !self.files.contains_key(&open.name)
        {
            spool.remove(open.name.as_str());
        }
    }
}
