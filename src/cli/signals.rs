//! Signals. SIGHUP, SIGINT, SIGQUIT and SIGTERM ask for an orderly end, and a second one ends
//! popsync at once. With `--every`, SIGHUP makes it read the configuration again. SIGXFSZ does not
//! end popsync.

use std::fs;
use std::future;
use std::io;
use std::process;
use std::sync::Arc;
use std::thread;

use rustix::process::Signal as Number;
use tokio::runtime;
use tokio::signal::unix::{Signal as Arrivals, SignalKind, signal};
use tokio::sync::watch;

use crate::children;
use crate::stop::{Signal, Stop, Stopper};

use super::descriptors;
use super::output::Output;
use super::prompt;

/// Makes a write beyond the limit on files (`ulimit -f`) fail. Without a handler, SIGXFSZ would end
/// popsync. Call it before anything is written.
///
/// It is handled and not ignored: programs that popsync starts would inherit the latter.
pub(super) fn survive_large_files() -> io::Result<()> {
    descriptors::for_a_runtime()?;
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    // The handler stays installed after its receiver is dropped.
    signal(SignalKind::from_raw(Number::XFSZ.as_raw())).map(drop)
}

/// Begins to listen. The returned [`Stop`] reports the first signal.
///
/// A thread of its own listens, so that signals arrive while a password prompt blocks.
pub(super) fn listen(output: &Arc<Output>) -> io::Result<Stop> {
    hear(output, None)
}

/// The same, but SIGHUP does not end popsync: it makes it read the configuration again.
pub(super) fn listen_for_reloads(output: &Arc<Output>) -> io::Result<(Stop, Reload)> {
    let (sender, asked) = watch::channel(());
    Ok((hear(output, Some(sender))?, Reload(asked)))
}

/// Reports requests to read the configuration again.
pub(super) struct Reload(watch::Receiver<()>);

impl Reload {
    /// Waits for a request. Several that came meanwhile count as one.
    pub(super) async fn asked(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody can ask any more.
            future::pending().await
        }
    }
}

fn hear(output: &Arc<Output>, reload: Option<watch::Sender<()>>) -> io::Result<Stop> {
    let (stopper, stop) = Stop::pair();
    descriptors::for_a_runtime()?;
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let ears = {
        let _inside = runtime.enter();
        Ears::open()?
    };
    let output = Arc::clone(output);
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(serve(ears, &stopper, reload, &output)))?;
    Ok(stop)
}

async fn serve(
    mut ears: Ears,
    stopper: &Stopper,
    reload: Option<watch::Sender<()>>,
    output: &Output,
) {
    let first = loop {
        match (ears.next().await, &reload) {
            (Signal::HangUp, Some(reload)) => {
                // The receiver is gone when popsync ends.
                let _ = reload.send(());
            }
            (signal, _) => break signal,
        }
    };
    stopper.stop(first);
    tracing::debug!(target: "popsync", "stopping: what is complete is recorded first");
    // Another SIGHUP is not a second request: the shell sends one when it ends, after the
    // terminal's, and systemd may send one after SIGTERM.
    while ears.next().await == Signal::HangUp {}
    end_at_once(output, first);
}

/// The streams of signals. None for a signal that was ignored when popsync started, as by nohup, or
/// by a shell for a background job.
struct Ears {
    hang_up: Option<Arrivals>,
    interrupt: Option<Arrivals>,
    quit: Option<Arrivals>,
    terminate: Option<Arrivals>,
}

impl Ears {
    fn open() -> io::Result<Self> {
        let ignored = ignored();
        let open = |number: Number| {
            let raw = number.as_raw();
            let is_ignored = ignored >> (raw - 1) & 1 == 1;
            let kind = SignalKind::from_raw(raw);
            (!is_ignored).then(|| signal(kind)).transpose()
        };
        Ok(Self {
            hang_up: open(Number::HUP)?,
            interrupt: open(Number::INT)?,
            quit: open(Number::QUIT)?,
            terminate: open(Number::TERM)?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            () = one(&mut self.hang_up) => Signal::HangUp,
            () = one(&mut self.interrupt) => Signal::Interrupt,
            () = one(&mut self.quit) => Signal::Quit,
            () = one(&mut self.terminate) => Signal::Terminate,
        }
    }
}

async fn one(arrivals: &mut Option<Arrivals>) {
    let arrived = match arrivals {
        Some(arrivals) => arrivals.recv().await,
        None => None,
    };
    if arrived.is_none() {
        future::pending().await
    }
}

/// The ignored signals as bits, the first signal lowest. Only Linux reports them; elsewhere it is
/// empty.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.unwrap_or_default()
}

#[expect(
    clippy::exit,
    reason = "the user asked twice; no orderly end is wanted"
)]
fn end_at_once(output: &Output, signal: Signal) {
    children::end_all();
    prompt::restore();
    output.clear();
    process::exit(signal.exit().code().into());
}
