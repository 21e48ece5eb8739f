//! What popsync's tests share: runs of the real program, servers and proxies of a test's own, and
//! messages. It is compiled once for all test binaries.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::env;
use std::path::PathBuf;

pub mod bench;
pub mod cli;
pub mod dovecot;
pub mod front;
pub mod keyring;
pub mod mail;
pub mod provider;
pub mod proxies;
pub mod tls;

/// The program under test. Cargo builds it before a test runs, and puts it one folder above the
/// test's own binary.
pub fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    folder.join(format!("popsync{}", env::consts::EXE_SUFFIX))
}
