//! A socket, with or without TLS, and a thread that reads it.
//!
//! Reading has a thread of its own so that a connection can wait for input, for a timer and for
//! a clock that is advanced by hand at once, without polling.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConnection;

use crate::clock::{Wake, lock};
use crate::knobs::CloseHow;
use crate::tls::Identity;

/// The maximum amount of unread input.
const MOST_WAITING: usize = 1024 * 1024;

/// Input that was read from the socket and not yet taken.
#[derive(Default)]
pub(crate) struct Incoming {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    octets: Vec<u8>,
    ended: bool,
    woken: bool,
    stopped: bool,
}

impl Incoming {
    /// Reads the socket until it ends.
    pub(crate) fn read_all(&self, stream: &TcpStream) {
        let mut buffer = vec![0; 16 * 1024];
        let mut stream = stream;
        loop {
            let read = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let mut state = lock(&self.state);
            while state.octets.len() > MOST_WAITING && !state.stopped {
                let waited = self.changed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
            state.octets.extend_from_slice(&buffer[..read]);
            drop(state);
            self.changed.notify_all();
        }
        lock(&self.state).ended = true;
        self.changed.notify_all();
    }

    /// Takes the input. Also returns true if the input has ended after it.
    pub(crate) fn take(&self) -> (Vec<u8>, bool) {
        let mut state = lock(&self.state);
        state.woken = false;
        let octets = std::mem::take(&mut state.octets);
        let ended = state.ended;
        drop(state);
        if !octets.is_empty() {
            self.changed.notify_all();
        }
        (octets, ended)
    }

    /// Waits for input, its end, or a wake-up, for a limited time.
    pub(crate) fn wait(&self, at_most: Option<Duration>) {
        let state = lock(&self.state);
        let nothing = |state: &mut Waiting| {
            state.octets.is_empty() && !state.ended && !state.woken && !state.stopped
        };
        match at_most {
            Some(time) => drop(self.changed.wait_timeout_while(state, time, nothing)),
            None => drop(self.changed.wait_while(state, nothing)),
        }
    }

    /// Waits for the end of the input, which is dropped, for a limited time.
    fn wait_for_end(&self, at_most: Duration) {
        let state = lock(&self.state);
        drop(self.changed.wait_timeout_while(state, at_most, |state| {
            state.octets.clear();
            !state.ended && !state.stopped
        }));
    }

    pub(crate) fn stop(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_all();
    }
}

impl Wake for Incoming {
    fn wake(&self) {
        lock(&self.state).woken = true;
        self.changed.notify_all();
    }
}

/// The sending side of a socket, and TLS.
pub(crate) struct Wire {
    stream: Arc<TcpStream>,
    tls: Option<Box<ServerConnection>>,
}

impl Wire {
    pub(crate) fn new(stream: Arc<TcpStream>) -> Self {
        Self { stream, tls: None }
    }

    /// Begins a handshake.
    pub(crate) fn start_tls(&mut self, identity: &Identity) -> io::Result<()> {
        let tls = ServerConnection::new(Arc::clone(&identity.config)).map_err(io::Error::other)?;
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Takes octets of the socket and appends those of the client to `plain`. Returns true if the
    /// client ended TLS.
    pub(crate) fn receive(&mut self, raw: &[u8], plain: &mut Vec<u8>) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else {
            plain.extend_from_slice(raw);
            return Ok(false);
        };
        let mut rest = raw;
        let mut closed = false;
        while !rest.is_empty() && !closed {
            tls.read_tls(&mut rest)?;
            let state = match tls.process_new_packets() {
                Ok(state) => state,
                Err(error) => {
                    // The alert that says why.
                    let _ = tls.write_tls(&mut &*self.stream);
                    return Err(io::Error::other(error));
                }
            };
            closed = state.peer_has_closed();
            match tls.reader().read_to_end(plain) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        self.flush()?;
        Ok(closed)
    }

    /// Sends octets; with TLS, as records of their own.
    pub(crate) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return (&*self.stream).write_all(octets);
        };
        let mut rest = octets;
        while !rest.is_empty() {
            let taken = tls.writer().write(rest)?;
            rest = &rest[taken..];
            while tls.wants_write() {
                tls.write_tls(&mut &*self.stream)?;
            }
        }
        Ok(())
    }

    /// Sends octets past TLS.
    pub(crate) fn send_raw(&mut self, octets: &[u8]) -> io::Result<()> {
        (&*self.stream).write_all(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                tls.write_tls(&mut &*self.stream)?;
            }
        }
        Ok(())
    }

    /// Ends the output. Reads remaining input for a moment, because closing a socket with unread
    /// input causes a reset instead of an orderly end.
    pub(crate) fn close(mut self, how: CloseHow, incoming: &Incoming, patience: Duration) {
        if how == CloseHow::Fin
            && let Some(tls) = &mut self.tls
        {
            tls.send_close_notify();
            let _ = self.flush();
        }
        if how == CloseHow::Reset {
            let _ = socket2::SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO));
            let _ = self.stream.shutdown(Shutdown::Read);
            return;
        }
        let _ = self.stream.shutdown(Shutdown::Write);
        incoming.wait_for_end(patience);
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
