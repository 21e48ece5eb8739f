//! PLAIN (RFC 4616): user name and password in plain text. A listener can read them.

use secrecy::{ExposeSecret, SecretString};

use super::mechanism::{Mechanism, Message};
use super::sasl_error::SaslError;

/// One exchange.
pub struct Plain {
    user: String,
    password: SecretString,
}

impl Plain {
    /// An exchange with these credentials. Neither may contain a NUL, which separates them.
    pub fn new(user: &str, password: &SecretString) -> Self {
        Self {
            user: user.to_owned(),
            password: password.clone(),
        }
    }
}

impl Mechanism for Plain {
    fn name(&self) -> &'static str {
        "PLAIN"
    }

    /// RFC 4616 §2. There is no authorization identity: the server uses the user's.
    fn initial(&mut self) -> Result<Option<Message>, SaslError> {
        let password = self.password.expose_secret().as_bytes();
        let message = Message::new(&[b"\0", self.user.as_bytes(), b"\0", password]);
        Ok(Some(message))
    }

    fn step(&mut self, _: &[u8]) -> Result<Message, SaslError> {
        Err(SaslError::Unexpected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of RFC 4616 §4.
    #[test]
    fn the_message_is_that_of_the_rfc() {
        let mut plain = Plain::new("tim", &SecretString::from("tanstaaftanstaaf"));
        let message = plain.initial().unwrap().unwrap();
        assert_eq!(message.octets(), b"\0tim\0tanstaaftanstaaf");
        assert_eq!(plain.step(b"").unwrap_err(), SaslError::Unexpected);
    }

    #[test]
    fn names_and_passwords_are_utf_8() {
        let mut plain = Plain::new("größe", &SecretString::from("pässwörd-€"));
        let message = plain.initial().unwrap().unwrap();
        assert_eq!(message.octets(), "\0größe\0pässwörd-€".as_bytes());
    }
}
