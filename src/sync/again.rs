//! A second attempt for an account whose first one failed, in the same run.

use std::time::Duration;

use super::{Error, Outcome, Request, Summary, attempt};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::pop3::ResponseCode;

/// The shortest pause before it. A mailbox that the session before still holds, or a server that is
/// being restarted, needs a moment.
const PASSING: Duration = Duration::from_secs(2);

/// The pause for a server that says that it is asked too often, and not how long it wants to be left
/// alone.
const THROTTLED: Duration = Duration::from_secs(5);

impl Outcome {
    /// The time that must pass before a second attempt. None unless that may succeed without anybody
    /// doing anything: the server answered, and had no time, or the connection broke.
    pub(crate) fn again_after(&self) -> Option<Duration> {
        let Err(Error::Session(error)) = &self.result else {
            return None;
        };
        if self.exit() != Exit::TemporaryFailure || error.is_silence() {
            return None;
        }
        let refusal = error.refusal();
        let names_delay =
            refusal.is_some_and(|refusal| refusal.code == Some(ResponseCode::LoginDelay));
        let announced = refusal.and_then(|refusal| refusal.login_delay);
        let announced = announced.or(self.login_delay);
        let least = match announced {
            None if names_delay => THROTTLED,
            _ if error.is_throttling() => THROTTLED,
            _ => PASSING,
        };
        // Counted from now, it is over for the login before this attempt, and for one in it.
        Some(announced.unwrap_or_default().max(least))
    }

    /// True if the server has too many connections or logins: it gets fewer then.
    pub(crate) fn is_throttled(&self) -> bool {
        let error = self.result.as_ref().err();
        error.is_some_and(|error| match error {
            Error::Session(error) => {
                error.exit() == Exit::TemporaryFailure && error.is_throttling()
            }
            _ => false,
        })
    }
}

/// Syncs an account once more, after `first` has failed. The outcome, and the record of the run, are
/// those of both attempts together.
pub(crate) async fn run_again(request: Request<'_>, first: &Outcome) -> Outcome {
    let second = attempt(request, Some(first.started_at)).await;
    Outcome {
        summary: second.summary.behind(&first.summary, second.result.is_ok()),
        started_at: first.started_at,
        ..second
    }
}

impl Summary {
    /// The same with what the first attempt did. If the second is not `complete`, it may have seen
    /// less than the first.
    fn behind(self, first: &Self, complete: bool) -> Self {
        let last = |second: u64, first: u64| match complete {
            true => second,
            false => second.max(first),
        };
        Self {
            retrieved: self.retrieved + first.retrieved,
            octets: self.octets + first.octets,
            headers: self.headers + first.headers,
            deleted: self.deleted + first.deleted,
            may_have_deleted: self.may_have_deleted || first.may_have_deleted,
            skipped: last(self.skipped, first.skipped),
            failed: last(self.failed, first.failed),
            held: last(self.held, first.held),
            on_server: last(self.on_server, first.on_server),
            elapsed: self.elapsed + first.elapsed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::pop3::Keyword;
    use crate::session::{self, Refusal};

    fn failed(error: impl Into<Error>) -> Outcome {
        Outcome {
            summary: Summary::default(),
            result: Err(error.into()),
            outage: None,
            started_at: 0,
            login_delay: None,
        }
    }

    fn refused(line: &str, announced: Option<u64>) -> Outcome {
        let mut refusal = Refusal::of_line(Some(Keyword::Pass), line);
        refusal.login_delay = announced.map(Duration::from_secs);
        failed(session::Error::Login(refusal))
    }

    fn lost() -> session::Error {
        session::Error::Lost {
            last_words: None,
            source: io::ErrorKind::ConnectionReset.into(),
        }
    }

    #[test]
    fn a_failure_that_may_pass_is_worth_another_attempt_after_the_time_that_the_server_wants() {
        for (line, announced, expected) in [
            ("-ERR [IN-USE] Mailbox is locked", None, Some(2)),
            ("-ERR [SYS/TEMP] Try again later", None, Some(2)),
            ("-ERR [SYS/TEMP] Too many connections", None, Some(5)),
            (
                "-ERR [IN-USE] Maximum number of connections exceeded",
                None,
                Some(5),
            ),
            ("-ERR [LOGIN-DELAY] minimum time", None, Some(5)),
            ("-ERR [LOGIN-DELAY] minimum time", Some(1), Some(2)),
            ("-ERR [LOGIN-DELAY] minimum time", Some(3_600), Some(3_600)),
            ("-ERR [IN-USE] Mailbox is locked", Some(60), Some(60)),
            ("-ERR too many connections", None, Some(5)),
            ("-ERR [AUTH] wrong password", Some(60), None),
            ("-ERR [AUTH] too many failed logins", None, None),
            ("-ERR no", None, None),
        ] {
            let after = refused(line, announced).again_after();
            let after = after.map(|after| after.as_secs());
            assert_eq!(after, expected, "{line}");
        }
        assert!(failed(lost()).again_after().is_some());
        // An announced delay counts, whatever ended the session behind the login.
        let after_login = Outcome {
            login_delay: Some(Duration::from_secs(30)),
            ..failed(lost())
        };
        assert_eq!(after_login.again_after().unwrap().as_secs(), 30);
    }

    #[test]
    fn a_server_that_does_not_answer_and_local_failures_are_not_worth_one() {
        let silence = session::Error::TimedOut {
            awaited: session::Awaited::Greeting,
            after: Duration::from_secs(60),
        };
        assert_eq!(silence.exit(), Exit::TemporaryFailure);
        assert_eq!(failed(silence).again_after(), None);
        let locked = crate::cache::Error::Locked { holder: None };
        assert_eq!(locked.exit(), Exit::TemporaryFailure);
        assert_eq!(failed(locked).again_after(), None);
    }

    #[test]
    fn both_attempts_are_summed_up() {
        let first = Summary {
            retrieved: 5,
            octets: 500,
            failed: 2,
            on_server: 9,
            elapsed: Duration::from_secs(3),
            ..Summary::default()
        };
        let second = Summary {
            retrieved: 4,
            octets: 400,
            on_server: 10,
            elapsed: Duration::from_secs(1),
            ..Summary::default()
        };
        let both = second.behind(&first, true);
        let counts = (both.retrieved, both.octets, both.failed, both.on_server);
        assert_eq!((counts, both.elapsed.as_secs()), ((9, 900, 0, 10), 4));
        let vain = Summary::default().behind(&first, false);
        assert_eq!((vain.retrieved, vain.failed, vain.on_server), (5, 2, 9));
    }
}
