//! Retries a further login of a run that comes too soon: the server has not yet released the
//! mailbox from the session before, or requires time between two logins.
//!
//! The first login of a run is never retried: another program has the mailbox then, and the next
//! run is soon enough.

use std::time::Duration;

use crate::pop3::ResponseCode;
use crate::session;

/// The wait before the second attempt. It doubles for each further one.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait that the server did not ask for.
const LONGEST: Duration = Duration::from_secs(8);

/// The time that is left for the attempts of one login.
pub(super) struct Patience {
    left: Duration,
    next: Duration,
}

impl Patience {
    /// For an account with this time-out: the sum of all waits is shorter.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            left: timeout.saturating_sub(FIRST),
            next: FIRST,
        }
    }

    /// The wait before the next attempt. None if there is to be none. Only the codes of RFC 2449
    /// §8.1 count, which mean that the name and the password are right. `announced` is the time
    /// between two logins that the server requires.
    pub(super) fn wait(
        &mut self,
        error: &session::Error,
        announced: Option<Duration>,
    ) -> Option<Duration> {
        let guessed = Some(self.next).filter(|next| *next <= LONGEST);
        let wait = match error.refusal()?.code.as_ref()? {
            ResponseCode::InUse => guessed?,
            ResponseCode::LoginDelay => announced.or(guessed)?.max(FIRST),
            _ => return None,
        };
        self.left = self.left.checked_sub(wait)?;
        self.next *= 2;
        Some(wait)
    }
}
