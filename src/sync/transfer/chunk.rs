//! What the reader of the socket hands to the writer of the store.

use super::arrival::Arrived;
use super::order::Slot;

/// Octets to store, and where in them messages begin and end. Chunks are used again and again;
/// one holds what one read of the socket gave.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) octets: Vec<u8>,
    pub(super) marks: Vec<Mark>,
}

/// Something that happens at one place of a chunk.
#[derive(Debug)]
pub(super) struct Mark {
    /// How many octets of the chunk come before it.
    pub(super) at: usize,
    pub(super) step: Step,
}

/// A message that is complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) arrived: Arrived,
    /// The size that the answer to RETR gave it.
    pub(super) announced: Option<u64>,
    /// Its size as the server counts it.
    pub(super) counted: u64,
}

/// What happens to the messages that a chunk holds.
#[derive(Debug)]
pub(super) enum Step {
    /// The next message begins. `slot` is its place in the order of retrieval.
    Begin { slot: Slot },
    /// It is complete.
    End(Ended),
    /// It is not to be stored.
    Discard,
}

impl Chunk {
    /// A chunk that can take this many octets without growing.
    pub(super) fn with_capacity(octets: usize) -> Self {
        Self {
            octets: Vec::with_capacity(octets),
            marks: Vec::new(),
        }
    }

    pub(super) fn mark(&mut self, step: Step) {
        self.marks.push(Mark {
            at: self.octets.len(),
            step,
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.octets.is_empty() && self.marks.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.marks.clear();
    }
}
