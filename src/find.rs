//! Finds the mailbox of an address: by a built-in list of large providers, and by what a domain
//! publishes.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::Deserialize;

#[cfg(feature = "oauth")]
mod documents;
mod search;
#[cfg(feature = "srv")]
mod srv;
#[cfg(feature = "oauth")]
mod web;
#[cfg(feature = "oauth")]
mod xml;

#[cfg(feature = "oauth")]
pub use documents::{autoconfig, autodiscover};
pub use search::{Places, search};

/// A mail address to find the mailbox of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    local_part: String,
    domain: String,
}

/// Not a mail address that POP3 could use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a mail address such as `anna@example.com`")]
pub struct NotAnAddress;

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let (local_part, domain) = text.rsplit_once('@').ok_or(NotAnAddress)?;
        let local = |c: char| c.is_ascii_graphic() && !"@<>()[],:;\"\\".contains(c);
        let valid = !local_part.is_empty()
            && local_part.len() <= 64
            && local_part.chars().all(local)
            && is_host(domain);
        valid.then_some(()).ok_or(NotAnAddress)?;
        Ok(Self {
            local_part: local_part.to_owned(),
            domain: domain.to_ascii_lowercase(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain)
    }
}

impl Address {
    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

/// A mailbox that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `pop3s://…` or `pop3://…`. None if the provider is known to have no POP3.
    pub server: Option<String>,
    /// The user's name there.
    pub user: String,
    /// A note for the user.
    pub note: Option<String>,
    /// The provider of access tokens, if the server takes no passwords.
    pub oauth: Option<String>,
    /// The source of the answer.
    pub source: Source,
}

/// The source of a mailbox's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The provider, for mail programs.
    Autoconfig,
    /// The provider, for Outlook.
    Autodiscover,
    /// The list of large providers.
    Known,
    /// The DNS, which may lie (RFC 6186 §6).
    Srv {
        /// True if the server is in the address's own domain. Otherwise a person should be asked.
        same_domain: bool,
    },
    /// The user.
    User,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Autoconfig => "the provider's settings for mail programs",
            Self::Autodiscover => "the provider's settings for Outlook",
            Self::Known => "the list of large providers",
            Self::Srv { .. } => "the DNS",
            Self::User => "you",
        })
    }
}

/// True if it can be the name of a host in the DNS.
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label)
}

/// A server as written in the configuration, without the port if that is the default.
#[cfg(any(feature = "oauth", feature = "srv"))]
fn url(host: &str, port: u16, tls: bool) -> String {
    let (scheme, usual) = if tls { ("pop3s", 995) } else { ("pop3", 110) };
    if port == usual {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{port}")
    }
}

#[derive(Deserialize)]
struct List {
    provider: Vec<Provider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Provider {
    domains: Vec<String>,
    #[serde(default)]
    server: Option<String>,
    #[serde(default)]
    user: User,
    #[serde(default)]
    oauth: Option<String>,
    #[serde(default)]
    note: Option<String>,
}

/// The form of the user's name.
#[derive(Deserialize, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum User {
    #[default]
    Address,
    LocalPart,
}

/// Empty if the list is broken; the tests read it.
static PROVIDERS: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    toml::from_str::<List>(include_str!("find/providers.toml"))
        .map(|list| list.provider)
        .unwrap_or_default()
});

/// The mailbox of an address at a provider in the built-in list.
pub(crate) fn known(address: &Address) -> Option<Found> {
    let has = |provider: &&Provider| provider.domains.contains(&address.domain);
    let provider = PROVIDERS.iter().find(has)?;
    Some(Found {
        server: provider.server.clone(),
        user: match provider.user {
            User::Address => address.to_string(),
            User::LocalPart => address.local_part.clone(),
        },
        note: provider.note.clone(),
        oauth: provider.oauth.clone(),
        source: Source::Known,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_list_can_be_read_and_holds_each_domain_once() {
        let list: List = toml::from_str(include_str!("find/providers.toml")).unwrap();
        let mut domains = HashSet::new();
        for provider in &list.provider {
            for domain in &provider.domains {
                let address: Address = format!("anna@{domain}").parse().unwrap();
                assert_eq!(address.domain(), domain);
                assert!(domains.insert(domain.clone()), "{domain}");
            }
            let server = provider.server.as_deref();
            assert!(server.is_none_or(|server| server.starts_with("pop3s://")));
            assert!(server.is_some() || provider.note.is_some());
        }
    }

    #[test]
    fn a_large_provider_is_known_by_heart() {
        let found = |address: &str| known(&address.parse().unwrap());
        let gmail = found("Anna@GMail.com").unwrap();
        assert_eq!(gmail.server.as_deref(), Some("pop3s://pop.gmail.com"));
        assert_eq!(gmail.user, "Anna@gmail.com");
        assert_eq!(found("anna@free.fr").unwrap().user, "anna");
        assert_eq!(found("anna@icloud.com").unwrap().server, None);
        assert_eq!(found("anna@example.com"), None);
    }

    #[test]
    fn only_addresses_are_addresses() {
        for text in [
            "anna@example.com",
            "a.b+c@x-y.example",
            "o'neil@EXAMPLE.com",
        ] {
            assert!(text.parse::<Address>().is_ok(), "{text}");
        }
        for text in [
            "",
            "anna",
            "@example.com",
            "anna@",
            "anna@example",
            "a b@example.com",
            "anna@exa mple.com",
            "anna@-x.com",
            "anna@x..com",
            "anna@größe.de",
            "a@b@example.com",
            "anna@example.com\r\nX: y",
            "<anna@example.com>",
            "anna@[127.0.0.1]",
            "anna@example.com/../x",
        ] {
            assert_eq!(text.parse::<Address>(), Err(NotAnAddress), "{text}");
        }
    }
}
