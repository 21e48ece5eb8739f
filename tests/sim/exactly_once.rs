//! Every message is stored exactly once, whatever happens: the real program, a simulated
//! Exchange, and somebody who pulls plugs.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod calls;
mod cuts;
mod deletions;
mod disks;
mod kills;
mod mbox;
mod nameless;
mod partial;
mod power;
mod signals;
mod steps;
mod unique_ids;
