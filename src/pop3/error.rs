//! What can go wrong between client and server.

use super::state::State;
use super::{Keyword, Printable};

/// Why a connection cannot go on. After any of these but [`Error::Argument`],
/// [`Error::CommandTooLong`] and [`Error::NotNow`] the connection is broken and stays so: no further command goes out, not
/// even QUIT, since QUIT would make deletions real.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument holds something that may not be sent (`OPOP3:C0003`). Ours to prevent.
    #[error("the argument of {keyword} is empty or holds something that may not be sent")]
    Argument {
        /// The command.
        keyword: Keyword,
    },
    /// The line would be longer than any Exchange takes (`XPOP3:E0006`), or in a SASL exchange
    /// than any mechanism needs. Ours to prevent.
    #[error("the {keyword} line of {octets} bytes is too long to be sent")]
    CommandTooLong {
        /// The command.
        keyword: Keyword,
        /// The length of its line, CRLF included.
        octets: usize,
    },
    /// The command may not be sent in this state. Ours to prevent.
    #[error("{keyword} cannot be sent in the {state} state")]
    NotNow {
        /// The command.
        keyword: Keyword,
        /// The state.
        state: State,
    },
    /// The server closed the connection while something was due.
    #[error("the server closed the connection {}", match awaited {
        Some(keyword) => format!("in answer to {keyword}"),
        None => "before its greeting".to_owned(),
    })]
    Closed {
        /// The command whose reply was due; none where the greeting was.
        awaited: Option<Keyword>,
    },
    /// A line without an end (`OPOP3:C0005`).
    #[error("the server sent a line of more than {limit} bytes")]
    LineTooLong {
        /// The limit.
        limit: usize,
    },
    /// A listing without an end (`OPOP3:C0006`).
    #[error("the server's reply to {keyword} does not end: gave up after {lines} lines")]
    ListingTooLong {
        /// The command.
        keyword: Keyword,
        /// How many lines were read.
        lines: usize,
    },
    /// More octets than the commands asked for: client and server are out of step.
    #[error(
        "the server sent something it was not asked for: `{}`",
        Printable(text)
    )]
    Leftover {
        /// The beginning of it.
        text: Vec<u8>,
    },
    /// A positive reply that does not hold what it must.
    #[error(
        "the server's reply to {keyword} makes no sense: `{}`",
        Printable(line)
    )]
    Malformed {
        /// The command.
        keyword: Keyword,
        /// The reply.
        line: Vec<u8>,
    },
    /// An earlier error broke the connection.
    #[error("the connection is broken by an earlier error")]
    Broken,
}
