//! EXTERNAL (RFC 4422 appendix A): the TLS client certificate identifies the user.

use super::mechanism::{Mechanism, Message};
use super::sasl_error::SaslError;

/// One exchange.
pub(crate) struct External;

impl Mechanism for External {
    fn name(&self) -> &'static str {
        "EXTERNAL"
    }

    /// An empty message: the certificate determines the mailbox. A name beside it would ask to act
    /// for another user, which servers allow to few.
    fn initial(&mut self) -> Result<Option<Message>, SaslError> {
        Ok(Some(Message::empty()))
    }

    fn step(&mut self, _: &[u8]) -> Result<Message, SaslError> {
        Err(SaslError::Unexpected)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// RFC 5034 §4: an empty initial response in the line of AUTH is `=`; on a line of its own it
    /// is an empty line.
    #[test]
    fn nothing_is_said_beside_the_certificate() {
        let message = External.initial().unwrap().unwrap();
        assert_eq!(message.encode_initial().expose_secret(), "=");
        assert_eq!(message.encode().expose_secret(), "");
        assert_eq!(External.step(b"").unwrap_err(), SaslError::Unexpected);
    }
}
