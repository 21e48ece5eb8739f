//! What can stop a sync.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::account::{Outage, Server};
use crate::blocking::Panicked;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stop::{Signal, Stop};
use crate::{auth, cache, descriptors, session, store};

/// Why a sync ended before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No password could be had.
    #[error(transparent)]
    Auth(#[from] auth::Error),
    /// Other accounts of the run have found nobody at this server.
    #[error("nobody answers at {server}: this account was not tried")]
    Untried {
        /// The server.
        server: Server,
    },
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// A message went on far beyond its listed size.
    #[error("gave up on a message: {reason}")]
    EndlessMessage {
        /// Why.
        reason: &'static str,
    },
    /// A message is larger than `max-size`, although the listing said otherwise.
    #[error("a message is larger than max-size, although the server listed it as smaller")]
    LargerThanMaxSize,
    /// The file system has no room for a message.
    #[error("the file system has no room for a message")]
    NoRoom,
    /// A message would be larger than a file may be, and all others are done.
    #[error("a message is larger than a file may be here")]
    TooLarge,
    /// A signal stopped the run.
    #[error("interrupted by {0}")]
    Interrupted(Signal),
    /// Messages on the server are in the store, and nothing is recorded of them.
    #[error(
        "{messages} messages on the server are in `{}` already, and this account knows nothing of \
         them",
        path.display()
    )]
    Familiar {
        /// How many.
        messages: usize,
        /// The store.
        path: PathBuf,
    },
    /// The server shows no headers, by which messages could be recognised.
    #[error("the server does not show headers (TOP), so popsync cannot recognise messages")]
    NoHeaders,
    /// What a delivery agent made of its messages nobody can look at.
    #[error("the messages went to a delivery agent, where popsync cannot read them")]
    NotLookedAt,
    /// A defect of popsync.
    #[error("popsync has a defect: {message}")]
    Panicked {
        /// What the defect says of itself.
        message: String,
    },
    /// The mailbox cannot take over what is remembered under another name.
    #[error(transparent)]
    SameAs(#[from] cache::SameAsError),
    /// The server or the way to it failed.
    #[error(transparent)]
    Session(#[from] session::Error),
    /// The store holds messages that popsync stored, and nothing is recorded of them.
    #[error(
        "{messages} messages in `{}` were stored by popsync, and this account knows nothing of them",
        path.display()
    )]
    StateLost {
        /// How many.
        messages: usize,
        /// The store.
        path: PathBuf,
    },
    /// Another program writes to the store while it is read.
    #[error("`{}` changes while it is read", path.display())]
    StoreChanges {
        /// Where it is.
        path: PathBuf,
    },
    /// The store is not where it was.
    #[error("there is no {kind} at `{}`", path.display())]
    StoreMissing {
        /// What it is.
        kind: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The store that messages were stored in is not there.
    #[error(
        "`{}` is not there, although {messages} messages were stored", path.display()
    )]
    StoreGone {
        /// Where it should be.
        path: PathBuf,
        /// How many messages.
        messages: u64,
    },
    /// The store is another one than messages were stored in.
    #[error(
        "`{}` is not the store that {messages} messages were stored in: it holds none of them",
        path.display()
    )]
    StoreReplaced {
        /// Where it is.
        path: PathBuf,
        /// How many messages.
        messages: u64,
    },
}

impl From<Panicked> for Error {
    fn from(panicked: Panicked) -> Self {
        Self::Panicked {
            message: panicked.to_string(),
        }
    }
}

impl From<Signal> for Error {
    fn from(signal: Signal) -> Self {
        Self::Interrupted(signal)
    }
}

impl Error {
    /// The signal that ended a run, where all that went wrong is that it did not wait any longer.
    pub(super) fn or_stopped(self, stop: &Stop) -> Self {
        let is_wait = match &self {
            Self::Cache(error) => error.is_busy(),
            Self::Store(store::Error::Locked { .. }) => true,
            _ => false,
        };
        match stop.asked() {
            Some(signal) if is_wait => signal.into(),
            _ => self,
        }
    }

    /// The time that another run has had the account, as an outage, where that is the error. No run
    /// of it is recorded.
    pub(super) fn outage_of_holder(&self) -> Option<Outage> {
        match self {
            Self::Cache(cache::Error::Locked { holder }) => {
                let since = holder.as_ref()?.since.as_second();
                Some(Outage { since, runs: 0 })
            }
            _ => None,
        }
    }

    /// True if people will wonder what became of the mail on the server.
    pub(super) fn makes_wonder(&self) -> bool {
        let exit = self.exit();
        match self {
            Self::EndlessMessage { .. } => true,
            Self::Cache(_) | Self::Store(_) => exit == Exit::IoError,
            Self::Session(error) => error.is_break() && exit == Exit::Protocol,
            _ => false,
        }
    }
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        if descriptors::are_exhausted(self) {
            return Exit::IoError;
        }
        match self {
            Self::Auth(error) => error.exit(),
            Self::Cache(error) => error.exit(),
            Self::SameAs(error) => error.exit(),
            Self::EndlessMessage { .. } => Exit::DataError,
            Self::LargerThanMaxSize => Exit::Partial,
            Self::NoRoom | Self::TooLarge => Exit::IoError,
            Self::Interrupted(signal) => signal.exit(),
            Self::NoHeaders | Self::Untried { .. } => Exit::Unavailable,
            Self::NotLookedAt => Exit::Config,
            Self::Familiar { .. }
            | Self::Panicked { .. }
            | Self::StateLost { .. }
            | Self::StoreMissing { .. } => Exit::IoError,
            Self::Session(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::StoreChanges { .. } | Self::StoreGone { .. } | Self::StoreReplaced { .. } => {
                Exit::TemporaryFailure
            }
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        if descriptors::are_exhausted(self) {
            return Some(descriptors::ADVICE.into());
        }
        match self {
            Self::Auth(error) => error.hint(),
            Self::Cache(error) => error.hint(),
            Self::SameAs(error) => error.hint(),
            Self::EndlessMessage { .. } => {
                Some("nothing of it was stored, and it stays on the server".into())
            }
            Self::Interrupted(_) => {
                Some("complete mail is stored; run it again to go on".into())
            }
            Self::Familiar { .. } => Some(
                "they would come again. If popsync fetched them under another name of account, host \
                 or user, give that name with `--same-as`; if the state was lost, put it back from a \
                 backup; else run `popsync import ACCOUNT --from-store`, after which only the others \
                 come. To get all of them again, name another file, or give `--accept-store` once"
                    .into(),
            ),
            Self::NoHeaders | Self::NotLookedAt => Some(
                "`popsync import ACCOUNT --seed` marks everything now on the server as already \
                 downloaded"
                    .into(),
            ),
            Self::Untried { .. } => {
                Some("when the server answers again, `popsync sync --failed` tries it".into())
            }
            Self::LargerThanMaxSize => {
                Some("it stays on the server; raise `max-size` to retrieve it".into())
            }
            Self::NoRoom => Some(
                "make room and run it again; what could not be stored is on the server".into(),
            ),
            Self::TooLarge => Some(
                "raise `ulimit -f`, or use a file system that allows it; the message is on the \
                 server, and the others were retrieved"
                    .into(),
            ),
            Self::StateLost { .. } => Some(
                "every message would come again. If the account was renamed, give its old name with \
                 `--same-as`; else put the state folder back from a backup, or run `popsync import \
                 ACCOUNT --from-store`, which recognises them by their headers, or `popsync import \
                 ACCOUNT --seed`, after which only new messages come. To get all of them again, name \
                 another folder"
                    .into(),
            ),
            Self::StoreChanges { .. } => Some("run it again when no other program writes there".into()),
            Self::StoreMissing { .. } => {
                Some("is the volume mounted? nothing was read, and nothing was changed".into())
            }
            Self::Panicked { .. } => Some("no message is lost; please report this".into()),
            Self::Session(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::StoreGone { .. } | Self::StoreReplaced { .. } => Some(
                "is its volume mounted? nothing was retrieved, and nothing deleted on the server. If \
                 the store was moved, name its new place; if this is the store from now on, run it \
                 once with `--accept-store`"
                    .into(),
            ),
        }
    }
}
