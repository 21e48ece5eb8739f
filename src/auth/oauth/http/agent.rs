//! Requests through ureq, which blocks: each on a thread of its own.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Body, config::Config};

use super::{Answer, Field, LIMIT, TokenError, name};
use crate::account::Endpoint;
use crate::blocking;

/// The time limit for one request, from connecting to the last octet.
const TIME_OUT: Duration = Duration::from_secs(30);

/// Sends requests to providers.
#[derive(Clone)]
pub(in crate::auth::oauth) struct Agent(ureq::Agent);

impl Agent {
    /// An agent that trusts the certificates of this file, or the built-in roots.
    pub(in crate::auth::oauth) fn new(ca_file: Option<&Path>) -> Result<Self, TokenError> {
        let roots = match ca_file {
            Some(path) => RootCerts::Specific(Arc::new(certificates(path)?)),
            None => RootCerts::WebPki,
        };
        let config = Config::builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            // `authorization_pending` and all other refusals come with status 400.
            .http_status_as_error(false)
            // A redirected form would send its secrets to another server.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIME_OUT))
            .max_response_header_size(16 * 1024)
            .user_agent(concat!("popsync/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .build();
        Ok(Self(config.new_agent()))
    }

    pub(in crate::auth::oauth) async fn get(&self, at: &Endpoint) -> Result<Answer, TokenError> {
        let (agent, url) = (self.0.clone(), at.to_string());
        asked(at, move || agent.get(&url).call()).await
    }

    pub(in crate::auth::oauth) async fn post(
        &self,
        to: &Endpoint,
        fields: &[Field],
    ) -> Result<Answer, TokenError> {
        let (agent, url, fields) = (self.0.clone(), to.to_string(), fields.to_vec());
        asked(to, move || {
            let form = fields
                .iter()
                .map(|(key, value)| (*key, value.expose_secret()));
            agent.post(&url).send_form(form)
        })
        .await
    }
}

async fn asked(
    endpoint: &Endpoint,
    ask: impl FnOnce() -> Result<Response<Body>, ureq::Error> + Send + 'static,
) -> Result<Answer, TokenError> {
    let from = name(endpoint);
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| TokenError::Unreachable {
        from: from.clone(),
        source,
    };
    let asked = blocking::begin(move || {
        let response = ask()?;
        let status = response.status().as_u16();
        // Never grown: a buffer that grows leaves a copy behind.
        let mut body = Zeroizing::new(Vec::with_capacity(LIMIT as usize + 1));
        let reader = response.into_body().into_reader();
        reader.take(LIMIT + 1).read_to_end(&mut body)?;
        Ok::<_, ureq::Error>((status, body))
    });
    let (status, body) = match asked.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(failed(Box::new(error))),
        Err(join) => return Err(failed(Box::new(join))),
    };
    if body.len() as u64 > LIMIT {
        return Err(TokenError::Answer {
            from,
            what: "far too long",
        });
    }
    Ok(Answer { from, status, body })
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, TokenError> {
    let failed = |source| TokenError::CaFile {
        path: path.to_owned(),
        source,
    };
    let bad = |error: Box<dyn std::error::Error + Send + Sync>| {
        failed(io::Error::new(io::ErrorKind::InvalidData, error))
    };
    let mut certificates = Vec::new();
    for der in CertificateDer::pem_file_iter(path).map_err(|error| bad(error.into()))? {
        let der = der.map_err(|error| bad(error.into()))?;
        certificates.push(Certificate::from_der(&der).to_owned());
    }
    if certificates.is_empty() {
        return Err(bad("it holds no certificate".into()));
    }
    Ok(certificates)
}
