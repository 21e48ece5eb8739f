//! Logging in: where the secrets come from, and what the server's mechanisms make of them.

pub mod apop;
pub mod argument;
mod error;
pub mod keyring;
pub mod oauth;
pub mod source;

pub use error::{Error, Origin};
