//! The common interface of SASL mechanisms (RFC 4422): they take challenges and return messages,
//! and do not deal with lines, base64 or sockets.
//!
//! A mechanism lives for one exchange. It holds secrets, so none can be printed: its output is a
//! [`Message`], which is shown as `***` and overwritten when dropped, and its errors are a
//! [`SaslError`], which has none of the client's secrets. Text from a server is in an error only for
//! people, and escaped.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::sasl_error::SaslError;

/// A message of a mechanism, before base64.
pub struct Message(Zeroizing<Vec<u8>>);

/// The client's side of one SASL exchange.
///
/// The methods may take long, and block: for a network, or for thousands of digests.
pub trait Mechanism: Send {
    /// Its registered name.
    fn name(&self) -> &'static str;

    /// The initial response. None if the server begins.
    ///
    /// # Errors
    /// The reason why the exchange cannot begin. Send nothing then.
    fn initial(&mut self) -> Result<Option<Message>, SaslError>;

    /// The answer to a challenge.
    ///
    /// # Errors
    /// The reason why the exchange cannot continue. Cancel it then.
    fn step(&mut self, challenge: &[u8]) -> Result<Message, SaslError>;

    /// Takes the server's verdict. An accepted login counts only if this succeeds: the server may
    /// have failed to prove its own identity.
    ///
    /// # Errors
    /// A flaw in an acceptance, or the reason that the server gave for a refusal.
    fn finish(&mut self, accepted: bool) -> Result<(), SaslError> {
        let _ = accepted;
        Ok(())
    }

    /// True if the initial response may be sent in the line of AUTH, if the server supports that
    /// and the line is short enough.
    fn may_begin_at_once(&self) -> bool {
        true
    }
}

/// Padding is written, and is optional when reading.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Message {
    /// A message of these parts, joined without leaving a copy behind.
    pub fn new(parts: &[&[u8]]) -> Self {
        let mut octets = Zeroizing::new(Vec::with_capacity(parts.iter().map(|p| p.len()).sum()));
        for part in parts {
            octets.extend_from_slice(part);
        }
        Self(octets)
    }

    /// An empty message.
    pub fn empty() -> Self {
        Self::new(&[])
    }

    /// Its octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The message as a line of its own.
    pub fn encode(&self) -> SecretString {
        // Allocated once, with the full length: a buffer that grows leaves a copy behind.
        let length = base64::encoded_len(self.0.len(), true).unwrap_or(0);
        let mut text = Zeroizing::new(vec![0; length]);
        let written = BASE64.encode_slice(&*self.0, &mut text).unwrap_or(0);
        let text = str::from_utf8(&text[..written]).unwrap_or_default();
        SecretString::from(Box::<str>::from(text))
    }

    /// The message in the line of AUTH, after the mechanism's name. There an empty text would mean
    /// that there is no initial response (RFC 5034 §4).
    pub fn encode_initial(&self) -> SecretString {
        if self.0.is_empty() {
            return SecretString::from("=");
        }
        self.encode()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message(***)")
    }
}

/// Decodes a challenge from the server's line.
///
/// # Errors
/// [`SaslError::NotBase64`].
pub fn decode(text: &[u8]) -> Result<Vec<u8>, SaslError> {
    BASE64
        .decode(text.trim_ascii())
        .map_err(|_| SaslError::NotBase64)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_message_is_base64_on_the_wire_and_never_shows() {
        let message = Message::new(&[b"\0anna\0", b"hunter2"]);
        assert_eq!(message.encode().expose_secret(), "AGFubmEAaHVudGVyMg==");
        assert_eq!(format!("{message:?}"), "Message(***)");
        assert_eq!(Message::empty().encode().expose_secret(), "");
        assert_eq!(Message::empty().encode_initial().expose_secret(), "=");
    }

    #[test]
    fn challenges_are_base64_with_or_without_padding() {
        for text in ["VXNlcm5hbWU6", " VXNlcm5hbWU6 ", "\tVXNlcm5hbWU6"] {
            assert_eq!(decode(text.as_bytes()).unwrap(), b"Username:", "{text:?}");
        }
        assert_eq!(decode(b"YQ").unwrap(), b"a");
        assert_eq!(decode(b"YQ==").unwrap(), b"a");
        assert_eq!(decode(b"").unwrap(), b"");
        for broken in [
            &b"***not base64***"[..],
            b"Y",
            b"Y Q==",
            b"\xff",
            b"YQ==YQ==",
        ] {
            assert_eq!(decode(broken), Err(SaslError::NotBase64), "{broken:?}");
        }
    }
}
