//! The messages of NTLM as octets (MS-NLMP §2.2.1).
//!
//! CHALLENGE comes from an untrusted server: each length and offset in it is checked before it is
//! used. Clients that did not check (CVE-2012-3482 and similar) sent back their own memory.

use std::ops::Range;

use crate::auth::sasl_error::SaslError;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

const UNICODE: u32 = 0x0000_0001;
const OEM: u32 = 0x0000_0002;
const REQUEST_TARGET: u32 = 0x0000_0004;
const NTLM: u32 = 0x0000_0200;
const ALWAYS_SIGN: u32 = 0x0000_8000;
const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
const TARGET_INFO: u32 = 0x0080_0000;
const KEY_128: u32 = 0x2000_0000;
const KEY_56: u32 = 0x8000_0000;

/// The client's abilities. No keys are exchanged, since nothing is signed or sealed after the
/// login.
const OURS: u32 = UNICODE
    | OEM
    | REQUEST_TARGET
    | NTLM
    | ALWAYS_SIGN
    | EXTENDED_SESSION_SECURITY
    | TARGET_INFO
    | KEY_128
    | KEY_56;

/// The place of the MIC in AUTHENTICATE.
pub(super) const MIC: Range<usize> = 72..88;

/// NEGOTIATE, without domain and workstation: the server does not need them yet.
pub(super) fn negotiate() -> Vec<u8> {
    let mut octets = Vec::with_capacity(32);
    octets.extend_from_slice(SIGNATURE);
    octets.extend_from_slice(&1u32.to_le_bytes());
    octets.extend_from_slice(&OURS.to_le_bytes());
    octets.extend_from_slice(&[0; 16]);
    octets
}

/// CHALLENGE.
#[derive(Debug)]
pub(super) struct Challenge<'a> {
    /// The whole message.
    pub(super) octets: &'a [u8],
    /// The abilities that both sides have.
    pub(super) flags: u32,
    /// The server's nonce.
    pub(super) nonce: [u8; 8],
    /// The server's facts about itself. Empty if it is older than Windows 2000.
    pub(super) pairs: Vec<(u16, &'a [u8])>,
}

impl<'a> Challenge<'a> {
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, SaslError> {
        if !octets.starts_with(SIGNATURE) || number(octets, 8) != Some(2) {
            return Err(malformed("something that is no NTLM challenge"));
        }
        let nonce = octets.get(24..32).and_then(|nonce| nonce.try_into().ok());
        let (Some(flags), Some(nonce)) = (number(octets, 20), nonce) else {
            return Err(malformed("a challenge that ends too early"));
        };
        // The oldest form has 32 octets, or 40 with a part that nobody uses.
        let pairs = match octets.get(40..48) {
            Some(field) if flags & TARGET_INFO != 0 => pairs(section(octets, field)?)?,
            _ => Vec::new(),
        };
        Ok(Self {
            octets,
            flags: flags & OURS,
            nonce,
            pairs,
        })
    }

    /// The server's value for one id.
    pub(super) fn pair(&self, id: u16) -> Option<&'a [u8]> {
        let mut found = self.pairs.iter().filter(|(own, _)| *own == id);
        found.next().map(|(_, value)| *value)
    }
}

/// The octets that a field of length and offset points at.
fn section<'a>(octets: &'a [u8], field: &[u8]) -> Result<&'a [u8], SaslError> {
    let outside = || malformed("a challenge that points outside itself");
    let &[low, high, _, _, a, b, c, d] = field else {
        return Err(outside());
    };
    let length = usize::from(u16::from_le_bytes([low, high]));
    let offset = usize::try_from(u32::from_le_bytes([a, b, c, d])).map_err(|_| outside())?;
    let end = offset.checked_add(length).ok_or_else(outside)?;
    octets.get(offset..end).ok_or_else(outside)
}

/// AV pairs (MS-NLMP §2.2.2.1), up to the one that ends them.
fn pairs(mut rest: &[u8]) -> Result<Vec<(u16, &[u8])>, SaslError> {
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let cut = || malformed("target information that is cut off");
        let (&[id_low, id_high, low, high], behind) =
            rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let id = u16::from_le_bytes([id_low, id_high]);
        if id == 0 {
            break;
        }
        let length = usize::from(u16::from_le_bytes([low, high]));
        let (value, behind) = behind.split_at_checked(length).ok_or_else(cut)?;
        pairs.push((id, value));
        rest = behind;
    }
    Ok(pairs)
}

/// AUTHENTICATE.
pub(super) struct Authenticate<'a> {
    pub(super) flags: u32,
    pub(super) lm: &'a [u8],
    pub(super) nt: &'a [u8],
    pub(super) domain: &'a str,
    pub(super) user: &'a str,
}

impl Authenticate<'_> {
    /// The message with sixteen zeros in place of the MIC.
    pub(super) fn encode(&self) -> Result<Vec<u8>, SaslError> {
        let domain = self.name(self.domain)?;
        let user = self.name(self.user)?;
        let sections = [self.lm, self.nt, &domain, &user, b"", b""];
        let mut octets = Vec::with_capacity(MIC.end + sections.concat().len());
        octets.extend_from_slice(SIGNATURE);
        octets.extend_from_slice(&3u32.to_le_bytes());
        let mut offset = MIC.end;
        for section in sections {
            let too_long = || malformed("more than an answer can hold");
            let length = u16::try_from(section.len()).map_err(|_| too_long())?;
            octets.extend_from_slice(&length.to_le_bytes());
            octets.extend_from_slice(&length.to_le_bytes());
            let at = u32::try_from(offset).map_err(|_| too_long())?;
            octets.extend_from_slice(&at.to_le_bytes());
            offset += section.len();
        }
        octets.extend_from_slice(&self.flags.to_le_bytes());
        // The version, which is for debugging, and the MIC.
        octets.resize(MIC.end, 0);
        for section in sections {
            octets.extend_from_slice(section);
        }
        Ok(octets)
    }

    /// A name in the agreed character set.
    fn name(&self, name: &str) -> Result<Vec<u8>, SaslError> {
        if self.flags & UNICODE != 0 {
            Ok(utf_16(name))
        } else if name.is_ascii() {
            Ok(name.as_bytes().to_vec())
        } else {
            Err(malformed(
                "a challenge that leaves no way to write the name",
            ))
        }
    }
}

/// UTF-16, little-endian.
pub(super) fn utf_16(text: &str) -> Vec<u8> {
    // Allocated once, with the full length: a buffer that grows leaves copies behind.
    let mut octets = Vec::with_capacity(text.len() * 2);
    octets.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    octets
}

pub(super) fn malformed(what: &'static str) -> SaslError {
    SaslError::Malformed { what }
}

fn number(octets: &[u8], at: usize) -> Option<u32> {
    let octets = octets.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*octets))
}
