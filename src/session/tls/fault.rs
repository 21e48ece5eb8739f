//! What is wrong with a server's certificate, or with its TLS, in words, and the setting that
//! would help.

use std::fmt;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::{
    self, AlertDescription, CertificateError, OtherError, PeerIncompatible, PeerMisbehaved,
};

use super::of_rustls;
use crate::account::{Fingerprint, Pinned, TlsVersion};
use crate::session::certificate::{Certificate, Text};

/// Why a certificate does not prove that this is the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
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

impl CertificateFault {
    /// What the verifier said, with what the certificate says.
    pub(super) fn of(fault: &CertificateError, der: &[u8]) -> Self {
        let text = Certificate::read(der).text;
        let day = |seconds: fn(&Text) -> u64| text.as_ref().and_then(|text| date(seconds(text)));
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Self::Expired(day(|text| text.not_after))
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid(day(|text| text.not_before))
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName(text.map_or_else(Vec::new, |text| text.names))
            }
            CertificateError::Revoked => Self::Revoked,
            CertificateError::BadEncoding => Self::Unreadable,
            // One that is an authority itself is refused for that, before its issuer is looked at.
            CertificateError::UnknownIssuer | CertificateError::Other(_)
                if text.as_ref().is_some_and(Text::is_self_signed) =>
            {
                Self::SelfSigned
            }
            CertificateError::BadSignature => Self::Forged(text.map(|text| text.issuer)),
            CertificateError::UnknownIssuer => Self::UnknownIssuer(text.map(|text| text.issuer)),
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id,
                ..
            }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id,
                ..
            } => Self::UnsupportedSignature(signature_name(signature_algorithm_id)),
            other => Self::Other(other.to_string()),
        }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(None) => f.write_str("it has expired"),
            Self::Expired(Some(day)) => write!(f, "it expired on {day}"),
            Self::Forged(None) => f.write_str("its issuer has not signed it"),
            Self::Forged(Some(issuer)) => write!(f, "its issuer has not signed it: {issuer}"),
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
#[error("{fault}")]
pub struct Distrust {
    /// What is wrong with it.
    pub fault: CertificateFault,
    /// Its fingerprint, as the setting takes it.
    pub fingerprint: Option<Fingerprint>,
}

impl Distrust {
    pub(super) fn new(fault: CertificateFault, der: &[u8]) -> Self {
        Self {
            fault,
            fingerprint: Some(Fingerprint::of(Pinned::Certificate, der)),
        }
    }

    /// Why a handshake failed, where it was for the certificate.
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        let rustls::Error::InvalidCertificate(fault) = of_rustls(error)? else {
            return None;
        };
        if let CertificateError::Other(OtherError(inner)) = fault
            && let Some(distrust) = inner.downcast_ref::<Self>()
        {
            return Some(distrust.clone());
        }
        // Its signature in the handshake, which proves that the server has the key.
        Some(Self {
            fault: match fault {
                CertificateError::BadSignature => CertificateFault::NotItsKey,
                CertificateError::BadEncoding => CertificateFault::Unreadable,
                other => CertificateFault::Other(other.to_string()),
            },
            fingerprint: None,
        })
    }

    /// What the user can do.
    pub fn advice(&self) -> String {
        let pin = self.pin();
        match &self.fault {
            CertificateFault::Expired(_) => {
                "its administrator has to renew it; or is the clock of this computer wrong?"
                    .to_owned()
            }
            CertificateFault::NotYetValid(_) => "is the clock of this computer right?".to_owned(),
            CertificateFault::OtherFingerprint { .. } => {
                "either the server has a new certificate, or this is not the server: ask its \
                 administrator before you change `fingerprint`"
                    .to_owned()
            }
            CertificateFault::OtherName(names) if !names.is_empty() => {
                "write one of these names in the server's URL, or, where the server is to be \
                 reached by another, as `tls = { server-name = \"…\" }` or `--server-name`"
                    .to_owned()
            }
            CertificateFault::Other(_) if self.fingerprint.is_none() => ASK.to_owned(),
            CertificateFault::Revoked | CertificateFault::Unreadable => ASK.to_owned(),
            CertificateFault::NotItsKey => {
                "somebody may be tampering with the connection".to_owned()
            }
            CertificateFault::UnsupportedKey(_) => {
                format!("its administrator has to give the server another key: {KEYS}")
            }
            CertificateFault::OldVersion(_)
            | CertificateFault::ShortIssuerKey(_)
            | CertificateFault::ShortKey(_)
            | CertificateFault::UnsupportedSignature(_) => format!(
                "its administrator should replace it, for its kind can be forged; until then, once \
                 you have compared it with the server's, pin it: {pin}"
            ),
            CertificateFault::Forged(_)
            | CertificateFault::SelfSigned
            | CertificateFault::UnknownIssuer(_)
            | CertificateFault::OtherName(_)
            | CertificateFault::Other(_) => format!(
                "if the server is your own, name its CA with `tls = {{ ca-file = \"…\" }}` or \
                 `--ca-file`, take the system's with `roots = \"system\"`, or, once you have \
                 compared it with the server's, pin it: {pin}; never type a password before this \
                 is solved"
            ),
        }
    }

    /// How the certificate is pinned.
    fn pin(&self) -> String {
        let Some(seen) = self.fingerprint else {
            return "`fingerprint`".to_owned();
        };
        format!("`tls = {{ fingerprint = \"{seen}\" }}` or `--fingerprint {seen}`")
    }
}

impl From<Distrust> for rustls::Error {
    fn from(distrust: Distrust) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(distrust))))
    }
}

/// Why there is no TLS connection, where it is not for the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// The server wants to see a certificate of the client's.
    NoClientCertificate,
    /// The server found nothing to its taste in what it was offered.
    NothingInCommon,
    /// The server has no version of at least this one.
    OldVersion(TlsVersion),
    /// Anything else.
    Other,
    /// The server refuses the client's certificate.
    RefusedClientCertificate,
}

impl TlsFault {
    pub(super) fn of(error: &io::Error, oldest: TlsVersion) -> Self {
        match of_rustls(error) {
            Some(
                rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
                | rustls::Error::PeerIncompatible(
                    PeerIncompatible::ServerDoesNotSupportTls12Or13
                    | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                    | PeerIncompatible::ServerSentHelloRetryRequestWithUnknownExtension,
                ),
            ) => Self::OldVersion(oldest),
            Some(
                rustls::Error::AlertReceived(
                    AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
                )
                | rustls::Error::PeerIncompatible(
                    PeerIncompatible::NoCipherSuitesInCommon
                    | PeerIncompatible::NoKxGroupsInCommon
                    | PeerIncompatible::NoSignatureSchemesInCommon,
                )
                | rustls::Error::PeerMisbehaved(
                    PeerMisbehaved::SelectedUnofferedCipherSuite
                    | PeerMisbehaved::SelectedUnofferedKxGroup
                    | PeerMisbehaved::SelectedUnusableCipherSuiteForVersion
                    | PeerMisbehaved::SignedKxWithWrongAlgorithm
                    | PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme,
                ),
            ) => Self::NothingInCommon,
            Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)) => {
                Self::NoClientCertificate
            }
            Some(rustls::Error::AlertReceived(
                AlertDescription::BadCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::AccessDenied,
            )) => Self::RefusedClientCertificate,
            _ => Self::Other,
        }
    }

    /// What the user can do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoClientCertificate => NO_CLIENT_CERTIFICATE,
            Self::NothingInCommon => NOTHING_IN_COMMON,
            Self::OldVersion(TlsVersion::Tls12) => {
                "is this a TLS port? The server may have nothing newer than TLS 1.1, which is \
                 broken and which popsync does not have: it has to be brought up to date"
            }
            Self::OldVersion(TlsVersion::Tls13) => {
                "`min-version = \"1.3\"` rules out TLS 1.2, which is all that the server may have"
            }
            Self::Other => {
                "is this a TLS port? `pop3s://` speaks TLS at once, `pop3://` after STLS; TLS 1.2 \
                 is the oldest version spoken"
            }
            Self::RefusedClientCertificate => {
                "is `client-cert` the certificate that the server knows you by, and still valid?"
            }
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingInCommon => {
                f.write_str(": there is no cipher suite, curve or kind of key in common")
            }
            _ => Ok(()),
        }
    }
}

/// Windows Server 2012 R2 has AES-GCM with ECDHE for ECDSA certificates alone.
const NOTHING_IN_COMMON: &str = "popsync offers TLS 1.3, and of TLS 1.2 ECDHE with AES-GCM or \
                                 ChaCha20-Poly1305; for keys RSA of 2048 to 8192 bits, ECDSA on \
                                 P-256 or P-384, and Ed25519. An old server may have only CBC or \
                                 key exchange by RSA, as Exchange on Windows Server 2012 R2 with \
                                 an RSA certificate: it has to be brought up to date";

const NO_CLIENT_CERTIFICATE: &str = "the server wants a certificate of yours: `tls = { \
                                     client-cert = \"…\", client-key = \"…\" }`";

/// What to do about a connection that broke because the server misses, or refuses, a
/// certificate of the client's. Under TLS 1.3 it says so only behind the handshake.
pub(in crate::session) fn wants_certificate(error: &io::Error) -> Option<&'static str> {
    match TlsFault::of(error, TlsVersion::default()) {
        fault @ (TlsFault::NoClientCertificate | TlsFault::RefusedClientCertificate) => {
            Some(fault.advice())
        }
        _ => None,
    }
}
