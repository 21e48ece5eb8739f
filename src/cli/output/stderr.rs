//! Standard error, whose lines wait while a question stands on the terminal: they would go on in
//! its line, and leave the person who types without it.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// As much as waits. A log may say more while nobody answers; the question is disturbed then.
const MAX_WAITING: usize = 1 << 20;

/// Where lines go.
pub(super) struct Stderr(Mutex<State>);

struct State {
    to: Box<dyn Write + Send>,
    /// What waits, while there is a question.
    waiting: Option<Vec<u8>>,
}

impl Stderr {
    pub(super) fn new(to: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(State {
            to: Box::new(to),
            waiting: None,
        }))
    }

    /// Writes a line, or has it wait.
    pub(super) fn write(&self, line: &str) {
        let mut state = self.state();
        let line = format!("{line}\n");
        match &mut state.waiting {
            Some(waiting) if waiting.len() + line.len() <= MAX_WAITING => {
                waiting.extend_from_slice(line.as_bytes());
            }
            Some(waiting) => {
                let mut lines = std::mem::take(waiting);
                lines.extend_from_slice(line.as_bytes());
                state.put(&lines);
            }
            None => state.put(line.as_bytes()),
        }
    }

    /// Has lines wait until what is given is dropped.
    pub(super) fn hold(&self) -> Held<'_> {
        self.state().waiting.get_or_insert_default();
        Held(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, lines: &[u8]) {
        // There is nowhere left to say that stderr cannot be written.
        let _ = self.to.write_all(lines);
    }
}

/// While this lives, lines wait.
pub(super) struct Held<'a>(&'a Stderr);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if let Some(lines) = state.waiting.take() {
            state.put(&lines);
        }
    }
}
