//! One connection: the loop between a socket, TLS and the engine.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::clock::Wake;
use crate::knobs::{CloseHow, StlsStrip};
use crate::session::{Session, Step};
use crate::site::{Progress, Site};
use crate::tls::{Authority, HANDSHAKE_FAILURE_ALERT, PROTOCOL_VERSION_ALERT};
use crate::transcript::Port;
use crate::wire::{Incoming, Wire};

/// How long an orderly close waits for the client's end.
const PATIENCE: Duration = Duration::from_millis(250);

/// The common parts of all connections of a server.
pub(crate) struct Host {
    pub(crate) site: Arc<Site>,
    pub(crate) authority: Authority,
    pub(crate) stopping: AtomicBool,
}

/// Serves a connection until it ends.
pub(crate) fn serve(host: &Host, stream: Arc<TcpStream>, incoming: &Arc<Incoming>, port: Port) {
    let _ = stream.set_nodelay(true);
    let sleeper: Arc<dyn Wake> = Arc::<Incoming>::clone(incoming);
    host.site.clock.register(Arc::downgrade(&sleeper));
    let reader = {
        let (stream, incoming) = (Arc::clone(&stream), Arc::clone(incoming));
        thread::spawn(move || incoming.read_all(&stream))
    };
    let mut connection = Connection {
        session: host.site.session(port),
        wire: Wire::new(Arc::clone(&stream)),
        host,
        incoming,
        plain: Vec::new(),
        ended: false,
        handshaking: false,
    };
    let hang_up = HangUp { stream, incoming };
    let how = connection.run(port);
    let Connection { session, wire, .. } = connection;
    drop(session);
    let patience = if host.stopping.load(Ordering::SeqCst) {
        Duration::ZERO
    } else {
        PATIENCE
    };
    wire.close(how, incoming, patience);
    incoming.stop();
    drop(hang_up);
    // The reader holds the socket too: a reset happens only once both have let go of it.
    let _ = reader.join();
}

/// Ends the connection when a test's hook panics; the reader would keep it open.
struct HangUp<'a> {
    stream: Arc<TcpStream>,
    incoming: &'a Incoming,
}

impl Drop for HangUp<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.stream.shutdown(Shutdown::Both);
            self.incoming.stop();
        }
    }
}

struct Connection<'a> {
    host: &'a Host,
    incoming: &'a Incoming,
    session: Session,
    wire: Wire,
    plain: Vec<u8>,
    /// The client sends no more.
    ended: bool,
    handshaking: bool,
}

impl Connection<'_> {
    /// Runs until the connection is to be closed. Returns how to close it.
    fn run(&mut self, port: Port) -> CloseHow {
        if port == Port::Tls && !self.begin_handshake() {
            return CloseHow::Fin;
        }
        let mut out = Vec::new();
        loop {
            if self.host.stopping.load(Ordering::SeqCst) {
                return CloseHow::Fin;
            }
            if !self.take_input() {
                self.session.end(true);
                return CloseHow::Fin;
            }
            self.session.tick();
            if self.handshaking {
                if self.ended || self.session.is_over() {
                    self.session.note("the handshake was not completed");
                    self.session.end(self.ended);
                    return CloseHow::Fin;
                }
                self.wait(self.session.deadline());
                continue;
            }
            out.clear();
            let step = self.session.pull(&mut out);
            match step {
                Step::Send => {
                    self.drop_early_input();
                    if self.wire.send(&out).is_err() {
                        self.session.end(true);
                        return CloseHow::Fin;
                    }
                    self.progress(out.len());
                }
                Step::Idle | Step::Sleep(_) if self.ended => {
                    self.session.end(true);
                    return CloseHow::Fin;
                }
                Step::Idle => self.wait(self.session.deadline()),
                Step::Sleep(until) => self.wait(Some(until)),
                Step::StartTls => {
                    if !self.begin_handshake() {
                        return CloseHow::Fin;
                    }
                }
                Step::Close(how) => return how,
            }
        }
    }

    /// Feeds the engine with the input. Returns true if the connection can go on.
    fn take_input(&mut self) -> bool {
        if self.session.tls_is_next() {
            return true;
        }
        let (raw, ended) = self.incoming.take();
        let was_handshaking = self.handshaking;
        match self.wire.receive(&raw, &mut self.plain) {
            Ok(closed) => self.ended |= ended || closed,
            Err(error) => {
                self.session.note(format!("TLS failed: {error}"));
                return false;
            }
        }
        self.handshaking = self.wire.is_handshaking();
        if was_handshaking && !self.handshaking {
            let certificate = self.session.knobs().certificate;
            let identity = self.host.authority.identity(certificate);
            let binding = identity.map(|identity| crate::tls::end_point(&identity.leaf));
            self.session.tls_begins(binding.ok());
        }
        if !self.handshaking {
            self.session.receive(&self.plain);
            self.plain.clear();
        }
        true
    }

    /// For servers that do not understand pipelining: drops all input that came before an answer
    /// was sent.
    fn drop_early_input(&mut self) {
        if !self.session.drops_early_input() {
            return;
        }
        let (raw, ended) = self.incoming.take();
        self.ended |= ended;
        if self.wire.receive(&raw, &mut self.plain).is_ok() && !self.plain.is_empty() {
            let dropped = self.plain.len();
            self.session
                .note(format!("{dropped} octets before the answer thrown away"));
        }
        self.plain.clear();
    }

    /// Begins TLS, unless a knob says that it fails.
    fn begin_handshake(&mut self) -> bool {
        let knobs = self.session.knobs();
        let alert = if knobs.tls_version_alert {
            Some(PROTOCOL_VERSION_ALERT)
        } else if knobs.stls_strip == Some(StlsStrip::HandshakeFails) {
            Some(HANDSHAKE_FAILURE_ALERT)
        } else {
            None
        };
        if let Some(alert) = alert {
            // The client speaks first; an alert before its hello would be out of order.
            self.incoming.wait(Some(PATIENCE));
            let _ = self.wire.send_raw(&alert);
            self.session.note("the handshake was refused");
            return false;
        }
        let identity = self.host.authority.identity(knobs.certificate);
        match identity.and_then(|identity| self.wire.start_tls(&identity)) {
            Ok(()) => {
                self.handshaking = true;
                true
            }
            Err(error) => {
                self.session.note(format!("TLS failed: {error}"));
                false
            }
        }
    }

    fn wait(&self, until: Option<Duration>) {
        let at_most = until.and_then(|until| self.host.site.clock.sleep_at_most(until));
        self.incoming.wait(at_most);
    }

    fn progress(&self, octets: usize) {
        let site = &self.host.site;
        let octets = octets as u64;
        let total = site.total_octets.fetch_add(octets, Ordering::SeqCst) + octets;
        if let Some(hook) = &site.on_progress {
            hook(&Progress {
                session: self.session.id(),
                session_octets: self.session.octets_sent(),
                total_octets: total,
            });
        }
        let pause = self.session.knobs().chunk_pause;
        if !pause.is_zero() {
            thread::sleep(pause);
        }
    }
}
