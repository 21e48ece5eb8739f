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
        answer("<Server>pop.example.com</Server><Port>995</Port><LoginName>EX\\anna</LoginName>"),
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
