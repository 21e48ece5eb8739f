//! `tls = { … }`: its keys, and what they come to together. The flags of the command line that
//! have the same names go the same way.

use std::path::PathBuf;

use rustls::pki_types::ServerName;
use toml::de::DeTable;

use crate::account::{ClientCertificate, Fingerprint, Roots, TlsSettings, TlsVersion};

use super::paths::Base;
use super::problem::{Contradiction, Problem, TLS_KEYS};
use super::settings::{Fault, Setting};
use super::table::{self, Value};

/// The keys, as far as they are set.
#[derive(Debug, Clone, Default)]
pub(crate) struct TlsKeys {
    pub(crate) ca_file: Option<Setting<PathBuf>>,
    pub(crate) client_cert: Option<Setting<PathBuf>>,
    pub(crate) client_key: Option<Setting<PathBuf>>,
    pub(crate) fingerprint: Option<Setting<Fingerprint>>,
    pub(crate) min_version: Option<Setting<TlsVersion>>,
    pub(crate) roots: Option<Setting<Roots>>,
    pub(crate) server_name: Option<Setting<String>>,
}

impl TlsKeys {
    /// Reads the table.
    pub(super) fn read(table: &DeTable<'_>, base: &Base) -> Result<Self, Fault> {
        let mut keys = Self::default();
        for (key, value) in table::entries(table) {
            let value = |name| Value { key: name, value };
            match key.get_ref().as_ref() {
                "ca-file" => keys.ca_file = Some(value("ca-file").path(base)?),
                "client-cert" => keys.client_cert = Some(value("client-cert").path(base)?),
                "client-key" => keys.client_key = Some(value("client-key").path(base)?),
                "fingerprint" => {
                    keys.fingerprint = Some(fingerprint(value("fingerprint").text()?)?);
                }
                "min-version" => {
                    let value = value("min-version");
                    let name = value.choice(&TlsVersion::NAMES)?;
                    keys.min_version =
                        Some(value.setting(TlsVersion::from_name(name).unwrap_or_default()));
                }
                "roots" => {
                    let value = value("roots");
                    keys.roots = Some(value.setting(roots(value.choice(&Roots::NAMES)?)));
                }
                "server-name" => {
                    keys.server_name = Some(server_name(value("server-name").text()?)?);
                }
                _ => return Err(table::unknown(key, &TLS_KEYS)),
            }
        }
        Ok(keys)
    }

    /// What they come to.
    pub(crate) fn settings(self) -> Result<TlsSettings, Fault> {
        if let (Some(_), Some(roots)) = (&self.ca_file, &self.roots) {
            return Err(Fault::new(&roots.origin, Contradiction::CaFileAndRoots));
        }
        if let (None, Some(key)) = (&self.client_cert, &self.client_key) {
            return Err(Fault::new(
                &key.origin,
                Contradiction::KeyWithoutCertificate,
            ));
        }
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

/// The value of `roots`.
pub(crate) fn roots(name: &str) -> Roots {
    match name {
        "system" => Roots::System,
        _ => Roots::Webpki,
    }
}

/// The value of `fingerprint`.
pub(crate) fn fingerprint(text: Setting<&str>) -> Result<Setting<Fingerprint>, Fault> {
    match text.value.parse() {
        Ok(fingerprint) => Ok(text.map(|_| fingerprint)),
        Err(error) => Err(Fault::new(&text.origin, Problem::Fingerprint(error))),
    }
}

/// The value of `server-name`.
pub(crate) fn server_name(text: Setting<&str>) -> Result<Setting<String>, Fault> {
    match ServerName::try_from(text.value) {
        Ok(_) => Ok(text.map(str::to_owned)),
        Err(_) => Err(Fault::new(&text.origin, Problem::ServerName)),
    }
}
