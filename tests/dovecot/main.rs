//! The program against a real Dovecot: what arrives, what is deleted, what is refused, and what
//! is left behind when the disk is full. The server is found in `PATH` or by `POPSYNC_DOVECOT`.

mod disk;
mod home;
mod imports;
mod kerberos;
mod logins;
mod refusals;
mod retention;
mod runs;
mod transfer;
