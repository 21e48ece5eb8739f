//! How a server is reached.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// The way to a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// What is between.
    pub via: Via,
    /// The address of our own that connections start from.
    pub source: Option<IpAddr>,
}

/// What is between us and a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Via {
    /// Nothing.
    #[default]
    Direct,
    /// A proxy, which also finds the server's address.
    Proxy(Proxy),
    /// A socket of this computer, whose other end is the server.
    Socket(PathBuf),
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub protocol: ProxyProtocol,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whom it knows us by, where it wants to know.
    pub login: Option<ProxyLogin>,
}

/// Whom a proxy knows us by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyLogin {
    /// The user name, without control characters.
    pub user: String,
    /// The file whose first line is the password; nobody else may be able to read it.
    pub password_file: PathBuf,
}

/// What a proxy speaks.
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
