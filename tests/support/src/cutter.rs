//! A relay in front of a server that ends each connection behind some octet of the server's, below
//! TLS: in the middle of a record, of the handshake, or of a certificate.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

/// The end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// FIN.
    Fin,
    /// RST.
    Reset,
    /// Silence, with an open connection.
    Stall,
}

/// The relay, on a port of its own.
pub struct Cutter {
    /// The port that it listens on.
    pub port: u16,
    ending: Arc<Mutex<(u64, Ending)>>,
    most: Arc<AtomicU64>,
}

impl Cutter {
    /// Relays to the server on this port, and cuts nothing yet.
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ending = Arc::new(Mutex::new((u64::MAX, Ending::Fin)));
        let most: Arc<AtomicU64> = Arc::default();
        let (at, seen) = (Arc::clone(&ending), Arc::clone(&most));
        thread::spawn(move || {
            for client in listener.incoming() {
                let ending = *at.lock().unwrap();
                let seen = Arc::clone(&seen);
                thread::spawn(move || {
                    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to))?;
                    relay(client?, server, ending, &seen)
                });
            }
        });
        Self { port, ending, most }
    }

    /// Ends connections from now on in this way, behind this many octets.
    pub fn cut(&self, behind: u64, ending: Ending) {
        *self.ending.lock().unwrap() = (behind, ending);
    }

    /// Relays whole connections again.
    pub fn heal(&self) {
        self.cut(u64::MAX, Ending::Fin);
    }

    /// The octets of the longest connection so far.
    pub fn longest(&self) -> u64 {
        self.most.load(Ordering::SeqCst)
    }
}

fn relay(
    client: TcpStream,
    mut server: TcpStream,
    (behind, ending): (u64, Ending),
    most: &AtomicU64,
) -> io::Result<()> {
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let mut client = client;
    let mut left = behind;
    let mut buffer = [0; 8192];
    while left > 0 {
        let room = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        // An error is the end, too.
        let Ok(read @ 1..) = server.read(&mut buffer[..room]) else {
            break;
        };
        client.write_all(&buffer[..read])?;
        left -= read as u64;
        most.fetch_max(behind - left, Ordering::SeqCst);
    }
    match ending {
        Ending::Stall if left == 0 => {}
        Ending::Reset if left == 0 => {
            set_socket_linger(&client, Some(Duration::ZERO))?;
            // The last descriptor of the socket sends the reset, so the other one goes first.
            client.shutdown(Shutdown::Read)?;
        }
        _ => client.shutdown(Shutdown::Both)?,
    }
    if ending == Ending::Stall {
        let _ = up.join();
        return server.shutdown(Shutdown::Both);
    }
    server.shutdown(Shutdown::Both)?;
    let _ = up.join();
    Ok(())
}
