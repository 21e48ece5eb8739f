//! The defects of a server's certificate, in words, and the setting that would help.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::OtherError;

use super::of_rustls;
use crate::account::{Fingerprint, Pinned};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::certificate::{Certificate, Text};

/// Why a certificate does not prove that this is the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateDefect {
    /// It ended then, where that can be told.
    Expired(Option<String>),
    /// The authority that it names, where that can be read, has not signed it.
    Forged(Option<String>),
    /// It begins then, where that can be told.
    NotYetValid(Option<String>),
    /// The server has not proved that it has the key.
    NotItsKey,
    /// It is of this version of X.509, which is older than 3.
    OldVersion(u8),
    /// Something that has no words here.
    Other(String),
    /// It, or its key, is not the one that was pinned.
    OtherFingerprint {
        /// The one it has.
        seen: Fingerprint,
    },
    /// It is for these names.
    OtherName(Vec<String>),
    /// Its maker has taken it back.
    Revoked,
    /// It vouches for itself.
    SelfSigned,
    /// The RSA key of one that vouches for it has so few bits.
    ShortIssuerKey(usize),
    /// Its RSA key has so few bits.
    ShortKey(usize),
    /// It is no certificate.
    Unreadable,
    /// Nobody trusted has made it; its maker, where that can be read.
    UnknownIssuer(Option<String>),
    /// Nothing here can verify with a key of this kind.
    UnsupportedKey(String),
    /// It, or one that vouches for it, is signed in this way, which is not taken.
    UnsupportedSignature(&'static str),
}

impl CertificateDefect {
    /// The verifier's error, with the facts from the certificate.
    pub(super) fn of(error: &rustls::CertificateError, der: &[u8]) -> Self {
        let text = Certificate::read(der).text;
        let day = |seconds: fn(&Text) -> u64| text.as_ref().and_then(|text| date(seconds(text)));
        match error {
            rustls::CertificateError::Expired | rustls::CertificateError::ExpiredContext { .. } => {
                Self::Expired(day(|text| text.not_after))
            }
            rustls::CertificateError::NotValidYet
            | rustls::CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid(day(|text| text.not_before))
            }
            rustls::CertificateError::NotValidForName
            | rustls::CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName(text.map_or_else(Vec::new, |text| text.names))
            }
            rustls::CertificateError::Revoked => Self::Revoked,
            rustls::CertificateError::BadEncoding => Self::Unreadable,
            // One that is an authority itself is refused for that, before its issuer is looked at.
            rustls::CertificateError::UnknownIssuer | rustls::CertificateError::Other(_)
                if text.as_ref().is_some_and(Text::is_self_signed) =>
            {
                Self::SelfSigned
            }
            rustls::CertificateError::BadSignature => Self::Forged(text.map(|text| text.issuer)),
            rustls::CertificateError::UnknownIssuer => {
                Self::UnknownIssuer(text.map(|text| text.issuer))
            }
            rustls::CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id,
                ..
            }
            | rustls::CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id,
                ..
            } => Self::UnsupportedSignature(signature_name(signature_algorithm_id)),
            other => Self::Other(other.to_string()),
        }
    }
}

impl fmt::Display for CertificateDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(None) => f.write_str("it has expired"),
            Self::Expired(Some(day)) => write!(f, "it expired on {day}"),
            Self::Forged(None) => f.write_str("its issuer has not signed it"),
            Self::Forged(Some(issuer)) => {
                write!(f, "its issuer has not signed it: {issuer}")
            }
            Self::NotYetValid(None) => f.write_str("it is not valid yet"),
            Self::NotYetValid(Some(day)) => write!(f, "it is not valid before {day}"),
            Self::NotItsKey => f.write_str("the server does not prove that it has its key"),
            Self::OldVersion(version) => {
                write!(f, "it is of X.509 version {version}, which names no host")
            }
            Self::Other(text) => f.write_str(text),
            Self::OtherFingerprint { seen } => {
                let what = match seen.of {
                    Pinned::Certificate => "fingerprint",
                    Pinned::PublicKey => "key's fingerprint",
                };
                write!(
                    f,
                    "its {what} is {seen}, which is not the one in the settings"
                )
            }
            Self::OtherName(names) if names.is_empty() => f.write_str("it names no host"),
            Self::OtherName(names) => write!(f, "it was issued for {}", listed(names)),
            Self::Revoked => f.write_str("it was revoked"),
            Self::SelfSigned => f.write_str("it is self-signed"),
            Self::ShortIssuerKey(bits) => write!(f, "its issuer's RSA key has only {bits} bits"),
            Self::ShortKey(bits) => write!(f, "its RSA key has only {bits} bits"),
            Self::Unreadable => f.write_str("it cannot be read"),
            Self::UnknownIssuer(None) => f.write_str("its issuer is unknown"),
            Self::UnknownIssuer(Some(issuer)) => write!(f, "its issuer is unknown: {issuer}"),
            Self::UnsupportedKey(kind) => {
                write!(f, "popsync cannot check a key of its kind: {kind}")
            }
            Self::UnsupportedSignature(kind) => {
                write!(f, "popsync does not accept how it is signed: {kind}")
            }
        }
    }
}

/// The names of signatures by their AlgorithmIdentifier, which begins with a DER object identifier.
fn signature_name(algorithm: &[u8]) -> &'static str {
    const NAMES: [(&[u8], &str); 12] = [
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", "RSA with MD2"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "RSA with MD5"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "RSA with SHA-1"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSA-PSS"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e", "RSA with SHA-224"),
        (b"\x2b\x0e\x03\x02\x1d", "RSA with SHA-1"),
        (b"\x2a\x86\x48\xce\x3d\x04\x01", "ECDSA with SHA-1"),
        (
            b"\x2a\x86\x48\xce\x3d\x04\x03\x02",
            "ECDSA with SHA-256 on this curve",
        ),
        (
            b"\x2a\x86\x48\xce\x3d\x04\x03\x03",
            "ECDSA with SHA-384 on this curve",
        ),
        (b"\x2a\x86\x48\xce\x3d\x04\x03\x04", "ECDSA with SHA-512"),
        (b"\x2a\x86\x48\xce\x38\x04\x03", "DSA with SHA-1"),
        (b"\x2b\x65\x71", "Ed448"),
    ];
    let oid = algorithm.get(2..).unwrap_or_default();
    let name = NAMES.iter().find(|(known, _)| oid.starts_with(known));
    name.map_or("an unknown algorithm", |(_, name)| name)
}

/// The most names that are listed: some certificates are for hundreds.
const NAMES: usize = 8;

fn listed(names: &[String]) -> String {
    let first = names[..names.len().min(NAMES)].join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn date(seconds: u64) -> Option<String> {
    let time = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(time.strftime("%F").to_string())
}

const ASK: &str = "ask the server's administrator";

/// The keys that the provider verifies with.
pub(super) const KEYS: &str = "RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384, or Ed25519";

/// A certificate that was found wanting. It travels through rustls as its error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{defect}")]
pub struct CertificateError {
    /// Its defect.
    pub defect: CertificateDefect,
    /// Its fingerprint, as the setting takes it.
    pub fingerprint: Option<Fingerprint>,
}

impl CertificateError {
    pub(super) fn new(defect: CertificateDefect, der: &[u8]) -> Self {
        Self {
            defect,
            fingerprint: Some(Fingerprint::of(Pinned::Certificate, der)),
        }
    }

    /// Why a handshake failed, where it was for the certificate.
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        let rustls::Error::InvalidCertificate(found) = of_rustls(error)? else {
            return None;
        };
        if let rustls::CertificateError::Other(OtherError(inner)) = found
            && let Some(error) = inner.downcast_ref::<Self>()
        {
            return Some(error.clone());
        }
        // Its signature in the handshake, which proves that the server has the key.
        Some(Self {
            defect: match found {
                rustls::CertificateError::BadSignature => CertificateDefect::NotItsKey,
                rustls::CertificateError::BadEncoding => CertificateDefect::Unreadable,
                other => CertificateDefect::Other(other.to_string()),
            },
            fingerprint: None,
        })
    }

    /// How the certificate is pinned.
    fn pin(&self) -> String {
        let Some(seen) = self.fingerprint else {
            return "`fingerprint`".to_owned();
        };
        format!("`tls = {{ fingerprint = \"{seen}\" }}` or `--fingerprint {seen}`")
    }
}

impl Failure for CertificateError {
    fn exit(&self) -> Exit {
        Exit::Unavailable
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let pin = self.pin();
        Some(match &self.defect {
            CertificateDefect::Expired(_) => {
                "the server's administrator has to renew it; or is the clock of this computer wrong?".into()
            }
            CertificateDefect::NotYetValid(_) => "is the clock of this computer right?".into(),
            CertificateDefect::OtherFingerprint { .. } => {
                "either the server has a new certificate, or this is not the server: ask its \
                 administrator before you change `fingerprint`"
                    .into()
            }
            CertificateDefect::OtherName(names) if !names.is_empty() => {
                "write one of these names in the server's URL; or keep the URL, and write the name \
                 as `tls = { server-name = \"…\" }` or `--server-name`"
                    .into()
            }
            CertificateDefect::Other(_) if self.fingerprint.is_none() => ASK.into(),
            CertificateDefect::Revoked | CertificateDefect::Unreadable => ASK.into(),
            CertificateDefect::NotItsKey => "somebody may be tampering with the connection: type no password before this is solved".into(),
            CertificateDefect::UnsupportedKey(_) => {
                format!("the server's administrator has to give it another key: {KEYS}").into()
            }
            CertificateDefect::OldVersion(_)
            | CertificateDefect::ShortIssuerKey(_)
            | CertificateDefect::ShortKey(_)
            | CertificateDefect::UnsupportedSignature(_) => format!(
                "the server's administrator should replace it, since certificates of this kind can \
                 be forged; until then compare its fingerprint with the server's, and pin it: {pin}"
            )
            .into(),
            CertificateDefect::Forged(_)
            | CertificateDefect::SelfSigned
            | CertificateDefect::UnknownIssuer(_)
            | CertificateDefect::OtherName(_)
            | CertificateDefect::Other(_) => format!(
                "type no password before this is solved. If the server is your own, name its CA \
                 with `tls = {{ ca-file = \"…\" }}` or `--ca-file`; or trust the system's CAs with \
                 `tls = {{ roots = \"system\" }}` or `--roots system`; or compare its fingerprint with the server's, and pin it: {pin}"
            )
            .into(),
        })
    }
}

impl From<CertificateError> for rustls::Error {
    fn from(error: CertificateError) -> Self {
        Self::InvalidCertificate(rustls::CertificateError::Other(OtherError(Arc::new(error))))
    }
}
