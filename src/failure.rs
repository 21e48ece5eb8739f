//! The one way in which errors reach the user.
//!
//! Each error says for itself which exit status it leads to and what the user can do. An error that
//! has another one inside asks that one, so that the answer stands beside the variant that knows
//! it, and nowhere else.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::exit::Exit;

/// An error that can reach the user, or a part of one.
pub trait Failure: Error {
    /// The status for the shell.
    fn exit(&self) -> Exit;

    /// The advice to the user, for a line of its own; an example for a file follows on more lines.
    /// None where the message says all that there is to say.
    fn hint(&self) -> Option<Cow<'static, str>>;

    /// The place in a file, with a caret below it: several lines.
    fn snippet(&self) -> Option<String> {
        None
    }
}

/// An error with another hint than its own, where the place at which it is told knows more.
#[derive(Debug)]
pub(crate) struct Hinted<'a, E> {
    /// The error.
    pub error: &'a E,
    /// The advice to the user.
    pub hint: Option<Cow<'static, str>>,
}

impl<E: fmt::Display> fmt::Display for Hinted<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<E: Error + 'static> Error for Hinted<'_, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl<E: Failure + 'static> Failure for Hinted<'_, E> {
    fn exit(&self) -> Exit {
        self.error.exit()
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        self.hint.clone()
    }

    fn snippet(&self) -> Option<String> {
        self.error.snippet()
    }
}

/// The status of a run: that of the error which ended it, else whether all of it was done.
pub(crate) fn status(result: &Result<(), impl Failure>, failed: u64) -> Exit {
    match result {
        Err(error) => error.exit(),
        Ok(()) => Exit::after(failed),
    }
}
