//! Decides whether a server is the one that was meant.
//!
//! A fingerprint and authorities can be asked for, each alone or both together; whatever is
//! asked for must hold. That the server has the certificate's key is proved by its signature in
//! the handshake, which is always verified: without it anybody could show a copied certificate.

use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, DigitallySignedStruct, SignatureScheme};

use super::{CertificateFault, Distrust, Error, trust};
use crate::account::{Fingerprint, Pinned, Roots, TlsSettings};
use crate::session::Watch;
use crate::session::certificate;

#[derive(Debug)]
pub(super) struct Verifier {
    chain: Option<Arc<WebPkiServerVerifier>>,
    pin: Option<Fingerprint>,
    algorithms: WebPkiSupportedAlgorithms,
    watch: Option<Arc<dyn Watch>>,
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
        let chain = roots
            .map(|roots| {
                let roots = trust::roots(roots).map_err(|fault| Error::Roots { fault })?;
                let provider = Arc::clone(provider);
                WebPkiServerVerifier::builder_with_provider(roots, provider)
                    .build()
                    // It fails without authorities, and for lists of revocations.
                    .map_err(|_| Error::Roots {
                        fault: trust::RootsFault::NoneInSystem,
                    })
            })
            .transpose()?;
        Ok(Self {
            chain,
            pin,
            algorithms: provider.signature_verification_algorithms,
            watch,
        })
    }

    fn check_pin(&self, der: &[u8]) -> Result<(), CertificateFault> {
        let Some(pinned) = self.pin else {
            return Ok(());
        };
        let seen = match pinned.of {
            Pinned::Certificate => Some(Fingerprint::of(Pinned::Certificate, der)),
            Pinned::PublicKey => certificate::public_key(der),
        };
        match seen {
            Some(seen) if seen == pinned => Ok(()),
            Some(seen) => Err(CertificateFault::OtherFingerprint { seen }),
            None => Err(CertificateFault::Unreadable),
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
            .map_err(|fault| Distrust::new(fault, end_entity))?;
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        chain
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| match error {
                rustls::Error::InvalidCertificate(fault) => {
                    Distrust::new(CertificateFault::of(&fault, end_entity), end_entity).into()
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
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
