//! Logging in: where the secrets come from, and what the server's mechanisms make of them.

pub mod apop;
pub mod argument;
mod credentials;
mod error;
mod fault;
pub mod keyring;
pub mod login;
pub mod mechanism;
pub mod oauth;
pub mod plain;
pub mod private_file;
pub mod source;

pub use credentials::Credentials;
pub use error::{Error, Origin};
pub use fault::Fault;
