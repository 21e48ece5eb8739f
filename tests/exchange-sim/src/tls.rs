//! The server's certificates: a CA made at start-up, and leaves that are right or wrong.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};

use crate::clock::lock;
use crate::knobs::Certificate;

/// A TLS record with the fatal alert `protocol_version`, as a server sends it that has no
/// version in common with the client.
pub(crate) const PROTOCOL_VERSION_ALERT: [u8; 7] = [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 70];

/// A TLS record with the fatal alert `handshake_failure`.
pub(crate) const HANDSHAKE_FAILURE_ALERT: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 40];

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// The CA, and the configurations made with it so far.
pub(crate) struct Authority {
    issuer: Issuer,
    pem: String,
    made: Mutex<HashMap<Certificate, Identity>>,
}

/// A server's configuration with a certificate.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) leaf: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> io::Result<Self> {
        let issuer = issuer().map_err(io::Error::other)?;
        Ok(Self {
            pem: issuer.pem(),
            issuer,
            made: Mutex::default(),
        })
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn identity(&self, certificate: Certificate) -> io::Result<Identity> {
        if let Some(made) = lock(&self.made).get(&certificate) {
            return Ok(made.clone());
        }
        let identity = self.make(certificate)?;
        lock(&self.made).insert(certificate, identity.clone());
        Ok(identity)
    }

    fn make(&self, certificate: Certificate) -> io::Result<Identity> {
        let (leaf, key) = self.leaf(certificate).map_err(io::Error::other)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.clone()], key)
            .map_err(io::Error::other)?;
        Ok(Identity {
            config: Arc::new(config),
            leaf,
        })
    }

    fn leaf(
        &self,
        certificate: Certificate,
    ) -> Result<(CertificateDer<'static>, KeyPair), rcgen::Error> {
        let names: &[&str] = match certificate {
            Certificate::WrongName => &["other.example"],
            Certificate::WildcardTooWide => &["*", "*.com"],
            _ => &["localhost", "127.0.0.1", "::1"],
        };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = name("simulated POP3 server");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (params.not_before, params.not_after) = match certificate {
            Certificate::Expired => (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1)),
            Certificate::NotYetValid => (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)),
            _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2090, 1, 1)),
        };
        let key = KeyPair::generate()?;
        let leaf = match certificate {
            Certificate::SelfSigned => params.self_signed(&key)?,
            Certificate::OtherCa => params.signed_by(&key, &*issuer()?)?,
            _ => params.signed_by(&key, &self.issuer)?,
        };
        Ok((leaf.der().clone(), key))
    }
}

fn issuer() -> Result<Issuer, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = name("simulated certificate authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2018, 1, 1);
    params.not_after = date_time_ymd(2095, 1, 1);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// The hash of a certificate for the channel binding `tls-server-end-point` (RFC 5929 §4.1).
pub(crate) fn end_point(leaf: &CertificateDer<'_>) -> Vec<u8> {
    Sha256::digest(leaf).to_vec()
}
