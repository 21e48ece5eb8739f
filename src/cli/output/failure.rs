//! The one place that prints an error which ends a command, or the run of an account.

use std::borrow::Cow;
use std::io;

use crate::descriptors;
use crate::exit::Exit;
use crate::failure::Failure;

use super::json::Line;
use super::{Output, chain, sanitize};

impl Output {
    /// Prints an error of an account, or of the whole command: for people the message, the place
    /// in a file and the hint, for programs the same on one line. Gives its status.
    pub(in crate::cli) fn failure(&self, account: Option<&str>, error: &dyn Failure) -> Exit {
        self.complain(account, &chain(error), error);
        self.error_line(account, error)
    }

    /// Shows an error to people, with a message of its own.
    pub(super) fn complain(&self, account: Option<&str>, message: &str, error: &dyn Failure) {
        self.problem(account, message);
        for line in error.snippet().iter().flat_map(|snippet| snippet.lines()) {
            self.line(line);
        }
        self.hint(error.hint().as_deref());
    }

    /// Shows an error to programs. Returns its status.
    pub(super) fn error_line(&self, account: Option<&str>, error: &dyn Failure) -> Exit {
        let exit = error.exit();
        self.json(|| Line::Error {
            account,
            exit: exit.code(),
            message: sanitize::text(&chain(error)).into_owned(),
            hint: error.hint().map(Cow::into_owned),
        });
        exit
    }
}

/// Standard output did not take what was written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub(in crate::cli) struct StdoutError(#[source] pub(in crate::cli) io::Error);

impl Failure for StdoutError {
    fn exit(&self) -> Exit {
        Exit::IoError
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        None
    }
}

/// The task of an account ended by a panic, which the panic hook has told.
#[derive(Debug, thiserror::Error)]
#[error("stopped by an internal error")]
pub(in crate::cli) struct Panicked;

impl Failure for Panicked {
    fn exit(&self) -> Exit {
        Exit::IoError
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some("this is a bug in popsync; please report it with the line above".into())
    }
}

/// A thing is missing that every command needs.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum StartError {
    /// No thread, no signal handler, or no file descriptor for them.
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    /// So many accounts at once need more open files than the system allows.
    #[error("{limit} open files are too few for {jobs} accounts at once")]
    TooFewFiles {
        /// The files that may be open.
        limit: u64,
        /// The accounts.
        jobs: usize,
    },
}

impl Failure for StartError {
    fn exit(&self) -> Exit {
        Exit::IoError
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            // The error of a thread that the system does not start.
            Self::Runtime(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Some("allow more processes with `ulimit -u`, or end some".into())
            }
            Self::Runtime(error) if !descriptors::are_exhausted(error) => None,
            Self::Runtime(_) | Self::TooFewFiles { .. } => Some(descriptors::ADVICE.into()),
        }
    }
}
