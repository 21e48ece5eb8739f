//! What SASL mechanisms have in common (RFC 4422): they take challenges and give messages, and
//! know nothing of lines, base64 or sockets.
//!
//! A mechanism lives for one exchange. It holds secrets, so that none can be printed: what it
//! says is a [`Message`], which shows as `***` and is overwritten when dropped, and what it finds
//! wrong is a [`Fault`], which holds nothing that was ours. What a server sent stands in a fault
//! only where it is meant for people, and escaped.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::fault::Fault;

/// What a mechanism says, before base64.
pub struct Message(Zeroizing<Vec<u8>>);

/// The client's side of one SASL exchange.
///
/// The methods may take long, and block: for a network, or for thousands of digests.
pub trait Mechanism: Send {
    /// Its registered name.
    fn name(&self) -> &'static str;

    /// What the client says first; none where the server begins.
    ///
    /// # Errors
    /// Why the exchange cannot begin. Nothing is to be sent then.
    fn initial(&mut self) -> Result<Option<Message>, Fault>;

    /// The answer to a challenge.
    ///
    /// # Errors
    /// Why the exchange cannot go on. It is to be cancelled then.
    fn step(&mut self, challenge: &[u8]) -> Result<Message, Fault>;

    /// Hears the server's verdict. A login that it accepted counts only where this agrees: where
    /// the server had to prove something too, it may not have.
    ///
    /// # Errors
    /// What is wrong with an acceptance, or what the server said of a refusal in the exchange.
    fn finish(&mut self, accepted: bool) -> Result<(), Fault> {
        let _ = accepted;
        Ok(())
    }

    /// Whether the first message may stand in the line of AUTH, where the server knows that form
    /// and the line is short enough.
    fn may_begin_at_once(&self) -> bool {
        true
    }
}

/// Padding is written, and where a server leaves it out it is not missed.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Message {
    /// A message of these parts, put together without a copy that is left behind.
    pub fn new(parts: &[&[u8]]) -> Self {
        let mut octets = Zeroizing::new(Vec::with_capacity(parts.iter().map(|p| p.len()).sum()));
        for part in parts {
            octets.extend_from_slice(part);
        }
        Self(octets)
    }

    /// The message that says nothing.
    pub fn empty() -> Self {
        Self::new(&[])
    }

    /// Its octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// As it stands in a line of its own.
    pub fn encode(&self) -> SecretString {
        // Allocated once, as long as needed: anything that grows would leave a copy behind.
        let length = base64::encoded_len(self.0.len(), true).unwrap_or(0);
        let mut text = Zeroizing::new(vec![0; length]);
        let written = BASE64.encode_slice(&*self.0, &mut text).unwrap_or(0);
        let text = str::from_utf8(&text[..written]).unwrap_or_default();
        SecretString::from(Box::<str>::from(text))
    }

    /// As it stands behind AUTH and the mechanism's name, where nothing would mean that nothing
    /// was said yet (RFC 5034 §4).
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

/// A challenge as it stood in the server's line.
///
/// # Errors
/// [`Fault::NotBase64`].
pub fn decode(text: &[u8]) -> Result<Vec<u8>, Fault> {
    BASE64
        .decode(text.trim_ascii())
        .map_err(|_| Fault::NotBase64)
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
            assert_eq!(decode(broken), Err(Fault::NotBase64), "{broken:?}");
        }
    }
}
