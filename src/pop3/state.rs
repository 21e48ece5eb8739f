//! The states of a session, and which command is legal in each. All of it is in this file;
//! nothing else asks.

use std::fmt;

use super::{Command, Keyword, Response};

/// Where a session stands (RFC 1939 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Before the greeting. Nothing may be sent (`OPOP3:C0002`, `C0007`).
    Greeting,
    /// AUTHORIZATION, before login.
    Authorization,
    /// AUTHORIZATION, with an AUTH on its way that named the mechanism and nothing else.
    MechanismNamed,
    /// AUTHORIZATION, in a SASL exchange: the server's turn.
    Responded,
    /// AUTHORIZATION, in a SASL exchange: our turn.
    Challenged,
    /// AUTHORIZATION, with a SASL exchange that we have cancelled.
    Cancelled,
    /// AUTHORIZATION, with a USER that was accepted or is on its way.
    UserNamed,
    /// TRANSACTION, after login.
    Transaction,
    /// QUIT was sent, which brings on the UPDATE state. Nothing may follow it.
    Update,
    /// An error has put client and server out of step.
    Broken,
}

impl State {
    /// Whether the command may be sent now.
    pub(super) fn allows(self, keyword: Keyword) -> bool {
        match self {
            Self::Greeting | Self::Update | Self::Broken => false,
            // RFC 5034 §4: until the exchange is over, its lines are all there is.
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

    /// Whether a line of a SASL exchange may be sent now.
    pub(super) fn allows_response(self) -> bool {
        self == Self::Challenged
    }

    /// Whether this first line goes on with a SASL exchange, instead of ending it.
    ///
    /// `+` alone does (RFC 5034 §4). Exchange 2003 also asks with `+OK` for the first word, where
    /// AUTH brought none: as long as we have said nothing, nobody can have logged us in.
    pub(super) fn is_challenge(self, response: Response<'_>) -> bool {
        match self {
            Self::MechanismNamed => response.is_positive(),
            Self::Responded => response.challenge().is_some(),
            _ => false,
        }
    }

    /// The state once the command is sent.
    pub(super) fn sent(self, command: &Command<'_>) -> Self {
        match command {
            Command::Auth(_, None) => Self::MechanismNamed,
            Command::Auth(_, Some(_)) => Self::Responded,
            Command::Quit => Self::Update,
            Command::User(_) => Self::UserNamed,
            _ => self,
        }
    }

    /// The state once the reply to the command has come.
    pub(super) fn answered(self, keyword: Keyword, positive: bool) -> Self {
        match (self, keyword, positive) {
            // Whoever says yes to a cancelled exchange has not understood a word.
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
