//! Servers that want to be root, and absolute paths: each runs in a [`Sandbox`](crate::sandbox).

pub(crate) mod courier;
pub(crate) mod cyrus;
pub(crate) mod mbox;
pub(crate) mod popa3d;
pub(crate) mod solid_pop3d;
