//! The states of a session, and which command is legal in each. All of it is in this file;
//! nothing else asks.

use std::fmt;

use super::Keyword;

/// Where a session stands (RFC 1939 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Before the greeting. Nothing may be sent (`OPOP3:C0002`, `C0007`).
    Greeting,
    /// AUTHORIZATION, before login.
    Authorization,
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
            Self::Authorization => matches!(
                keyword,
                Keyword::Apop | Keyword::Capa | Keyword::Stls | Keyword::User | Keyword::Quit
            ),
            // OPOP3:C0045: after USER only PASS or QUIT.
            Self::UserNamed => matches!(keyword, Keyword::Pass | Keyword::Quit),
            // OPOP3:C0016, C0018, V0005, C0025, C0028, C0033, C0035.
            Self::Transaction => !matches!(
                keyword,
                Keyword::Apop | Keyword::User | Keyword::Pass | Keyword::Stls
            ),
        }
    }

    /// The state once the command is sent.
    pub(super) fn sent(self, keyword: Keyword) -> Self {
        match keyword {
            Keyword::Quit => Self::Update,
            Keyword::User => Self::UserNamed,
            _ => self,
        }
    }

    /// The state once the reply to the command has come.
    pub(super) fn answered(self, keyword: Keyword, positive: bool) -> Self {
        match (self, keyword, positive) {
            (Self::UserNamed, Keyword::Pass, true) | (Self::Authorization, Keyword::Apop, true) => {
                Self::Transaction
            }
            (Self::UserNamed, Keyword::Pass | Keyword::User, false) => Self::Authorization,
            _ => self,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "greeting",
            Self::Authorization | Self::UserNamed => "AUTHORIZATION",
            Self::Transaction => "TRANSACTION",
            Self::Update => "UPDATE",
            Self::Broken => "broken",
        })
    }
}
