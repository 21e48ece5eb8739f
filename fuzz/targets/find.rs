//! Any answer of a domain about its servers: no panic, and a server found is one host, one port
//! and a user name that USER can carry.

use popsync::internals::find::{self, Address};

pub(crate) fn holds(document: &[u8]) {
    let document = String::from_utf8_lossy(document);
    let Ok(address) = "anna@example.com".parse::<Address>() else {
        return;
    };
    for read in [find::autoconfig, find::autodiscover] {
        let Some(found) = read(&document, &address) else {
            continue;
        };
        let server = found.server.unwrap_or_default();
        let place = ["pop3s://", "pop3://"].map(|scheme| server.strip_prefix(scheme));
        let place = place.into_iter().flatten().next();
        let (host, port) = match place.and_then(|place| place.split_once(':')) {
            Some((host, port)) => (Some(host), port.parse().unwrap_or_default()),
            None => (place, 995_u16),
        };
        let host = host.unwrap_or_default();
        let is_host = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        assert!(!host.is_empty() && host.chars().all(is_host), "{server:?}");
        assert_ne!(port, 0, "{server:?}");
        let is_sent = |c: char| (' '..='~').contains(&c);
        assert!(!found.user.is_empty() && found.user.chars().all(is_sent));
    }
}
