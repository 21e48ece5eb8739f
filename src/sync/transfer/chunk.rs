//! The pieces that the reader of the socket passes to the writer of the store.

use super::arrival::Arrived;
use super::order::Slot;
use crate::session::INPUT_SIZE;

/// Octets to store, and the places in them where messages begin and end. Chunks are reused; one
/// holds the result of one read of the socket, and the first one that of several.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The session that it comes from.
    pub(super) session: u8,
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

/// A part of a chunk, from its beginning.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Part {
    octets: usize,
    marks: usize,
}

/// A message that is complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) arrived: Arrived,
    /// The size in the answer to RETR.
    pub(super) announced: Option<u64>,
    /// Its size as the server counts it.
    pub(super) counted: u64,
    /// True if it begins like an answer of the server.
    pub(super) begins_like_answer: bool,
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
    /// The first chunk of this session.
    pub(super) fn of(session: u8) -> Self {
        Self {
            session,
            octets: Vec::with_capacity(INPUT_SIZE),
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

    /// All that there is now.
    pub(super) fn part(&self) -> Part {
        Part {
            octets: self.octets.len(),
            marks: self.marks.len(),
        }
    }

    /// Drops what came after this part.
    pub(super) fn truncate(&mut self, part: Part) {
        self.octets.truncate(part.octets);
        self.marks.truncate(part.marks);
    }

    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.marks.clear();
    }
}
