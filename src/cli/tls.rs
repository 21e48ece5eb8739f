//! The flags of `tls`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};

use crate::account::{Roots, TlsVersion};
use crate::config::{Base, Contradiction, Fault, Origin, Setting, Tls, TlsKeys, tls};

use super::fetch::{path, set};

/// Whom to trust, and who to be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Account options")]
pub(super) struct TlsFlags {
    /// Trust these certificates (PEM) instead of the built-in roots
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) ca_file: Option<PathBuf>,

    /// Trust the built-in roots (webpki) or the system's [default: webpki]
    ///
    /// The system's are what its administrator trusts: on Debian /etc/ssl/certs, or
    /// $SSL_CERT_FILE and $SSL_CERT_DIR.
    #[arg(
        long,
        value_name = "NAME",
        value_parser = PossibleValuesParser::new(Roots::NAMES),
        hide_possible_values = true,
        conflicts_with = "ca_file"
    )]
    pub(super) roots: Option<String>,

    /// Take only the server whose certificate or key has this SHA-256
    ///
    /// sha256: and 64 digits are those of the certificate, as `popsync probe` shows them, and
    /// spki-sha256: those of its public key. Without --ca-file and --roots nothing else is asked
    /// of the certificate; with one of them it must be good as well.
    #[arg(long, value_name = "SHA256")]
    pub(super) fingerprint: Option<String>,

    /// Certificate (PEM) to show to a server that asks for one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) client_cert: Option<PathBuf>,

    /// Its key (PEM), where that is in a file of its own
    ///
    /// Nobody but its owner may be able to read it. It cannot be encrypted.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) client_key: Option<PathBuf>,

    /// Oldest version of TLS to speak: 1.2 or 1.3 [default: 1.2]
    #[arg(
        long,
        value_name = "VERSION",
        value_parser = PossibleValuesParser::new(TlsVersion::NAMES),
        hide_possible_values = true
    )]
    pub(super) min_version: Option<String>,

    /// Name that the server's certificate is for, if not the URL's
    #[arg(long, value_name = "HOST", value_hint = ValueHint::Hostname)]
    pub(super) server_name: Option<String>,

    /// off: allow plain text, with pop3:// only
    ///
    /// Everybody on the way can then read the password and all mail.
    #[arg(
        long,
        value_name = "off",
        value_parser = PossibleValuesParser::new(["off"]),
        hide_possible_values = true
    )]
    pub(super) tls: Option<String>,
}

impl TlsFlags {
    /// The flags by name, and whether each is given.
    pub(super) fn given(&self) -> [(&'static str, bool); 8] {
        [
            ("--ca-file", self.ca_file.is_some()),
            ("--roots", self.roots.is_some()),
            ("--fingerprint", self.fingerprint.is_some()),
            ("--client-cert", self.client_cert.is_some()),
            ("--client-key", self.client_key.is_some()),
            ("--min-version", self.min_version.is_some()),
            ("--server-name", self.server_name.is_some()),
            ("--tls", self.tls.is_some()),
        ]
    }

    /// What they say.
    pub(super) fn setting(&self, base: &Base) -> Result<Option<Setting<Tls>>, Fault> {
        let given = self.given();
        let first = given
            .iter()
            .find_map(|(flag, given)| (*given && *flag != "--tls").then_some(*flag));
        let Some(first) = first else {
            return Ok(self.tls.as_ref().map(|_| set("--tls", Tls::Off)));
        };
        if self.tls.is_some() {
            let problem = Contradiction::WithoutTls;
            return Err(Fault::new(&Origin::Flag(first), problem));
        }
        let file = |flag, key, file: &Option<PathBuf>| {
            file.as_ref()
                .map(|file| path(flag, key, file, base))
                .transpose()
        };
        let fingerprint = self.fingerprint.as_deref();
        let server_name = self.server_name.as_deref();
        let keys = TlsKeys {
            ca_file: file("--ca-file", "ca-file", &self.ca_file)?,
            client_cert: file("--client-cert", "client-cert", &self.client_cert)?,
            client_key: file("--client-key", "client-key", &self.client_key)?,
            fingerprint: fingerprint
                .map(|text| tls::fingerprint(set("--fingerprint", text)))
                .transpose()?,
            min_version: self
                .min_version
                .as_deref()
                .and_then(TlsVersion::from_name)
                .map(|version| set("--min-version", version)),
            roots: self
                .roots
                .as_deref()
                .map(|name| set("--roots", tls::roots(name))),
            server_name: server_name
                .map(|name| tls::server_name(set("--server-name", name)))
                .transpose()?,
        };
        Ok(Some(set(first, Tls::On(keys.settings()?))))
    }
}
