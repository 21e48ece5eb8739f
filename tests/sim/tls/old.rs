//! Certificates, keys and servers from long ago: reported as old, and never as an attack; trusted
//! if they are pinned.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;

use popsync::internals::account::{Fingerprint, Pinned};
use rcgen::{BasicConstraints, Issuer, PKCS_ECDSA_P384_SHA384, PublicKeyData};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;

use super::*;
use support::front::config_of;
use support::rsa::RsaKey;

/// A certificate of any kind with the key that its server uses.
struct Old {
    certificate: CertificateDer<'static>,
    public: Vec<u8>,
    key: Arc<dyn SigningKey>,
}

impl Old {
    fn rsa(certificate: rcgen::Certificate, key: &RsaKey) -> Self {
        Self {
            certificate: certificate.der().clone(),
            public: key.subject_public_key_info(),
            key: Arc::new(key.clone()),
        }
    }

    fn ecdsa(certificate: rcgen::Certificate, key: &KeyPair) -> Self {
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = ring::default_provider().key_provider;
        Self {
            certificate: certificate.der().clone(),
            public: key.subject_public_key_info(),
            key: provider.load_private_key(private).unwrap(),
        }
    }

    /// The same in the first version of X.509. The signature does not cover this form.
    fn version_1(mut self) -> Self {
        let der = &self.certificate;
        // Certificate { tbsCertificate { version [0] { 2 }, …, extensions [3] }, … }
        let (_, certificate) = element(der);
        let (rest, signed) = element(certificate);
        let mut inner = signed;
        let mut kept = Vec::new();
        while !inner.is_empty() {
            let (behind, _) = element(inner);
            let whole = &inner[..inner.len() - behind.len()];
            if ![0xa0, 0xa3].contains(&whole[0]) {
                kept.extend_from_slice(whole);
            }
            inner = behind;
        }
        let der = sequence(&[sequence(&kept), rest.to_vec()].concat());
        self.certificate = der.into();
        self
    }

    /// The same with each of these octets replaced by the other.
    fn with(mut self, these: &[u8], others: &[u8]) -> Self {
        let mut der = self.certificate.to_vec();
        let places: Vec<_> = (0..der.len() - these.len())
            .filter(|&at| der[at..].starts_with(these))
            .collect();
        assert!(!places.is_empty());
        for at in places {
            der[at..at + these.len()].copy_from_slice(others);
        }
        self.certificate = der.into();
        self
    }

    fn front(&self, bench: &Bench, version: &'static SupportedProtocolVersion) -> Front {
        let chain = vec![self.certificate.clone()];
        let config = config_of(chain, Arc::clone(&self.key), &[version], None);
        Front::start(config, bench.sim.pop3_port())
    }

    fn pins(&self) -> [String; 2] {
        [
            Fingerprint::of(Pinned::Certificate, &self.certificate).to_string(),
            Fingerprint::of(Pinned::PublicKey, &self.public).to_string(),
        ]
    }
}

/// The input behind the first DER element, and that element's content.
fn element(input: &[u8]) -> (&[u8], &[u8]) {
    let (start, length) = match input[1] {
        0x81 => (3, usize::from(input[2])),
        0x82 => (4, usize::from(input[2]) << 8 | usize::from(input[3])),
        short => (2, usize::from(short)),
    };
    let (whole, rest) = input.split_at(start + length);
    (rest, &whole[start..])
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82], &length[..], content].concat()
}

/// A certificate without an authority, whatever its key.
fn alone(key: &impl PublicKeyData) -> rcgen::Certificate {
    Ca::named("long gone").vouch(&params(HERE), key)
}

#[track_caller]
fn says_so(ended: &Ended, words: &str, hint: &str) {
    let flat = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [words, hint] {
        assert!(flat.contains(text), "{text:?} is missing: {}", ended.text());
    }
    assert!(!flat.contains("tampering"), "{}", ended.text());
}

#[test]
fn an_old_certificate_is_named_as_that_and_trusted_where_it_is_pinned() {
    let ca = Ca::new();
    let (short, key) = (RsaKey::of_1024_bits(), KeyPair::generate().unwrap());
    let only = "its RSA key has only 1024 bits";
    let first = "it is of X.509 version 1, which names no host";
    for (old, words) in [
        (Old::rsa(ca.vouch(&params(HERE), &short), &short), only),
        (Old::rsa(alone(&short), &short), only),
        (
            Old::rsa(params(HERE).self_signed(&short).unwrap(), &short),
            only,
        ),
        (Old::rsa(alone(&short), &short).version_1(), first),
        (Old::ecdsa(alone(&key), &key).version_1(), first),
        (
            Old::ecdsa(ca.vouch(&params(HERE), &key), &key).version_1(),
            first,
        ),
    ] {
        for version in [&TLS12, &TLS13] {
            let bench = plain();
            write(&bench.path("front.pem"), &ca.pem(), 0o644);
            let front = old.front(&bench, version);
            let ended = refuses(&bench, &front, &["--ca-file", "front.pem"], 69);
            let [certificate, _] = old.pins();
            says_so(&ended, words, &format!("`--fingerprint {certificate}`"));
            for pin in old.pins() {
                works(&bench, &front, &["--fingerprint", &pin]);
            }
        }
    }
}

#[test]
fn a_copy_of_an_old_certificate_without_its_key_is_refused() {
    let (short, key) = (RsaKey::of_1024_bits(), KeyPair::generate().unwrap());
    let (thief, other) = (short.other(), KeyPair::generate().unwrap());
    for stolen in [
        Old {
            key: Arc::new(thief),
            ..Old::rsa(alone(&short), &short)
        },
        Old {
            certificate: Old::ecdsa(alone(&key), &key).version_1().certificate,
            public: key.subject_public_key_info(),
            key: Old::ecdsa(alone(&other), &other).key,
        },
    ] {
        for version in [&TLS12, &TLS13] {
            let bench = plain();
            let front = stolen.front(&bench, version);
            for pin in stolen.pins() {
                let ended = refuses(&bench, &front, &["--fingerprint", &pin], 69);
                ended.says("the server does not prove that it has its key");
                ended.says("hint: somebody may be tampering");
            }
            assert_eq!(front.names(), [None::<String>; 0]);
        }
    }
}

#[test]
fn a_key_that_nothing_can_verify_with_is_named_and_no_pin_is_offered() {
    let tiny = RsaKey::of_768_bits();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let p384 = b"\x06\x05\x2b\x81\x04\x00\x22";
    let p521 = b"\x06\x05\x2b\x81\x04\x00\x23";
    for (old, words) in [
        (Old::rsa(alone(&tiny), &tiny), "kind: RSA of 768 bits"),
        (
            Old::ecdsa(alone(&key), &key).with(p384, p521),
            "kind: ECDSA on P-521",
        ),
    ] {
        for version in [&TLS12, &TLS13] {
            let bench = plain();
            let front = old.front(&bench, version);
            let [pin, _] = old.pins();
            for arguments in [&[][..], &["--fingerprint", &pin]] {
                let ended = refuses(&bench, &front, arguments, 69);
                says_so(&ended, words, "another key: RSA of 2048 to 8192 bits");
                assert!(!ended.err.contains("fingerprint"), "{}", ended.text());
            }
        }
    }
}

#[test]
fn an_old_authority_is_named_as_that() {
    let short = RsaKey::of_1024_bits();
    let mut authority = params(&[]);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&short).unwrap();
    let issuer = Issuer::from_params(&authority, &short);
    let key = KeyPair::generate().unwrap();
    let leaf = || params(HERE).signed_by(&key, &issuer).unwrap();
    // sha256WithRSAEncryption, and with SHA-1.
    let (sha256, sha1) = (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05",
    );
    for (old, words) in [
        (
            Old::ecdsa(leaf(), &key),
            "its issuer's RSA key has only 1024 bits",
        ),
        (
            Old::ecdsa(leaf(), &key).with(sha256, sha1),
            "popsync does not accept how it is signed: RSA with SHA-1",
        ),
    ] {
        let bench = plain();
        write(&bench.path("front.pem"), &root.pem(), 0o644);
        let front = old.front(&bench, &TLS13);
        let ended = refuses(&bench, &front, &["--ca-file", "front.pem"], 69);
        let [pin, _] = old.pins();
        says_so(&ended, words, &format!("`--fingerprint {pin}`"));
        works(&bench, &front, &["--fingerprint", &pin]);
    }
}

/// As Exchange on Windows Server 2012 R2, which has only AES-CBC for an RSA certificate.
#[test]
fn a_server_with_nothing_in_common_is_told_from_one_that_has_no_tls() {
    // Fatal: handshake_failure, insufficient_security.
    for alert in [40, 71] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut header = [0; 5];
            client.read_exact(&mut header).unwrap();
            let length = usize::from(header[3]) << 8 | usize::from(header[4]);
            client.read_exact(&mut vec![0; length]).unwrap();
            client.write_all(&[0x15, 3, 3, 0, 2, 2, alert]).unwrap();
        });
        let bench = plain();
        let url = format!("pop3s://127.0.0.1:{port}");
        let ended = bench.fetch_bare(&url, &[]).end();
        server.join().unwrap();
        assert_eq!(ended.status, Some(69), "{}", ended.text());
        says_so(
            &ended,
            "there is no cipher suite, curve or kind of key in common",
            "hint: popsync offers TLS 1.3, and of TLS 1.2 ECDHE with AES-GCM or ChaCha20-Poly1305",
        );
    }
}
