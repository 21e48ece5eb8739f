//! `tls = { … }`: its keys, and what they come to together. The flags of the command line that
//! have the same names go the same way.

use std::path::PathBuf;

use rustls::pki_types::ServerName;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::account::{ClientCertificate, Fingerprint, Roots, TlsSettings, TlsVersion};

use super::contradiction::Contradiction;
use super::faults::Faults;
use super::keys::TLS_KEYS;
use super::paths::Base;
use super::problem::Problem;
use super::settings::{Fault, Setting};
use super::suggest;
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
    /// Reads the table, and what it comes to.
    pub(super) fn read(table: &DeTable<'_>, base: &Base) -> Result<TlsSettings, Faults> {
        let (mut keys, mut faults) = (Self::default(), Faults::default());
        let mut unread = Vec::new();
        for (key, value) in table::entries(table) {
            if faults.keep(keys.set(key, value, base)).is_none() {
                unread.push(key.get_ref().as_ref());
            }
        }
        let certificate_is_unread = keys.client_cert.is_none()
            && unread
                .iter()
                .any(|key| suggest::nearest(key, &TLS_KEYS) == Some("client-cert"));
        let settings = keys.settings().map_err(|found| {
            found.without(|fault| {
                let contradiction = Contradiction::KeyWithoutCertificate.into();
                certificate_is_unread && *fault.problem == contradiction
            })
        });
        let settings = faults.keep(settings);
        faults.into_result()?;
        Ok(settings.unwrap_or_default())
    }

    fn set(
        &mut self,
        key: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        base: &Base,
    ) -> Result<(), Fault> {
        let value = |name| Value { key: name, value };
        match key.get_ref().as_ref() {
            "ca-file" => self.ca_file = Some(value("ca-file").path(base)?),
            "client-cert" => self.client_cert = Some(value("client-cert").path(base)?),
            "client-key" => self.client_key = Some(value("client-key").path(base)?),
            "fingerprint" => {
                self.fingerprint = Some(fingerprint(value("fingerprint").text()?)?);
            }
            "min-version" => {
                let value = value("min-version");
                let name = value.choice(&TlsVersion::NAMES)?;
                self.min_version =
                    Some(value.setting(TlsVersion::from_name(name).unwrap_or_default()));
            }
            "roots" => {
                let value = value("roots");
                self.roots = Some(value.setting(roots(value.choice(&Roots::NAMES)?)));
            }
            "server-name" => {
                self.server_name = Some(server_name(value("server-name").text()?)?);
            }
            _ => return Err(table::unknown(key, &TLS_KEYS)),
        }
        Ok(())
    }

    /// What they come to.
    pub(crate) fn settings(self) -> Result<TlsSettings, Faults> {
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
