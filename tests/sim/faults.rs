//! Servers, networks and local conditions that misbehave, one by one: the program's output, its
//! exit status, and the state afterwards.

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
