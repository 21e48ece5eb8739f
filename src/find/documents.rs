//! Documents that a provider publishes about its servers: Mozilla's autoconfig and Outlook's
//! Autodiscover.
//!
//! Pure functions from a document to a mailbox. A document can name any server, so only a host, a
//! port and a user name are taken from it, and each is checked.

use super::xml::{Element, escaped};
use super::{Address, Found, Source, is_host};

/// From `config-v1.1.xml`: the first POP3 server with TLS.
pub fn autoconfig(text: &str, address: &Address) -> Option<Found> {
    let root = Element::parse(text).filter(|root| root.name == "clientConfig")?;
    let provider = root.first("emailProvider")?;
    let servers = || {
        let all = provider.all("incomingServer");
        all.filter(|server| server.attribute("type") == Some("pop3"))
    };
    let by = |kind| move |server: &&Element| server.text_of("socketType") == Some(kind);
    let server = servers().find(by("SSL"));
    let server = server.or_else(|| servers().find(by("STARTTLS")))?;
    let tls = server.text_of("socketType") == Some("SSL");
    let user = server.text_of("username").unwrap_or("%EMAILADDRESS%");
    let user = user
        .replace("%EMAILADDRESS%", &address.to_string())
        .replace("%EMAILLOCALPART%", address.local_part())
        .replace("%EMAILDOMAIN%", address.domain());
    let port = server.text_of("port")?;
    found(
        server.text_of("hostname")?,
        port,
        tls,
        &user,
        Source::Autoconfig,
    )
}

/// The request to Autodiscover (\[MS-OXDSCLI\] 2.2.3). It has no password: a server that asks for
/// one gets none.
pub(super) fn autodiscover_request(address: &Address) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"http://schemas.\
         microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request><EMailAddress>\
         {}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/\
         autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request>\
         </Autodiscover>",
        escaped(&address.to_string())
    )
}

/// Reads the answer to that (\[MS-OXDSCLI\] 2.2.4). A redirection in it is not followed.
pub fn autodiscover(text: &str, address: &Address) -> Option<Found> {
    let root = Element::parse(text).filter(|root| root.name == "Autodiscover")?;
    let account = root.first("Response")?.first("Account")?;
    let mut protocols = account.all("Protocol");
    let protocol = protocols.find(|protocol| protocol.text_of("Type") == Some("POP3"))?;
    // SSL is on if the element is missing.
    let off = |value: &str| value.eq_ignore_ascii_case("off");
    let encryption = protocol.text_of("Encryption").unwrap_or_default();
    let tls = match encryption {
        "TLS" => false,
        "SSL" => true,
        _ if protocol.text_of("SSL").is_some_and(off) => return None,
        // If neither is given, the port decides.
        _ => protocol.text_of("Port") != Some("110"),
    };
    let user = protocol
        .text_of("LoginName")
        .filter(|name| !name.is_empty());
    let user = user.map_or_else(|| address.to_string(), str::to_owned);
    let port = protocol.text_of("Port").unwrap_or("995");
    found(
        protocol.text_of("Server")?,
        port,
        tls,
        &user,
        Source::Autodiscover,
    )
}

fn found(host: &str, port: &str, tls: bool, user: &str, source: Source) -> Option<Found> {
    let port: u16 = port.parse().ok().filter(|port| *port != 0)?;
    let plain = |c: char| c == ' ' || c.is_ascii_graphic();
    let valid = is_host(host) && !user.is_empty() && user.len() <= 255 && user.chars().all(plain);
    valid.then(|| Found {
        server: Some(super::url(host, port, tls)),
        user: user.to_owned(),
        note: None,
        oauth: None,
        source,
    })
}

#[cfg(test)]
mod tests;
