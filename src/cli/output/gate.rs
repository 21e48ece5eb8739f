//! Standard error, whose lines wait while a question stands on the terminal: they would go on in
//! its line, and leave the person who types without it.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// As much as waits. A log may say more while nobody answers; the question is disturbed then.
const MOST: usize = 1 << 20;

/// Where lines go.
pub(super) struct Gate(Mutex<State>);

struct State {
    to: Box<dyn Write + Send>,
    /// What waits, while there is a question.
    waiting: Option<Vec<u8>>,
}

impl Gate {
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
            Some(waiting) if waiting.len() + line.len() <= MOST => {
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
    pub(super) fn shut(&self) -> Shut<'_> {
        self.state().waiting.get_or_insert_default();
        Shut(self)
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
pub(super) struct Shut<'a>(&'a Gate);

impl Drop for Shut<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if let Some(lines) = state.waiting.take() {
            state.put(&lines);
        }
    }
}
