//! The program, and parts of the library, against the simulated Exchange and other servers that
//! the tests play themselves. Nothing here needs a server that has to be installed.

mod account;
mod agents;
mod another_name;
mod attacks;
mod damage;
mod every;
mod exactly_once;
mod faults;
mod filed;
mod first_hour;
mod from_store;
mod headers_only;
mod history;
mod hooks;
mod keyring;
mod list;
mod machine;
mod mechanisms;
mod migration;
mod oauth;
mod outages;
mod probe;
mod reach;
mod readers;
mod retention;
mod rfc1939;
mod scale;
mod secrets;
mod sign_in;
mod statements;
mod status;
mod systems;
mod tls;
mod verify;
mod wire;
