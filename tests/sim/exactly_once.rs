//! Every message is stored exactly once, whatever happens: the real program, a simulated
//! Exchange, and somebody who pulls plugs.

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
