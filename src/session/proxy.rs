//! A connection through a proxy.
//!
//! A proxy is trusted with nothing but reaching the server: what TLS protects it cannot read,
//! and what it says itself is bounded, as any server's words are. It gets the server's name, not
//! its address, so that nobody here has to know it.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Error, Stream};
use crate::account::{Proxy, ProxyLogin, ProxyProtocol, Server};
use crate::auth::private_file::{self, FileError};
use crate::blocking;
use crate::exit::Exit;
use crate::failure::Failure;

mod http;
mod socks;

/// The longest user name and password of SOCKS 5 (RFC 1929 §2).
const LONGEST: usize = 255;

/// Why a proxy gave no connection to the server. Holds no password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It took neither user nor password.
    #[error("it refused user and password{}", .0.as_deref().map(|text| format!(": `{text}`")).unwrap_or_default())]
    Authentication(Option<String>),
    /// It closed the connection.
    #[error("it closed the connection")]
    Closed,
    /// It cannot be reached.
    #[error("cannot connect to it")]
    Connect(#[source] io::Error),
    /// Its head never ends.
    #[error("its answer is longer than {0} bytes")]
    Endless(usize),
    /// The connection broke.
    #[error("the connection to it was lost")]
    Lost(#[source] io::Error),
    /// It wants a user and a password.
    #[error("it wants a user name and a password")]
    LoginWanted,
    /// There is no password to give it.
    #[error("cannot read its password in `{path}`: {fault}")]
    Password {
        /// The file.
        path: String,
        /// Why.
        fault: FileError,
    },
    /// The password is empty, or too long.
    #[error("the first line of `{0}` cannot be its password")]
    PasswordUnfit(String),
    /// It does not speak what it should.
    #[error("it does not speak {0}")]
    Protocol(&'static str),
    /// It will not, or cannot, connect to the server; why, made safe to show.
    #[error("it did not connect: {0}")]
    Refused(String),
    /// Its name has no address.
    #[error("cannot find its address")]
    Resolve(#[source] io::Error),
}

impl Failure for ProxyError {
    fn exit(&self) -> Exit {
        match self {
            Self::Authentication(_) | Self::LoginWanted => Exit::NoPermission,
            Self::Closed | Self::Lost(_) => Exit::TemporaryFailure,
            Self::Connect(source) if source.kind() == io::ErrorKind::ConnectionReset => {
                Exit::TemporaryFailure
            }
            Self::Connect(_) | Self::Refused(_) | Self::Resolve(_) => Exit::Unavailable,
            Self::Endless(_) | Self::Protocol(_) => Exit::Protocol,
            Self::Password { .. } | Self::PasswordUnfit(_) => Exit::Config,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Authentication(_) => {
                "check the user in `proxy` and the password in `proxy-password-file`".into()
            }
            Self::Closed | Self::Lost(_) => "try again later".into(),
            Self::Connect(_) | Self::Resolve(_) => {
                "check the proxy's name, and that it is running; `proxy = \"off\"` connects to the server \
                 directly"
                    .into()
            }
            Self::Endless(_) | Self::Protocol(_) => {
                "`socks5://` and `http://` are different kinds of proxies: check which one this is"
                    .into()
            }
            Self::LoginWanted => {
                "write `proxy = \"socks5://USER@HOST:PORT\"` and `proxy-password-file = \"…\"`"
                    .into()
            }
            Self::Password { fault, .. } => match fault.hint() {
                Some(hint) => hint,
                None => "`proxy-password-file` names a file whose first line is the password".into(),
            },
            Self::PasswordUnfit(_) => format!("the password has 1 to {LONGEST} bytes").into(),
            Self::Refused(_) => {
                "the proxy may not allow this server or port, or cannot reach it".into()
            }
        })
    }
}

/// Reads the password for the proxy, where it wants one; before anything is dialled.
pub(super) async fn password(
    proxy: &Proxy,
    limit: Duration,
) -> Result<Option<Zeroizing<Vec<u8>>>, ProxyError> {
    let Some(ProxyLogin { password_file, .. }) = &proxy.login else {
        return Ok(None);
    };
    let path = password_file.clone();
    let reading = blocking::begin(move || private_file::first_line(&path, LONGEST));
    let name = || password_file.display().to_string();
    let line = match timeout(limit, reading).await {
        Ok(Ok(line)) => line.map_err(|fault| ProxyError::Password {
            path: name(),
            fault,
        })?,
        Ok(Err(join)) => std::panic::resume_unwind(join.into_panic()),
        Err(_) => {
            let fault = FileError::Io(io::ErrorKind::TimedOut.into());
            return Err(ProxyError::Password {
                path: name(),
                fault,
            });
        }
    };
    if line.is_empty() {
        return Err(ProxyError::PasswordUnfit(name()));
    }
    Ok(Some(line))
}

/// Asks the proxy at the other end of `stream` for a connection to the server.
pub(super) async fn negotiate(
    stream: TcpStream,
    proxy: &Proxy,
    password: Option<Zeroizing<Vec<u8>>>,
    server: &Server,
) -> Result<Box<dyn Stream>, ProxyError> {
    let user = proxy.login.as_ref().map(|login| login.user.as_str());
    let login = user.zip(password.as_ref().map(|password| password.as_slice()));
    match proxy.protocol {
        ProxyProtocol::Http => http::connect(stream, login, server).await,
        ProxyProtocol::Socks5 => socks::connect(stream, login, server).await,
    }
}

/// What an I/O error during the talk with the proxy means.
fn broken(error: io::Error) -> ProxyError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ProxyError::Closed,
        _ => ProxyError::Lost(error),
    }
}

impl From<(&Proxy, ProxyError)> for Error {
    fn from((proxy, fault): (&Proxy, ProxyError)) -> Self {
        Self::Proxy {
            proxy: proxy.to_string(),
            fault,
        }
    }
}
