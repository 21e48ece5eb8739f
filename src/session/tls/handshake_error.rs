//! Why the server and popsync did not agree on TLS, and the setting that would help.

use std::borrow::Cow;
use std::io;

use rustls::{self, AlertDescription, PeerIncompatible, PeerMisbehaved};

use super::of_rustls;
use crate::account::TlsVersion;
use crate::exit::Exit;
use crate::failure::Failure;

/// Why there is no TLS connection, where it is not for the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The server wants to see a certificate of the client's.
    #[error("the server wants a certificate of the client")]
    NoClientCertificate,
    /// The server found nothing to its taste in what it was offered.
    #[error("there is no cipher suite, curve or kind of key in common")]
    NothingInCommon,
    /// The server has no version of at least this one.
    #[error("the server has no version of TLS that is new enough")]
    OldVersion(TlsVersion),
    /// Anything else.
    #[error("the handshake failed")]
    Other,
    /// The server refuses the client's certificate.
    #[error("the server refuses the certificate of the client")]
    RefusedClientCertificate,
}

impl HandshakeError {
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
}

impl Failure for HandshakeError {
    fn exit(&self) -> Exit {
        Exit::Unavailable
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
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
                "check that `client-cert` is the certificate that the server knows, and that it is still valid"
            }
        };
        Some(hint.into())
    }
}

/// Windows Server 2012 R2 has AES-GCM with ECDHE for ECDSA certificates alone.
const NOTHING_IN_COMMON: &str = "popsync offers TLS 1.3, and of TLS 1.2 ECDHE with AES-GCM or \
                                 ChaCha20-Poly1305; for keys RSA of 2048 to 8192 bits, ECDSA on \
                                 P-256 or P-384, and Ed25519. An old server may have only CBC or \
                                 key exchange by RSA, as Exchange on Windows Server 2012 R2 with \
                                 an RSA certificate: it has to be brought up to date";

const NO_CLIENT_CERTIFICATE: &str = "the server wants your certificate: `tls = { client-cert = \"…\", \
                                     client-key = \"…\" }`";

/// Why a connection broke, where it is because the server misses, or refuses, a certificate of the
/// client's. Under TLS 1.3 it says so only behind the handshake.
pub(in crate::session) fn wants_certificate(error: &io::Error) -> Option<HandshakeError> {
    let fault = HandshakeError::of(error, TlsVersion::default());
    let wants = matches!(
        fault,
        HandshakeError::NoClientCertificate | HandshakeError::RefusedClientCertificate
    );
    wants.then_some(fault)
}
