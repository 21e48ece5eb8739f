//! The points where crash tests stop the program.

/// Ends the process at once, as `kill -9` would, if the environment variable `POPSYNC_STOP_AT`
/// holds `STEP` or `STEP:N` and this is the first (or the Nth) time that the run reaches step STEP
/// of the store's order. Debug builds only: in release builds this does nothing.
pub(crate) fn stop_point(step: u32) {
    #[cfg(debug_assertions)]
    debug::stop_point(step);
    #[cfg(not(debug_assertions))]
    let _ = step;
}

#[cfg(debug_assertions)]
mod debug {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static STOP_AT: LazyLock<Option<(u32, u32)>> = LazyLock::new(|| {
        let text = std::env::var("POPSYNC_STOP_AT").ok()?;
        let (step, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((step.parse().ok()?, times.parse().ok()?))
    });
    static REACHED: AtomicU32 = AtomicU32::new(0);

    pub(super) fn stop_point(step: u32) {
        let Some((stop, times)) = *STOP_AT else {
            return;
        };
        if step == stop && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == times {
            let pid = rustix::process::getpid();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}
