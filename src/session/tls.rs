//! TLS over a connection: whom to trust, and what to say when that fails.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::BufReader;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

use super::watch::Witness;
use super::{Awaited, Error, Stream, Watch};
use crate::account::TlsSettings;

/// rustls reads the socket four kibibytes at a time; one system call for each would be most of
/// the cost of a large message.
const SOCKET_READ: usize = 64 * 1024;

/// Makes the TLS settings of an account into something that can connect.
///
/// # Errors
/// [`Error::CaFile`].
pub(super) fn connector(
    settings: &TlsSettings,
    watch: Option<&Arc<dyn Watch>>,
) -> Result<TlsConnector, Error> {
    let roots = Arc::new(roots(settings)?);
    let provider = Arc::new(ring::default_provider());
    // The provider has cipher suites for both versions, and there are roots: nothing is left to
    // fail.
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| Error::Tls {
        host: String::new(),
        source: io::Error::other(error),
    };
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.into()))?;
    let config = match watch {
        None => config.with_root_certificates(roots),
        Some(watch) => {
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
            config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Witness {
                    verifier: verifier.map_err(|error| failed(error.into()))?,
                    watch: Arc::clone(watch),
                }))
        }
    }
    .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn roots(settings: &TlsSettings) -> Result<RootCertStore, Error> {
    let Some(path) = &settings.ca_file else {
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    };
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::CaFile {
        path: path.clone(),
        source,
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.into()))?;
    for certificate in certificates {
        roots
            .add(certificate.map_err(|error| failed(error.into()))?)
            .map_err(|error| failed(error.into()))?;
    }
    if roots.is_empty() {
        return Err(failed("it holds no certificate".into()));
    }
    Ok(roots)
}

/// Performs the handshake over `plain`; gives the protected stream, and protocol version and
/// cipher suite for the log.
pub(super) async fn handshake(
    plain: Box<dyn Stream>,
    host: &str,
    connector: &TlsConnector,
    limit: Duration,
) -> Result<(Box<dyn Stream>, String), Error> {
    let failed = |source| Error::Tls {
        host: host.to_owned(),
        source,
    };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let buffered = BufReader::with_capacity(SOCKET_READ, plain);
    let stream = timeout(limit, connector.connect(name, buffered))
        .await
        .map_err(|_| Error::TimedOut {
            awaited: Awaited::TlsHandshake,
            after: limit,
        })?
        .map_err(|error| match certificate_fault(&error) {
            Some(reason) => Error::Certificate {
                host: host.to_owned(),
                reason,
            },
            None => failed(error),
        })?;
    let (_, session) = stream.get_ref();
    let version = session
        .protocol_version()
        .and_then(|version| version.as_str());
    let suite = session
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str());
    let protection = format!("{} {}", version.unwrap_or("TLS"), suite.unwrap_or_default());
    Ok((Box::new(stream), protection))
}

/// In a few words what is wrong with the certificate, where that is what failed.
fn certificate_fault(error: &io::Error) -> Option<String> {
    let rustls::Error::InvalidCertificate(fault) = error.get_ref()?.downcast_ref()? else {
        return None;
    };
    Some(match fault {
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired on {}", date(*not_after))
        }
        CertificateError::NotValidYet => "it is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is not valid before {}", date(*not_before))
        }
        CertificateError::NotValidForName => "it was issued for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            format!("it was issued for {}", presented.join(", "))
        }
        CertificateError::NotValidForNameContext { .. } => "it names no host".to_owned(),
        CertificateError::UnknownIssuer => "its issuer is unknown, or it is self-signed".to_owned(),
        CertificateError::Revoked => "it was revoked".to_owned(),
        other => other.to_string(),
    })
}

fn date(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(
            || "an unknown date".to_owned(),
            |time| time.strftime("%F").to_string(),
        )
}
