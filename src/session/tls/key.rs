//! A certificate's key: of what kind it is, and whether it has signed the handshake.
//!
//! With a pin the key is all that counts. What else a certificate holds may be too old to be read
//! by webpki, which would refuse it also where only its key is needed.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{DigitallySignedStruct, ProtocolVersion, SignatureScheme};

use super::{CertificateDefect, short_rsa};
use crate::session::der::{Fields, PublicKey, RsaKey};

/// Lengths of RSA keys that the provider verifies with (ring's `RSA_PKCS1_2048_8192_SHA256` and its
/// like).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// `rsaEncryption` (RFC 8017, A.1) with its parameter, NULL.
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// Algorithms of keys that are met and not known to the provider, each a DER object identifier,
/// the more special ones first.
const NAMES: [(&[u8], &str); 10] = [
    (b"\x06\x05\x2b\x81\x04\x00\x23", "ECDSA on P-521"),
    (b"\x06\x05\x2b\x81\x04\x00\x22", "ECDSA on P-384"),
    (
        b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
        "ECDSA on P-256",
    ),
    (b"\x06\x05\x2b\x81\x04\x00\x21", "ECDSA on P-224"),
    (b"\x06\x05\x2b\x81\x04\x00\x0a", "ECDSA on secp256k1"),
    (
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
        "ECDSA on a curve of its own",
    ),
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSA-PSS"),
    (b"\x06\x07\x2a\x86\x48\xce\x38\x04\x01", "DSA"),
    (b"\x06\x03\x2b\x65\x70", "Ed25519"),
    (b"\x06\x03\x2b\x65\x71", "Ed448"),
];

/// The kinds of keys.
enum Kind<'a> {
    /// The provider has it.
    Known(PublicKey<'a>),
    /// It is too short for the provider, and long enough to be pinned.
    ShortRsa(RsaKey<'a>),
    /// Nothing here can verify with it.
    Unsupported(String),
}

impl<'a> Kind<'a> {
    fn of(key: PublicKey<'a>, algorithms: &WebPkiSupportedAlgorithms) -> Self {
        if key.algorithm == RSA
            && let Some(rsa) = RsaKey::read(key.octets)
            && !RSA_BITS.contains(&rsa.bits())
        {
            return match rsa.bits() {
                bits @ short_rsa::SHORTEST.. if bits < *RSA_BITS.start() => Self::ShortRsa(rsa),
                bits => Self::Unsupported(format!("RSA of {bits} bits")),
            };
        }
        let mut known = algorithms.all.iter();
        if known.any(|known| known.public_key_alg_id().as_ref() == key.algorithm) {
            return Self::Known(key);
        }
        let has = |oid: &[u8]| key.algorithm.windows(oid.len()).any(|part| part == oid);
        let name = NAMES.iter().find(|(oid, _)| has(oid));
        Self::Unsupported(name.map_or("of no name here", |(_, name)| name).to_owned())
    }
}

/// Why a certificate cannot be used without a pin, or not at all, where it is for its form or its
/// key.
pub(super) fn defect(
    der: &[u8],
    algorithms: &WebPkiSupportedAlgorithms,
) -> Option<CertificateDefect> {
    let fields = Fields::read(der)?;
    match Kind::of(PublicKey::of(fields.key)?, algorithms) {
        Kind::Unsupported(name) => Some(CertificateDefect::UnsupportedKey(name)),
        _ if fields.version != 3 => Some(CertificateDefect::OldVersion(fields.version)),
        Kind::ShortRsa(key) => Some(CertificateDefect::ShortKey(key.bits())),
        Kind::Known(_) => None,
    }
}

/// How long this key is, where it is one of RSA and too short for the provider.
pub(super) fn short(key: PublicKey<'_>) -> Option<usize> {
    let bits = RsaKey::read(key.octets)?.bits();
    (key.algorithm == RSA && bits < *RSA_BITS.start()).then_some(bits)
}

/// Verifies the handshake's signature with the key alone.
pub(super) fn verify(
    message: &[u8],
    certificate: &[u8],
    signed: &DigitallySignedStruct,
    version: ProtocolVersion,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let key = Fields::read(certificate).and_then(|fields| PublicKey::of(fields.key));
    let key = key.ok_or(rustls::CertificateError::BadEncoding)?;
    let scheme = signed.scheme;
    let is_allowed = match scheme {
        // RFC 8446 §4.2.3: for certificates alone.
        SignatureScheme::RSA_PKCS1_SHA256
        | SignatureScheme::RSA_PKCS1_SHA384
        | SignatureScheme::RSA_PKCS1_SHA512 => version == ProtocolVersion::TLSv1_2,
        _ => true,
    };
    let is_valid = match Kind::of(key, algorithms) {
        Kind::ShortRsa(key) => short_rsa::verify(&key, scheme, message, signed.signature()),
        Kind::Known(key) => {
            let offered = algorithms
                .mapping
                .iter()
                .find(|(offered, _)| *offered == scheme);
            let possible = offered.map_or(&[][..], |(_, possible)| possible);
            // TLS 1.3 binds a scheme to a curve, which is that of the first.
            let count = match version {
                ProtocolVersion::TLSv1_2 => possible.len(),
                _ => possible.len().min(1),
            };
            possible[..count].iter().any(|algorithm| {
                algorithm.public_key_alg_id().as_ref() == key.algorithm
                    && algorithm
                        .verify_signature(key.octets, message, signed.signature())
                        .is_ok()
            })
        }
        Kind::Unsupported(_) => false,
    };
    if !(is_allowed && is_valid) {
        return Err(rustls::CertificateError::BadSignature.into());
    }
    Ok(HandshakeSignatureValid::assertion())
}

#[cfg(test)]
mod tests {
    use rustls::crypto::ring;

    use super::*;

    #[test]
    fn what_the_provider_has_is_not_called_unsupported() {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        for (oid, name) in NAMES {
            // The object identifiers of curves follow that of the kind.
            let kind = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
            let curve = [&kind[..], oid].concat();
            let algorithm = if name.contains("on P-") { &curve } else { oid };
            let octets = &[][..];
            let is_known = match Kind::of(PublicKey { algorithm, octets }, &algorithms) {
                Kind::Known(_) => true,
                Kind::Unsupported(said) => {
                    assert_eq!(said, name);
                    false
                }
                Kind::ShortRsa(_) => panic!("{name} is RSA"),
            };
            let expected = ["ECDSA on P-256", "ECDSA on P-384", "Ed25519"].contains(&name);
            assert_eq!(is_known, expected, "{name}");
        }
    }
}
