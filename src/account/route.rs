//! The way to a server.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// The way to a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Route {
    /// The intermediate, if any.
    pub via: Via,
    /// The local address that connections start from.
    pub source: Option<IpAddr>,
}

/// The intermediate between popsync and a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Via {
    /// Nothing.
    #[default]
    Direct,
    /// A proxy, which also resolves the server's name.
    Proxy(Proxy),
    /// A local socket whose other end is the server.
    Socket(PathBuf),
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The protocol that it speaks.
    pub protocol: ProxyProtocol,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The login at the proxy, if it needs one.
    pub login: Option<ProxyLogin>,
}

/// The login at a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyLogin {
    /// The user name, without control characters.
    pub user: String,
    /// The file with the password in its first line. Nobody else may read it.
    pub password_file: PathBuf,
}

/// The protocol of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// HTTP's CONNECT (RFC 9110 §9.3.6).
    Http,
    /// SOCKS 5 (RFC 1928), with the server's name left to the proxy.
    Socks5,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
