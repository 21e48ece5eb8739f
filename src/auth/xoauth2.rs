//! XOAUTH2, Google's mechanism for access tokens, which Exchange Online also has.
//!
//! Always in two steps: Exchange Online hangs up if the token is in the line of AUTH, though its
//! documentation does not say so.

use secrecy::{ExposeSecret, SecretString};

use super::mechanism::{Mechanism, Message};
use super::sasl_error::SaslError;
use super::token::{self, Explanation};

/// One exchange.
pub struct XOauth2 {
    user: String,
    token: SecretString,
    explanation: Option<Explanation>,
    asked_again: bool,
}

impl XOauth2 {
    /// An exchange with an access token. `user` is the owner of the mailbox.
    pub fn new(user: &str, token: &SecretString) -> Self {
        Self {
            user: user.to_owned(),
            token: token.clone(),
            explanation: None,
            asked_again: false,
        }
    }
}

impl Mechanism for XOauth2 {
    fn name(&self) -> &'static str {
        "XOAUTH2"
    }

    fn initial(&mut self) -> Result<Option<Message>, SaslError> {
        let token = token::check(&self.token)?;
        Ok(Some(Message::new(&[
            b"user=",
            self.user.as_bytes(),
            b"\x01auth=Bearer ",
            token.expose_secret().as_bytes(),
            b"\x01\x01",
        ])))
    }

    /// Google sends its error before it refuses, and expects an empty answer.
    fn step(&mut self, challenge: &[u8]) -> Result<Message, SaslError> {
        if std::mem::replace(&mut self.asked_again, true) {
            return Err(SaslError::Unexpected);
        }
        self.explanation = Explanation::parse(challenge);
        Ok(Message::empty())
    }

    fn finish(&mut self, accepted: bool) -> Result<(), SaslError> {
        token::verdict(accepted, self.explanation.take())
    }

    fn may_begin_at_once(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in Google's documentation of the protocol.
    #[test]
    fn the_message_is_that_of_the_documentation() {
        let token = SecretString::from("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
        let mut mechanism = XOauth2::new("someuser@example.com", &token);
        let message = mechanism.initial().unwrap().unwrap();
        assert_eq!(
            message.encode().expose_secret(),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQ\
             mhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
        );
        assert!(!mechanism.may_begin_at_once());
    }

    #[test]
    fn an_objection_is_heard_out_and_told() {
        let mut mechanism = XOauth2::new("anna", &SecretString::from("t0ken"));
        mechanism.initial().unwrap();
        let said = br#"{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}"#;
        assert!(mechanism.step(said).unwrap().octets().is_empty());
        let told = mechanism.finish(false).unwrap_err().to_string();
        assert_eq!(
            told,
            "before that the server said about the access token: status 401, scope `https://mail.google.com/`"
        );
        assert_eq!(mechanism.step(said).unwrap_err(), SaslError::Unexpected);
    }
}
