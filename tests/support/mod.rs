//! What tests against a real server share.

pub(crate) mod dovecot;
pub(crate) mod mail;
