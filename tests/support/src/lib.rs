//! The common parts of popsync's tests: runs of the real program, servers and proxies, and
//! messages. It is compiled once for all test binaries.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::env;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

pub mod bench;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod calls;
pub mod cli;
pub mod cutter;
pub mod dovecot;
pub mod front;
pub mod keyring;
pub mod mail;
pub mod mounted;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod power;
pub mod provider;
pub mod proxies;
pub mod pty;
pub mod rsa;
pub mod tls;
pub mod unanswered;
#[cfg(target_os = "linux")]
pub mod volume;

/// The program under test. Cargo builds it before a test runs, and puts it one folder above the
/// test's own binary.
pub fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    folder.join(format!("popsync{}", env::consts::EXE_SUFFIX))
}

/// True if the long tests must try every case: `POPSYNC_EXHAUSTIVE=1 .ci/test`.
pub fn exhaustive() -> bool {
    env::var_os("POPSYNC_EXHAUSTIVE").is_some_and(|set| !set.is_empty())
}

/// The seed of random choices: `POPSYNC_TEST_SEED`, or else from the clock. A test that fails shows
/// it.
#[expect(clippy::print_stderr, reason = "a failed run is to be repeatable")]
pub fn seed() -> u64 {
    let seed = match env::var("POPSYNC_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_micros() as u64,
    };
    eprintln!("POPSYNC_TEST_SEED={seed}");
    seed
}

/// The cases to try out of many similar ones: every `nth` from a random one on, or all of them if
/// [`exhaustive`].
pub fn sample<T>(cases: impl IntoIterator<Item = T>, nth: usize) -> impl Iterator<Item = T> {
    let (first, step) = if exhaustive() {
        (0, 1)
    } else {
        ((seed() % nth as u64) as usize, nth)
    };
    cases.into_iter().skip(first).step_by(step)
}
