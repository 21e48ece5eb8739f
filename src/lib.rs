//! popsync keeps a local Maildir an exact, durable copy of a POP3 mailbox, the way Outlook does
//! it (\[MS-STANOPOP3\]).

pub mod account;
pub mod auth;
pub mod cache;
pub mod cli;
pub mod config;
pub mod exit;
pub mod maildrop;
pub mod policy;
pub mod pop3;
pub mod profile;
pub mod session;
pub mod store;
pub mod sync;
