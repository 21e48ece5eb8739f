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
mod tests {
    use super::*;

    fn address() -> Address {
        "anna@example.com".parse().unwrap()
    }

    fn config(server: &str) -> Option<(String, String)> {
        let text = format!(
            "<clientConfig version=\"1.1\"><emailProvider id=\"example.com\">\
             <incomingServer type=\"imap\"><hostname>imap.example.com</hostname><port>993</port>\
             <socketType>SSL</socketType></incomingServer>{server}</emailProvider></clientConfig>"
        );
        autoconfig(&text, &address()).map(|found| (found.server.unwrap(), found.user))
    }

    #[test]
    fn autoconfig_names_the_server_and_the_user() {
        let server = |host: &str, port: &str, socket: &str, user: &str| {
            format!(
                "<incomingServer type=\"pop3\"><hostname>{host}</hostname><port>{port}</port>\
                 <socketType>{socket}</socketType><username>{user}</username></incomingServer>"
            )
        };
        let plain = server("pop.example.com", "110", "plain", "%EMAILADDRESS%");
        let stls = server("pop.example.com", "110", "STARTTLS", "%EMAILLOCALPART%");
        let tls = server("pop.example.com", "1995", "SSL", "%EMAILADDRESS%");
        let told = |url: &str, user: &str| Some((url.to_owned(), user.to_owned()));
        assert_eq!(config(&plain), None);
        assert_eq!(
            config(&format!("{plain}{stls}")),
            told("pop3://pop.example.com", "anna")
        );
        assert_eq!(
            config(&format!("{plain}{stls}{tls}")),
            told("pop3s://pop.example.com:1995", "anna@example.com")
        );
        for (host, port, user) in [
            ("pop.example.com/x", "995", "anna"),
            ("anna@evil.example", "995", "anna"),
            ("", "995", "anna"),
            ("pop.example.com", "0", "anna"),
            ("pop.example.com", "65536", "anna"),
            ("pop.example.com", "995", "anna&#13;&#10;DELE 1"),
            ("pop.example.com", "995", "an\u{202e}na"),
        ] {
            assert_eq!(
                config(&server(host, port, "SSL", user)),
                None,
                "{host} {port} {user}"
            );
        }
    }

    #[test]
    fn autodiscover_names_the_server_and_the_user() {
        let answer = |protocol: &str| {
            let text = format!(
                "<?xml version=\"1.0\"?><Autodiscover xmlns=\"u\"><Response xmlns=\"v\"><Account>\
                 <AccountType>email</AccountType><Action>settings</Action><Protocol><Type>IMAP\
                 </Type></Protocol><Protocol><Type>POP3</Type>{protocol}</Protocol></Account>\
                 </Response></Autodiscover>"
            );
            let found = autodiscover(&text, &address());
            found.map(|found| (found.server.unwrap(), found.user))
        };
        let told = |url: &str, user: &str| Some((url.to_owned(), user.to_owned()));
        assert_eq!(
            answer(
                "<Server>pop.example.com</Server><Port>995</Port><LoginName>EX\\anna</LoginName>"
            ),
            told("pop3s://pop.example.com", "EX\\anna")
        );
        assert_eq!(
            answer("<Server>h.example</Server><Port>110</Port><Encryption>TLS</Encryption>"),
            told("pop3://h.example", "anna@example.com")
        );
        assert_eq!(
            answer("<Server>h.example</Server><Port>110</Port><SSL>off</SSL>"),
            None
        );
        assert_eq!(answer("<Server>a b</Server>"), None);
        let elsewhere = "<Autodiscover><Response><Account><Action>redirectUrl</Action>\
                         <RedirectUrl>https://evil.example/</RedirectUrl></Account></Response>\
                         </Autodiscover>";
        assert_eq!(autodiscover(elsewhere, &address()), None);
    }
}
