//! A session under watch: how the connection came about, and what the server sent as it sent it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, DigitallySignedStruct, SignatureScheme};

use crate::pop3::Tap;

/// Sees what goes on in a session, from the dialling on.
pub trait Watch: Tap {
    /// This address answered. Told again where the session begins anew, because the server hung
    /// up on CAPA.
    fn connected(&self, address: SocketAddr);

    /// The server showed this certificate (DER), which may yet be found wanting.
    fn certificate(&self, der: &[u8]);

    /// The TLS handshake is done; protocol version and cipher suite.
    fn protected(&self, protection: &str);
}

/// Shows a watch the server's certificate, and leaves the verdict to the verifier. What the
/// connection could tell of it later, it could not tell where the verdict is bad.
#[derive(Debug)]
pub(super) struct Witness {
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    pub(super) watch: Arc<dyn Watch>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.watch.certificate(end_entity);
        self.verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
