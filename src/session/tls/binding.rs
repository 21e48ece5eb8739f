//! What a login can be bound to on a TLS connection (RFC 5056).

use rustls::{ClientConnection, ProtocolVersion};
#[cfg(feature = "certificates")]
use {
    sha2::{Digest as _, Sha256, Sha384, Sha512},
    x509_cert::certificate::{CertificateInner, Raw},
    x509_cert::der::Decode,
};

use crate::auth::binding::ChannelBindings;

/// What this connection has to offer.
pub(super) fn bindings(connection: &ClientConnection) -> ChannelBindings {
    let certificates = connection.peer_certificates().unwrap_or_default();
    ChannelBindings {
        exporter: exporter(connection),
        server_end_point: certificates.first().and_then(|own| end_point(own)),
    }
}

/// RFC 9266 §2. Before TLS 1.3 it would need an extension that rustls does not tell of.
fn exporter(connection: &ClientConnection) -> Option<Vec<u8>> {
    if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    let label = b"EXPORTER-Channel-Binding";
    let keys = connection.export_keying_material([0; 32], label, Some(b""));
    keys.ok().map(|keys| keys.to_vec())
}

/// RFC 5929 §4.1: the digest of the certificate by which its signature was made, or SHA-256 where
/// that is MD5 or SHA-1. Of a signature without a digest of its own there is none.
#[cfg(feature = "certificates")]
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let parsed = CertificateInner::<Raw>::from_der(certificate).ok()?;
    let algorithm = parsed.signature_algorithm().oid.to_string();
    match algorithm.as_str() {
        // RSA with MD5, SHA-1 and SHA-256; ECDSA with SHA-1 and SHA-256.
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2" => Some(Sha256::digest(certificate).to_vec()),
        // With SHA-384.
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => {
            Some(Sha384::digest(certificate).to_vec())
        }
        // With SHA-512.
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => {
            Some(Sha512::digest(certificate).to_vec())
        }
        _ => None,
    }
}

/// Not in this build.
#[cfg(not(feature = "certificates"))]
fn end_point(_: &[u8]) -> Option<Vec<u8>> {
    None
}

#[cfg(all(test, feature = "certificates"))]
mod tests {
    use rcgen::{
        CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    };

    use super::*;

    #[test]
    fn the_end_point_is_digested_as_its_certificate_is_signed() {
        for (algorithm, octets) in [
            (&PKCS_ECDSA_P256_SHA256, Some(32)),
            (&PKCS_ECDSA_P384_SHA384, Some(48)),
            (&PKCS_ED25519, None),
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
            let certificate = params.self_signed(&key).unwrap();
            let found = end_point(certificate.der());
            assert_eq!(found.map(|digest| digest.len()), octets, "{algorithm:?}");
        }
        assert_eq!(end_point(b"no certificate"), None);
    }
}
