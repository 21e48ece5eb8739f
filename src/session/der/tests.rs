use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};

use super::*;

fn certificate() -> (Vec<u8>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    (params.self_signed(&key).unwrap().der().to_vec(), key)
}

#[test]
fn the_key_is_found_as_it_stands_there() {
    let (certificate, key) = certificate();
    let fields = Fields::read(&certificate).unwrap();
    assert_eq!(fields.version, 3);
    assert_eq!(fields.key, key.subject_public_key_info());
    assert_eq!(PublicKey::of(fields.key).unwrap().octets, key.der_bytes());
}

#[test]
fn what_is_cut_short_is_not_read() {
    let (certificate, _) = certificate();
    for end in 0..certificate.len() {
        assert_eq!(Fields::read(&certificate[..end]), None, "{end}");
    }
}

#[test]
fn the_bits_of_an_rsa_key_are_those_of_its_modulus() {
    for (octets, bits) in [
        (&[0x30, 6, 2, 1, 0x7f, 2, 1, 3][..], 7),
        (&[0x30, 7, 2, 2, 0, 0x80, 2, 1, 3], 8),
        (&[0x30, 6, 2, 1, 0, 2, 1, 3], 0),
    ] {
        assert_eq!(RsaKey::read(octets).unwrap().bits(), bits, "{octets:?}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(
        octets in prop::collection::vec(any::<u8>(), 0..64),
        at in 0_usize..400,
    ) {
        let (mut certificate, _) = certificate();
        let at = at.min(certificate.len());
        let end = (at + octets.len()).min(certificate.len());
        certificate.splice(at..end, octets.clone());
        for input in [&octets, &certificate] {
            if let Some(fields) = Fields::read(input) {
                PublicKey::of(fields.key).and_then(|key| RsaKey::read(key.octets));
            }
            RsaKey::read(input).map(|key| key.bits());
        }
    }
}
