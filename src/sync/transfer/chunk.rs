//! The pieces that the reader of the socket passes to the writer of the store.

use super::arrival::Arrived;
use super::order::Slot;

/// Octets to store, and the places in them where messages begin and end. Chunks are reused; one
/// holds the result of one read of the socket.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) octets: Vec<u8>,
    pub(super) marks: Vec<Mark>,
}

/// An event at one place of a chunk.
#[derive(Debug)]
pub(super) struct Mark {
    /// The number of octets of the chunk before it.
    pub(super) at: usize,
    pub(super) step: Step,
}

/// A message that is complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) arrived: Arrived,
    /// The size in the answer to RETR.
    pub(super) announced: Option<u64>,
    /// Its size as the server counts it.
    pub(super) counted: u64,
}

/// The events of messages in a chunk.
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
    /// A chunk with room for this many octets.
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
