//! One sync of one account, in order.

use std::path::Path;

use tokio::sync::watch;

use crate::account::Account;
use crate::auth::source::Prompt;
use crate::exit::Exit;

mod event;

pub use event::{Event, Reporter, Summary};

/// What one sync needs.
pub struct Request<'a> {
    /// The account.
    pub account: &'a Account,
    /// The folder that holds cache and locks; made where missing.
    pub state_dir: &'a Path,
    /// Asks the person for a password, where there is one.
    pub prompt: &'a dyn Prompt,
    /// Watches.
    pub reporter: &'a dyn Reporter,
    /// Say what would be retrieved and deleted, and do neither.
    pub dry_run: bool,
    /// Becomes true when the run is to stop as soon as what is complete is recorded.
    pub stop: watch::Receiver<bool>,
}

/// How one sync ended. What `summary` counts is true even when `result` is an error.
#[derive(Debug)]
pub struct Outcome {
    /// What was done.
    pub summary: Summary,
    /// Whether the run came to its end.
    pub result: Result<(), Error>,
}

impl Outcome {
    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        match &self.result {
            Err(error) => error.exit(),
            Ok(()) if self.summary.failed > 0 => Exit::Partial,
            Ok(()) => Exit::Success,
        }
    }
}

/// What stopped a sync.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No password could be had.
    #[error(transparent)]
    Auth(#[from] crate::auth::Error),
}

impl Error {
    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Auth(error) => error.exit(),
        }
    }

    /// What the user can do, for a line of its own.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Auth(error) => error.advice(),
        }
    }
}

/// Syncs one account.
pub async fn run(request: Request<'_>) -> Outcome {
    let _ = request;
    Outcome {
        summary: Summary::default(),
        result: Ok(()),
    }
}
