//! The statements of MS-STANOPOP3 and MS-STANXPOP3, each with the tests that show it: the map is
//! `statements.toml`, and what it says is checked here.

#[path = "support/bench.rs"]
mod bench;
#[path = "statements/sources.rs"]
mod sources;
#[path = "statements/support.rs"]
mod support;

#[path = "statements/connection.rs"]
mod connection;
#[path = "statements/listing.rs"]
mod listing;
#[path = "statements/login.rs"]
mod login;
#[path = "statements/map.rs"]
mod map;
#[path = "statements/messages.rs"]
mod messages;
#[path = "statements/timers.rs"]
mod timers;
