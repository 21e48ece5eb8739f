//! What ended a visit, or what a sync would have ended at.

use crate::pop3::{self, Keyword};
use crate::session::{Awaited, Error};

use super::{Observations, Step};

/// A failure, with its place.
#[derive(Debug)]
pub struct Failure {
    /// Where.
    pub step: Step,
    /// The statement that the server did not keep, where it is one.
    pub statement: Option<&'static str>,
    /// What.
    pub error: Error,
}

impl Failure {
    /// `inside` is the listing or message that was being read.
    pub(super) fn new(error: Error, seen: &Observations, inside: Option<Keyword>) -> Self {
        Self {
            step: step(&error, seen),
            statement: statement(&error, seen, inside),
            error,
        }
    }

    /// What the user can do.
    pub fn advice(&self) -> Option<String> {
        match &self.error {
            // Often the wrong port.
            Error::TimedOut {
                awaited: Awaited::Greeting,
                ..
            } => self.error.advice(),
            Error::TimedOut { .. } | Error::Lost { .. } => Some(SILENCE.to_owned()),
            Error::Protocol { fault, .. } => match fault {
                pop3::Error::Closed { .. } => Some(SILENCE.to_owned()),
                _ => Some("`-vv` shows the dialogue with the server".to_owned()),
            },
            Error::Refused(refusal) if refusal.command == Some(Keyword::Uidl) => Some(
                "without unique-ids messages cannot be told apart unless the server has LIST and \
                 TOP, so a sync retrieves nothing"
                    .to_owned(),
            ),
            error => error.advice(),
        }
    }
}

const SILENCE: &str = "does it happen again? `-vv` shows the dialogue up to there; the server's \
                       log may tell the rest";

fn step(error: &Error, seen: &Observations) -> Step {
    match error {
        Error::Connect { .. }
        | Error::Proxy { .. }
        | Error::Resolve { .. }
        | Error::Socket { .. } => Step::Connect,
        Error::Certificate { .. }
        | Error::ClientCertificate { .. }
        | Error::Roots { .. }
        | Error::Tls { .. } => Step::Tls,
        Error::Foreign { .. } | Error::Greeting(_) => Step::Greeting,
        Error::StlsRefused(_) | Error::StlsInjected { .. } => Step::Stls,
        Error::Apop(_)
        | Error::Denied { .. }
        | Error::LeadingBlank(_)
        | Error::Login(_)
        | Error::Mechanism { .. }
        | Error::NotOffered { .. }
        | Error::NothingSuits { .. } => Step::Login,
        Error::Refused(refusal) => refusal.command.map_or(Step::Greeting, Step::from),
        Error::TimedOut { awaited, .. } => match awaited {
            Awaited::Connection => Step::Connect,
            Awaited::Mechanism => Step::Login,
            Awaited::Certificates | Awaited::TlsHandshake => Step::Tls,
            Awaited::Greeting => Step::Greeting,
            Awaited::Reply(keyword) => Step::from(*keyword),
            Awaited::Sending => after_last_reply(seen),
        },
        Error::Protocol {
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

fn statement(error: &Error, seen: &Observations, inside: Option<Keyword>) -> Option<&'static str> {
    let awaits_reply = match (inside, &seen.unfinished) {
        (_, Some(_)) => "OPOP3:C0005",
        (Some(_), None) => "OPOP3:C0006",
        (None, None) => "OPOP3:C0014",
    };
    Some(match error {
        Error::Foreign { .. } | Error::Greeting(_) => "OPOP3:C0002",
        Error::Refused(_) => "OPOP3:C0031",
        Error::TimedOut { awaited, .. } => match awaited {
            Awaited::Greeting if seen.unfinished.is_none() => "OPOP3:C0002",
            Awaited::Greeting | Awaited::Reply(_) => awaits_reply,
            _ => return None,
        },
        Error::Lost { .. } if seen.greeting().is_some() => awaits_reply,
        Error::Protocol { fault, .. } => match fault {
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
