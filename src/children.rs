//! The programs that popsync has started and that may still run. When popsync ends at once, it ends
//! them too: most have a process group of their own, which Ctrl-C does not reach.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The variables of popsync's environment that a program of the user inherits: only those that say
/// who and where it runs, since another one may hold a password.
pub(crate) const ENVIRONMENT: [&str; 9] = [
    "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER",
];

/// The programs whose end nobody has waited for, so that their numbers are still their own.
static ALIVE: Mutex<Vec<Reach>> = Mutex::new(Vec::new());

/// The target of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// A single program.
    Process(Pid),
    /// A program and all its children.
    Group(Pid),
}

impl Reach {
    fn kill(self) {
        // It does not matter if none is left.
        let _ = match self {
            Self::Process(pid) => kill_process(pid, Signal::KILL),
            Self::Group(pid) => kill_process_group(pid, Signal::KILL),
        };
    }
}

/// A program in the list. Drop it before its exit status is collected, which frees its number.
#[derive(Debug)]
pub(crate) struct Listed(Reach);

impl Listed {
    /// Ends the program.
    pub(crate) fn kill(&self) {
        self.0.kill();
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut alive = alive();
        if let Some(place) = alive.iter().position(|reach| *reach == self.0) {
            alive.swap_remove(place);
        }
    }
}

/// Starts a program. It is in the list from the first moment.
pub(crate) fn start<C>(
    spawn: impl FnOnce() -> io::Result<C>,
    reach: impl FnOnce(&C) -> Option<Reach>,
) -> io::Result<(C, Option<Listed>)> {
    let mut alive = alive();
    let child = spawn()?;
    let listed = reach(&child).map(|reach| {
        alive.push(reach);
        Listed(reach)
    });
    Ok((child, listed))
}

/// Ends all of them. No other can be started after that.
#[cfg(feature = "cli")]
pub(crate) fn end_all() {
    let alive = alive();
    for reach in alive.iter() {
        reach.kill();
    }
    // The lock is never released, so that no other is started.
    std::mem::forget(alive);
}

fn alive() -> MutexGuard<'static, Vec<Reach>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
