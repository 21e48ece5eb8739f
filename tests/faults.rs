//! Servers, networks and neighbours that misbehave, one after the other: what the program says,
//! how it ends, and what is true afterwards.

#[path = "support/bench.rs"]
mod bench;

#[path = "faults/connection.rs"]
mod connection;
#[path = "faults/greeting.rs"]
mod greeting;
#[path = "faults/listing.rs"]
mod listing;
#[path = "faults/local.rs"]
mod local;
#[path = "faults/login.rs"]
mod login;
#[path = "faults/messages.rs"]
mod messages;
#[path = "faults/table.rs"]
mod table;
#[path = "faults/tls.rs"]
mod tls;
