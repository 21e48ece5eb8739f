//! The keys of `tls`, and the settings that they make together.

use std::path::PathBuf;

use crate::account::{ClientCertificate, Fingerprint, Roots, TlsSettings, TlsVersion};

use super::contradiction::Contradiction;
use super::faults::{Fault, Faults};
use super::origin::Setting;

/// The keys, as far as they are set.
#[derive(Debug, Clone, Default)]
pub(crate) struct TlsKeys {
    pub(super) ca_file: Option<Setting<PathBuf>>,
    pub(super) client_cert: Option<Setting<PathBuf>>,
    pub(super) client_key: Option<Setting<PathBuf>>,
    pub(super) fingerprint: Option<Setting<Fingerprint>>,
    pub(super) min_version: Option<Setting<TlsVersion>>,
    pub(super) roots: Option<Setting<Roots>>,
    pub(super) server_name: Option<Setting<String>>,
}

impl TlsKeys {
    /// The settings that they make together.
    pub(super) fn settings(self) -> Result<TlsSettings, Faults> {
        let mut faults = Faults::default();
        if let (Some(_), Some(roots)) = (&self.ca_file, &self.roots) {
            let problem = Contradiction::CaFileAndRoots;
            faults.keep::<()>(Err(Fault::new(&roots.origin, problem)));
        }
        if let (None, Some(key)) = (&self.client_cert, &self.client_key) {
            let problem = Contradiction::KeyWithoutCertificate;
            faults.keep::<()>(Err(Fault::new(&key.origin, problem)));
        }
        faults.into_result()?;
        let file = self.ca_file.map(|file| Roots::File(file.value));
        let client = self.client_cert.map(|certificate| ClientCertificate {
            key: self
                .client_key
                .map_or_else(|| certificate.value.clone(), |key| key.value),
            certificate: certificate.value,
        });
        Ok(TlsSettings {
            roots: file.or_else(|| self.roots.map(|roots| roots.value)),
            fingerprint: self.fingerprint.map(|fingerprint| fingerprint.value),
            client,
            min_version: self
                .min_version
                .map_or_else(TlsVersion::default, |version| version.value),
            server_name: self.server_name.map(|name| name.value),
        })
    }
}
