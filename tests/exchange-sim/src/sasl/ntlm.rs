//! NTLM (MS-NLMP in the dialogue of MS-OXPOP3): NEGOTIATE, CHALLENGE, AUTHENTICATE.
//!
//! The server checks NTLMv2 responses against the known password, the MIC when the client says
//! that it sends one, and channel bindings when ExtendedProtection asks. NTLMv1 is a knob.

mod hash;
mod message;

use super::{Context, Mechanism, Outcome};
use crate::clock::lock;
use crate::directory::User;
use crate::knobs::ExtendedProtection;
use hash::{hmac_md5, nt_hash, ntlm_v1_response, ntlm_v2_key, rc4, same};
use message::{Authenticate, av_pairs, challenge, is_negotiate};

/// AV pair: flags; bit 2 says that a MIC is there (MS-NLMP §2.2.2.1).
const AV_FLAGS: u16 = 6;
/// AV pair: channel bindings.
const AV_CHANNEL_BINDINGS: u16 = 10;
/// The session key is sent under the exchanged key.
const NEGOTIATE_KEY_EXCH: u32 = 0x4000_0000;
/// The response to a challenge is mixed with the client's own (NTLM2 session).
const NEGOTIATE_EXTENDED_SESSIONSECURITY: u32 = 0x0008_0000;

/// Where the exchange is.
#[derive(Default)]
pub(super) enum Ntlm {
    #[default]
    Start,
    /// NEGOTIATE and CHALLENGE, which the MIC covers.
    Challenged {
        negotiate: Vec<u8>,
        challenge: Vec<u8>,
    },
    Over,
}

/// The server's challenge. It never changes: the simulator is predictable, not secure.
pub(super) const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

impl Mechanism for Ntlm {
    fn step(&mut self, context: &Context<'_>, message: Option<&[u8]>) -> Outcome {
        let Some(message) = message else {
            return Outcome::Challenge(Vec::new());
        };
        match std::mem::replace(self, Self::Over) {
            // MS-OXPOP3 §3.2.5: a message out of turn ends the exchange.
            Self::Start if is_negotiate(message) => {
                let challenge = challenge(SERVER_CHALLENGE);
                *self = Self::Challenged {
                    negotiate: message.to_vec(),
                    challenge: challenge.clone(),
                };
                Outcome::Challenge(challenge)
            }
            Self::Challenged {
                negotiate,
                challenge,
            } => check(context, &negotiate, &challenge, message)
                .and_then(|user| context.directory.open(user, None))
                .map_or(Outcome::Refuse, Outcome::Accept),
            Self::Start | Self::Over => Outcome::Refuse,
        }
    }
}

/// The user, if AUTHENTICATE proves the password.
fn check<'a>(
    context: &Context<'a>,
    negotiate: &[u8],
    challenge: &[u8],
    message: &[u8],
) -> Option<&'a User> {
    let authenticate = Authenticate::parse(message)?;
    let user = context.directory.user(&authenticate.user)?;
    let password = String::from_utf8_lossy(&lock(&user.password)).into_owned();
    // 24 octets are NTLMv1 (MS-NLMP §2.2.2.6); NTLMv2 is longer by what it hashes.
    if authenticate.nt_response.len() == 24 {
        let session_security = authenticate.flags & NEGOTIATE_EXTENDED_SESSIONSECURITY != 0;
        let client = session_security
            .then(|| authenticate.lm_response.get(..8))
            .flatten();
        let good = ntlm_v1_response(&nt_hash(&password), SERVER_CHALLENGE, client);
        let accepted = context.knobs.ntlm_v1
            && context.knobs.extended_protection != ExtendedProtection::Require
            && same(&good, &authenticate.nt_response);
        return accepted.then_some(user);
    }
    let (proof, temp) = authenticate.nt_response.split_at_checked(16)?;
    let key = ntlm_v2_key(&password, &authenticate.user, &authenticate.domain);
    if !same(&hmac_md5(&key, &[&SERVER_CHALLENGE, temp]), proof) {
        return None;
    }
    // The pairs of the client begin after 28 octets of NTLMv2_CLIENT_CHALLENGE.
    let pairs = av_pairs(temp.get(28..)?);
    let pair = |id: u16| pairs.iter().find(|(known, _)| *known == id).map(|(_, v)| v);
    if pair(AV_FLAGS).is_some_and(|flags| flags.first().is_some_and(|low| low & 2 != 0)) {
        let base_key = hmac_md5(&key, &[proof]);
        let session_key = if authenticate.flags & NEGOTIATE_KEY_EXCH != 0 {
            rc4(&base_key, &authenticate.session_key)
        } else {
            base_key.to_vec()
        };
        let good = hmac_md5(
            &session_key,
            &[negotiate, challenge, &authenticate.without_mic],
        );
        if !same(&good, &authenticate.mic) {
            return None;
        }
    }
    let given = pair(AV_CHANNEL_BINDINGS).filter(|given| given.iter().any(|octet| *octet != 0));
    let right = match (context.binding, given) {
        (Some(end_point), Some(given)) => same(&hash::channel_bindings(end_point), given),
        // Without TLS there is nothing to bind to.
        (None, _) => true,
        (Some(_), None) => context.knobs.extended_protection != ExtendedProtection::Require,
    };
    let asked = context.knobs.extended_protection != ExtendedProtection::None;
    (right || !asked).then_some(user)
}

#[cfg(test)]
mod tests;
