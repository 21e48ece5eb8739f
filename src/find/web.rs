//! Documents from a provider's own web server: over HTTPS, without redirections to other servers,
//! and with a limit on their length.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::task::spawn_blocking;
use ureq::config::Config;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The time limit for one document.
const TIME_OUT: Duration = Duration::from_secs(8);

/// The longest document that is read.
const LIMIT: u64 = 256 * 1024;

/// Gets a document; posts `body` if there is one. None if anything fails.
pub(super) async fn document(
    url: &str,
    body: Option<String>,
    ca_file: Option<&Path>,
) -> Option<String> {
    let agent = Config::builder()
        .tls_config(TlsConfig::builder().root_certs(roots(ca_file)?).build())
        // The address and other facts about a user go neither over an unencrypted line nor to a
        // server that another server names.
        .https_only(true)
        .max_redirects(0)
        .timeout_global(Some(TIME_OUT))
        .max_response_header_size(16 * 1024)
        .user_agent(concat!("popsync/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent();
    let asked = url.to_owned();
    let answer = spawn_blocking(move || {
        let response = match body {
            Some(body) => {
                let request = agent.post(&asked);
                request.content_type("text/xml; charset=utf-8").send(body)?
            }
            None => agent.get(&asked).call()?,
        };
        let mut text = String::new();
        let reader = response.into_body().into_reader();
        reader.take(LIMIT).read_to_string(&mut text)?;
        Ok::<_, ureq::Error>(text)
    });
    match answer.await {
        Ok(Ok(text)) => Some(text),
        Ok(Err(error)) => {
            tracing::debug!("nothing at {url}: {error}");
            None
        }
        Err(_) => None,
    }
}

fn roots(ca_file: Option<&Path>) -> Option<RootCerts> {
    let Some(path) = ca_file else {
        return Some(RootCerts::WebPki);
    };
    let certificates = CertificateDer::pem_file_iter(path).ok()?;
    let certificates: Vec<_> = certificates
        .filter_map(|der| Some(Certificate::from_der(&der.ok()?).to_owned()))
        .collect();
    Some(RootCerts::Specific(Arc::new(certificates)))
}
