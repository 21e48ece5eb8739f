//! A connection to the server: to whichever of its addresses answers first (RFC 8305), through a
//! proxy, or to a socket of this computer.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Awaited, Error, ProxyError, Stream, pace, proxy};
use crate::account::{Account, Proxy, Server, Via};
use crate::blocking;

/// How long one address is waited for before the next one is tried beside it (RFC 8305 §5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How long nothing may go over a connection before the kernel asks whether it still stands. Routers
/// forget some within a minute or two.
const PROBE_AFTER: Duration = Duration::from_secs(30);

/// How often it asks then.
const PROBE_EVERY: Duration = Duration::from_secs(15);

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// This address: the server's, or the proxy's.
    Ip(SocketAddr),
    /// This socket.
    Socket(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

/// Connects to the account's server in the account's way, within its time-out.
pub(super) async fn dial(account: &Account) -> Result<(Box<dyn Stream>, Address), Error> {
    let limit = account.timeout;
    let password = match &account.route.via {
        Via::Proxy(proxy) => proxy::password(proxy, limit)
            .await
            .map_err(|fault| Error::from((proxy, fault)))?,
        Via::Direct | Via::Socket(_) => None,
    };
    let connected = async {
        let source = account.route.source;
        let server = &account.server;
        match &account.route.via {
            Via::Direct => directly(server, source).await,
            Via::Proxy(proxy) => {
                let (stream, address) = to_proxy(proxy, source).await?;
                let stream = proxy::negotiate(stream, proxy, password, server).await;
                let stream = stream.map_err(|fault| Error::from((proxy, fault)))?;
                Ok((stream, Address::Ip(address)))
            }
            Via::Socket(path) => match UnixStream::connect(path).await {
                Ok(stream) => Ok((
                    Box::new(stream) as Box<dyn Stream>,
                    Address::Socket(path.clone()),
                )),
                Err(source) => Err(Error::Socket {
                    path: path.clone(),
                    source,
                }),
            },
        }
    };
    match pace::within(limit, connected).await {
        Some(connected) => connected,
        None => Err(Error::TimedOut {
            awaited: Awaited::Connection,
            after: limit,
        }),
    }
}

async fn directly(
    server: &Server,
    source: Option<IpAddr>,
) -> Result<(Box<dyn Stream>, Address), Error> {
    let addresses = addresses(&server.host, server.port)
        .await
        .map_err(|source| Error::Resolve {
            host: server.host.clone(),
            source,
        })?;
    let (stream, address) =
        race(alternate(addresses), source)
            .await
            .map_err(|source| Error::Connect {
                server: server.clone(),
                source,
            })?;
    Ok((Box::new(stream), Address::Ip(address)))
}

async fn to_proxy(proxy: &Proxy, source: Option<IpAddr>) -> Result<(TcpStream, SocketAddr), Error> {
    let failed = |fault| Error::from((proxy, fault));
    let addresses = addresses(&proxy.host, proxy.port)
        .await
        .map_err(|source| failed(ProxyError::Resolve(source)))?;
    race(alternate(addresses), source)
        .await
        .map_err(|source| failed(ProxyError::Connect(source)))
}

/// The addresses that this name has, in the order of preference. An address is its own.
async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let host = host.to_owned();
    let resolving = blocking::begin(move || (host.as_str(), port).to_socket_addrs());
    Ok(resolving.await.map_err(io::Error::other)??.collect())
}

/// All addresses, one beginning after the other, the first to answer wins. A dead one costs a
/// quarter of a second, not the whole time-out.
async fn race(
    mut addresses: Vec<SocketAddr>,
    source: Option<IpAddr>,
) -> io::Result<(TcpStream, SocketAddr)> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    if let Some(source) = source
        && !addresses.is_empty()
    {
        addresses.retain(|address| address.is_ipv4() == source.is_ipv4());
        let text = format!("the name has no address of the same kind as {source}");
        failure = io::Error::new(io::ErrorKind::NotFound, text);
    }
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    loop {
        let more = waiting.next();
        let last = more.is_none();
        if let Some(address) = more {
            tracing::debug!(%address, "connecting");
            attempts.spawn(async move {
                let stream = connect(address, source).await?;
                // Commands are small, and every one of them is waited for.
                stream.set_nodelay(true)?;
                keep_alive(&stream)?;
                Ok::<_, io::Error>((stream, address))
            });
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(connected))) => return Ok(connected),
                Some(Ok(Err(error))) => failure = error,
                Some(Err(error)) => failure = io::Error::other(error),
                None if last => return Err(failure),
                None => {}
            },
            () = sleep(ATTEMPT_DELAY), if !last => {}
        }
    }
}

/// Has the kernel ask whether the other side is still there, so that no router on the way forgets a
/// connection on which nothing goes while an agent or a disk of ours takes its time.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, PROBE_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, PROBE_EVERY)?;
    Ok(())
}

async fn connect(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(address).await
}

/// The addresses with their families taking turns, beginning with the resolver's first choice.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut preferred, mut other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    preferred.reverse();
    other.reverse();
    let mut turns = Vec::with_capacity(preferred.len() + other.len());
    while let Some(address) = preferred.pop().or_else(|| other.pop()) {
        turns.push(address);
        turns.extend(other.pop());
    }
    turns
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn address_families_take_turns() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert_eq!(
            alternate(parse(&[
                "[::1]:1",
                "[::2]:1",
                "[::3]:1",
                "1.0.0.1:1",
                "1.0.0.2:1"
            ])),
            parse(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "[::3]:1"]),
        );
        assert_eq!(
            alternate(parse(&["1.0.0.1:1", "[::1]:1", "[::2]:1"])),
            parse(&["1.0.0.1:1", "[::1]:1", "[::2]:1"]),
        );
        assert!(alternate(Vec::new()).is_empty());
    }

    #[tokio::test]
    async fn an_address_that_refuses_leads_to_the_next_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = listener.local_addr().unwrap();
        // Bound and closed again: nobody listens there.
        let dead = {
            let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        let (_, address) = race(vec![dead, alive], None).await.unwrap();
        assert_eq!(address, alive);
        let error = race(vec![dead], None).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(race(Vec::new(), None).await.is_err());
    }

    /// RFC 4007 §11: an address of one link, and the link that is meant.
    #[tokio::test]
    async fn an_address_with_a_zone_is_reached() {
        let mut hosts = Vec::new();
        // Where the system has IPv6 at all.
        if TcpListener::bind("[::1]:0").await.is_ok() {
            hosts.push(("::1%1".to_owned(), "[::1]:0".parse().unwrap()));
        }
        // `fe8000000000000000fc00fffe000001 04 40 20 80 eth0`: address, index, prefix, scope, flags,
        // name.
        let interfaces = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
        for line in interfaces.lines() {
            let fields: Vec<_> = line.split_whitespace().collect();
            let [address, index, _, "20", _, name] = fields[..] else {
                continue;
            };
            let address = u128::from_str_radix(address, 16).unwrap().into();
            let index = u32::from_str_radix(index, 16).unwrap();
            let bound = std::net::SocketAddrV6::new(address, 0, 0, index);
            hosts.push((format!("{address}%{name}"), bound.into()));
        }
        for (host, address) in hosts {
            let address: SocketAddr = address;
            let listener = TcpListener::bind(address).await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = Server {
                host,
                port,
                security: crate::account::Security::Plain,
            };
            let (_, reached) = directly(&server, None).await.unwrap();
            assert!(
                matches!(reached, Address::Ip(reached) if reached.ip() == address.ip()),
                "{server:?}"
            );
        }
    }

    #[tokio::test]
    async fn the_kernel_watches_over_a_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let (stream, _) = race(vec![there], None).await.unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), PROBE_AFTER);
        assert_eq!(sockopt::tcp_keepintvl(&stream).unwrap(), PROBE_EVERY);
    }

    #[tokio::test]
    async fn a_connection_starts_from_the_address_that_was_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        for source in ["127.0.0.1", "127.0.0.7"] {
            let source = source.parse().unwrap();
            let (stream, _) = race(vec![there], Some(source)).await.unwrap();
            assert_eq!(stream.local_addr().unwrap().ip(), source);
        }
        // TEST-NET-1 (RFC 5737) is nobody's.
        let error = race(vec![there], Some("192.0.2.1".parse().unwrap()));
        let error = error.await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
        let error = race(vec![there], Some("::1".parse().unwrap()));
        let error = error.await.unwrap_err();
        assert!(error.to_string().contains("same kind as ::1"), "{error}");
    }
}
