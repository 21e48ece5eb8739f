//! The end of the reading from the socket, and the messages that it affects.

use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use super::chunk::Chunk;
use super::intake::Intake;
use super::order::Slot;
use crate::session::{self, Session};
use crate::stop::Signal;
use crate::sync::Error;

/// The end of the reading.
pub(super) struct Pull {
    /// The unique-ids of the messages that could not be retrieved.
    pub(super) failed_ids: Vec<Vec<u8>>,
    /// Those of the messages at which the session broke.
    pub(super) suspects: Vec<Vec<u8>>,
    /// Those of the refused messages, if the server hung up directly after the last refusal.
    pub(super) hung_up_after: Vec<Vec<u8>>,
    /// True if client and server are out of step.
    pub(super) is_out_of_step: bool,
    /// The error that ended it early, if there is one.
    pub(super) result: Result<(), Error>,
    to_writer: Option<Sender<Chunk>>,
    stored: UnboundedReceiver<Slot>,
}

impl Pull {
    /// Works out the result of reading, and the messages that the intake was dealing with.
    pub(super) fn of(
        mut intake: Intake<'_>,
        pulled: Result<Result<(), session::Error>, Signal>,
        session: &Session,
    ) -> Self {
        let endless = intake.endless;
        if let Some((slot, endless)) = endless {
            intake.fail(slot, endless.reason());
        }
        let is_out_of_step = matches!(&pulled, Ok(Err(error)) if session.is_out_of_step(error));
        let hung_up_after = match &pulled {
            Ok(Err(error)) if intake.refused_last && error.is_hang_up() => intake.refused_ids(),
            _ => Vec::new(),
        };
        let broke = matches!(&pulled, Ok(Err(error)) if error.is_break());
        let suspects = match endless {
            Some((slot, _)) => intake.ids(&[slot]),
            None if broke && hung_up_after.is_empty() => intake.suspects(is_out_of_step),
            None => Vec::new(),
        };
        Self {
            failed_ids: intake.failed_ids(),
            suspects,
            hung_up_after,
            is_out_of_step,
            result: match (endless, pulled) {
                (Some((_, endless)), _) => Err(endless.into()),
                (None, Err(signal)) => Err(signal.into()),
                (None, Ok(Err(error))) => Err(error.into()),
                (None, Ok(Ok(()))) => Ok(()),
            },
            to_writer: Some(intake.to_writer),
            stored: intake.stored,
        }
    }

    /// Closes the writer's channel.
    pub(super) fn close(&mut self) {
        self.to_writer = None;
    }

    /// Notes that the session broke after the last message.
    pub(super) fn break_off(&mut self, error: session::Error, session: &Session) {
        self.is_out_of_step |= session.is_out_of_step(&error);
        self.result = Err(error.into());
    }

    /// The number of messages that have become durable since the last call.
    pub(super) fn stored(&mut self) -> u64 {
        let mut messages = 0;
        while self.stored.try_recv().is_ok() {
            messages += 1;
        }
        messages
    }
}
