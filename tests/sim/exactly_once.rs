//! Every message is stored exactly once, whatever happens: the real program with a simulated
//! Exchange, through kills, cuts and full disks.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod calls;
mod cuts;
mod deletions;
mod disks;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod exports;
mod kills;
mod mbox;
mod nameless;
mod octets;
mod partial;
mod power;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod power_cuts;
mod signals;
mod steps;
mod unique_ids;
#[cfg(target_os = "linux")]
mod volumes;
