//! The functions of MS-NLMP §3.3 and §6.

use des::Des;
use des::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use hmac::{Hmac, Mac as _};
use md4::Md4;
use md5::{Digest as _, Md5};

/// NTOWFv1: MD4 of the password in UTF-16LE.
pub(super) fn nt_hash(password: &str) -> [u8; 16] {
    Md4::digest(wide(password)).into()
}

/// NTOWFv2.
pub(super) fn ntlm_v2_key(password: &str, user: &str, domain: &str) -> [u8; 16] {
    let name = wide(&(user.to_uppercase() + domain));
    hmac_md5(&nt_hash(password), &[&name])
}

/// HMAC-MD5 of parts in a row.
pub(super) fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length");
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The NTLMv1 response; with the client's challenge, the one of NTLM2 session security
/// (MS-NLMP §3.3.1).
pub(super) fn ntlm_v1_response(
    nt_hash: &[u8; 16],
    server_challenge: [u8; 8],
    client_challenge: Option<&[u8]>,
) -> Vec<u8> {
    let data = match client_challenge {
        None => server_challenge,
        Some(client) => {
            let both = [&server_challenge[..], client].concat();
            let mut data = [0; 8];
            data.copy_from_slice(&Md5::digest(both)[..8]);
            data
        }
    };
    let mut keys = [0; 21];
    keys[..16].copy_from_slice(nt_hash);
    keys.chunks(7).flat_map(|key| des(key, data)).collect()
}

/// DES under a key of 7 octets, spread over 8 with parity bits that do not matter.
fn des(key: &[u8], data: [u8; 8]) -> [u8; 8] {
    let mut bits = [0; 8];
    bits[1..].copy_from_slice(key);
    let bits = u64::from_be_bytes(bits);
    let mut spread = [0; 8];
    for (i, octet) in spread.iter_mut().enumerate() {
        *octet = ((bits >> (49 - 7 * i)) as u8) << 1;
    }
    let mut block = data.into();
    Des::new(&spread.into()).encrypt_block(&mut block);
    block.into()
}

/// RC4, for the session key that a MIC is made with.
pub(super) fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|i| i as u8);
    let mut j = 0_u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    data.iter()
        .map(|octet| {
            i = i.wrapping_add(1);
            j = j.wrapping_add(state[usize::from(i)]);
            state.swap(usize::from(i), usize::from(j));
            let at = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
            octet ^ state[usize::from(at)]
        })
        .collect()
}

/// The MD5 of `gss_channel_bindings_struct` (RFC 2744 §3.11) with the application data of
/// `tls-server-end-point` (RFC 5929 §4).
pub(super) fn channel_bindings(end_point: &[u8]) -> [u8; 16] {
    let data = [b"tls-server-end-point:", end_point].concat();
    let mut hash = Md5::new();
    // No addresses: two types and two lengths of 0.
    hash.update([0; 16]);
    hash.update((data.len() as u32).to_le_bytes());
    hash.update(&data);
    hash.finalize().into()
}

pub(super) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Compares; the simulator has no secrets to guard against timing.
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    left == right
}
