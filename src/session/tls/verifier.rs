//! Decides whether a server is the one that was meant.
//!
//! A fingerprint and authorities can be asked for, each alone or both together; whatever is
//! asked for must hold. That the server has the certificate's key is proved by its signature in
//! the handshake, which is always verified: without it anybody could show a copied certificate.
//! Under a pin the key alone verifies it, since the certificate may be too old for webpki to read.
//!
//! A server may be its own authority: `openssl req -x509` makes certificates that are both, and
//! people name the very same file on both ends. webpki takes no authority for a server; here one
//! that is trusted by name is, where the host and the dates are right.

use std::iter;
use std::sync::Arc;

use rustls::ProtocolVersion::{TLSv1_2, TLSv1_3};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{self, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::{CertificateDefect, CertificateError, Error, key, trust};
use crate::account::{Fingerprint, Pinned, Roots, TlsSettings};
use crate::session::Watch;
use crate::session::certificate::{self, Certificate};
use crate::session::der::{Fields, PublicKey};

#[derive(Debug)]
pub(super) struct Verifier {
    authorities: Option<Authorities>,
    pin: Option<Fingerprint>,
    algorithms: WebPkiSupportedAlgorithms,
    watch: Option<Arc<dyn Watch>>,
}

/// Those that may vouch for the server.
#[derive(Debug)]
struct Authorities {
    roots: Arc<RootCertStore>,
    chain: Arc<WebPkiServerVerifier>,
}

impl Authorities {
    fn new(roots: &Roots, provider: &Arc<CryptoProvider>) -> Result<Self, Error> {
        let failed = |fault| Error::Roots { fault };
        let roots = trust::roots(roots).map_err(failed)?;
        let provider = Arc::clone(provider);
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider)
            .build()
            // It fails without authorities, and for lists of revocations.
            .map_err(|_| failed(trust::RootsError::NoneInSystem))?;
        Ok(Self { roots, chain })
    }

    /// Whether this certificate is one of them: has the name and the key of one.
    fn have(&self, certificate: &CertificateDer<'_>) -> bool {
        let mut alone = RootCertStore::empty();
        let anchor = alone.add(certificate.clone().into_owned()).ok();
        anchor.is_some() && self.roots.roots.contains(&alone.roots[0])
    }

    /// How long the key is that made webpki refuse a signature in the chain, where it is one that
    /// is too short for it.
    fn short_key(&self, chain: &[&CertificateDer<'_>]) -> Option<usize> {
        let issuers = chain
            .iter()
            .filter_map(|one| Some(Fields::read(one)?.issuer));
        let issuers: Vec<_> = issuers.collect();
        let mut roots = self.roots.roots.iter();
        let root = roots.find_map(|root| {
            let is_issuer = issuers.contains(&root.subject.as_ref());
            let key = PublicKey::read(&root.subject_public_key_info);
            key.filter(|_| is_issuer).and_then(key::short)
        });
        let mut between = chain.iter().skip(1);
        root.or_else(|| between.find_map(|one| key::short(PublicKey::of(Fields::read(one)?.key)?)))
    }

    /// What else a chain of certificates would be asked, where there is none.
    fn verify_own(
        certificate: &CertificateDer<'_>,
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let text = Certificate::read(certificate).text;
        let text = text.ok_or(rustls::CertificateError::BadEncoding)?;
        if now.as_secs() < text.not_before {
            return Err(rustls::CertificateError::NotValidYet.into());
        }
        if now.as_secs() > text.not_after {
            return Err(rustls::CertificateError::Expired.into());
        }
        verify_server_name(&ParsedCertificate::try_from(certificate)?, server_name)
    }
}

impl Verifier {
    pub(super) fn new(
        settings: &TlsSettings,
        provider: &Arc<CryptoProvider>,
        watch: Option<Arc<dyn Watch>>,
    ) -> Result<Self, Error> {
        let pin = settings.fingerprint;
        let roots = match (&settings.roots, pin) {
            (Some(roots), _) => Some(roots),
            (None, None) => Some(&Roots::Webpki),
            (None, Some(_)) => None,
        };
        let authorities = roots
            .map(|roots| Authorities::new(roots, provider))
            .transpose()?;
        Ok(Self {
            authorities,
            pin,
            algorithms: provider.signature_verification_algorithms,
            watch,
        })
    }

    /// Why no chain leads to the authorities. What would stop the certificate later comes before
    /// what `ca-file` could settle.
    fn defect(
        &self,
        error: &rustls::CertificateError,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        authorities: &Authorities,
    ) -> CertificateDefect {
        let named = CertificateDefect::of(error, end_entity);
        match key::defect(end_entity, &self.algorithms) {
            Some(CertificateDefect::ShortKey(_))
                if !matches!(
                    named,
                    CertificateDefect::SelfSigned | CertificateDefect::UnknownIssuer(_)
                ) => {}
            Some(defect) => return defect,
            None => {}
        }
        let between = intermediates.iter();
        let chain: Vec<_> = iter::once(end_entity).chain(between).collect();
        match (error, authorities.short_key(&chain)) {
            (rustls::CertificateError::BadSignature, Some(bits)) => {
                CertificateDefect::ShortIssuerKey(bits)
            }
            _ => named,
        }
    }

    /// Why the server has not proved that it has the certificate's key: for the key, or because
    /// it is another's.
    fn unproven(&self, error: rustls::Error, der: &[u8]) -> rustls::Error {
        match key::defect(der, &self.algorithms) {
            // These can be verified with, and pass where they are pinned.
            Some(CertificateDefect::OldVersion(_) | CertificateDefect::ShortKey(_))
                if self.pin.is_some() =>
            {
                error
            }
            Some(defect) => CertificateError::new(defect, der).into(),
            None => error,
        }
    }

    fn check_pin(&self, der: &[u8]) -> Result<(), CertificateDefect> {
        let Some(pinned) = self.pin else {
            return Ok(());
        };
        let seen = match pinned.of {
            Pinned::Certificate => Some(Fingerprint::of(Pinned::Certificate, der)),
            Pinned::PublicKey => certificate::public_key(der),
        };
        match seen {
            Some(seen) if seen == pinned => Ok(()),
            Some(seen) => Err(CertificateDefect::OtherFingerprint { seen }),
            None => Err(CertificateDefect::Unreadable),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // Shown also where it is found wanting: the connection could not tell of it later.
        if let Some(watch) = &self.watch {
            watch.certificate(end_entity);
        }
        self.check_pin(end_entity)
            .map_err(|defect| CertificateError::new(defect, end_entity))?;
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        let chain = &authorities.chain;
        chain
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .or_else(|error| {
                if !authorities.have(end_entity) {
                    return Err(error);
                }
                Authorities::verify_own(end_entity, server_name, now)?;
                Ok(ServerCertVerified::assertion())
            })
            .map_err(|error| match error {
                rustls::Error::InvalidCertificate(error) => {
                    let defect = self.defect(&error, end_entity, intermediates, authorities);
                    CertificateError::new(defect, end_entity).into()
                }
                other => other,
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.algorithms;
        match self.pin {
            Some(_) => key::verify(message, certificate, signature, TLSv1_2, algorithms),
            None => verify_tls12_signature(message, certificate, signature, algorithms),
        }
        .map_err(|error| self.unproven(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.algorithms;
        match self.pin {
            Some(_) => key::verify(message, certificate, signature, TLSv1_3, algorithms),
            None => verify_tls13_signature(message, certificate, signature, algorithms),
        }
        .map_err(|error| self.unproven(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
