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
//!               filed, shelf             what the store has under names of others
//!                     |
//!                  headers               TOP
//!                     |
//!                 transfer               RETR, and storing in batches
//! ```
//!
//! `survey`, `verify`, `export`, `seed` and `from_store` are jobs beside `run`, each on a `visit` of its own.
//!
//! When may DELE go out? [`policy`] says which messages are to go, and `sync::delete` asks for the
//! proof of each. Nobody else has to be read.
//!
//! `find` knows where an address's mailbox is. `account`, `envelope`, `profile`, `exit`, `failure`
//! and `stop` are words that all of them share; `patient` reads files of people, which may be pipes, and
//! `children` knows the programs that were started, `descriptors` the errors of too many files,
//! and `causes` puts an error into one line.
//!
//! The entry points are [`sync::run`] for a program with accounts of its own, and [`cli::main`].

pub mod account;
pub mod auth;
pub mod cache;
mod causes;
mod children;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
mod descriptors;
mod durable;
pub mod envelope;
pub mod exit;
pub mod failure;
pub mod find;
pub mod import;
pub mod maildrop;
pub mod patient;
pub mod policy;
pub mod pop3;
pub mod probe;
pub mod profile;
pub mod session;
pub mod stop;
pub mod store;
pub mod sync;
mod words;
