//! The memory of many threads.
//!
//! glibc gives each thread an arena of its own, up to eight for each processor, and what is freed in one of
//! them is not used by the others. With sixteen accounts at once that was more memory than the accounts
//! need, and it makes nothing faster: popsync waits for servers and disks.
#![expect(unsafe_code, reason = "only C can set it, and no crate does")]

use std::ffi::c_int;

/// The number of arenas that all threads share.
const ARENAS: c_int = 2;

/// Lets all threads share a few arenas. Call it first in `main`.
pub(super) fn share() {
    // SAFETY: `mallopt` takes two numbers and keeps no pointer. It changes only how glibc chooses arenas
    // from now on, and what was allocated stays good. No other thread runs yet that could allocate
    // meanwhile. If glibc refuses, it returns 0 and changes nothing.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}
