//! The messages of MS-NLMP §2.2.1.

use super::hash::wide;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Unicode, request target, NTLM, always sign, target type server, extended session security,
/// target info, version, 128, key exchange, 56: as in the example of MS-OXPOP3 §4.1.
const FLAGS: u32 = 0xe28a_8235;
const UNICODE: u32 = 1;

/// True if this is a NEGOTIATE_MESSAGE.
pub(super) fn is_negotiate(message: &[u8]) -> bool {
    message.starts_with(SIGNATURE)
        && message.get(8..12) == Some(&[1, 0, 0, 0])
        && message.len() >= 16
}

/// The CHALLENGE_MESSAGE.
pub(super) fn challenge(server_challenge: [u8; 8]) -> Vec<u8> {
    const HEAD: usize = 56;
    let target = wide("EXAMPLE");
    let mut info = Vec::new();
    for (id, value) in [
        (2_u16, "EXAMPLE"),
        (1, "SIM01"),
        (4, "exchange.example"),
        (3, crate::profile::HOST),
    ] {
        add_pair(&mut info, id, &wide(value));
    }
    // A fixed time (2024-11-20): with one, clients must send a MIC (MS-NLMP §3.1.5.1.2).
    add_pair(&mut info, 7, &133_765_344_000_000_000_u64.to_le_bytes());
    add_pair(&mut info, 0, &[]);
    let mut message = SIGNATURE.to_vec();
    message.extend_from_slice(&2_u32.to_le_bytes());
    add_field(&mut message, target.len(), HEAD);
    message.extend_from_slice(&FLAGS.to_le_bytes());
    message.extend_from_slice(&server_challenge);
    message.extend_from_slice(&[0; 8]);
    add_field(&mut message, info.len(), HEAD + target.len());
    message.extend_from_slice(&[10, 0, 0x63, 0x45, 0, 0, 0, 15]);
    message.extend_from_slice(&target);
    message.extend_from_slice(&info);
    message
}

fn add_field(message: &mut Vec<u8>, len: usize, offset: usize) {
    message.extend_from_slice(&(len as u16).to_le_bytes());
    message.extend_from_slice(&(len as u16).to_le_bytes());
    message.extend_from_slice(&(offset as u32).to_le_bytes());
}

fn add_pair(info: &mut Vec<u8>, id: u16, value: &[u8]) {
    info.extend_from_slice(&id.to_le_bytes());
    info.extend_from_slice(&(value.len() as u16).to_le_bytes());
    info.extend_from_slice(value);
}

/// The AV pairs of a list, as far as it makes sense.
pub(super) fn av_pairs(mut list: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut pairs = Vec::new();
    while let Some((&[id0, id1, len0, len1], rest)) = list.split_first_chunk() {
        let id = u16::from_le_bytes([id0, id1]);
        let len = usize::from(u16::from_le_bytes([len0, len1]));
        let Some((value, rest)) = rest.split_at_checked(len) else {
            break;
        };
        if id == 0 {
            break;
        }
        pairs.push((id, value.to_vec()));
        list = rest;
    }
    pairs
}

/// An AUTHENTICATE_MESSAGE.
#[derive(Debug)]
pub(super) struct Authenticate {
    pub(super) user: String,
    pub(super) domain: String,
    pub(super) lm_response: Vec<u8>,
    pub(super) nt_response: Vec<u8>,
    pub(super) session_key: Vec<u8>,
    pub(super) flags: u32,
    /// The MIC, if the message has room for one.
    pub(super) mic: Vec<u8>,
    /// The message with zeros in place of the MIC, as the MIC is made over it.
    pub(super) without_mic: Vec<u8>,
}

impl Authenticate {
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        if !message.starts_with(SIGNATURE) || message.get(8..12)? != [3, 0, 0, 0] {
            return None;
        }
        let flags = u32_at(message, 60)?;
        let text = |at: usize| {
            let octets = field(message, at)?;
            Some(match flags & UNICODE {
                0 => String::from_utf8_lossy(octets).into_owned(),
                _ => {
                    let units = octets
                        .chunks_exact(2)
                        .map(|two| u16::from_le_bytes([two[0], two[1]]));
                    String::from_utf16_lossy(&units.collect::<Vec<_>>())
                }
            })
        };
        let mut without_mic = message.to_vec();
        let mic = match without_mic.get_mut(72..88) {
            Some(place) => {
                let mic = place.to_vec();
                place.fill(0);
                mic
            }
            None => Vec::new(),
        };
        Some(Self {
            lm_response: field(message, 12)?.to_vec(),
            nt_response: field(message, 20)?.to_vec(),
            domain: text(28)?,
            user: text(36)?,
            session_key: field(message, 52)?.to_vec(),
            flags,
            mic,
            without_mic,
        })
    }
}

/// The octets that a field descriptor points at.
fn field(message: &[u8], at: usize) -> Option<&[u8]> {
    let len = u16::from_le_bytes(message.get(at..at + 2)?.try_into().ok()?);
    let start = u32_at(message, at + 4)? as usize;
    if len == 0 {
        return Some(&[]);
    }
    message.get(start..start.checked_add(usize::from(len))?)
}

fn u32_at(message: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        message.get(at..at + 4)?.try_into().ok()?,
    ))
}
