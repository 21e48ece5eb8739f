//! SCRAM-SHA-1 (RFC 5802) and SCRAM-SHA-256 (RFC 7677), with and without channel binding.
//!
//! Both sides prove that they know the password without sending it. A listener needs as many
//! digests for each guess as the server has set, and a server that does not know the password
//! cannot pretend to. So a login counts only if the server's signature was seen and is right,
//! whatever its status line says.
//!
//! The server chooses the number of digests. Too few would make guessing cheap for a false server;
//! too many would take days. Both are refused before a proof is computed.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use stringprep::saslprep;

use super::binding::ChannelBinding;
use super::mechanism::{Mechanism, Message};
use super::sasl_error::SaslError;

/// The fewest digests: the minimum for servers in RFC 5802 §5.1 and RFC 7677 §4.
pub const LEAST_ITERATIONS: u32 = 4096;

/// The most: some seconds of work.
pub const MOST_ITERATIONS: u32 = 5_000_000;

/// The longest nonce or salt.
const MAX_FIELD: usize = 1024;

/// The digest that the mechanism is named after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1: broken for signatures, but still good in an HMAC (RFC 5802 §9).
    Sha1,
    /// SHA-256.
    Sha256,
}

/// The binding of the exchange to the connection; the `gs2-cbind-flag` of RFC 5802 §7.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// `p`: bound in this way.
    By(ChannelBinding),
    /// `n`: not bound.
    No,
    /// `y`: not bound, because the server did not announce that it can. A server that did announce
    /// it learns in this way that an attacker has shortened its list.
    NotAnnounced,
}

/// One exchange.
pub struct Scram {
    hash: Hash,
    bound: Bound,
    user: String,
    password: SecretString,
    nonce: String,
    state: State,
}

enum State {
    Start,
    /// The server's first message is due.
    FirstSent {
        bare: String,
    },
    /// The server's last message is due, with this signature.
    FinalSent {
        signature: Zeroizing<Vec<u8>>,
    },
    Verified,
    /// The server gave this reason for its refusal.
    Refused(String),
    Failed,
}

impl Scram {
    /// An exchange with these credentials.
    ///
    /// # Errors
    /// [`SaslError::Random`] if the system has no random numbers.
    pub fn new(
        hash: Hash,
        bound: Bound,
        user: &str,
        password: &SecretString,
    ) -> Result<Self, SaslError> {
        let mut random = [0; 24];
        getrandom::fill(&mut random).map_err(|_| SaslError::Random)?;
        Ok(Self {
            hash,
            bound,
            user: user.to_owned(),
            password: password.clone(),
            nonce: STANDARD.encode(random),
            state: State::Start,
        })
    }

    /// The `gs2-header`: the binding, and no authorization identity.
    fn header(&self) -> String {
        match &self.bound {
            Bound::By(binding) => format!("p={},,", binding.name()),
            Bound::No => "n,,".to_owned(),
            Bound::NotAnnounced => "y,,".to_owned(),
        }
    }

    /// RFC 5802 §3: the answer to the server's first message.
    fn prove(&self, bare: &str, server_first: &str) -> Result<(Message, State), SaslError> {
        let ServerFirst {
            nonce,
            salt,
            iterations,
        } = ServerFirst::parse(server_first, &self.nonce)?;
        let password = saslprep(self.password.expose_secret()).map_err(|_| SaslError::Prepare)?;
        let password = Zeroizing::new(password.into_owned());
        let salted = self.hash.stretch(password.as_bytes(), &salt, iterations);
        let client_key = self.hash.hmac(&salted, b"Client Key");
        let stored_key = self.hash.digest(&client_key);
        let mut bound = self.header().into_bytes();
        if let Bound::By(binding) = &self.bound {
            bound.extend_from_slice(binding.data());
        }
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(bound));
        let signed = format!("{bare},{server_first},{without_proof}");
        let mut proof = self.hash.hmac(&stored_key, signed.as_bytes());
        for (octet, key) in proof.iter_mut().zip(client_key.iter()) {
            *octet ^= key;
        }
        let server_key = self.hash.hmac(&salted, b"Server Key");
        let signature = self.hash.hmac(&server_key, signed.as_bytes());
        let proof = Zeroizing::new(STANDARD.encode(&*proof));
        let message = Message::new(&[without_proof.as_bytes(), b",p=", proof.as_bytes()]);
        Ok((message, State::FinalSent { signature }))
    }
}

impl Mechanism for Scram {
    fn name(&self) -> &'static str {
        match (self.hash, &self.bound) {
            (Hash::Sha1, Bound::By(_)) => "SCRAM-SHA-1-PLUS",
            (Hash::Sha1, _) => "SCRAM-SHA-1",
            (Hash::Sha256, Bound::By(_)) => "SCRAM-SHA-256-PLUS",
            (Hash::Sha256, _) => "SCRAM-SHA-256",
        }
    }

    fn initial(&mut self) -> Result<Option<Message>, SaslError> {
        let user = saslprep(&self.user).map_err(|_| SaslError::Prepare)?;
        // RFC 5802 §5.1: the two characters with a special meaning.
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={user},r={}", self.nonce);
        let message = Message::new(&[self.header().as_bytes(), bare.as_bytes()]);
        self.state = State::FirstSent { bare };
        Ok(Some(message))
    }

    fn step(&mut self, challenge: &[u8]) -> Result<Message, SaslError> {
        let text = str::from_utf8(challenge).map_err(|_| malformed("a challenge that is no text"));
        match std::mem::replace(&mut self.state, State::Failed) {
            State::FirstSent { bare } => {
                let (message, state) = self.prove(&bare, text?)?;
                self.state = state;
                Ok(message)
            }
            State::FinalSent { signature } => {
                self.state = judge(text?, &signature)?;
                Ok(Message::empty())
            }
            State::Start | State::Verified | State::Refused(_) | State::Failed => {
                Err(SaslError::Unexpected)
            }
        }
    }

    fn finish(&mut self, accepted: bool) -> Result<(), SaslError> {
        match &self.state {
            State::Verified => Ok(()),
            _ if accepted => Err(SaslError::NoProof),
            State::Refused(why) => Err(SaslError::Refused { why: why.clone() }),
            _ => Ok(()),
        }
    }
}

/// Judges the server's last message.
fn judge(server_final: &str, signature: &[u8]) -> Result<State, SaslError> {
    let first = server_final.split(',').next().unwrap_or_default();
    if let Some(why) = first.strip_prefix("e=") {
        let mut shown = String::new();
        for character in why.chars().filter(char::is_ascii_graphic).take(80) {
            // Writing to a string cannot fail.
            let _ = shown.write_char(character);
        }
        return Ok(State::Refused(shown));
    }
    let given = first
        .strip_prefix("v=")
        .and_then(|given| STANDARD.decode(given).ok())
        .ok_or_else(|| malformed("a last message without a signature"))?;
    // The length is no secret. The comparison takes the same time wherever the octets differ.
    let differences = given
        .iter()
        .zip(signature)
        .fold(0, |all, (a, b)| all | (a ^ b));
    if given.len() == signature.len() && differences == 0 {
        Ok(State::Verified)
    } else {
        Err(SaslError::ServerSignature)
    }
}

/// The server's first message.
struct ServerFirst<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

impl<'a> ServerFirst<'a> {
    /// RFC 5802 §7: three fields in their order, and extensions, none of them mandatory.
    fn parse(text: &'a str, own_nonce: &str) -> Result<Self, SaslError> {
        let mut fields = text.split(',');
        let mut field = |name: &str, what| {
            let field = fields.next().and_then(|field| field.strip_prefix(name));
            field.ok_or_else(|| malformed(what))
        };
        let nonce = field("r=", "a first message without a nonce")?;
        let salt = field("s=", "a first message without a salt")?;
        let iterations = field("i=", "a first message without an iteration count")?;
        let printable = nonce.bytes().all(|octet| octet.is_ascii_graphic());
        let longer = nonce.len() > own_nonce.len() && nonce.len() <= MAX_FIELD;
        if !printable || !longer || !nonce.starts_with(own_nonce) {
            return Err(SaslError::Nonce);
        }
        let salt = STANDARD.decode(salt).unwrap_or_default();
        if salt.is_empty() || salt.len() > MAX_FIELD {
            return Err(malformed("a salt that is none"));
        }
        let digits = !iterations.is_empty() && iterations.bytes().all(|o| o.is_ascii_digit());
        let iterations = match iterations.parse() {
            Ok(count) if digits => count,
            // A number that does not fit is too large in any case.
            _ if digits => u32::MAX,
            _ => return Err(malformed("an iteration count that is no number")),
        };
        if !(LEAST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations) {
            let are_too_few = iterations < LEAST_ITERATIONS;
            return Err(SaslError::Iterations {
                iterations,
                are_too_few,
            });
        }
        Ok(Self {
            nonce,
            salt,
            iterations,
        })
    }
}

fn malformed(what: &'static str) -> SaslError {
    SaslError::Malformed { what }
}

impl Hash {
    fn digest(self, octets: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Sha1 => Sha1::digest(octets).to_vec(),
            Self::Sha256 => Sha256::digest(octets).to_vec(),
        })
    }

    fn hmac(self, key: &[u8], octets: &[u8]) -> Zeroizing<Vec<u8>> {
        // HMAC takes keys of any length.
        let digest = match self {
            Self::Sha1 => Hmac::<Sha1>::new_from_slice(key)
                .map(|hmac| hmac.chain_update(octets).finalize().into_bytes().to_vec()),
            Self::Sha256 => Hmac::<Sha256>::new_from_slice(key)
                .map(|hmac| hmac.chain_update(octets).finalize().into_bytes().to_vec()),
        };
        Zeroizing::new(digest.unwrap_or_default())
    }

    /// `Hi` of RFC 5802 §2.2, which is PBKDF2.
    fn stretch(self, password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
        let octets = match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        };
        let mut key = Zeroizing::new(vec![0; octets]);
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut key),
            Self::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut key),
        }
        key
    }
}

#[cfg(test)]
mod tests;
