//! LOGIN: user name and password as they are, each on a line of its own.
//!
//! Never standardised; draft-murchison-sasl-login-00 tells what servers do. Exchange has it at
//! times, and old servers have it where PLAIN is missing.

use secrecy::{ExposeSecret, SecretString};

use super::fault::Fault;
use super::mechanism::{Mechanism, Message};

/// One exchange.
pub struct Login {
    user: String,
    password: SecretString,
    answered: usize,
}

impl Login {
    /// With the credentials.
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

    fn initial(&mut self) -> Result<Option<Message>, Fault> {
        Ok(None)
    }

    /// The first question is for the name and the second for the password. The draft forbids
    /// clients to look at how they are put.
    fn step(&mut self, _: &[u8]) -> Result<Message, Fault> {
        self.answered += 1;
        match self.answered {
            1 => Ok(Message::new(&[self.user.as_bytes()])),
            2 => Ok(Message::new(&[self.password.expose_secret().as_bytes()])),
            _ => Err(Fault::Unexpected),
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
            assert_eq!(login.step(b"").unwrap_err(), Fault::Unexpected);
        }
    }
}
