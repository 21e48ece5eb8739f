//! TLS over a connection: settings made into something that can connect, and the handshake.
//!
//! Whom to trust is in `trust` and `verifier`, whom to be in `client`, and what to say when it
//! fails in `certificate_error` and `handshake_error`. There is no way to connect unverified: either authorities vouch for the
//! server, or its fingerprint is the expected one, or both.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use tokio::io::BufReader;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Awaited, Error, Stream, Watch, pace};
use crate::account::{Account, Server, TlsSettings, TlsVersion};
use crate::auth::binding::ChannelBindings;

mod binding;
mod certificate_error;
mod client;
mod handshake_error;
mod key;
mod shared;
mod short_rsa;
mod trust;
mod verifier;

pub use certificate_error::{CertificateDefect, CertificateError};
pub use client::ClientCertificateError;
pub use handshake_error::HandshakeError;
pub use trust::RootsError;

pub(super) use handshake_error::wants_certificate;

use verifier::Verifier;

/// rustls reads the socket four kibibytes at a time; one system call for each would be most of
/// the cost of a large message.
const SOCKET_READ: usize = 64 * 1024;

/// Certificates and keys are kilobytes; a file beyond this is none.
const FILE_LIMIT: usize = 4 << 20;

/// An account's TLS settings, ready to connect.
pub(super) struct Connector {
    connector: TlsConnector,
    /// What the certificate has to be for, and SNI.
    name: ServerName<'static>,
    /// The same for people.
    host: String,
    oldest: TlsVersion,
}

/// What a handshake came to.
pub(super) struct Protection {
    /// Protocol version and cipher suite, for the log.
    pub(super) words: String,
    /// What a login on the connection can be bound to.
    pub(super) bindings: ChannelBindings,
}

impl Connector {
    /// Reads whatever files the settings name. May take as long as they do: one can be a pipe.
    ///
    /// # Errors
    /// [`Error::ClientCertificate`], [`Error::Roots`], and [`Error::Tls`] for a name that no
    /// certificate can have.
    pub(super) fn new(
        settings: &TlsSettings,
        server: &Server,
        watch: Option<Arc<dyn Watch>>,
    ) -> Result<Self, Error> {
        let host = settings.server_name.as_ref().unwrap_or(&server.host);
        // The zone of an address (RFC 4007 §11) is nobody's business but ours.
        let name = host.split('%').next().unwrap_or(host).to_owned();
        let failed = |source: io::Error| Error::Tls {
            host: host.clone(),
            fault: HandshakeError::Other,
            source,
        };
        let name = ServerName::try_from(name)
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let made = || config(settings, watch.clone(), &failed);
        let config = match watch {
            None => shared::ALL.get(settings, Instant::now(), made)?,
            Some(_) => Arc::new(made()?),
        };
        Ok(Self {
            connector: TlsConnector::from(config),
            name,
            host: host.clone(),
            oldest: settings.min_version,
        })
    }

    /// Performs the handshake over `plain`; gives the protected stream, and what it is like.
    pub(super) async fn handshake(
        &self,
        plain: Box<dyn Stream>,
        limit: Duration,
    ) -> Result<(Box<dyn Stream>, Protection), Error> {
        let buffered = BufReader::with_capacity(SOCKET_READ, plain);
        let handshake = self.connector.connect(self.name.clone(), buffered);
        let stream = pace::within(limit, handshake)
            .await
            .ok_or(Error::TimedOut {
                awaited: Awaited::TlsHandshake,
                after: limit,
            })?
            .map_err(|error| self.failure(error))?;
        let (_, session) = stream.get_ref();
        let version = session
            .protocol_version()
            .and_then(|version| version.as_str());
        let suite = session
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str());
        let protection = Protection {
            words: format!("{} {}", version.unwrap_or("TLS"), suite.unwrap_or_default()),
            bindings: binding::bindings(session),
        };
        Ok((Box::new(stream), protection))
    }

    fn failure(&self, error: io::Error) -> Error {
        match CertificateError::of(&error) {
            Some(certificate) => Error::Certificate {
                host: self.host.clone(),
                error: Box::new(certificate),
            },
            None => Error::Tls {
                host: self.host.clone(),
                fault: HandshakeError::of(&error, self.oldest),
                source: error,
            },
        }
    }
}

/// What rustls makes of the settings, for any server.
fn config(
    settings: &TlsSettings,
    watch: Option<Arc<dyn Watch>>,
    failed: &impl Fn(io::Error) -> Error,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(settings, &provider, watch)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(settings.min_version))
        // The provider has cipher suites for both versions.
        .map_err(|error| failed(io::Error::other(error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Ok(match &settings.client {
        None => config.with_no_client_auth(),
        Some(files) => {
            let failed = |fault| Error::ClientCertificate { fault };
            let (chain, key) = client::read(files).map_err(failed)?;
            config
                .with_client_auth_cert(chain, key)
                .map_err(|error| failed(ClientCertificateError::of(files, error)))?
        }
    })
}

/// Makes the TLS settings into something that can connect. Their files are read on a thread
/// that may block, and a pipe that nobody writes to is left behind with it.
pub(super) async fn connector(
    account: &Account,
    watch: Option<&Arc<dyn Watch>>,
) -> Result<Connector, Error> {
    let (settings, server) = (account.tls.clone(), account.server.clone());
    let watch = watch.cloned();
    let made = spawn_blocking(move || Connector::new(&settings, &server, watch));
    match timeout(account.timeout, made).await {
        Ok(Ok(made)) => made,
        Ok(Err(join)) => std::panic::resume_unwind(join.into_panic()),
        Err(_) => Err(Error::TimedOut {
            awaited: Awaited::Certificates,
            after: account.timeout,
        }),
    }
}

fn versions(oldest: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    static ALL: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    match oldest {
        TlsVersion::Tls12 => &ALL,
        TlsVersion::Tls13 => &ALL[..1],
    }
}

/// The error of rustls inside one of I/O.
fn of_rustls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
