//! Logging in: where the secrets come from, and what the server's mechanisms make of them.

pub mod apop;
pub mod argument;
pub mod binding;
pub mod choose;
pub mod cram_md5;
mod credentials;
mod error;
pub mod external;
pub mod gssapi;
pub mod keyring;
pub mod login;
pub mod mechanism;
pub mod ntlm;
pub mod oauth;
pub mod oauthbearer;
mod password;
pub mod plain;
pub mod private_file;
mod sasl_error;
pub mod scram;
pub mod secrets;
pub mod source;
mod token;
mod wiped;
pub mod xoauth2;

pub use credentials::Credentials;
pub use error::Error;
pub use password::{password, refused};
pub use sasl_error::SaslError;
