//! The time at which messages leave the server, and the reasons that prevent it: the real program
//! with a simulated Exchange, and people who delete, move and lose mail.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

mod brakes;
mod followed;
mod histories;
mod mbox;
mod stores;
mod told;
