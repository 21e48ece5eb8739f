//! SIGINT and SIGTERM: the first asks for an orderly end, the second ends at once.

use std::io;
use std::process;
use std::sync::Arc;
use std::thread;

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;

use super::output::Output;
use super::prompt;

/// Begins to listen; what is given becomes true with the first signal.
///
/// A thread of its own listens, so that signals arrive while a person is asked for a password,
/// which blocks.
pub(super) fn listen(output: &Arc<Output>) -> io::Result<watch::Receiver<bool>> {
    let (sender, stop) = watch::channel(false);
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    let output = Arc::clone(output);
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                either(&mut interrupt, &mut terminate).await;
                tracing::debug!(target: "popsync", "stopping: what is complete is recorded first");
                sender.send_replace(true);
                either(&mut interrupt, &mut terminate).await;
                end_at_once(&output);
            });
        })?;
    Ok(stop)
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[expect(
    clippy::exit,
    reason = "the user asked twice; no orderly end is wanted"
)]
fn end_at_once(output: &Output) {
    prompt::restore();
    output.clear();
    process::exit(Exit::Interrupted.code().into());
}
