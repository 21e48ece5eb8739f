//! What a server's certificate says, for people. Whether it is to be trusted is for the
//! verifier to decide.
//!
//! `x509-cert` reads it: five small crates, of the same makers and generation as the digests
//! that are used anyway; `x509-parser` would be a dozen. webpki, which verifies, does not tell
//! the validity. What it calls hazardous is to read odd serial numbers too, which appliances
//! have; they are not looked at here.

#[cfg(feature = "certificates")]
use std::net::IpAddr;

#[cfg(feature = "certificates")]
use x509_cert::{
    certificate::{CertificateInner, Raw},
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use super::der::Fields;
use crate::account::{Fingerprint, Pinned};

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// That of its public key; none where it cannot be read.
    pub public_key: Option<Fingerprint>,
    /// What it says; none where it cannot be read.
    pub text: Option<Text>,
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// For whom, as RFC 4514 writes it.
    pub subject: String,
    /// By whom.
    pub issuer: String,
    /// The hosts that it is for.
    pub names: Vec<String>,
    /// From when on, in seconds since 1970.
    pub not_before: u64,
    /// Until when, in seconds since 1970.
    pub not_after: u64,
}

impl Certificate {
    /// Reads a certificate in DER.
    pub(crate) fn read(der: &[u8]) -> Self {
        Self {
            fingerprint: Fingerprint::of(Pinned::Certificate, der),
            public_key: public_key(der),
            text: Text::read(der),
        }
    }
}

/// The fingerprint of the public key: the very octets of the certificate, not written anew.
pub(super) fn public_key(der: &[u8]) -> Option<Fingerprint> {
    let fields = Fields::read(der)?;
    Some(Fingerprint::of(Pinned::PublicKey, fields.key))
}

impl Text {
    #[cfg(feature = "certificates")]
    fn read(der: &[u8]) -> Option<Self> {
        let certificate = CertificateInner::<Raw>::from_der(der).ok()?;
        let content = certificate.tbs_certificate();
        let names = match content.get_extension::<SubjectAltName>() {
            Ok(Some((_, names))) => names.0.iter().filter_map(name).collect(),
            _ => Vec::new(),
        };
        let validity = content.validity();
        Some(Self {
            subject: content.subject().to_string(),
            issuer: content.issuer().to_string(),
            names,
            not_before: validity.not_before.to_unix_duration().as_secs(),
            not_after: validity.not_after.to_unix_duration().as_secs(),
        })
    }

    /// Not in this build.
    #[cfg(not(feature = "certificates"))]
    fn read(_: &[u8]) -> Option<Self> {
        None
    }

    /// Whether it names itself as its issuer.
    pub(crate) fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whole days from `now` until it ends; negative when it has ended.
    pub(crate) fn days_left(&self, now: i64) -> i64 {
        let end = i64::try_from(self.not_after).unwrap_or(i64::MAX);
        end.saturating_sub(now).div_euclid(24 * 60 * 60)
    }
}

/// A name that a host can have.
#[cfg(feature = "certificates")]
fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(address) => {
            let octets = address.as_bytes();
            let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

#[cfg(all(test, feature = "certificates"))]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _, date_time_ymd};

    use super::*;

    #[test]
    fn a_certificate_tells_whose_it_is_and_until_when() {
        let names = ["mail.example.com", "192.0.2.1", "2001:db8::1"];
        let mut params = CertificateParams::new(names.map(str::to_owned)).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "mail, of example");
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 1);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap();
        let certificate = Certificate::read(der.der());
        let text = certificate.text.unwrap();
        assert_eq!(text.subject, r"CN=mail\, of example");
        assert_eq!(text.issuer, text.subject);
        assert_eq!(text.names, names);
        assert_eq!(text.not_after, 1_767_225_600);
        assert_eq!(text.days_left(1_767_225_600 - 86_400 * 3 / 2), 1);
        assert_eq!(text.days_left(1_767_225_601), -1);
        assert!(text.is_self_signed());
        let key = key.subject_public_key_info();
        assert_eq!(
            certificate.public_key,
            Some(Fingerprint::of(Pinned::PublicKey, &key))
        );
    }

    #[test]
    fn what_is_no_certificate_still_has_a_fingerprint() {
        let certificate = Certificate::read(b"");
        assert_eq!(certificate.text, None);
        assert!(certificate.public_key.is_none());
        let fingerprint = certificate.fingerprint.to_string();
        assert!(fingerprint.starts_with("sha256:e3b0c442"));
    }
}
