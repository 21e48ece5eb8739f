//! The user's own certificate and its key.

use std::borrow::Cow;
use std::path::PathBuf;

use rustls::InconsistentKeys;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::FILE_LIMIT;
use super::certificate_error::KEYS;
use crate::account::ClientCertificate;
use crate::auth::private_file::{self, FileError};
use crate::exit::Exit;
use crate::failure::Failure;

/// Why the user's own certificate cannot be shown. Holds nothing of the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientCertificateError {
    /// The key is protected by a passphrase.
    #[error("the key in `{}` is encrypted", .0.display())]
    Encrypted(PathBuf),
    /// A file cannot be used.
    #[error("client certificate: `{}` cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// The key is another certificate's.
    #[error("the key in `{}` is not that of the certificate in `{}`", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The file holds no certificate.
    #[error("there is no certificate in `{}`", .0.display())]
    NoCertificate(PathBuf),
    /// The file holds no key.
    #[error("there is no private key in `{}`", .0.display())]
    NoKey(PathBuf),
    /// The key, or the certificate, is of a kind that is not known, or broken.
    #[error("the client certificate in `{}`, or its key, cannot be used", path.display())]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

impl ClientCertificateError {
    /// What rustls says to a certificate and its key.
    pub(super) fn of(files: &ClientCertificate, error: rustls::Error) -> Self {
        let certificate = files.certificate.clone();
        match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Self::Mismatch {
                certificate,
                key: files.key.clone(),
            },
            source => Self::Unusable {
                path: certificate,
                source,
            },
        }
    }
}

impl Failure for ClientCertificateError {
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Encrypted(path) => format!(
                "popsync does not ask for its passphrase: write the key without one, with `openssl \
                 pkey -in {} -out NEW`, into a file that only you can read",
                path.display()
            )
            .into(),
            Self::File { source, .. } => return source.hint(),
            Self::Mismatch { .. } => {
                "`client-cert` must begin with the certificate that `client-key` belongs to; the \
                 certificates of authorities follow"
                    .into()
            }
            Self::NoCertificate(_) => {
                "`client-cert` must name a file of certificates in PEM form: `-----BEGIN CERTIFICATE-----`".into()
            }
            Self::NoKey(_) => {
                "`client-key` must name a file with a key in PEM form: `-----BEGIN PRIVATE KEY-----`; \
                 without `client-key` the key is in the file of `client-cert`"
                    .into()
            }
            Self::Unusable { .. } => format!("keys may be {KEYS}").into(),
        })
    }
}

/// Reads the certificate with those that follow it, and the key.
pub(super) fn read(
    files: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ClientCertificateError> {
    let failed = |path: &PathBuf| {
        let path = path.clone();
        move |source| ClientCertificateError::File { path, source }
    };
    let key_text = private_file::read(&files.key, FILE_LIMIT).map_err(failed(&files.key))?;
    let key = PrivateKeyDer::from_pem_slice(&key_text);
    let key = match key {
        Ok(key) => key,
        // PKCS #8 says so in the label, the older forms in a header.
        Err(_) if is_encrypted(&key_text) => {
            return Err(ClientCertificateError::Encrypted(files.key.clone()));
        }
        Err(_) => return Err(ClientCertificateError::NoKey(files.key.clone())),
    };
    let in_one = files.certificate == files.key;
    let chain_text = if in_one {
        key_text
    } else {
        private_file::read_public(&files.certificate, FILE_LIMIT)
            .map_err(failed(&files.certificate))?
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain_text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok((chain, key)),
        _ => Err(ClientCertificateError::NoCertificate(
            files.certificate.clone(),
        )),
    }
}

fn is_encrypted(pem: &[u8]) -> bool {
    let text = String::from_utf8_lossy(pem);
    text.lines().any(|line| {
        line.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY")
            || (line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"))
    })
}
