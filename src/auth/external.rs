//! EXTERNAL (RFC 4422 appendix A): the TLS client certificate says who this is.

use super::fault::Fault;
use super::mechanism::{Mechanism, Message};

/// One exchange.
pub struct External;

impl Mechanism for External {
    fn name(&self) -> &'static str {
        "EXTERNAL"
    }

    /// Nothing: whose mailbox it is follows from the certificate. A name of ours beside it would
    /// be a wish to act for somebody, which servers allow to few.
    fn initial(&mut self) -> Result<Option<Message>, Fault> {
        Ok(Some(Message::empty()))
    }

    fn step(&mut self, _: &[u8]) -> Result<Message, Fault> {
        Err(Fault::Unexpected)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// RFC 5034 §4: an empty first message in the line of AUTH is `=`, on a line of its own it is
    /// that line.
    #[test]
    fn nothing_is_said_beside_the_certificate() {
        let message = External.initial().unwrap().unwrap();
        assert_eq!(message.encode_initial().expose_secret(), "=");
        assert_eq!(message.encode().expose_secret(), "");
        assert_eq!(External.step(b"").unwrap_err(), Fault::Unexpected);
    }
}
