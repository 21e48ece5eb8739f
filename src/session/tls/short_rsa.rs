//! Signatures in the handshake by RSA keys that are too short for the TLS provider (RFC 8017).
//!
//! Devices that nobody can update have keys of 1024 bits. Such a key may vouch for its server
//! where the user has pinned it; ring takes none below 2048. All that is done here is done with
//! the public key, so nothing in it has to be hidden from timing.

use num_bigint::BigUint;
use rustls::SignatureScheme;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::session::der::RsaKey;

/// The shortest key that is taken. One of 768 bits was factored in 2009.
pub(super) const SHORTEST: usize = 1024;

/// True if this is the key's signature of the message.
pub(super) fn verify(
    key: &RsaKey<'_>,
    scheme: SignatureScheme,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Some(encoded) = encoded(key, signature) else {
        return false;
    };
    let bits = key.bits() - 1;
    match scheme {
        SignatureScheme::RSA_PSS_SHA256 => is_pss::<Sha256>(message, &encoded, bits),
        SignatureScheme::RSA_PSS_SHA384 => is_pss::<Sha384>(message, &encoded, bits),
        SignatureScheme::RSA_PSS_SHA512 => is_pss::<Sha512>(message, &encoded, bits),
        SignatureScheme::RSA_PKCS1_SHA256 => is_pkcs1::<Sha256>(message, &encoded, 1),
        SignatureScheme::RSA_PKCS1_SHA384 => is_pkcs1::<Sha384>(message, &encoded, 2),
        SignatureScheme::RSA_PKCS1_SHA512 => is_pkcs1::<Sha512>(message, &encoded, 3),
        _ => false,
    }
}

/// The encoded message that was signed: RSAVP1 (§5.2.2), as long as the modulus.
fn encoded(key: &RsaKey<'_>, signature: &[u8]) -> Option<Vec<u8>> {
    let modulus = BigUint::from_bytes_be(key.modulus);
    let exponent = BigUint::from_bytes_be(key.exponent);
    let signature_number = BigUint::from_bytes_be(signature);
    // Nobody's exponent is longer, and a long one would cost time.
    let is_sound = key.bits() >= SHORTEST
        && modulus.bit(0)
        && exponent.bit(0)
        && (2..=33).contains(&exponent.bits())
        && signature.len() == key.modulus.len()
        && signature_number < modulus;
    if !is_sound {
        return None;
    }
    let octets = signature_number.modpow(&exponent, &modulus).to_bytes_be();
    let mut encoded = vec![0; key.modulus.len().checked_sub(octets.len())?];
    encoded.extend(octets);
    Some(encoded)
}

/// EMSA-PKCS1-v1_5 (§9.2). `number` is the hash's place in its family: its object identifier is
/// 2.16.840.1.101.3.4.2.N.
fn is_pkcs1<D: Digest>(message: &[u8], encoded: &[u8], number: u8) -> bool {
    let hash = D::digest(message);
    let (Ok(length), Ok(whole)) = (u8::try_from(hash.len()), u8::try_from(hash.len() + 17)) else {
        return false;
    };
    let oid = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, number];
    let mut info = vec![0x30, whole, 0x30, 0x0d, 0x06, 0x09];
    info.extend(oid);
    info.extend([0x05, 0x00, 0x04, length]);
    info.extend(hash);
    // Eight octets of padding at least.
    let Some(padding @ 8..) = encoded.len().checked_sub(info.len() + 3) else {
        return false;
    };
    let mut expected = vec![0x00, 0x01];
    expected.resize(2 + padding, 0xff);
    expected.push(0x00);
    expected.extend(info);
    encoded == expected
}

/// EMSA-PSS (§9.1.2), with a salt as long as the hash, as TLS has it (RFC 8446 §4.2.3). `bits`
/// is one less than the modulus has.
fn is_pss<D: Digest>(message: &[u8], encoded: &[u8], bits: usize) -> bool {
    let length = <D as Digest>::output_size();
    // Where `bits` is a multiple of eight the first octet is zero, and not part of it.
    let (zeros, encoded) = encoded.split_at(encoded.len() - bits.div_ceil(8));
    let Some(masked_length) = encoded.len().checked_sub(length + 1) else {
        return false;
    };
    let Some(padding) = masked_length.checked_sub(length + 1) else {
        return false;
    };
    let (masked, rest) = encoded.split_at(masked_length);
    let (hash, trailer) = rest.split_at(length);
    let unused = encoded.len() * 8 - bits;
    let used = 0xff_u8 >> unused;
    if zeros.iter().any(|&octet| octet != 0) || trailer != [0xbc] || masked[0] & !used != 0 {
        return false;
    }
    let mut block = mask::<D>(hash, masked.len());
    for (octet, masked) in block.iter_mut().zip(masked) {
        *octet ^= masked;
    }
    block[0] &= used;
    let (head, salt) = block.split_at(padding + 1);
    let is_padded = head
        .split_last()
        .is_some_and(|(&last, zeros)| last == 1 && zeros.iter().all(|&octet| octet == 0));
    let expected = D::new()
        .chain_update([0; 8])
        .chain_update(D::digest(message))
        .chain_update(salt)
        .finalize();
    is_padded && expected.as_slice() == hash
}

/// MGF1 (§B.2.1).
fn mask<D: Digest>(seed: &[u8], length: usize) -> Vec<u8> {
    let blocks = (0_u32..).map(|counter| {
        let block = D::new().chain_update(seed);
        block.chain_update(counter.to_be_bytes()).finalize()
    });
    let mut mask = Vec::with_capacity(length);
    for block in blocks {
        if mask.len() >= length {
            break;
        }
        mask.extend_from_slice(&block);
    }
    mask.truncate(length);
    mask
}

#[cfg(test)]
mod tests;
