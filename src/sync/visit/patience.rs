//! A further login of a run that comes too soon: the server has not let the mailbox of the session
//! before it go yet, or wants time between two logins. For a moment, it is worth another try.
//!
//! The first login of a run is never tried twice: another program has the mailbox then, and the next
//! run will do.

use std::time::Duration;

use crate::pop3::{Capabilities, ResponseCode};
use crate::session;

/// Before the second try. The time doubles from one to the next.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait that is not the server's own wish.
const LONGEST: Duration = Duration::from_secs(8);

/// How long the tries of one login may still take.
pub(super) struct Patience {
    left: Duration,
    next: Duration,
}

impl Patience {
    /// For an account with this time-out: all waits together are shorter.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            left: timeout.saturating_sub(FIRST),
            next: FIRST,
        }
    }

    /// How long to wait before the next try; none where there is to be none. Only the codes of RFC
    /// 2449 §8.1 count, which say that the name and the password are right. `announced` is the time
    /// between two logins that the server wants.
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

/// The time between two logins that the server announces (RFC 2449 §6.5).
pub(super) fn login_delay(capabilities: &Capabilities) -> Option<Duration> {
    let seconds = capabilities
        .arguments("LOGIN-DELAY")?
        .next()?
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}
