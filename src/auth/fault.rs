//! What can be wrong with a SASL exchange.

use crate::exit::Exit;

/// Why an exchange cannot begin, go on, or count. Never holds any part of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A challenge that is not base64 (RFC 5034 §4).
    #[error("the server's challenge is not base64")]
    NotBase64,
    /// More challenges than any exchange has.
    #[error("the server's challenges do not end: gave up after {steps}")]
    TooManySteps {
        /// How many were answered.
        steps: usize,
    },
    /// A challenge where the mechanism has nothing more to say.
    #[error("the server asks for more than the mechanism has to say")]
    Unexpected,
}

impl Fault {
    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotBase64 | Self::TooManySteps { .. } | Self::Unexpected => Exit::Protocol,
        }
    }

    /// What the user can do, for a line of its own.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::NotBase64 | Self::TooManySteps { .. } | Self::Unexpected => Some(
                "nothing was retrieved; another `auth` may suit this server, and `-vv` shows the \
                 dialogue without secrets"
                    .to_owned(),
            ),
        }
    }
}
