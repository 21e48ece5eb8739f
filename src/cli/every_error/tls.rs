//! Errors of certificates and of the TLS handshake.

use super::{Book, every, missing};
use crate::account::{Fingerprint, Pinned, TlsVersion};
use crate::auth::private_file::FileError;
use crate::session::{
    CertificateDefect, CertificateError, ClientCertificateError, HandshakeError, RootsError,
};

pub(super) fn add(book: &mut Book) {
    book.begin("session::CertificateError, within session::Error");
    for defect in defects() {
        let fingerprint = Fingerprint::of(Pinned::Certificate, b"");
        book.add(&CertificateError {
            defect,
            fingerprint: Some(fingerprint),
        });
    }
    let path = || "/home/anna/client.pem".into();
    every!(book, "session::ClientCertificateError", ClientCertificateError {
        ClientCertificateError::Encrypted(_) => [ClientCertificateError::Encrypted(path())],
        ClientCertificateError::File { .. } => [ClientCertificateError::File {
            path: path(),
            source: FileError::Mode { path: path(), mode: 0o644 },
        }],
        ClientCertificateError::Mismatch { .. } => [ClientCertificateError::Mismatch {
            certificate: path(),
            key: "/home/anna/key.pem".into(),
        }],
        ClientCertificateError::NoCertificate(_) => [ClientCertificateError::NoCertificate(path())],
        ClientCertificateError::NoKey(_) => [ClientCertificateError::NoKey(path())],
        ClientCertificateError::Unusable { .. } => [ClientCertificateError::Unusable {
            path: path(),
            source: rustls::Error::General("unknown key".to_owned()),
        }],
    });
    let path = || "/etc/ca.pem".into();
    every!(book, "session::RootsError", RootsError {
        RootsError::Broken { .. } => [RootsError::Broken {
            path: path(),
            source: "invalid certificate".into(),
        }],
        RootsError::File { .. } => [RootsError::File {
            path: path(),
            source: FileError::Io(missing()),
        }],
        RootsError::NoneInFile(_) => [RootsError::NoneInFile(path())],
        RootsError::NoneInSystem => [RootsError::NoneInSystem],
    });
    every!(book, "session::HandshakeError, within session::Error", HandshakeError {
        HandshakeError::NoClientCertificate => [HandshakeError::NoClientCertificate],
        HandshakeError::NothingInCommon => [HandshakeError::NothingInCommon],
        HandshakeError::OldVersion(_) => [TlsVersion::Tls12, TlsVersion::Tls13]
            .map(HandshakeError::OldVersion),
        HandshakeError::Other => [HandshakeError::Other],
        HandshakeError::RefusedClientCertificate => [HandshakeError::RefusedClientCertificate],
    });
}

fn defects() -> Vec<CertificateDefect> {
    let day = || Some("2026-01-01".to_owned());
    let issuer = || Some("CN=Example CA".to_owned());
    let _is_complete = |defect: &CertificateDefect| match defect {
        CertificateDefect::Expired(_)
        | CertificateDefect::Forged(_)
        | CertificateDefect::NotYetValid(_)
        | CertificateDefect::NotItsKey
        | CertificateDefect::OldVersion(_)
        | CertificateDefect::Other(_)
        | CertificateDefect::OtherFingerprint { .. }
        | CertificateDefect::OtherName(_)
        | CertificateDefect::Revoked
        | CertificateDefect::SelfSigned
        | CertificateDefect::ShortIssuerKey(_)
        | CertificateDefect::ShortKey(_)
        | CertificateDefect::Unreadable
        | CertificateDefect::UnknownIssuer(_)
        | CertificateDefect::UnsupportedKey(_)
        | CertificateDefect::UnsupportedSignature(_) => (),
    };
    vec![
        CertificateDefect::Expired(None),
        CertificateDefect::Expired(day()),
        CertificateDefect::Forged(None),
        CertificateDefect::Forged(issuer()),
        CertificateDefect::NotYetValid(None),
        CertificateDefect::NotYetValid(day()),
        CertificateDefect::NotItsKey,
        CertificateDefect::OldVersion(1),
        CertificateDefect::Other("these words".to_owned()),
        CertificateDefect::OtherFingerprint {
            seen: Fingerprint::of(Pinned::Certificate, b"another"),
        },
        CertificateDefect::OtherFingerprint {
            seen: Fingerprint::of(Pinned::PublicKey, b"another"),
        },
        CertificateDefect::OtherName(Vec::new()),
        CertificateDefect::OtherName(vec!["pop.example.com".to_owned()]),
        CertificateDefect::Revoked,
        CertificateDefect::SelfSigned,
        CertificateDefect::ShortIssuerKey(1024),
        CertificateDefect::ShortKey(1024),
        CertificateDefect::Unreadable,
        CertificateDefect::UnknownIssuer(None),
        CertificateDefect::UnknownIssuer(issuer()),
        CertificateDefect::UnsupportedKey("DSA".to_owned()),
        CertificateDefect::UnsupportedSignature("RSA with SHA-1"),
    ]
}
