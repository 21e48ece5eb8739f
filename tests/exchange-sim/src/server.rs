//! The server: listeners, and a thread for each connection.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::builder::{Builder, Ports};
use crate::clock::lock;
use crate::connection::{Host, serve};
use crate::profile::Profile;
use crate::site::Site;
use crate::tls::Authority;
use crate::transcript::Port;
use crate::wire::Incoming;

/// How long the end of a server waits for its connections.
const END: Duration = Duration::from_secs(2);

/// A running server. Its state and actions beyond its ports are in [`Site`], to which it
/// dereferences. When it is dropped, listeners and connections end.
pub struct Server {
    host: Arc<Host>,
    open: Arc<Open>,
    listeners: Vec<(SocketAddr, JoinHandle<()>)>,
    plain_port: Option<u16>,
    tls_port: Option<u16>,
}

/// The connections that are open.
#[derive(Default)]
struct Open {
    connections: Mutex<Vec<Handles>>,
    changed: Condvar,
}

/// Handles to end a connection from outside. The sockets are held weakly: a reset happens only when
/// the last owner drops the socket.
struct Handles {
    stream: Weak<TcpStream>,
    incoming: Weak<Incoming>,
}

impl Server {
    /// Begins to describe a server.
    pub fn builder(profile: Profile) -> Builder {
        Builder::new(profile)
    }

    pub(crate) fn start(site: Arc<Site>, ports: &Ports) -> io::Result<Self> {
        let host = Arc::new(Host {
            site,
            authority: Authority::new()?,
            stopping: AtomicBool::new(false),
        });
        let mut server = Self {
            host,
            open: Arc::default(),
            listeners: Vec::new(),
            plain_port: None,
            tls_port: None,
        };
        if ports.plain {
            server.plain_port = Some(server.listen(Port::Plain, ports.ipv6)?);
        }
        if ports.tls {
            server.tls_port = Some(server.listen(Port::Tls, ports.ipv6)?);
        }
        Ok(server)
    }

    /// Listens on a free port of 127.0.0.1, and on the same of `[::1]` if asked.
    fn listen(&mut self, port: Port, ipv6: bool) -> io::Result<u16> {
        let mut attempts = 0;
        let (first, second) = loop {
            let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            if !ipv6 {
                break (first, None);
            }
            match TcpListener::bind((Ipv6Addr::LOCALHOST, first.local_addr()?.port())) {
                Ok(second) => break (first, Some(second)),
                // The number may be taken there; another one will not be.
                Err(_) if attempts < 20 => attempts += 1,
                Err(error) => return Err(error),
            }
        };
        let number = first.local_addr()?.port();
        for listener in [Some(first), second].into_iter().flatten() {
            let address = listener.local_addr()?;
            let (host, open) = (Arc::clone(&self.host), Arc::clone(&self.open));
            let thread = thread::spawn(move || accept_all(&host, &open, &listener, port));
            self.listeners.push((address, thread));
        }
        Ok(number)
    }

    /// The port of POP3 without implicit TLS.
    ///
    /// # Panics
    ///
    /// When the server has none: Exchange Online, unless
    /// [`plain_port`](Builder::plain_port) asked for it.
    pub fn pop3_port(&self) -> u16 {
        match self.plain_port {
            Some(port) => port,
            None => panic!("this profile has no port without TLS; ask for plain_port(true)"),
        }
    }

    /// The port of POP3 inside TLS.
    ///
    /// # Panics
    ///
    /// When the server has none: Exchange 2003, unless [`tls_port`](Builder::tls_port) asked for
    /// it.
    pub fn pop3s_port(&self) -> u16 {
        match self.tls_port {
            Some(port) => port,
            None => panic!("this profile has no TLS port; ask for tls_port(true)"),
        }
    }

    /// The certificate of the CA that signs the server's certificates, as PEM.
    pub fn ca_pem(&self) -> &str {
        self.host.authority.pem()
    }

    /// Writes [`ca_pem`](Self::ca_pem) to a file.
    ///
    /// # Errors
    ///
    /// The file system's.
    pub fn write_ca(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let mut file = std::fs::File::create(path)?;
        file.write_all(self.ca_pem().as_bytes())
    }

    /// The engine's side of the server, which can be kept.
    pub fn site(&self) -> &Arc<Site> {
        &self.host.site
    }

    /// Waits until no connection is open, so that transcripts and violations are complete. Returns
    /// false if that took longer than the given real time.
    pub fn wait_until_idle(&self, at_most: Duration) -> bool {
        let end = Instant::now() + at_most;
        let mut connections = lock(&self.open.connections);
        while !connections.is_empty() {
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                return false;
            };
            let waited = self.open.changed.wait_timeout(connections, left);
            connections = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Ends all open connections with FIN, as a restart of the service would.
    pub fn disconnect_all(&self) {
        for connection in lock(&self.open.connections).iter() {
            if let Some(stream) = connection.stream.upgrade() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Deref for Server {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.host.site
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.host.stopping.store(true, Ordering::SeqCst);
        for (address, thread) in self.listeners.drain(..) {
            // A connection of our own ends the wait in accept.
            let woken = TcpStream::connect_timeout(&address, END);
            if woken.is_ok() {
                let _ = thread.join();
            }
        }
        for connection in lock(&self.open.connections).iter() {
            if let Some(incoming) = connection.incoming.upgrade() {
                incoming.stop();
            }
        }
        self.disconnect_all();
        self.wait_until_idle(END);
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("profile", &self.host.site.profile)
            .field("plain_port", &self.plain_port)
            .field("tls_port", &self.tls_port)
            .finish_non_exhaustive()
    }
}

fn accept_all(host: &Arc<Host>, open: &Arc<Open>, listener: &TcpListener, port: Port) {
    for stream in listener.incoming() {
        if host.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            continue;
        };
        let stream = Arc::new(stream);
        let incoming = Arc::new(Incoming::default());
        let weak = Arc::downgrade(&incoming);
        lock(&open.connections).push(Handles {
            stream: Arc::downgrade(&stream),
            incoming: weak.clone(),
        });
        let (host, open) = (Arc::clone(host), Arc::clone(open));
        thread::spawn(move || {
            let _leave = Leave { open: &open, weak };
            serve(&host, stream, &incoming, port);
        });
    }
}

/// Takes a connection off the list, also when its thread panicked in a test's hook.
struct Leave<'a> {
    open: &'a Open,
    weak: Weak<Incoming>,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        lock(&self.open.connections).retain(|one| !Weak::ptr_eq(&one.incoming, &self.weak));
        self.open.changed.notify_all();
    }
}
