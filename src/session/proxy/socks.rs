//! SOCKS 5 (RFC 1928), with user name and password (RFC 1929) where there are any.
//!
//! Every field has a length of its own, and not an octet more is read: what follows belongs to
//! the server.

use std::net::IpAddr;

use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ProxyError, broken};
use crate::account::Server;
use crate::session::Stream;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;
/// The version of RFC 1929's part.
const LOGIN_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks for a connection to the server, with user and password where there are any.
pub(super) async fn connect(
    mut stream: TcpStream,
    login: Option<(&str, &[u8])>,
    server: &Server,
) -> Result<Box<dyn Stream>, ProxyError> {
    let greeting: &[u8] = match login {
        None => &[VERSION, 1, NO_LOGIN],
        Some(_) => &[VERSION, 2, NO_LOGIN, PASSWORD],
    };
    stream.write_all(greeting).await.map_err(broken)?;
    let [version, method] = read(&mut stream).await?;
    match (version, method, login) {
        (VERSION, NO_LOGIN, _) => {}
        (VERSION, PASSWORD, Some((user, password))) => {
            log_in(&mut stream, user, password).await?;
        }
        (VERSION, NONE_ACCEPTABLE, None) => return Err(ProxyError::LoginWanted),
        (VERSION, NONE_ACCEPTABLE, Some(_)) => {
            return Err(ProxyError::Refused(
                "it wants another kind of login than user and password".to_owned(),
            ));
        }
        _ => return Err(ProxyError::Protocol("SOCKS 5")),
    }
    let request = request(server)?;
    stream.write_all(&request).await.map_err(broken)?;
    let [version, reply, _, kind] = read(&mut stream).await?;
    if version != VERSION {
        return Err(ProxyError::Protocol("SOCKS 5"));
    }
    if reply != 0 {
        return Err(ProxyError::Refused(words(reply)));
    }
    // The address that the proxy connects from, and a port.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(read::<1>(&mut stream).await?[0]),
        _ => return Err(ProxyError::Protocol("SOCKS 5")),
    };
    let mut address = [0; 255 + 2];
    let address = &mut address[..length + 2];
    stream.read_exact(address).await.map_err(broken)?;
    Ok(Box::new(stream))
}

async fn log_in(stream: &mut TcpStream, user: &str, password: &[u8]) -> Result<(), ProxyError> {
    let unfit = || ProxyError::Refused("SOCKS 5 takes no user or password so long".to_owned());
    let length = |octets: &[u8]| u8::try_from(octets.len()).map_err(|_| unfit());
    let user = user.as_bytes();
    let mut request = Zeroizing::new(Vec::with_capacity(3 + user.len() + password.len()));
    request.extend([LOGIN_VERSION, length(user)?]);
    request.extend(user);
    request.push(length(password)?);
    request.extend(password);
    stream.write_all(&request).await.map_err(broken)?;
    match read(stream).await? {
        [LOGIN_VERSION, 0] => Ok(()),
        [LOGIN_VERSION, _] => Err(ProxyError::Authentication(None)),
        _ => Err(ProxyError::Protocol("SOCKS 5")),
    }
}

fn request(server: &Server) -> Result<Vec<u8>, ProxyError> {
    let mut request = vec![VERSION, CONNECT, 0];
    match server.host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Err(_) => {
            let length = u8::try_from(server.host.len())
                .map_err(|_| ProxyError::Refused("the server's name is too long".to_owned()))?;
            request.extend([NAME, length]);
            request.extend(server.host.as_bytes());
        }
    }
    request.extend(server.port.to_be_bytes());
    Ok(request)
}

/// RFC 1928 §6.
fn words(reply: u8) -> String {
    let text = match reply {
        1 => "general failure",
        2 => "its rules do not allow it",
        3 => "the network cannot be reached",
        4 => "the server cannot be reached",
        5 => "the server refused the connection",
        6 => "no answer in time",
        7 => "it knows no CONNECT",
        8 => "it does not know this kind of address",
        _ => return format!("failure {reply}"),
    };
    text.to_owned()
}

async fn read<const N: usize>(stream: &mut TcpStream) -> Result<[u8; N], ProxyError> {
    let mut octets = [0; N];
    stream.read_exact(&mut octets).await.map_err(broken)?;
    Ok(octets)
}
