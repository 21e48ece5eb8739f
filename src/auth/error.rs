//! Why there is neither a password nor an access token.

use std::borrow::Cow;

use super::{oauth, source};
use crate::exit::Exit;
use crate::failure::Failure;

/// No secret could be had that could be sent. Never holds any part of one, nor what a
/// password-command printed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no access token.
    #[error(transparent)]
    OAuth(Box<oauth::Error>),
    /// There is no password.
    #[error(transparent)]
    Source(#[from] source::Error),
}

impl From<oauth::Error> for Error {
    fn from(error: oauth::Error) -> Self {
        Self::OAuth(Box::new(error))
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::OAuth(error) => error.exit(),
            Self::Source(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::OAuth(error) => error.hint(),
            Self::Source(error) => error.hint(),
        }
    }
}
