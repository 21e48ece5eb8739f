//! The OAuth settings of an account: the provider of tokens, and the client's name there.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// The settings that an account needs to get tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth {
    /// The provider of the tokens.
    pub provider: Provider,
    /// The name under which popsync is registered there (RFC 6749 §2.2). Public.
    pub client_id: String,
    /// The command that prints the secret that some providers give an installed program.
    pub client_secret_command: Option<String>,
    /// The rights that the token has (RFC 6749 §3.3).
    pub scope: String,
    /// The file that keeps the tokens. Without it, the keyring does.
    pub token_file: Option<PathBuf>,
    /// Trust the certificates of this PEM file instead of the built-in roots.
    pub ca_file: Option<PathBuf>,
}

/// The provider of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// Google, which does not allow the device flow for mail.
    Google,
    /// The provider that describes itself in its metadata (RFC 8414, OpenID Connect Discovery).
    Issuer(Endpoint),
    /// Microsoft, for this tenant.
    Microsoft {
        /// `common`, `organizations`, `consumers`, or the tenant's name or number.
        tenant: String,
    },
    /// A provider with these endpoints.
    Other(Endpoints),
}

/// The endpoints of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// RFC 6749 §3.1: a person signs in there.
    pub auth: Option<Endpoint>,
    /// RFC 8628 §3.1: gives a code for another device.
    pub device: Option<Endpoint>,
    /// RFC 6749 §3.2: gives tokens.
    pub token: Endpoint,
}

/// The scope of mail at Microsoft, and the one for a refresh token.
pub(crate) const MICROSOFT_SCOPE: &str =
    "https://outlook.office.com/POP.AccessAsUser.All offline_access";

/// The scope of mail at Google.
pub(crate) const GOOGLE_SCOPE: &str = "https://mail.google.com/";

impl Provider {
    /// The scope of mail, if it is known.
    pub const fn scope(&self) -> Option<&'static str> {
        match self {
            Self::Google => Some(GOOGLE_SCOPE),
            Self::Microsoft { .. } => Some(MICROSOFT_SCOPE),
            Self::Issuer(_) | Self::Other(_) => None,
        }
    }
}

/// An absolute URL that secrets may be sent to: `https://`, or `http://` to an address of this
/// machine. Without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

/// The reason why a text is not an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Others could read it on the way.
    #[error("not an `https://` URL")]
    NotHttps,
    /// Not a URL, or one with a user, a query or a fragment.
    #[error("not a URL of a host and a path")]
    Url,
}

impl Endpoint {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if TLS protects the connection.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        let host = self.0.find("://").map_or(0, |at| at + 3);
        let end = self.0[host..].find('/').map(|at| host + at);
        &self.0[..end.unwrap_or(self.0.len())]
    }

    /// The path after the origin, without a slash at its end.
    pub fn path(&self) -> &str {
        self.0[self.origin().len()..].trim_end_matches('/')
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = url.split_once("://").ok_or(EndpointError::Url)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let printable = |c: char| c.is_ascii_graphic() && !"@?#\\\"<>".contains(c);
        let (host, port) = split_port(authority).ok_or(EndpointError::Url)?;
        if host.is_empty() || !rest.chars().all(printable) || port == Some("") {
            return Err(EndpointError::Url);
        }
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(EndpointError::Url);
        }
        match scheme {
            "https" => Ok(Self(url.to_owned())),
            // RFC 6749 §3.1: TLS is required. A connection that stays on this machine needs none.
            "http" if is_loopback(host) => Ok(Self(url.to_owned())),
            _ => Err(EndpointError::NotHttps),
        }
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    Some(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

/// True for an address of this machine. A name may be any machine's.
fn is_loopback(host: &str) -> bool {
    host.parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_over_tls_or_stay_here() {
        let table = [
            ("https://login.example.com/token", Ok(())),
            ("https://login.example.com", Ok(())),
            ("https://login.example.com:8443/a/b", Ok(())),
            ("http://127.0.0.1:8080/token", Ok(())),
            ("http://[::1]:8080/token", Ok(())),
            ("http://localhost/token", Err(EndpointError::NotHttps)),
            (
                "http://127.0.0.1.example.com/",
                Err(EndpointError::NotHttps),
            ),
            ("http://login.example.com/", Err(EndpointError::NotHttps)),
            ("ftp://login.example.com/", Err(EndpointError::NotHttps)),
            ("https://anna@login.example.com/", Err(EndpointError::Url)),
            ("http://127.0.0.1@example.com/", Err(EndpointError::Url)),
            ("http://127.0.0.1\\@example.com/", Err(EndpointError::Url)),
            ("https://h/?a=b", Err(EndpointError::Url)),
            ("https://h/#a", Err(EndpointError::Url)),
            ("https://h/a b", Err(EndpointError::Url)),
            ("https://h/\r\nX: y", Err(EndpointError::Url)),
            ("https://h:99999/", Err(EndpointError::Url)),
            ("https://h:/", Err(EndpointError::Url)),
            ("https://", Err(EndpointError::Url)),
            ("login.example.com/token", Err(EndpointError::Url)),
        ];
        for (url, expected) in table {
            assert_eq!(url.parse::<Endpoint>().map(|_| ()), expected, "{url}");
        }
    }

    #[test]
    fn an_endpoint_is_an_origin_and_a_path() {
        let endpoint: Endpoint = "https://h:1/a/b/".parse().unwrap();
        assert_eq!(
            (endpoint.origin(), endpoint.path()),
            ("https://h:1", "/a/b")
        );
        let endpoint: Endpoint = "https://h".parse().unwrap();
        assert_eq!((endpoint.origin(), endpoint.path()), ("https://h", ""));
    }
}
