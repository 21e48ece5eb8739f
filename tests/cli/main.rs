//! Tests without a mail server: the command line and its manual, the layers of the sources, finding
//! an address's server, and mechanisms compared with other implementations.

mod complete;
mod config_file;
mod find;
mod fleet;
mod help;
mod layers;
mod man;
mod ntlm;
mod packaging;
mod schedule;
mod scram;
mod seeds;
mod shell;
