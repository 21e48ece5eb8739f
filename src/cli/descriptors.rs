//! The number of files that may be open, checked before they are needed.

use std::fs::File;
use std::io;

use rustix::process::{Resource, getrlimit};

/// Files that every run has open: its standard streams, the runtimes' of signals and of the run, the
/// folders of the state.
const OF_A_RUN: u64 = 18;

/// Files that each account adds: its connection, its store, its state, its runtime's.
const OF_AN_ACCOUNT: u64 = 13;

/// Files that a runtime with signal handlers needs, and some to spare.
const OF_A_RUNTIME: usize = 8;

/// The limit, if it is too low for this many accounts at the same time, with as many connections each. One
/// account is tried in any case.
pub(super) fn too_few_for(accounts: usize, connections: u8) -> Option<u64> {
    let further = u64::from(connections).saturating_sub(1);
    let of_each = OF_AN_ACCOUNT + further;
    let wanted = OF_A_RUN + of_each.saturating_mul(accounts as u64);
    let limit = getrlimit(Resource::Nofile).current?;
    (accounts > 1 && wanted > limit).then_some(limit)
}

/// How many accounts may be open at the same time, at most `most` and at least one.
pub(super) fn room_for(most: usize) -> usize {
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return most;
    };
    let room = limit.saturating_sub(OF_A_RUN) / OF_AN_ACCOUNT;
    usize::try_from(room).unwrap_or(most).clamp(1, most)
}

/// Fails if a runtime could not be created: creating one panics when descriptors run out.
pub(super) fn for_a_runtime() -> io::Result<()> {
    let mut open = Vec::new();
    while open.len() < OF_A_RUNTIME {
        open.push(File::open("/")?);
    }
    Ok(())
}
