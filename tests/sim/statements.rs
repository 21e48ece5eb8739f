//! The statements of MS-STANOPOP3 and MS-STANXPOP3, each with the tests that show it: the map is
//! `statements.toml`, and what it says is checked here.

mod common;
pub(crate) mod sources;

mod connection;
mod listing;
mod login;
mod map;
mod messages;
mod timers;
