//! CRAM-MD5 (RFC 2195): a digest of the server's challenge with the password as key.
//!
//! The password is not sent, but a listener can try guesses against the digest, and the server
//! proves nothing.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::mechanism::{Mechanism, Message};
use super::sasl_error::SaslError;

/// One exchange.
pub struct CramMd5 {
    user: String,
    password: SecretString,
    answered: bool,
}

impl CramMd5 {
    /// An exchange with these credentials.
    pub fn new(user: &str, password: &SecretString) -> Self {
        Self {
            user: user.to_owned(),
            password: password.clone(),
            answered: false,
        }
    }
}

impl Mechanism for CramMd5 {
    fn name(&self) -> &'static str {
        "CRAM-MD5"
    }

    fn initial(&mut self) -> Result<Option<Message>, SaslError> {
        Ok(None)
    }

    /// RFC 2195 §2: the challenge is usually a msg-id, but nothing depends on that.
    fn step(&mut self, challenge: &[u8]) -> Result<Message, SaslError> {
        if std::mem::replace(&mut self.answered, true) {
            return Err(SaslError::Unexpected);
        }
        if challenge.is_empty() {
            return Err(SaslError::Malformed {
                what: "an empty challenge",
            });
        }
        let key = self.password.expose_secret().as_bytes();
        // HMAC takes keys of any length.
        let mut hmac = Hmac::<Md5>::new_from_slice(key).map_err(|_| SaslError::Unexpected)?;
        hmac.update(challenge);
        let mut digest = Zeroizing::new(String::with_capacity(32));
        for octet in hmac.finalize().into_bytes() {
            // Writing to a string cannot fail.
            let _ = write!(digest, "{octet:02x}");
        }
        Ok(Message::new(&[
            self.user.as_bytes(),
            b" ",
            digest.as_bytes(),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(user: &str, password: &str, challenge: &[u8]) -> Result<String, SaslError> {
        let mut mechanism = CramMd5::new(user, &SecretString::from(password));
        assert!(mechanism.initial().unwrap().is_none());
        let message = mechanism.step(challenge)?;
        assert_eq!(
            mechanism.step(challenge).unwrap_err(),
            SaslError::Unexpected
        );
        Ok(String::from_utf8(message.octets().to_vec()).unwrap())
    }

    /// The example of RFC 2195 §2.
    #[test]
    fn the_digest_is_that_of_the_rfc() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(
            answer("tim", "tanstaaftanstaaf", challenge).unwrap(),
            "tim b913a602c7eda7a495b4e6e7334d3890"
        );
    }

    /// RFC 2104: a key of more than 64 octets is digested first. By `openssl dgst -md5 -hmac`.
    #[test]
    fn long_passwords_are_keys_too() {
        let long = "a".repeat(80);
        assert_eq!(
            answer("tim", &long, b"<1@x>").unwrap(),
            "tim 1fbcd1109780dcdc56fb4a0b59b6c5fe"
        );
    }

    #[test]
    fn an_empty_challenge_is_not_digested() {
        assert!(matches!(
            answer("tim", "x", b""),
            Err(SaslError::Malformed { .. })
        ));
    }
}
