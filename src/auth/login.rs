//! LOGIN: user name and password in plain text, each on a line of its own.
//!
//! It was never standardised; draft-murchison-sasl-login-00 describes what servers do. Some
//! versions of Exchange have it, and old servers that lack PLAIN.

use secrecy::{ExposeSecret, SecretString};

use super::mechanism::{Mechanism, Message};
use super::sasl_error::SaslError;

/// One exchange.
pub struct Login {
    user: String,
    password: SecretString,
    answered: usize,
}

impl Login {
    /// An exchange with these credentials.
    pub fn new(user: &str, password: &SecretString) -> Self {
        Self {
            user: user.to_owned(),
            password: password.clone(),
            answered: 0,
        }
    }
}

impl Mechanism for Login {
    fn name(&self) -> &'static str {
        "LOGIN"
    }

    fn initial(&mut self) -> Result<Option<Message>, SaslError> {
        Ok(None)
    }

    /// The first challenge asks for the name, the second for the password. The draft forbids
    /// clients to interpret their text.
    fn step(&mut self, _: &[u8]) -> Result<Message, SaslError> {
        self.answered += 1;
        match self.answered {
            1 => Ok(Message::new(&[self.user.as_bytes()])),
            2 => Ok(Message::new(&[self.password.expose_secret().as_bytes()])),
            _ => Err(SaslError::Unexpected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_said_before_the_password_whatever_is_asked() {
        for questions in [
            ["Username:", "Password:"],
            ["User Name\0", "Password\0"],
            ["", ""],
        ] {
            let mut login = Login::new("anna", &SecretString::from("a b"));
            assert!(login.initial().unwrap().is_none());
            let name = login.step(questions[0].as_bytes()).unwrap();
            assert_eq!(name.octets(), b"anna");
            let password = login.step(questions[1].as_bytes()).unwrap();
            assert_eq!(password.octets(), b"a b");
            assert_eq!(login.step(b"").unwrap_err(), SaslError::Unexpected);
        }
    }
}
