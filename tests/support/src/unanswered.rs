//! A port where nobody listens, and that nobody else gets meanwhile.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};

/// A port of the loopback interface that refuses connections.
#[derive(Debug)]
pub struct Unanswered {
    port: u16,
    /// Bound, and not listening.
    _socket: OwnedFd,
}

impl Unanswered {
    /// Takes a free port.
    pub fn bind() -> Self {
        let taken = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&taken, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = SocketAddr::try_from(getsockname(&taken).unwrap()).unwrap();
        Self {
            port: address.port(),
            _socket: taken,
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}
