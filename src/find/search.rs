//! Asks the domain of an address, at all places at once.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

use super::{Address, Found};

/// The time limit for each way to ask.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(15);

/// The places to look in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The provider's own autoconfig, in Mozilla's form.
    pub autoconfig: Vec<String>,
    /// Outlook's Autodiscover.
    pub autodiscover: Vec<String>,
    /// Name servers.
    pub name_servers: Vec<SocketAddr>,
    /// Trust the certificates of this PEM file instead of the built-in roots.
    pub ca_file: Option<PathBuf>,
}

impl Places {
    /// The places where the domain of an address may publish it.
    pub fn of(address: &Address) -> Self {
        let domain = address.domain();
        // Only the domain's own servers: a directory of another party would learn who asks.
        let autodiscover = |host: &str| format!("https://{host}/autodiscover/autodiscover.xml");
        Self {
            autoconfig: vec![
                format!(
                    "https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={}",
                    encoded(&address.to_string())
                ),
                format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
            ],
            autodiscover: vec![
                autodiscover(domain),
                autodiscover(&format!("autodiscover.{domain}")),
            ],
            #[cfg(feature = "srv")]
            name_servers: super::srv::system(),
            #[cfg(not(feature = "srv"))]
            name_servers: Vec::new(),
            ca_file: None,
        }
    }
}

/// The mailboxes found, best first: from the provider's documents for mail programs, then from the
/// DNS, then from Autodiscover. No password is sent.
pub async fn search(address: &Address, places: &Places) -> Vec<Found> {
    let (autoconfig, srv, autodiscover) = tokio::join!(
        in_time("autoconfig", autoconfig(address, places)),
        in_time("the DNS", srv(address, places)),
        in_time("Autodiscover", autodiscover(address, places))
    );
    [autoconfig, srv, autodiscover]
        .into_iter()
        .flatten()
        .collect()
}

/// Limits the time of one way, so that one that never ends does not cost the others' results.
async fn in_time(what: &str, asking: impl Future<Output = Option<Found>>) -> Option<Found> {
    timeout(SEARCH_TIMEOUT, asking).await.unwrap_or_else(|_| {
        tracing::debug!("no answer of {what} in time");
        None
    })
}

#[cfg(feature = "oauth")]
async fn autoconfig(address: &Address, places: &Places) -> Option<Found> {
    let read = |text: String| super::documents::autoconfig(&text, address);
    first(&places.autoconfig, None, places, read).await
}

#[cfg(feature = "oauth")]
async fn autodiscover(address: &Address, places: &Places) -> Option<Found> {
    let request = super::documents::autodiscover_request(address);
    let read = |text: String| super::documents::autodiscover(&text, address);
    first(&places.autodiscover, Some(request), places, read).await
}

/// The first useful document. All are asked at once: many domains have a name for one of them and
/// no server behind it, and such a wait should happen only once.
#[cfg(feature = "oauth")]
async fn first(
    urls: &[String],
    body: Option<String>,
    places: &Places,
    read: impl Fn(String) -> Option<Found>,
) -> Option<Found> {
    let mut asking = Vec::new();
    for url in urls {
        let (url, body, ca_file) = (url.clone(), body.clone(), places.ca_file.clone());
        asking.push(tokio::spawn(async move {
            super::web::document(&url, body, ca_file.as_deref()).await
        }));
    }
    for document in asking {
        let document = document.await.ok().flatten();
        if let Some(found) = document.and_then(&read) {
            return Some(found);
        }
    }
    None
}

#[cfg(not(feature = "oauth"))]
async fn autoconfig(_: &Address, _: &Places) -> Option<Found> {
    None
}

#[cfg(not(feature = "oauth"))]
async fn autodiscover(_: &Address, _: &Places) -> Option<Found> {
    None
}

/// RFC 6186 §3.4, with RFC 8314 §5.1: TLS from the first octet if there is a choice.
#[cfg(feature = "srv")]
async fn srv(address: &Address, places: &Places) -> Option<Found> {
    use super::{Source, is_host, srv, url};
    let (servers, domain) = (&places.name_servers, address.domain());
    let (tls, stls) = tokio::join!(
        srv::best(servers, "_pop3s._tcp", domain),
        srv::best(servers, "_pop3._tcp", domain)
    );
    let implicit = tls.is_some();
    let target = tls.or(stls).filter(|target| is_host(&target.host))?;
    let below = format!(".{domain}");
    let host = target.host.to_ascii_lowercase();
    Some(Found {
        server: Some(url(&target.host, target.port, implicit)),
        user: address.to_string(),
        note: None,
        oauth: None,
        source: Source::Srv {
            same_domain: host == domain || host.ends_with(&below),
        },
    })
}

#[cfg(not(feature = "srv"))]
async fn srv(_: &Address, _: &Places) -> Option<Found> {
    None
}

/// RFC 3986 §2.1.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, octet| {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(octet));
            }
            _ => encoded.push_str(&format!("%{octet:02X}")),
        }
        encoded
    })
}
