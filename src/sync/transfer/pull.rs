//! The end of the reading from the sockets, and the messages that it affects.

use super::intake::{Endless, Intake};
use super::order::Slot;
use crate::session::{self, Session};
use crate::stop::Signal;
use crate::sync::Error;

/// How the reading in one session ended.
pub(super) struct Judged {
    pulled: Result<(), session::Error>,
    endless: Option<(Slot, Endless)>,
    /// The unique-ids of the messages at which the session broke.
    suspects: Vec<Vec<u8>>,
    /// Those of the refused messages, if the server hung up directly after the last refusal.
    hung_up_after: Vec<Vec<u8>>,
    /// True if client and server are out of step.
    is_out_of_step: bool,
    /// True if no more was wanted, although replies were due.
    is_early: bool,
}

impl Judged {
    /// Works out the messages that the intake was dealing with.
    pub(super) fn of(
        intake: &Intake<'_>,
        pulled: Result<(), session::Error>,
        session: &Session,
    ) -> Self {
        let endless = intake.endless;
        let error = pulled.as_ref().err();
        let is_out_of_step = error.is_some_and(|error| session.is_out_of_step(error));
        let hung_up_after = match error {
            Some(error) if intake.refused_last && error.is_hang_up() => intake.refused_ids(),
            _ => Vec::new(),
        };
        let broke = error.is_some_and(session::Error::is_break);
        let suspects = match endless {
            Some(_) => Vec::new(),
            None if broke && hung_up_after.is_empty() => intake.suspects(is_out_of_step),
            None => Vec::new(),
        };
        Self {
            pulled,
            endless,
            suspects,
            hung_up_after,
            is_out_of_step,
            is_early: intake.wants_no_more,
        }
    }

    /// True if a message is to blame for the end.
    pub(super) fn blames(&self) -> bool {
        !self.suspects.is_empty() || self.endless.is_some()
    }

    /// True if client and server are out of step.
    pub(super) fn is_out_of_step(&self) -> bool {
        self.is_out_of_step
    }

    /// True if the session broke.
    pub(super) fn is_broken(&self) -> bool {
        self.pulled.is_err()
    }

    /// True if the session can go on.
    pub(super) fn is_well(&self) -> bool {
        self.pulled.is_ok() && !self.is_early
    }
}

/// The end of the reading.
pub(super) struct Pull {
    /// The unique-ids of the messages that could not be retrieved.
    pub(super) failed_ids: Vec<Vec<u8>>,
    /// Those of the messages at which sessions broke.
    pub(super) suspects: Vec<Vec<u8>>,
    /// Those of the messages that were larger than allowed.
    pub(super) endless: Vec<Vec<u8>>,
    /// Those of the refused messages, if a server hung up directly after the last refusal.
    pub(super) hung_up_after: Vec<Vec<u8>>,
    /// True if client and server are out of step in the session that has made the listing.
    pub(super) is_out_of_step: bool,
    /// The error that ended it early, if there is one.
    pub(super) result: Result<(), Error>,
}

impl Pull {
    /// The end of the session that has made the listing. `judged` is None if it did not come to an
    /// end, and `signal` is set if that, or a missing message, is due to a signal.
    pub(super) fn of(
        mut intake: Intake<'_>,
        judged: Option<Judged>,
        signal: Option<Signal>,
    ) -> Self {
        let judged = judged.unwrap_or(Judged {
            pulled: Ok(()),
            endless: intake.endless,
            suspects: Vec::new(),
            hung_up_after: Vec::new(),
            is_out_of_step: false,
            is_early: true,
        });
        let mut of_endless = Vec::new();
        if let Some((slot, endless)) = judged.endless {
            intake.fail(slot, endless.reason());
            of_endless = intake.ids(&[slot]);
        }
        Self {
            failed_ids: intake.failed_ids(),
            suspects: judged.suspects,
            endless: of_endless,
            hung_up_after: judged.hung_up_after,
            is_out_of_step: judged.is_out_of_step,
            result: match (judged.endless, judged.pulled, signal) {
                (Some((_, endless)), ..) => Err(endless.into()),
                (None, Err(error), _) => Err(error.into()),
                (None, Ok(()), Some(signal)) => Err(signal.into()),
                (None, Ok(()), None) => Ok(()),
            },
        }
    }

    /// Adds the end of a further session. If it broke and others have retrieved what it left, that may
    /// be `bearable`.
    pub(super) fn add(&mut self, further: Self, bearable: bool) {
        let is_nothing = further.suspects.is_empty()
            && further.endless.is_empty()
            && further.hung_up_after.is_empty();
        self.failed_ids.extend(further.failed_ids);
        self.suspects.extend(further.suspects);
        self.endless.extend(further.endless);
        self.hung_up_after.extend(further.hung_up_after);
        match (&self.result, further.result) {
            (_, Err(error)) if is_nothing && bearable => {
                tracing::debug!(%error, "a further session ended early, and nothing is missing");
            }
            (Ok(()), result) => self.result = result,
            (Err(_), _) => {}
        }
    }

    /// Notes that the session that has made the listing broke after the last message.
    pub(super) fn break_off(&mut self, error: session::Error, session: &Session) {
        self.is_out_of_step |= session.is_out_of_step(&error);
        self.result = Err(error.into());
    }
}
