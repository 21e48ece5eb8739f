//! NTLM (MS-NLMP in the dialogue of MS-OXPOP3), version 2 only: NEGOTIATE, CHALLENGE,
//! AUTHENTICATE.
//!
//! For Exchange on the premises. Version 1 is never used: its responses can be cracked in hours. If
//! the server sends its time, as all since Windows 7 do, a MIC seals the three messages, so that an
//! attacker in the middle cannot change them. Under TLS the server's certificate is signed too, so
//! that the login is useless on another connection. The server proves nothing by itself: use it
//! over TLS.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use md4::Md4;
use md5::{Digest as _, Md5};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::mechanism::{Mechanism, Message};
use super::sasl_error::SaslError;

mod message;

use message::{Authenticate, Challenge, negotiate};

/// AV pair: flags; bit 1 says that there is a MIC (MS-NLMP §2.2.2.1).
const AV_FLAGS: u16 = 6;
/// AV pair: the server's time.
const AV_TIMESTAMP: u16 = 7;
/// AV pair: the name of the service, which only the client sends.
const AV_TARGET_NAME: u16 = 9;
/// AV pair: channel bindings.
const AV_CHANNEL_BINDINGS: u16 = 10;
/// In the flags: AUTHENTICATE has a MIC.
const HAS_MIC: u32 = 2;

/// Seconds from the epoch of Windows, 1601, to that of Unix.
const BEFORE_UNIX: u64 = 11_644_473_600;

/// A key or a digest.
type Key = Zeroizing<[u8; 16]>;

/// One exchange.
pub struct Ntlm {
    domain: String,
    user: String,
    password: SecretString,
    /// The digest of the server's certificate (RFC 5929 §4).
    end_point: Option<Vec<u8>>,
    nonce: [u8; 8],
    negotiate: Option<Vec<u8>>,
}

impl Ntlm {
    /// An exchange with these credentials. The user may be `DOMAIN\user`. `end_point` is the digest
    /// of the server's certificate, under TLS.
    ///
    /// # Errors
    /// [`SaslError::Random`] if the system has no random numbers.
    pub fn new(
        user: &str,
        password: &SecretString,
        end_point: Option<&[u8]>,
    ) -> Result<Self, SaslError> {
        // A name with an @ is complete: the server knows the domain.
        let (domain, user) = user.split_once('\\').unwrap_or(("", user));
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce).map_err(|_| SaslError::Random)?;
        Ok(Self {
            domain: domain.to_owned(),
            user: user.to_owned(),
            password: password.clone(),
            end_point: end_point.map(<[u8]>::to_vec),
            nonce,
            negotiate: None,
        })
    }

    fn authenticate(&self, negotiate: &[u8], octets: &[u8]) -> Result<Message, SaslError> {
        let challenge = Challenge::parse(octets)?;
        let time = challenge.pair(AV_TIMESTAMP);
        if time.is_some_and(|time| time.len() != 8) {
            return Err(message::malformed("a time that is none"));
        }
        let sealed = time.is_some();
        let own_time = now().to_le_bytes();
        let key = response_key(&self.password, &self.user, &self.domain);
        let info = self.target_info(&challenge, sealed);
        let time = time.unwrap_or(&own_time);
        let nt = nt_response(&key, &challenge.nonce, &self.nonce, time, &info);
        // MS-NLMP §3.1.5.1.2: if there is a time, the LM response is not sent.
        let lm = if sealed {
            Zeroizing::new(vec![0; 24])
        } else {
            lm_response(&key, &challenge.nonce, &self.nonce)
        };
        let authenticate = Authenticate {
            flags: challenge.flags,
            lm: &lm,
            nt: &nt,
            domain: &self.domain,
            user: &self.user,
        };
        let mut octets = authenticate.encode()?;
        if sealed {
            let session_key = hmac(&*key, &[&nt[..16]]);
            let mic = hmac(&*session_key, &[negotiate, challenge.octets, &octets]);
            octets[message::MIC].copy_from_slice(&*mic);
        }
        Ok(Message::new(&[&octets]))
    }

    /// The server's AV pairs, and those that the client adds (MS-NLMP §3.1.5.1.2).
    fn target_info(&self, challenge: &Challenge<'_>, sealed: bool) -> Vec<u8> {
        let mut info = Vec::new();
        let mut add = |id: u16, value: &[u8]| {
            // A value of the server has a length of two octets; the client's are short.
            let length = u16::try_from(value.len()).unwrap_or_default();
            info.extend_from_slice(&id.to_le_bytes());
            info.extend_from_slice(&length.to_le_bytes());
            info.extend_from_slice(value);
        };
        let mut flags = 0;
        for &(id, value) in &challenge.pairs {
            match (id, value) {
                (AV_FLAGS, &[a, b, c, d]) => flags = u32::from_le_bytes([a, b, c, d]),
                (AV_FLAGS | AV_TARGET_NAME | AV_CHANNEL_BINDINGS, _) => {}
                _ => add(id, value),
            }
        }
        if sealed {
            add(AV_FLAGS, &(flags | HAS_MIC).to_le_bytes());
        }
        if let Some(end_point) = &self.end_point {
            add(AV_CHANNEL_BINDINGS, &channel_bindings(end_point));
        }
        add(0, b"");
        info
    }
}

impl Mechanism for Ntlm {
    fn name(&self) -> &'static str {
        "NTLM"
    }

    fn initial(&mut self) -> Result<Option<Message>, SaslError> {
        let octets = negotiate();
        let message = Message::new(&[&octets]);
        self.negotiate = Some(octets);
        Ok(Some(message))
    }

    fn step(&mut self, challenge: &[u8]) -> Result<Message, SaslError> {
        let negotiate = self.negotiate.take().ok_or(SaslError::Unexpected)?;
        self.authenticate(&negotiate, challenge)
    }

    /// MS-OXPOP3 §2.2.1: NEGOTIATE is sent on a line of its own.
    fn may_begin_at_once(&self) -> bool {
        false
    }
}

/// `NTOWFv2` of MS-NLMP §3.3.2.
fn response_key(password: &SecretString, user: &str, domain: &str) -> Key {
    let password = Zeroizing::new(message::utf_16(password.expose_secret()));
    let hash: Zeroizing<[u8; 16]> = Zeroizing::new(Md4::digest(&*password).into());
    let name = message::utf_16(&(user.to_uppercase() + domain));
    hmac(&*hash, &[&name])
}

/// `NTProofStr` and its input: the response of version 2 (MS-NLMP §3.3.2).
fn nt_response(
    key: &Key,
    server_nonce: &[u8; 8],
    own_nonce: &[u8; 8],
    time: &[u8],
    info: &[u8],
) -> Zeroizing<Vec<u8>> {
    let temp = [
        &[1, 1, 0, 0, 0, 0, 0, 0],
        time,
        own_nonce,
        &[0; 4],
        info,
        &[0; 4],
    ]
    .concat();
    let proof = hmac(&**key, &[server_nonce, &temp]);
    Zeroizing::new([&proof[..], &temp].concat())
}

/// `LMv2` of MS-NLMP §3.3.2.
fn lm_response(key: &Key, server_nonce: &[u8; 8], own_nonce: &[u8; 8]) -> Zeroizing<Vec<u8>> {
    let proof = hmac(&**key, &[server_nonce, own_nonce]);
    Zeroizing::new([&proof[..], own_nonce].concat())
}

/// The digest of a `gss_channel_bindings_struct` without addresses (MS-NLMP §3.1.5.1.2).
fn channel_bindings(end_point: &[u8]) -> [u8; 16] {
    let data = [b"tls-server-end-point:", end_point].concat();
    let length = u32::try_from(data.len()).unwrap_or_default();
    let mut md5 = Md5::new();
    md5.update([0; 16]);
    md5.update(length.to_le_bytes());
    md5.update(&data);
    md5.finalize().into()
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Key {
    // HMAC takes keys of any length.
    let digest = Hmac::<Md5>::new_from_slice(key).map(|mut hmac| {
        for part in parts {
            hmac.update(part);
        }
        hmac.finalize().into_bytes().into()
    });
    Zeroizing::new(digest.unwrap_or_default())
}

/// Tenths of microseconds since 1601.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    (since.as_secs() + BEFORE_UNIX) * 10_000_000 + u64::from(since.subsec_nanos() / 100)
}

#[cfg(test)]
mod tests;
