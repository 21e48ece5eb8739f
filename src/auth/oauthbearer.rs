//! OAUTHBEARER (RFC 7628): an access token, in the standard form.

use secrecy::{ExposeSecret, SecretString};

use super::mechanism::{Mechanism, Message};
use super::sasl_error::SaslError;
use super::token::{self, Explanation};

/// One exchange.
pub struct OAuthBearer {
    user: String,
    host: String,
    port: u16,
    token: SecretString,
    explanation: Option<Explanation>,
    asked_again: bool,
}

impl OAuthBearer {
    /// An exchange with an access token. `user` is the owner of the mailbox.
    pub fn new(user: &str, host: &str, port: u16, token: &SecretString) -> Self {
        Self {
            user: user.to_owned(),
            host: host.to_owned(),
            port,
            token: token.clone(),
            explanation: None,
            asked_again: false,
        }
    }
}

impl Mechanism for OAuthBearer {
    fn name(&self) -> &'static str {
        "OAUTHBEARER"
    }

    /// RFC 7628 §3.1.
    fn initial(&mut self) -> Result<Option<Message>, SaslError> {
        let token = token::check(&self.token)?;
        // RFC 5801 §4: the two characters with a special meaning in a GS2 header.
        let user = self.user.replace('=', "=3D").replace(',', "=2C");
        let target = format!("n,a={user},\x01host={}\x01port={}", self.host, self.port);
        Ok(Some(Message::new(&[
            target.as_bytes(),
            b"\x01auth=Bearer ",
            token.expose_secret().as_bytes(),
            b"\x01\x01",
        ])))
    }

    /// RFC 7628 §3.2.3: the server sends its error before it refuses, and the client must answer.
    fn step(&mut self, challenge: &[u8]) -> Result<Message, SaslError> {
        if std::mem::replace(&mut self.asked_again, true) {
            return Err(SaslError::Unexpected);
        }
        self.explanation = Explanation::parse(challenge);
        Ok(Message::new(&[b"\x01"]))
    }

    fn finish(&mut self, accepted: bool) -> Result<(), SaslError> {
        token::verdict(accepted, self.explanation.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7628 §4.1, whose token is `vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==`.
    #[test]
    fn the_message_is_that_of_the_rfc() {
        let token = SecretString::from("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
        let mut mechanism = OAuthBearer::new("user@example.com", "server.example.com", 143, &token);
        let message = mechanism.initial().unwrap().unwrap();
        assert_eq!(
            message.encode().expose_secret(),
            "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcm\
             VyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
        );
    }

    /// RFC 7628 §4.3.
    #[test]
    fn an_objection_is_heard_out_with_one_octet() {
        let mut mechanism = OAuthBearer::new("a,b=c", "h", 995, &SecretString::from("t0ken"));
        let message = mechanism.initial().unwrap().unwrap();
        assert!(
            message
                .octets()
                .starts_with(b"n,a=a=2Cb=3Dc,\x01host=h\x01port=995\x01")
        );
        let said = br#"{"status":"invalid_token","scope":"example_scope"}"#;
        assert_eq!(mechanism.step(said).unwrap().octets(), b"\x01");
        let told = mechanism.finish(false).unwrap_err().to_string();
        assert!(
            told.ends_with("status invalid_token, scope `example_scope`"),
            "{told}"
        );
        assert_eq!(mechanism.step(said).unwrap_err(), SaslError::Unexpected);
    }
}
