//! Every message is stored exactly once, whatever happens: the real program, a simulated
//! Exchange, and somebody who pulls plugs.

#[path = "support/bench.rs"]
mod bench;

#[path = "exactly_once/cuts.rs"]
mod cuts;
#[path = "exactly_once/deletions.rs"]
mod deletions;
#[path = "exactly_once/disks.rs"]
mod disks;
#[path = "exactly_once/kills.rs"]
mod kills;
#[path = "exactly_once/mbox.rs"]
mod mbox;
#[path = "exactly_once/nameless.rs"]
mod nameless;
#[path = "exactly_once/partial.rs"]
mod partial;
#[path = "exactly_once/signals.rs"]
mod signals;
#[path = "exactly_once/steps.rs"]
mod steps;
#[path = "exactly_once/unique_ids.rs"]
mod unique_ids;
