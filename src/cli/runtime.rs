//! The environment of commands that wait for servers: a runtime, signals, and reported panics.

use std::io;
use std::num::NonZero;
use std::panic;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::account::Account;
use crate::exit::Exit;
use crate::stop::Stop;
use crate::sync::{Allow, Request, system_clock};

use super::output::{Output, StartError, Watcher};
use super::prompt::Terminal;
use super::signals::{self, Reload};

/// The time at the end to wait for unneeded tasks, such as an account's pipe that gives no
/// password.
pub(super) const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// Threads for work that blocks stay until the end: there may be no other in their place.
const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

/// Runs `action`, which has work for `jobs` threads. It gets a [`Stop`] for the user's signals.
pub(super) fn within(
    output: &Arc<Output>,
    jobs: usize,
    action: impl AsyncFnOnce(Stop) -> Exit,
) -> Exit {
    let listening = signals::listen(output);
    begin(output, jobs, listening, action)
}

/// The same for a command that keeps running: SIGHUP does not end it, and arrives as a [`Reload`].
pub(super) fn within_reloading(
    output: &Arc<Output>,
    jobs: usize,
    action: impl AsyncFnOnce(Stop, Reload) -> Exit,
) -> Exit {
    let listening = signals::listen_for_reloads(output);
    begin(output, jobs, listening, async |(stop, reload)| {
        action(stop, reload).await
    })
}

fn begin<S>(
    output: &Arc<Output>,
    jobs: usize,
    listening: io::Result<S>,
    action: impl AsyncFnOnce(S) -> Exit,
) -> Exit {
    let started = listening.and_then(|signals| {
        let runtime = runtime(jobs)?;
        // Tokio panics if it cannot start its first thread for work that blocks. That one stays; work
        // that finds no other waits for it.
        let spare = thread::Builder::new().spawn(|| {})?;
        // It cannot panic.
        let _ = spare.join();
        runtime.spawn_blocking(|| {});
        Ok((signals, runtime))
    });
    let (signals, runtime) = match started {
        Ok(started) => started,
        Err(error) => return output.failure(None, &StartError::Runtime(error)),
    };
    tell_panics(output);
    let exit = runtime.block_on(action(signals));
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    exit
}

/// One thread for one job: a sync has threads of its own for its accounts. Several jobs need more: one may
/// hash while the others serve their sockets. More threads than the machine can run at once would only get
/// into each other's way.
fn runtime(jobs: usize) -> io::Result<Runtime> {
    if jobs == 1 {
        Builder::new_current_thread()
            .thread_keep_alive(FOREVER)
            .enable_all()
            .build()
    } else {
        let most = thread::available_parallelism().map_or(1, NonZero::get);
        Builder::new_multi_thread()
            .worker_threads(jobs.min(most.max(2)))
            .thread_keep_alive(FOREVER)
            .enable_all()
            .build()
    }
}

/// Runs `action` with a request that only looks at one account: without extra permissions, and
/// without a progress bar.
pub(super) async fn look<T>(
    account: &Account,
    state_dir: &Path,
    output: &Arc<Output>,
    stop: Stop,
    action: impl AsyncFnOnce(&Request<'_>) -> T,
) -> T {
    let prompt = Terminal::new(Arc::clone(output), stop.clone());
    let reporter = Watcher::new(Arc::clone(output), &account.name);
    let request = Request {
        account,
        state_dir,
        prompt: &prompt,
        reporter: &reporter,
        dry_run: false,
        allow: Allow::default(),
        same_as: None,
        clock: system_clock,
        stop,
    };
    action(&request).await
}

/// Reports panics in one safe line: their text may contain what a server sent.
///
/// Another thread reports it, because progress bars do not move for one that panics. The wait for
/// it has a limit, because the panic may hold a lock that it needs.
fn tell_panics(output: &Arc<Output>) {
    let output = Arc::clone(output);
    panic::set_hook(Box::new(move |info| {
        let place = info
            .location()
            .map_or_else(String::new, |place| format!(" at {place}"));
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let words = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let words = words.unwrap_or("no words");
        let line = format!("internal error{place}: {words}");
        let output = Arc::clone(&output);
        let (told, wait) = mpsc::channel();
        let teller = thread::Builder::new().spawn(move || {
            output.problem(None, &line);
            // The receiver is gone if it took too long.
            let _ = told.send(());
        });
        if teller.is_ok() {
            let _ = wait.recv_timeout(SHUTDOWN_TIMEOUT);
        }
    }));
}
