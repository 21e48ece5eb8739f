//! The point at which a session broke.

use std::collections::HashSet;

use crate::stop::Signal;

use super::Error;

/// After this many messages that break a session by their headers, no header is asked for.
const MAX_UNTOPPABLE: usize = 2;

/// The error that ended a session early, and the messages at which it broke.
#[derive(Debug)]
pub(super) struct Broke {
    pub(super) error: Error,
    pub(super) unique_ids: Vec<Vec<u8>>,
    pub(super) during: During,
}

/// The activity in which a session broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum During {
    /// Messages were being deleted.
    Dele,
    /// An activity that concerns no single message.
    Other,
    /// Messages had just been refused.
    Refusal,
    /// Messages were being retrieved.
    Retr,
    /// Headers were being retrieved.
    Top,
}

impl From<Error> for Broke {
    fn from(error: Error) -> Self {
        Self {
            error,
            unique_ids: Vec::new(),
            during: During::Other,
        }
    }
}

impl From<Signal> for Broke {
    fn from(signal: Signal) -> Self {
        Error::from(signal).into()
    }
}

impl From<crate::session::Error> for Broke {
    fn from(error: crate::session::Error) -> Self {
        Error::from(error).into()
    }
}

impl Broke {
    pub(super) fn at_dele(error: Error, unique_id: Option<Vec<u8>>) -> Self {
        Self::at(During::Dele, error, unique_id.into_iter().collect())
    }

    pub(super) fn at_retr(error: Error, unique_ids: Vec<Vec<u8>>) -> Self {
        Self::at(During::Retr, error, unique_ids)
    }

    /// An answer that may belong to another command, directly after retrieved messages.
    pub(super) fn out_of_step(error: Error, unique_ids: Vec<Vec<u8>>) -> Self {
        Self {
            during: match unique_ids.is_empty() {
                true => During::Other,
                false => During::Retr,
            },
            error,
            unique_ids,
        }
    }

    pub(super) fn at_top(error: Error, unique_id: Option<Vec<u8>>) -> Self {
        Self::at(During::Top, error, unique_id.into_iter().collect())
    }

    pub(super) fn after_refusal(error: Error, unique_ids: Vec<Vec<u8>>) -> Self {
        Self::at(During::Refusal, error, unique_ids)
    }

    /// A message is suspected only if the connection broke: not if the disk is full, and not if a
    /// person stops the run.
    fn at(during: During, error: Error, unique_ids: Vec<Vec<u8>>) -> Self {
        let is_break = match &error {
            Error::EndlessMessage { .. } | Error::LargerThanMaxSize | Error::NoRoom => true,
            Error::Session(error) => error.is_break(),
            _ => false,
        };
        if !is_break || unique_ids.is_empty() {
            return error.into();
        }
        Self {
            error,
            unique_ids,
            during,
        }
    }
}

/// Messages whose headers are not asked for, because a session broke at them.
#[derive(Debug, Clone, Default)]
pub(super) struct Untoppable {
    unique_ids: HashSet<Vec<u8>>,
}

impl Untoppable {
    /// True if the header of this message must not be asked for. A server that breaks at several
    /// messages is assumed to break at any.
    pub(super) fn has(&self, unique_id: &[u8]) -> bool {
        self.unique_ids.len() >= MAX_UNTOPPABLE || self.unique_ids.contains(unique_id)
    }

    /// Adds the messages of a session that broke at headers. Returns true if any is new.
    pub(super) fn learn(&mut self, broke: &Broke) -> bool {
        broke.during == During::Top && self.note(broke.unique_ids.iter().cloned())
    }

    /// Adds these messages. Returns true if any is new.
    pub(super) fn note(&mut self, unique_ids: impl Iterator<Item = Vec<u8>>) -> bool {
        let before = self.unique_ids.len();
        self.unique_ids.extend(unique_ids);
        self.unique_ids.len() > before
    }
}
