//! Proxies, good and bad, that record their requests.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The time that a proxy waits for a silent client.
const PATIENCE: Duration = Duration::from_secs(30);

/// A proxy on a port of its own.
pub struct Proxy {
    /// The port that it listens on.
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// `serve` handles each connection. It returns the request, and the stream if the client is to
    /// be connected to the server at `to`.
    pub fn start(
        to: u16,
        serve: impl Fn(&mut TcpStream) -> io::Result<(String, bool)> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<_>>> = Arc::default();
        let seen = Arc::clone(&asked);
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (seen, serve) = (Arc::clone(&seen), Arc::clone(&serve));
                thread::spawn(move || {
                    let mut client = client?;
                    client.set_read_timeout(Some(PATIENCE))?;
                    let (question, goes_on) = serve(&mut client)?;
                    seen.lock().unwrap().push(question);
                    if goes_on {
                        splice(client, TcpStream::connect((Ipv4Addr::LOCALHOST, to))?)?;
                    }
                    Ok::<_, io::Error>(())
                });
            }
        });
        Self { port, asked }
    }

    /// The clients' requests, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn splice(client: TcpStream, server: TcpStream) -> io::Result<()> {
    client.set_read_timeout(None)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || {
        let copied = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
        copied
    });
    let (mut from_server, mut to_client) = (server, client);
    let copied = io::copy(&mut from_server, &mut to_client);
    let _ = to_client.shutdown(Shutdown::Write);
    let _ = up.join();
    copied.map(|_| ())
}

/// SOCKS 5 (RFC 1928): without a login, or with this user and password (RFC 1929).
pub fn socks(
    login: Option<(&'static str, &'static str)>,
) -> impl Fn(&mut TcpStream) -> io::Result<(String, bool)> {
    move |client| {
        let [5, count] = read(client)? else {
            return Ok(("not SOCKS 5".to_owned(), false));
        };
        let mut methods = vec![0; usize::from(count)];
        client.read_exact(&mut methods)?;
        let wanted = if login.is_some() { 2 } else { 0 };
        if !methods.contains(&wanted) {
            client.write_all(&[5, 0xff])?;
            return Ok(("no login".to_owned(), false));
        }
        client.write_all(&[5, wanted])?;
        if let Some((user, password)) = login {
            let [_version, length] = read(client)?;
            let given = (text(client, length)?, {
                let [length] = read(client)?;
                text(client, length)?
            });
            if given != (user.to_owned(), password.to_owned()) {
                client.write_all(&[1, 1])?;
                return Ok((format!("wrong login {given:?}"), false));
            }
            client.write_all(&[1, 0])?;
        }
        let [5, 1, 0, kind] = read(client)? else {
            return Ok(("no CONNECT".to_owned(), false));
        };
        let host = match kind {
            1 => Ipv4Addr::from(read::<4>(client)?).to_string(),
            3 => {
                let [length] = read(client)?;
                text(client, length)?
            }
            4 => std::net::Ipv6Addr::from(read::<16>(client)?).to_string(),
            kind => format!("kind {kind}"),
        };
        let port = u16::from_be_bytes(read(client)?);
        // Bound to a name, which is as good as an address.
        client.write_all(&[5, 0, 0, 3, 4, b'h', b'e', b'r', b'e', 0, 80])?;
        Ok((format!("{host}:{port}"), true))
    }
}

/// HTTP's CONNECT, which answers with these octets if the client has this login.
pub fn http(
    authorization: Option<&'static str>,
    answer: &'static [u8],
) -> impl Fn(&mut TcpStream) -> io::Result<(String, bool)> {
    move |client| {
        let mut lines = Vec::new();
        let mut reader = BufReader::new(client.try_clone()?);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim_end().is_empty() {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        let known = lines
            .iter()
            .find_map(|line| line.strip_prefix("Proxy-Authorization: "));
        if known != authorization {
            client.write_all(b"HTTP/1.1 407 Who are you?\r\n\r\n")?;
            return Ok((lines.join("|"), false));
        }
        client.write_all(answer)?;
        Ok((lines.join("|"), answer.starts_with(b"HTTP/1.1 2")))
    }
}

fn read<const N: usize>(client: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    client.read_exact(&mut octets)?;
    Ok(octets)
}

fn text(client: &mut TcpStream, length: u8) -> io::Result<String> {
    let mut octets = vec![0; usize::from(length)];
    client.read_exact(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}
