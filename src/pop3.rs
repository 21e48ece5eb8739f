//! The POP3 protocol without I/O: commands out, replies in.
//!
//! The only place that knows the syntax. Nothing here reads sockets, files or clocks: octets are
//! handed in, events come out ([`Connection::next_event`]), and octets to send are handed back
//! ([`Connection::send`]). The rules are Outlook's, \[MS-STANOPOP3\], cited as `OPOP3:C0004`, over
//! RFC 1939 and RFC 2449.
//!
//! What is sent is strict: printable ASCII, one space, CRLF; there is no RSET (`OPOP3:V0006`),
//! and APOP (`OPOP3:V0008`) only for who is no Outlook. What is received is read with the tolerance that Outlook has, and
//! every leniency stands in one place under a name of its own:
//!
//! - [`Response`]: the first octet alone decides (`OPOP3:V0001`);
//! - [`listing`]: runs of spaces and tabs, extra words (`OPOP3:C0004`, `C0017`, `C0021`, `C0038`);
//! - [`Connection`]: LIST, UIDL and CAPA end at any line that begins with a dot
//!   (`OPOP3:V0002`), messages only at CRLF `.` CRLF.
//!
//! A bare LF or CR ends nothing: it is content. A client that ends a line there lets whoever
//! wrote the message forge the server's next reply.

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
pub use command::{Command, Keyword, MAX_COMMAND, MessageNumber};
pub(crate) use connection::LEFTOVER_SHOWN;
pub use connection::{Connection, Event, MAX_LISTING_LINES, MAX_LISTING_OCTETS};
pub use error::Error;
pub use receive_buffer::MAX_LINE;
pub use response::{Printable, Response, ResponseCode, shortened};
pub use state::State;
pub use tap::{Form, Place, Tap};
pub use unstuff::{Piece, Unstuffer};
