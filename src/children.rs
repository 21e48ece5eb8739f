//! The programs that popsync has started and that may still run. Whoever ends popsync at once ends
//! them with it: most have a process group of their own, which no Ctrl-C reaches.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The variables of popsync's environment that a program of the user gets to know: they say who and
/// where it runs, and nothing else, since a password may be among the rest.
pub(crate) const ENVIRONMENT: [&str; 9] = [
    "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER",
];

/// Those that nobody has waited for, so that their numbers are still their own.
static ALIVE: Mutex<Vec<Reach>> = Mutex::new(Vec::new());

/// The target of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// A program alone.
    Process(Pid),
    /// A program and all that it has started.
    Group(Pid),
}

impl Reach {
    fn kill(self) {
        // Nobody left to kill is fine.
        let _ = match self {
            Self::Process(pid) => kill_process(pid, Signal::KILL),
            Self::Group(pid) => kill_process_group(pid, Signal::KILL),
        };
    }
}

/// A program in the list; dropped before its end is taken note of, which frees its number.
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

/// Starts a program. It is in the list from its first moment.
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

/// Ends all of them. No other is started any more.
#[cfg(feature = "cli")]
pub(crate) fn end_all() {
    let alive = alive();
    for reach in alive.iter() {
        reach.kill();
    }
    // The lock is never given back.
    std::mem::forget(alive);
}

fn alive() -> MutexGuard<'static, Vec<Reach>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
