//! Asks for a password on the terminal, without echo.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::account::Account;
use crate::auth::source::{Prompt, Unanswered};
use crate::stop::Stop;

use super::output::{Output, sanitize};

/// The longest line that is read; a terminal returns at most 4096 bytes at once.
const LIMIT: usize = 4096;

/// The interval of checks for a signal that stops popsync.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// The terminal whose echo is off at the moment, and its former state.
static SILENT: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// The person at the terminal, if there is one.
pub(super) struct Terminal {
    output: Arc<Output>,
    stop: Stop,
    /// Allows one question at a time.
    turn: Mutex<()>,
}

impl Terminal {
    pub(super) fn new(output: Arc<Output>, stop: Stop) -> Self {
        Self {
            output,
            stop,
            turn: Mutex::new(()),
        }
    }

    fn ask(&self, question: &str) -> Result<SecretString, Unanswered> {
        let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let answer = {
            let _echo = Silence::begin(&terminal)?;
            terminal.write_all(question.as_bytes())?;
            self.line(&terminal)
        };
        // The line end that was typed was not echoed either.
        terminal.write_all(b"\n")?;
        answer
    }

    /// Asks a question with echo. None if nobody is there to ask.
    pub(super) fn question(&self, question: &str) -> Result<Option<String>, Unanswered> {
        if !self.is_there() {
            return Ok(None);
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
        terminal.write_all(sanitize::text(question).as_bytes())?;
        let answer = self.line(&terminal)?;
        Ok(Some(answer.expose_secret().trim().to_owned()))
    }

    fn go_on(&self) -> Result<(), Unanswered> {
        self.stop
            .asked()
            .map_or(Ok(()), |signal| Err(Unanswered::Stopped(signal)))
    }

    fn line(&self, mut terminal: &File) -> Result<SecretString, Unanswered> {
        // Never grown: a buffer that grows leaves a copy behind.
        let mut buffer = Zeroizing::new([0; LIMIT]);
        let mut filled = 0;
        loop {
            self.go_on()?;
            let mut ready = [PollFd::new(terminal, PollFlags::IN)];
            match poll(&mut ready, Some(&LOOK)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
            let count = match terminal.read(&mut buffer[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            filled += count;
            let ended = count == 0 || buffer[..filled].contains(&b'\n');
            if ended || filled == buffer.len() {
                let typed = &buffer[..filled];
                let typed = typed.strip_suffix(b"\n").unwrap_or(typed);
                let text = str::from_utf8(typed)
                    .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))?;
                return Ok(SecretString::from(Box::<str>::from(text)));
            }
        }
    }
}

impl Prompt for Terminal {
    fn is_there(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn password(&self, account: &Account) -> Result<SecretString, Unanswered> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.go_on()?;
        let question = format!(
            "Password for {} ({} at {}): ",
            sanitize::text(account.name()),
            sanitize::text(&account.user),
            sanitize::text(&account.server.host)
        );
        self.output.question(|| self.ask(&question))
    }
}

/// While this lives, the terminal does not echo.
struct Silence;

impl Silence {
    fn begin(terminal: &File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        let copy = terminal.try_clone()?;
        let mut guard = SILENT.lock().unwrap_or_else(PoisonError::into_inner);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        *guard = Some((copy, before));
        Ok(Self)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        restore();
    }
}

/// Turns the echo on again. Also used when the process ends at once.
pub(super) fn restore() {
    let mut guard = SILENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((terminal, before)) = guard.take() {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(&terminal, OptionalActions::Flush, &before);
    }
}
