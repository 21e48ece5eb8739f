//! The statements of MS-STANOPOP3 and MS-STANXPOP3, each with its tests: `statements.toml` is the
//! map, and it is checked here.

mod common;
pub(crate) mod sources;

mod connection;
mod listing;
mod login;
mod map;
mod messages;
mod timers;
