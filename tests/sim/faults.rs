//! Servers, networks and neighbours that misbehave, one after the other: what the program says,
//! how it ends, and what is true afterwards.

mod connection;
mod greeting;
mod listing;
mod local;
mod login;
mod messages;
mod pipes;
mod sizes;
mod table;
mod tls;
