//! What a look at a store finds: which messages are where readers look.
//!
//! A look is evidence for presence always, for absence only where nothing stood in its way: what
//! cannot be read, or is being moved while it is looked at, may hold any message.

use std::fmt;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Name;

/// Which messages are where readers look, in whatever folder.
///
/// Holds a hash of each name only: a hundred thousand messages take little more than a megabyte.
/// Two names of one hash make a message seem present that is not, which deletes nothing.
#[derive(Debug, Default)]
pub struct Inventory {
    hashes: HashTable<u64>,
    hasher: DefaultHashBuilder,
    doubt: Option<Doubt>,
    /// The parts of a name that tell the message, where it is not all of it.
    parts: Option<fn(&Name) -> Vec<&str>>,
}

/// Why a message that was not seen may be there all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Other programs changed the store while it was looked at, every time.
    Changing,
    /// There are more folders than anybody has.
    Endless,
    /// A folder, or what stands in for one, cannot be read.
    Unreadable {
        /// The folder, and why.
        what: String,
    },
    /// Files hold messages, and which ones cannot be told: they cannot be read, or are compressed
    /// in a form that is not known here.
    Unsearchable {
        /// How many.
        files: u64,
        /// The first of them, and why.
        first: String,
    },
}

impl fmt::Display for Doubt {
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
    /// An inventory of parts of names. A message counts as seen when any part of its name was,
    /// and also when its name has no such parts: then nobody can tell.
    pub(super) fn of_parts(parts: fn(&Name) -> Vec<&str>) -> Self {
        Self {
            parts: Some(parts),
            ..Self::default()
        }
    }

    /// Notes that a message is there.
    pub fn add(&mut self, name: &str) {
        let hash = self.hasher.hash_one(name);
        self.hashes
            .entry(hash, |&other| other == hash, |&other| other)
            .or_insert(hash);
    }

    /// Notes that what was not seen may be there all the same. The first reason stays.
    pub fn doubt(&mut self, doubt: Doubt) {
        self.doubt.get_or_insert(doubt);
    }

    /// Whether a message of this name was seen.
    pub fn holds(&self, name: &Name) -> bool {
        let Some(parts) = self.parts else {
            return self.saw(name.as_str());
        };
        let parts = parts(name);
        parts.is_empty() || parts.iter().any(|part| self.saw(part))
    }

    /// Whether this very message was seen, and not only one that is like it: where parts of a
    /// name tell a message, all of them have to be there.
    pub fn proves(&self, name: &Name) -> bool {
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

    /// Why nothing may be concluded from what was not seen, where that is so.
    pub fn is_doubtful(&self) -> Option<&Doubt> {
        self.doubt.as_ref()
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
    fn the_first_doubt_stays() {
        let mut inventory = Inventory::default();
        assert_eq!(inventory.is_doubtful(), None);
        inventory.doubt(Doubt::Endless);
        inventory.doubt(Doubt::Changing);
        assert_eq!(inventory.is_doubtful(), Some(&Doubt::Endless));
    }
}
