//! A simulated Microsoft Exchange POP3 service, by version and with faults, for tests of POP3
//! clients.
//!
//! It follows RFC 1939, 2449, 2595, 5034 and, where Exchange differs, the statements of
//! MS-STANXPOP3 (cited as `XPOP3:C0004`); what it demands of clients comes from MS-STANOPOP3
//! (`OPOP3:V0006`). Texts are those of published transcripts, or chosen here: the docs of
//! [`Profile`], [`Text`] and [`Knobs`] say which. Tests must not depend on chosen ones.
//!
//! ```
//! use std::io::{BufRead, BufReader, Write};
//! use std::net::TcpStream;
//! use exchange_sim::{Knobs, LoginType, Profile, Server};
//!
//! let sim = Server::builder(Profile::Ex2016)
//!     .user("anna@example.com", "secret")
//!     .messages("anna@example.com", exchange_sim::sample::messages(3, 1))
//!     .knobs(Knobs { login_type: Some(LoginType::PlainText), ..Knobs::default() })
//!     .start()?;
//!
//! let mut stream = TcpStream::connect(("127.0.0.1", sim.pop3_port()))?;
//! let mut lines = BufReader::new(stream.try_clone()?).lines();
//! assert!(lines.next().unwrap()?.starts_with("+OK"));
//! for command in ["USER anna@example.com", "PASS secret", "DELE 2", "QUIT"] {
//!     write!(stream, "{command}\r\n")?;
//!     assert!(lines.next().unwrap()?.starts_with("+OK"));
//! }
//! assert_eq!(sim.mailbox("anna@example.com").len(), 2);
//! assert!(sim.violations().is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Parts, each of which stands on those below it:
//!
//! - [`Server`] and [`Builder`]: ports, threads, TLS with a CA of its own
//! - [`Session`]: the protocol engine, octets in and octets out; it runs in a [`Site`]
//! - [`Mailbox`], [`Knobs`], [`Profile`], [`Transcript`], [`Clock`]: what the engine works on
//! - messages to fill mailboxes with: [`sample`]

mod builder;
mod clock;
mod connection;
mod directory;
mod knobs;
mod mailbox;
mod profile;
pub mod sample;
mod sasl;
mod server;
mod session;
mod site;
mod text;
mod tls;
mod transcript;
mod wire;

pub use builder::Builder;
pub use clock::{Clock, ManualClock, RealClock, Wake};
pub use knobs::{
    Act, At, BareLf, BrokenMechanism, CapaOdd, Certificate, CloseAfterErr, CloseHow, Cut, CutAt,
    DeleErr, Drip, ExtendedProtection, Knobs, LoginType, Missing, NoCapa, Numbers, RefuseLogins,
    Rule, SaslOdd, Separator, Sizes, Sort, StatusCase, StlsStrip, UidlOne, Unsolicited, UpdateFail,
};
pub use mailbox::{Content, Fails, Fill, IdForm, Mailbox, wire_form};
pub use profile::Profile;
pub use server::Server;
pub use session::{Session, Step};
pub use site::{Progress, Seen, Site};
pub use text::Text;
pub use transcript::{Entry, Port, Transcript, What};
