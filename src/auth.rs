//! Logging in: where the secrets come from, and what the server's mechanisms make of them.

pub(crate) mod apop;
pub(crate) mod argument;
pub mod binding;
pub(crate) mod choose;
pub mod cram_md5;
mod credentials;
mod error;
pub(crate) mod external;
pub(crate) mod gssapi;
pub(crate) mod keyring;
pub mod login;
pub mod mechanism;
pub mod ntlm;
pub mod oauth;
pub mod oauthbearer;
mod password;
pub mod plain;
pub(crate) mod private_file;
mod sasl_error;
pub mod scram;
pub(crate) mod secrets;
pub(crate) mod source;
mod token;
mod wiped;
pub mod xoauth2;

pub(crate) use credentials::Credentials;
pub use error::Error;
pub(crate) use password::{password, refused};
pub use sasl_error::SaslError;
