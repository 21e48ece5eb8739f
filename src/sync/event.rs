//! What a sync tells whoever watches it. Text, JSON and progress all take the same events.

use std::time::Duration;

use crate::policy::{Action, Reason};
use crate::session::Address;

use super::Warning;

/// Takes the events of one account. Called often and from the thread that serves the socket:
/// an implementation must return at once.
pub trait Reporter: Send + Sync {
    /// Something happened.
    fn report(&self, event: Event<'_>);
}

/// One thing that happened, in the order of a sync.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The connection stands.
    Connected {
        /// Who answered.
        address: &'a Address,
        /// Protocol version and cipher suite, or nothing on a plain connection.
        tls: Option<&'a str>,
    },
    /// The login was accepted.
    LoggedIn,
    /// The maildrop was listed.
    Listed {
        /// Messages on the server.
        messages: u64,
    },
    /// `policy::plan` decided; a dry run ends here.
    Planned {
        /// Messages to retrieve.
        retrieve: u64,
        /// Their octets by the scan listing, which may be an estimate.
        octets: u64,
        /// Messages of which the headers are to be retrieved.
        headers: u64,
        /// Messages to delete, those deleted once retrieved among them.
        delete: u64,
        /// Messages left aside by a limit.
        skip: u64,
    },
    /// What the plan holds for one message. Sent in dry runs only, before
    /// [`Event::Planned`], and not for messages that simply stay and never leave.
    Decided {
        /// Message-number in this session.
        number: u32,
        /// Unique-id as the server sent it.
        unique_id: &'a [u8],
        /// Size by the scan listing.
        octets: Option<u64>,
        /// What is to be done.
        action: Action,
        /// Why.
        reason: Reason,
        /// When it leaves the server, in seconds since 1970; none where it stays.
        leaves_at: Option<i64>,
    },
    /// Octets of message bodies arrived.
    Received {
        /// How many since the last such event.
        octets: u64,
    },
    /// One message arrived whole. It is safe only once [`Event::Stored`] counts it.
    Retrieved,
    /// Messages became durable.
    Stored {
        /// How many since the last such event.
        messages: u64,
    },
    /// One message could not be had; the others go on.
    MessageFailed {
        /// Message-number in this session.
        number: u32,
        /// Unique-id as the server sent it.
        unique_id: &'a [u8],
        /// What happened, in words safe for a terminal.
        reason: &'a str,
    },
    /// A person should know, but nothing failed.
    Warning(Warning<'a>),
    /// The server confirmed deletions.
    Deleted {
        /// How many since the last such event.
        messages: u64,
    },
    /// Work on stored messages begins: a verification, or an export.
    WorkBegun {
        /// A word for people: `comparing`.
        doing: &'static str,
        /// How many messages.
        messages: u64,
        /// Their octets as sent.
        octets: u64,
    },
    /// One of these messages is done.
    WorkDone {
        /// Its octets.
        octets: u64,
    },
    /// This work is over, done or not.
    WorkEnded,
}

/// What one run did for one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Messages retrieved and stored.
    pub retrieved: u64,
    /// Their octets as sent, un-stuffed.
    pub octets: u64,
    /// Messages of which only the headers were retrieved.
    pub headers: u64,
    /// Messages whose deletion the server accepted.
    pub deleted: u64,
    /// QUIT was sent behind a DELE: what was asked for may be real, whatever came after that.
    pub may_have_deleted: bool,
    /// Messages left aside by a limit.
    pub skipped: u64,
    /// Messages that could not be retrieved or deleted.
    pub failed: u64,
    /// Messages whose deletion a brake holds back, until a person looks.
    pub held: u64,
    /// Messages on the server when the run ended, as far as known.
    pub on_server: u64,
    /// How long the run took, but for the time that a person needed to type a password.
    pub elapsed: Duration,
}

impl Summary {
    /// Messages for which something is still to be done, by a later run or by a person.
    pub fn undone(&self) -> u64 {
        self.failed + self.held
    }
}
