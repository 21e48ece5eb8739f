//! The POP3 protocol without I/O: commands out, replies in.
//!
//! This is the only place that knows the syntax. It reads no sockets, files or clocks: the caller
//! hands octets in and takes events ([`Connection::next_event`]) and octets to send
//! ([`Connection::send`]). The rules are Outlook's, \[MS-STANOPOP3\], cited as `OPOP3:C0004`, over
//! RFC 1939 and RFC 2449.
//!
//! Sending is strict: printable ASCII, one space, CRLF. There is no RSET (`OPOP3:V0006`), and APOP
//! (`OPOP3:V0008`) is only for the profile that is not Outlook. Receiving is as tolerant as
//! Outlook. Every leniency has one place and a name:
//!
//! - [`Response`]: the first octet alone decides (`OPOP3:V0001`);
//! - [`listing`]: runs of spaces and tabs, extra words (`OPOP3:C0004`, `C0017`, `C0021`, `C0038`);
//! - [`Connection`]: LIST, UIDL and CAPA end at any line that begins with a dot
//!   (`OPOP3:V0002`), messages only at CRLF `.` CRLF.
//!
//! A bare LF or CR ends nothing: it is content. If a client ended a line there, the author of a
//! message could forge the server's next reply.

pub mod capability;
mod command;
mod connection;
mod error;
pub mod listing;
mod receive_buffer;
mod response;
mod state;
mod tap;
mod unstuff;

pub use capability::Capabilities;
pub(crate) use command::MAX_COMMAND;
pub use command::{Command, Keyword, MessageNumber};
pub(crate) use connection::LEFTOVER_SHOWN;
pub use connection::{Connection, Event};
pub use error::Error;
pub use response::{Printable, Response, ResponseCode, shortened};
pub use state::State;
pub use tap::{Form, Place, Tap};
pub use unstuff::{Piece, Unstuffer};
