//! The result of a look at a store: the messages that readers see.
//!
//! A look always proves presence. It proves absence only if nothing hindered it: a folder that
//! cannot be read, or that changes during the look, may hold any message.

use std::fmt;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Name;

/// The set of messages that readers see, in any folder.
///
/// Holds only a hash of each name: a hundred thousand messages take little more than a megabyte. If
/// two names have the same hash, a missing message seems present, and nothing is deleted.
#[derive(Debug, Default)]
pub struct Inventory {
    hashes: HashTable<u64>,
    hasher: DefaultHashBuilder,
    gap: Option<Gap>,
    /// The parts of a name that identify the message, if it is not the whole name.
    parts: Option<fn(&Name) -> Vec<&str>>,
}

/// The reason why a message that was not seen may still be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Other programs changed the store during every look.
    Changing,
    /// There are more folders than anybody has.
    Endless,
    /// A folder, or a link to one, cannot be read.
    Unreadable {
        /// The folder, and the reason.
        what: String,
    },
    /// Some files hold messages, and nobody can tell which: they cannot be read, or are compressed
    /// in an unknown form.
    Unsearchable {
        /// The number of files.
        files: u64,
        /// The first of them, and the reason.
        first: String,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changing => f.write_str("other programs are changing the store"),
            Self::Endless => f.write_str("the store has folders without end"),
            Self::Unreadable { what } => write!(f, "part of the store cannot be read: {what}"),
            Self::Unsearchable { files, first } => write!(
                f,
                "{files} messages of the store cannot be searched, the first is {first}"
            ),
        }
    }
}

impl Inventory {
    /// An inventory of parts of names. A message counts as seen if any part of its name was seen,
    /// and also if its name has no such parts: then nobody can tell.
    pub(super) fn of_parts(parts: fn(&Name) -> Vec<&str>) -> Self {
        Self {
            parts: Some(parts),
            ..Self::default()
        }
    }

    /// Adds a message that was seen.
    pub(crate) fn add(&mut self, name: &str) {
        let hash = self.hasher.hash_one(name);
        self.hashes
            .entry(hash, |&other| other == hash, |&other| other)
            .or_insert(hash);
    }

    /// Records that messages may be there that were not seen. The first reason stays.
    pub(crate) fn note_gap(&mut self, gap: Gap) {
        self.gap.get_or_insert(gap);
    }

    /// True if a message of this name was seen.
    pub(crate) fn holds(&self, name: &Name) -> bool {
        let Some(parts) = self.parts else {
            return self.saw(name.as_str());
        };
        let parts = parts(name);
        parts.is_empty() || parts.iter().any(|part| self.saw(part))
    }

    /// True if this very message was seen, and not only a similar one: if parts of a name identify
    /// a message, all of them must have been seen.
    pub(crate) fn proves(&self, name: &Name) -> bool {
        let Some(parts) = self.parts else {
            return self.saw(name.as_str());
        };
        let parts = parts(name);
        !parts.is_empty() && parts.iter().all(|part| self.saw(part))
    }

    fn saw(&self, name: &str) -> bool {
        let hash = self.hasher.hash_one(name);
        self.hashes.find(hash, |&other| other == hash).is_some()
    }

    /// The reason why absence proves nothing, if there is one.
    pub(crate) fn gap(&self) -> Option<&Gap> {
        self.gap.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_there_and_nothing_else() {
        let mut inventory = Inventory::default();
        for number in 0..1_000 {
            inventory.add(&format!("{number}.popsync"));
            inventory.add(&format!("{number}.popsync"));
        }
        let held = |number: i32| inventory.holds(&Name(format!("{number}.popsync")));
        assert!((0..1_000).all(held));
        assert!(!(1_000..2_000).any(held));
    }

    #[test]
    fn the_first_gap_stays() {
        let mut inventory = Inventory::default();
        assert_eq!(inventory.gap(), None);
        inventory.note_gap(Gap::Endless);
        inventory.note_gap(Gap::Changing);
        assert_eq!(inventory.gap(), Some(&Gap::Endless));
    }
}
