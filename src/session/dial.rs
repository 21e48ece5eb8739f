//! A TCP connection to whichever address of the host answers first (RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Awaited, Error};
use crate::account::Server;

/// How long one address is waited for before the next one is tried beside it (RFC 8305 §5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to the server: all its addresses, one beginning after the other, the first to
/// answer wins. A dead one costs a quarter of a second, not the whole time-out.
pub(super) async fn dial(
    server: &Server,
    timeout: Duration,
) -> Result<(TcpStream, SocketAddr), Error> {
    let deadline = Instant::now() + timeout;
    let timed_out = || Error::TimedOut {
        awaited: Awaited::Connection,
        after: timeout,
    };
    let addresses = timeout_at(deadline, lookup_host((server.host.as_str(), server.port)))
        .await
        .map_err(|_| timed_out())?
        .map_err(|source| Error::Resolve {
            host: server.host.clone(),
            source,
        })?
        .collect();
    timeout_at(deadline, race(alternate(addresses)))
        .await
        .map_err(|_| timed_out())?
        .map_err(|source| Error::Connect {
            server: server.clone(),
            source,
        })
}

async fn race(addresses: Vec<SocketAddr>) -> io::Result<(TcpStream, SocketAddr)> {
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        let more = waiting.next();
        let last = more.is_none();
        if let Some(address) = more {
            tracing::debug!(%address, "connecting");
            attempts.spawn(async move {
                let stream = TcpStream::connect(address).await?;
                // Commands are small, and every one of them is waited for.
                stream.set_nodelay(true)?;
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
        let (_, address) = race(vec![dead, alive]).await.unwrap();
        assert_eq!(address, alive);
        let error = race(vec![dead]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(race(Vec::new()).await.is_err());
    }
}
