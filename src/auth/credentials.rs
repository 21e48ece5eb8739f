//! What an account logs in with, and the mechanism that is made of it.

use secrecy::SecretString;

use super::login::Login;
use super::mechanism::Mechanism;
use super::plain::Plain;
use crate::account::AuthMethod;

/// User name and secret of an account.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The password.
    pub secret: &'a SecretString,
}

impl Credentials<'_> {
    /// The SASL mechanism of a method, for one exchange; none where the method is no mechanism
    /// of SASL.
    pub fn mechanism(&self, method: AuthMethod) -> Option<Box<dyn Mechanism>> {
        Some(match method {
            AuthMethod::Apop | AuthMethod::User => return None,
            AuthMethod::Login => Box::new(Login::new(self.user, self.secret)),
            AuthMethod::Plain => Box::new(Plain::new(self.user, self.secret)),
        })
    }
}
