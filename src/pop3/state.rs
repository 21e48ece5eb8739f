//! The states of a session, and the commands that are legal in each. This file holds all of it; no
//! other code checks it.

use std::fmt;

use super::{Command, Keyword, Response};

/// The state of a session (RFC 1939 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Before the greeting. Nothing may be sent (`OPOP3:C0002`, `C0007`).
    Greeting,
    /// AUTHORIZATION, before login.
    Authorization,
    /// AUTHORIZATION, after an AUTH with the mechanism and no initial response.
    MechanismNamed,
    /// AUTHORIZATION, in a SASL exchange: the server's turn.
    Responded,
    /// AUTHORIZATION, in a SASL exchange: our turn.
    Challenged,
    /// AUTHORIZATION, with a SASL exchange that the client has cancelled.
    Cancelled,
    /// AUTHORIZATION, with a USER that was accepted or whose reply is due.
    UserNamed,
    /// TRANSACTION, after login.
    Transaction,
    /// QUIT was sent, which starts the UPDATE state. Nothing may follow it.
    Update,
    /// An error has put client and server out of step.
    Broken,
}

impl State {
    /// True if the command may be sent now.
    pub(super) fn allows(self, keyword: Keyword) -> bool {
        match self {
            Self::Greeting | Self::Update | Self::Broken => false,
            // RFC 5034 §4: until the exchange is over, only its own lines may be sent.
            Self::MechanismNamed | Self::Responded | Self::Challenged | Self::Cancelled => false,
            Self::Authorization => matches!(
                keyword,
                Keyword::Apop
                    | Keyword::Auth
                    | Keyword::Capa
                    | Keyword::Stls
                    | Keyword::User
                    | Keyword::Quit
            ),
            // OPOP3:C0045: after USER only PASS or QUIT.
            Self::UserNamed => matches!(keyword, Keyword::Pass | Keyword::Quit),
            // OPOP3:C0016, C0018, V0005, C0025, C0028, C0033, C0035.
            Self::Transaction => !matches!(
                keyword,
                Keyword::Apop | Keyword::Auth | Keyword::User | Keyword::Pass | Keyword::Stls
            ),
        }
    }

    /// True if a line of a SASL exchange may be sent now.
    pub(super) fn allows_response(self) -> bool {
        self == Self::Challenged
    }

    /// True if this first line continues a SASL exchange, instead of ending it.
    ///
    /// A single `+` does (RFC 5034 §4). Exchange 2003 also asks with `+OK` for the first response,
    /// if AUTH had none: the client has sent nothing yet, so it cannot be logged in.
    pub(super) fn is_challenge(self, response: Response<'_>) -> bool {
        match self {
            Self::MechanismNamed => response.is_positive(),
            Self::Responded => response.challenge().is_some(),
            _ => false,
        }
    }

    /// The state after the command was sent.
    pub(super) fn sent(self, command: &Command<'_>) -> Self {
        match command {
            Command::Auth(_, None) => Self::MechanismNamed,
            Command::Auth(_, Some(_)) => Self::Responded,
            Command::Quit => Self::Update,
            Command::User(_) => Self::UserNamed,
            _ => self,
        }
    }

    /// The state after the reply to the command has come.
    pub(super) fn answered(self, keyword: Keyword, positive: bool) -> Self {
        match (self, keyword, positive) {
            // A server that accepts a cancelled exchange has not understood the client.
            (Self::Cancelled, Keyword::Auth, true) => Self::Broken,
            (Self::UserNamed, Keyword::Pass, true)
            | (Self::Authorization, Keyword::Apop, true)
            | (Self::Responded, Keyword::Auth, true) => Self::Transaction,
            (_, Keyword::Auth, false) => Self::Authorization,
            (Self::UserNamed, Keyword::Pass | Keyword::User, false) => Self::Authorization,
            _ => self,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "greeting",
            Self::Authorization
            | Self::Cancelled
            | Self::Challenged
            | Self::MechanismNamed
            | Self::Responded
            | Self::UserNamed => "AUTHORIZATION",
            Self::Transaction => "TRANSACTION",
            Self::Update => "UPDATE",
            Self::Broken => "broken",
        })
    }
}
