//! LOGIN, which Exchange announces at times (draft-murchison-sasl-login-00).

use super::{Context, Mechanism, Outcome};

/// Where the exchange is.
#[derive(Default)]
pub(super) enum Login {
    /// Nothing was asked.
    #[default]
    Start,
    /// The name was asked for.
    Name,
    /// The password of this name was asked for.
    Password(String),
    Over,
}

impl Mechanism for Login {
    fn step(&mut self, context: &Context<'_>, message: Option<&[u8]>) -> Outcome {
        match (std::mem::replace(self, Self::Over), message) {
            (Self::Start, None) => {
                *self = Self::Name;
                Outcome::Challenge(b"Username:".to_vec())
            }
            // The name may come with AUTH.
            (Self::Start | Self::Name, Some(name)) => {
                *self = Self::Password(String::from_utf8_lossy(name).into_owned());
                Outcome::Challenge(b"Password:".to_vec())
            }
            (Self::Password(name), Some(password)) => context
                .directory
                .log_in(&name, password)
                .map_or(Outcome::Refuse, Outcome::Accept),
            _ => Outcome::Refuse,
        }
    }
}
