//! A replacement for inetd, for servers that expect it: it listens, and gives each connection to a
//! process of its own as standard input and output.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The time limit for a session to end once its client is gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// One port of 127.0.0.1, and the sessions on it.
pub(crate) struct Inetd {
    port: u16,
    over: Arc<AtomicBool>,
    sessions: Arc<Mutex<Vec<Child>>>,
    thread: Option<JoinHandle<()>>,
}

impl Inetd {
    /// Listens; `command` is run for each connection.
    pub(crate) fn serve(mut command: Command) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let over = Arc::new(AtomicBool::new(false));
        let sessions = Arc::new(Mutex::new(Vec::new()));
        let (told, kept) = (Arc::clone(&over), Arc::clone(&sessions));
        let thread = thread::spawn(move || {
            for connection in listener.incoming() {
                if told.load(Ordering::Relaxed) {
                    break;
                }
                let connection = OwnedFd::from(connection.unwrap());
                let session = command
                    .stdin(connection.try_clone().unwrap())
                    .stdout(connection)
                    .stderr(Stdio::null())
                    .spawn();
                locked(&kept).push(session.unwrap());
                // Otherwise the connection would stay open here after the session has ended.
                command.stdin(Stdio::null()).stdout(Stdio::null());
            }
        });
        Self {
            port,
            over,
            sessions,
            thread: Some(thread),
        }
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits until all sessions so far have ended: their changes are made then, and their locks are
    /// released.
    pub(crate) fn settle(&self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut sessions = locked(&self.sessions);
            sessions.retain_mut(|session| session.try_wait().unwrap().is_none());
            if sessions.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "a session does not end");
            drop(sessions);
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Inetd {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // It is waiting for a connection.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let _ = self.thread.take().map(JoinHandle::join);
        for session in locked(&self.sessions).iter_mut() {
            let _ = session.kill();
            let _ = session.wait();
        }
    }
}

fn locked(sessions: &Mutex<Vec<Child>>) -> MutexGuard<'_, Vec<Child>> {
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}
