//! The authorities: built in, the system's, or those of a file.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use super::FILE_LIMIT;
use crate::account::Roots;
use crate::auth::private_file::{self, FileError};
use crate::exit::Exit;
use crate::failure::Failure;

/// Why there are no authorities to trust.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootsError {
    /// The file holds something else than certificates.
    #[error("the certificates in `{}` cannot be used: {source}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file cannot be read.
    #[error("the certificates in `{}` cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// The file holds no certificate.
    #[error("there is no certificate in `{}`", .0.display())]
    NoneInFile(PathBuf),
    /// The system trusts nobody.
    #[error("the system has no certificate authorities that could be read")]
    NoneInSystem,
}

impl Failure for RootsError {
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Broken { .. } | Self::File { .. } | Self::NoneInFile(_) => {
                "`ca-file` must name a file of certificates in PEM form"
            }
            Self::NoneInSystem => {
                "install them (on Debian the package `ca-certificates`), or leave `roots` out to \
                 trust those that popsync brings along"
            }
        };
        Some(hint.into())
    }
}

/// Reads them.
pub(super) fn roots(roots: &Roots) -> Result<Arc<RootCertStore>, RootsError> {
    match roots {
        Roots::File(path) => of_file(path.clone()).map(Arc::new),
        Roots::System => of_system(),
        Roots::Webpki => Ok(Arc::new(
            webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
        )),
    }
}

fn of_file(path: PathBuf) -> Result<RootCertStore, RootsError> {
    let content = match private_file::read_public(&path, FILE_LIMIT) {
        Ok(content) => content,
        Err(source) => return Err(RootsError::File { path, source }),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&content) {
        let added = certificate
            .map_err(BundleError::Pem)
            .and_then(|certificate| Ok(roots.add(certificate)?));
        if let Err(fault) = added {
            let source = fault.into();
            return Err(RootsError::Broken { path, source });
        }
    }
    if roots.is_empty() {
        return Err(RootsError::NoneInFile(path));
    }
    Ok(roots)
}

#[derive(Debug, thiserror::Error)]
enum BundleError {
    #[error(transparent)]
    Pem(pem::Error),
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// Hundreds of files may have to be read: once in a run is enough.
fn of_system() -> Result<Arc<RootCertStore>, RootsError> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = SYSTEM.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "a certificate of the system cannot be read");
        }
        let mut roots = RootCertStore::empty();
        let (taken, left) = roots.add_parsable_certificates(found.certs);
        tracing::debug!(taken, left, "the system's certificate authorities");
        Arc::new(roots)
    });
    if roots.is_empty() {
        return Err(RootsError::NoneInSystem);
    }
    Ok(Arc::clone(roots))
}
