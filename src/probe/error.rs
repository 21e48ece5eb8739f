//! The error that ended a visit, or at which a sync would have ended.

use std::borrow::Cow;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::pop3::{self, Keyword};
use crate::session::{self, Awaited};

use super::{Observations, Step};

/// An error of the session, with its place.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct Error {
    /// Where.
    pub step: Step,
    /// The statement that the server did not keep, where it is one.
    pub statement: Option<&'static str>,
    /// The error.
    #[source]
    pub error: session::Error,
}

impl Error {
    /// `inside` is the listing or message that was being read.
    pub(super) fn new(error: session::Error, seen: &Observations, inside: Option<Keyword>) -> Self {
        Self {
            step: step(&error, seen),
            statement: statement(&error, seen, inside),
            error,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        self.error.exit()
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match &self.error {
            // Often the wrong port.
            session::Error::TimedOut {
                awaited: Awaited::Greeting,
                ..
            } => self.error.hint(),
            session::Error::TimedOut { .. } | session::Error::Lost { .. } => Some(SILENCE.into()),
            session::Error::Protocol { fault, .. } => match fault {
                pop3::Error::Closed { .. } => Some(SILENCE.into()),
                _ => Some("run it with `-vv` to see the dialogue with the server".into()),
            },
            session::Error::Refused(refusal) if refusal.command == Some(Keyword::Uidl) => Some(
                "a sync retrieves nothing: without unique-ids it tells messages apart by LIST and \
                 TOP, and the server does not have both"
                    .into(),
            ),
            error => error.hint(),
        }
    }
}

const SILENCE: &str = "does it happen again? `-vv` shows the dialogue up to there, and the \
                       server's log may say why";

fn step(error: &session::Error, seen: &Observations) -> Step {
    match error {
        session::Error::Connect { .. }
        | session::Error::Proxy { .. }
        | session::Error::Resolve { .. }
        | session::Error::Socket { .. } => Step::Connect,
        session::Error::Certificate { .. }
        | session::Error::ClientCertificate { .. }
        | session::Error::Roots { .. }
        | session::Error::Tls { .. } => Step::Tls,
        session::Error::Foreign { .. } | session::Error::Greeting(_) => Step::Greeting,
        session::Error::StlsRefused(_) | session::Error::StlsInjected { .. } => Step::Stls,
        session::Error::Apop(_)
        | session::Error::Denied { .. }
        | session::Error::LeadingBlank(_)
        | session::Error::Login(_)
        | session::Error::Mechanism { .. }
        | session::Error::NotOffered { .. }
        | session::Error::NothingSuits { .. } => Step::Login,
        session::Error::Refused(refusal) => refusal.command.map_or(Step::Greeting, Step::from),
        session::Error::TimedOut { awaited, .. } => match awaited {
            Awaited::Connection => Step::Connect,
            Awaited::Mechanism => Step::Login,
            Awaited::Certificates | Awaited::TlsHandshake => Step::Tls,
            Awaited::Greeting => Step::Greeting,
            Awaited::Reply(keyword) => Step::from(*keyword),
            Awaited::Sending => after_last_reply(seen),
        },
        session::Error::Protocol {
            fault:
                pop3::Error::Argument { keyword }
                | pop3::Error::NotNow { keyword, .. }
                | pop3::Error::ListingTooLong { keyword, .. }
                | pop3::Error::Malformed { keyword, .. }
                | pop3::Error::Closed {
                    awaited: Some(keyword),
                },
            ..
        } => Step::from(*keyword),
        _ => after_last_reply(seen),
    }
}

/// Where the server was when it last spoke.
fn after_last_reply(seen: &Observations) -> Step {
    match seen.replies.last() {
        None => Step::Greeting,
        Some(reply) => reply.of.map_or(Step::Greeting, Step::from),
    }
}

fn statement(
    error: &session::Error,
    seen: &Observations,
    inside: Option<Keyword>,
) -> Option<&'static str> {
    let awaits_reply = match (inside, &seen.unfinished) {
        (_, Some(_)) => "OPOP3:C0005",
        (Some(_), None) => "OPOP3:C0006",
        (None, None) => "OPOP3:C0014",
    };
    Some(match error {
        session::Error::Foreign { .. } | session::Error::Greeting(_) => "OPOP3:C0002",
        session::Error::Refused(_) => "OPOP3:C0031",
        session::Error::TimedOut { awaited, .. } => match awaited {
            Awaited::Greeting if seen.unfinished.is_none() => "OPOP3:C0002",
            Awaited::Greeting | Awaited::Reply(_) => awaits_reply,
            _ => return None,
        },
        session::Error::Lost { .. } if seen.greeting().is_some() => awaits_reply,
        session::Error::Protocol { fault, .. } => match fault {
            pop3::Error::Closed { awaited: None } => "OPOP3:C0002",
            pop3::Error::Closed { .. } => awaits_reply,
            pop3::Error::LineTooLong { .. } => "OPOP3:C0005",
            pop3::Error::ListingTooLong { .. } => "OPOP3:C0006",
            pop3::Error::Leftover { .. } => "OPOP3:C0014",
            pop3::Error::Malformed { .. } => "OPOP3:C0017",
            _ => return None,
        },
        _ => return None,
    })
}
