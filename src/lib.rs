//! popsync keeps a local Maildir or mbox an exact, durable copy of a POP3 mailbox, the way Outlook
//! does it (\[MS-STANOPOP3\]).
//!
//! Arrows point one way; nothing knows what is above it, which `tests/cli/layers.rs` checks:
//!
//! ```text
//!                     cli                arguments, output
//!                   /  |  \
//!              config  |   probe         settings; what a server is like
//!                      |     import       other programs' lists of what they had
//!                      |
//!                    sync                the order of one sync
//!           /                  \
//!       session               cache      connections; what is remembered
//!          |                 /     \
//!        auth           policy    store  passwords; the plan; mail
//!          |               |
//!          |           maildrop          UIDL and LIST as one view
//!           \           /
//!               pop3                     the protocol, without I/O
//! ```
//!
//! An arrow that passes a layer is left out: `sync` uses all that is below it.
//!
//! The rooms of `sync`, where the same holds:
//!
//! ```text
//!              run   rehearse            the steps, session by session; a dry run
//!               |   /   |
//!            record | visit              what is remembered; lock, connect, list
//!                 \ |   |
//!                  delete                the only place that sends DELE
//!                     |
//!                  decide                the evidence that policy decides by
//!                     |
//!               filed, header_index      what the store has under names of others
//!                     |
//!                  headers               TOP
//!                     |
//!                 transfer               RETR, and storing in batches
//! ```
//!
//! `survey`, `verify`, `export`, `seed` and `from_store` are jobs beside `run`, each on a `visit` of its own.
//! `senders` reads the store alone.
//!
//! When may DELE go out? `policy` says which messages are to go, and `sync::delete` asks for the
//! proof of each. Nobody else has to be read.
//!
//! `find` knows where an address's mailbox is. `account`, `envelope`, `profile`, `exit`, `failure` and
//! `stop` are words that all of them share. `patient` reads files of people, which may be pipes.
//! `children` knows the programs that were started, `descriptors` the errors of too many files;
//! `durable` makes what is written survive a power cut, and `causes` puts an error into one line.
//!
//! # As a library
//!
//! A program with accounts of its own makes a [`sync::Request`] for each, and runs it. What happens
//! comes as events; how it ended, as an [`sync::Outcome`]. An error that can reach a user is a
//! [`Failure`]: it has a message, a hint, and the status for a shell.
//!
//! ```
//! use std::path::Path;
//!
//! use popsync::config::{Base, Config};
//! use popsync::sync::{self, Allow, Event, Reporter, Request};
//! use popsync::{Account, Exit, Prompt, Stop, Unanswered};
//!
//! /// Nobody is there to ask for a password.
//! struct Nobody;
//!
//! impl Prompt for Nobody {
//!     fn is_there(&self) -> bool {
//!         false
//!     }
//!
//!     fn password(&self, _: &Account) -> Result<secrecy::SecretString, Unanswered> {
//!         Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into())
//!     }
//! }
//!
//! struct Printer;
//!
//! impl Reporter for Printer {
//!     fn report(&self, event: Event<'_>) {
//!         if let Event::Stored { messages } = event {
//!             println!("{messages} more messages are safe");
//!         }
//!     }
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! # std::fs::create_dir(folder.join("home"))?;
//! let text = r#"
//!     [accounts.work]
//!     server = "pop3://127.0.0.1:1"
//!     user = "anna"
//!     password-command = "echo secret"
//!     maildir = "Mail"
//! "#;
//! let base = Base::current();
//! let config = Config::parse(&folder.join("config.toml"), text.as_bytes(), &base)?;
//! let request = Request {
//!     account: &config.accounts[0],
//!     state_dir: &folder.join("state"),
//!     prompt: &Nobody,
//!     reporter: &Printer,
//!     dry_run: false,
//!     allow: Allow::default(),
//!     same_as: None,
//!     clock: sync::system_clock,
//!     stop: Stop::never(),
//! };
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! let outcome = runtime.block_on(sync::run(request));
//! // Nobody listens at port 1.
//! assert_eq!(outcome.exit(), Exit::Unavailable);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`pop3`] is the protocol without I/O, for programs with a connection of their own.

#![cfg_attr(
    not(feature = "cli"),
    allow(
        dead_code,
        unused_imports,
        reason = "commands of the program use the layers, too; built with it nothing is unused"
    )
)]

mod account;
mod auth;
mod blocking;
mod cache;
mod causes;
mod children;
#[cfg(feature = "cli")]
mod cli;
pub mod config;
mod descriptors;
mod durable;
mod envelope;
mod exit;
mod failure;
mod find;
mod import;
#[doc(hidden)]
pub mod internals;
mod maildrop;
mod patient;
mod policy;
pub mod pop3;
pub mod probe;
mod profile;
mod session;
mod stop;
mod store;
pub mod sync;
mod words;

pub use account::{Account, LineEndings, StoreSettings};
pub use auth::source::{Prompt, Unanswered};
#[cfg(feature = "cli")]
pub use cli::main;
pub use exit::Exit;
pub use failure::Failure;
pub use profile::Profile;
pub use stop::{Signal, Stop, Stopper};
