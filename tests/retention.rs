//! When messages leave the server, and what stops that: the real program, a simulated Exchange,
//! and people who delete, move and lose mail.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

#[path = "support/bench.rs"]
mod bench;

#[path = "retention/brakes.rs"]
mod brakes;
#[path = "retention/followed.rs"]
mod followed;
#[path = "retention/histories.rs"]
mod histories;
#[path = "retention/mbox.rs"]
mod mbox;
#[path = "retention/stores.rs"]
mod stores;
#[path = "retention/told.rs"]
mod told;
