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
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Awaited, Error, Stream, Watch, pace};
use crate::account::{Account, Server, TlsSettings, TlsVersion};
use crate::auth::binding::ChannelBindings;
use crate::blocking;

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
    /// A connector to this server.
    ///
    /// # Errors
    /// [`Error::Tls`] for a name that no certificate can have.
    fn new(
        config: Arc<ClientConfig>,
        settings: &TlsSettings,
        server: &Server,
    ) -> Result<Self, Error> {
        let host = host(settings, server);
        // The zone of an address (RFC 4007 §11) is nobody's business but ours.
        let name = host.split('%').next().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(|error| {
            let source = io::Error::new(io::ErrorKind::InvalidInput, error);
            failure(host, source)
        })?;
        Ok(Self {
            connector: TlsConnector::from(config),
            name,
            host: host.to_owned(),
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

/// The name that the server's certificate is to have.
fn host<'a>(settings: &'a TlsSettings, server: &'a Server) -> &'a str {
    settings.server_name.as_ref().unwrap_or(&server.host)
}

fn failure(host: &str, source: io::Error) -> Error {
    Error::Tls {
        host: host.to_owned(),
        fault: HandshakeError::Other,
        source,
    }
}

/// What rustls makes of the settings, for any server; errors name `host`. Reads whatever files they
/// name, and may take as long as that does: one can be a pipe.
///
/// # Errors
/// [`Error::ClientCertificate`] and [`Error::Roots`].
fn config(
    settings: &TlsSettings,
    watch: Option<Arc<dyn Watch>>,
    host: &str,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(settings, &provider, watch)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(settings.min_version))
        // The provider has cipher suites for both versions.
        .map_err(|error| failure(host, io::Error::other(error)))?
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

/// Makes the TLS settings into something that can connect. If their files are to be read, a thread that
/// may block does it, and a pipe that nobody writes to is left behind with it.
///
/// # Errors
/// [`Error::TimedOut`]; those of [`config`] and [`Connector::new`].
pub(super) async fn connector(
    account: &Account,
    watch: Option<&Arc<dyn Watch>>,
) -> Result<Connector, Error> {
    let shared = match watch {
        None => shared::ALL.find(&account.tls, Instant::now()),
        Some(_) => None,
    };
    let config = match shared {
        Some(config) => config,
        None => configured(account, watch).await?,
    };
    Connector::new(config, &account.tls, &account.server)
}

/// The same, but for the server's name, of settings that nobody has used yet.
async fn configured(
    account: &Account,
    watch: Option<&Arc<dyn Watch>>,
) -> Result<Arc<ClientConfig>, Error> {
    let settings = account.tls.clone();
    let host = host(&settings, &account.server).to_owned();
    let watch = watch.cloned();
    let make = move || match watch {
        None => shared::ALL.get(&settings, Instant::now(), || config(&settings, None, &host)),
        watch => config(&settings, watch, &host).map(Arc::new),
    };
    match timeout(account.timeout, blocking::begin(make)).await {
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
