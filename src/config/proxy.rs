//! The URL of a proxy: `socks5://user@host:port` or `http://…`.

use std::borrow::Cow;
use std::str::FromStr;

use crate::account::ProxyProtocol;
use crate::exit::Exit;
use crate::failure::Failure;

use super::url;

/// The port registered for SOCKS.
const SOCKS_PORT: u16 = 1080;

/// A proxy as its URL names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProxyUrl {
    pub(super) protocol: ProxyProtocol,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Option<String>,
}

/// Why a text is not the URL of a proxy. Never holds the text: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ProxyError {
    /// The host cannot be one.
    #[error("the proxy has no valid host name")]
    Host,
    /// `user:password@`.
    #[error("the proxy URL holds a password, which would show in process lists and in files")]
    Password,
    /// Not a number from 1 to 65535, or none for `http://`, which has no usual one.
    #[error("the proxy URL has no port from 1 to 65535")]
    Port,
    /// Neither of those known.
    #[error("the proxy is not a URL that begins with `socks5://` or `http://`")]
    Scheme,
    /// The user name is empty, too long, badly encoded, or has what cannot be sent.
    #[error("the user name in the proxy URL cannot be sent")]
    User,
}

impl Failure for ProxyError {
    /// That of a file; on a command line the error that holds this one knows better.
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Host | Self::Scheme => {
                "write `proxy = \"socks5://HOST:PORT\"`, `proxy = \"http://HOST:PORT\"`, or `proxy \
                 = \"off\"`"
            }
            Self::Password => {
                "leave the password out, and write it into a file that only you can read, for \
                 `proxy-password-file`"
            }
            Self::Port => "write it behind the host: `http://proxy.example.com:3128`",
            Self::User => "in a URL, write `%` as `%25` and `@` as `%40`; at most 255 octets",
        };
        Some(hint.into())
    }
}

impl FromStr for ProxyUrl {
    type Err = ProxyError;

    fn from_str(url: &str) -> Result<Self, ProxyError> {
        let (scheme, rest) = url.split_once("://").ok_or(ProxyError::Scheme)?;
        let protocol = match scheme.to_ascii_lowercase().as_str() {
            // curl's name for the form that leaves the server's name to the proxy.
            "socks5" | "socks5h" => ProxyProtocol::Socks5,
            "http" => ProxyProtocol::Http,
            _ => return Err(ProxyError::Scheme),
        };
        let (user, host) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(ProxyError::Password),
            Some((user, host)) => (Some(user_name(user)?), host),
            None => (None, rest),
        };
        let host = host.strip_suffix('/').unwrap_or(host);
        let (host, port) = url::host_and_port(host).map_err(|error| match error {
            url::UrlError::Port => ProxyError::Port,
            _ => ProxyError::Host,
        })?;
        let port = match (port, protocol) {
            (Some(port), _) => port,
            (None, ProxyProtocol::Socks5) => SOCKS_PORT,
            (None, ProxyProtocol::Http) => return Err(ProxyError::Port),
        };
        Ok(Self {
            protocol,
            host,
            port,
            user,
        })
    }
}

fn user_name(text: &str) -> Result<String, ProxyError> {
    let user = url::percent_decode(text).map_err(|_| ProxyError::User)?;
    // RFC 1929 §2 has one octet for its length; RFC 7617 §2 no colon in it.
    let fits = (1..=255).contains(&user.len());
    if !fits || user.contains(|c: char| c.is_control() || c == ':') {
        return Err(ProxyError::User);
    }
    Ok(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_proxy_and_its_user() {
        use ProxyProtocol::{Http, Socks5};
        for (url, protocol, host, port, user) in [
            ("socks5://127.0.0.1", Socks5, "127.0.0.1", 1080, None),
            ("SOCKS5h://Proxy:9050/", Socks5, "Proxy", 9050, None),
            ("http://[::1]:3128", Http, "::1", 3128, None),
            ("socks5://anna@p:1", Socks5, "p", 1, Some("anna")),
            ("http://a%40b%25@p:8080", Http, "p", 8080, Some("a@b%")),
            ("http://a@b@p:8080", Http, "p", 8080, Some("a@b")),
        ] {
            let expected = ProxyUrl {
                protocol,
                host: host.to_owned(),
                port,
                user: user.map(str::to_owned),
            };
            assert_eq!(url.parse(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        let long = format!("socks5://{}@p", "u".repeat(256));
        for (url, error) in [
            ("127.0.0.1:1080", ProxyError::Scheme),
            ("socks4://p", ProxyError::Scheme),
            ("https://p:3128", ProxyError::Scheme),
            ("socks5://anna:hunter2@p", ProxyError::Password),
            ("socks5://anna:hun@ter2@p", ProxyError::Password),
            ("socks5://", ProxyError::Host),
            ("socks5://p/path", ProxyError::Host),
            ("socks5://p:0", ProxyError::Port),
            ("http://p", ProxyError::Port),
            ("http://p:x", ProxyError::Port),
            ("socks5://@p", ProxyError::User),
            ("socks5://a%0d%0ab@p", ProxyError::User),
            ("http://a%3ab@p:1", ProxyError::User),
            ("socks5://a%@p", ProxyError::User),
            (&long, ProxyError::User),
        ] {
            assert_eq!(url.parse::<ProxyUrl>(), Err(error), "{url}");
        }
    }
}
