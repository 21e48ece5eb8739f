//! Holds a server against what \[MS-STANOPOP3\] and \[MS-STANXPOP3\] state of servers.
//!
//! [`run`] visits the server once and reads only: there is no DELE, and RETR only where it is
//! asked for. What comes over the wire is noted in [`Observations`], beside the tolerant reader
//! and as sent; what that means is decided afterwards, by [`checks`], which are pure functions.
//! Nothing here touches state or store.

use std::sync::Arc;
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};

use crate::account::Account;
use crate::auth::secrets::Secrets;
use crate::exit::Exit;
use crate::stop::Signal;

pub mod checks;
mod failure;
mod message;
mod observations;
mod recorder;
mod rows;
mod unique_ids;
mod visit;

pub use checks::{Finding, Verdict};
pub use failure::Failure;
pub use message::{Sample, Transfer};
pub use observations::{Flight, Observations, Reply, Stage, Step};
pub use rows::{Rows, ScanRows, Sightings};
pub use unique_ids::{IdForm, UniqueIdRows};

use recorder::Recorder;

/// What a visit brought to light.
#[derive(Debug)]
pub struct Report {
    /// Everything that was seen.
    pub observations: Observations,
    /// What it means, statement by statement.
    pub findings: Vec<Finding>,
    /// The signal that stopped it before its end.
    pub interrupted: Option<Signal>,
}

impl Report {
    /// The status a sync would end with.
    pub fn exit(&self) -> Exit {
        match (self.interrupted, &self.observations.failure) {
            (Some(signal), _) => signal.exit(),
            (None, Some(failure)) => failure.error.exit(),
            (None, None) => Exit::Success,
        }
    }
}

/// Visits the account's server, at most until `stop` is over. `deep` retrieves a few messages too.
pub async fn run(
    account: &Account,
    password: &SecretString,
    deep: bool,
    stop: impl Future<Output = Signal>,
) -> Report {
    let recorder = Arc::new(Recorder::new(deep, Instant::now));
    let interrupted = tokio::select! {
        () = visit::visit(account, password, &recorder) => None,
        signal = stop => Some(signal),
    };
    let secrets = Secrets::of([password.expose_secret().as_bytes()]);
    let mut observations = recorder.take();
    observations.hide(&secrets);
    let mut findings = checks::judge(&observations);
    for finding in &mut findings {
        finding.seen = secrets.without_in(&finding.seen);
    }
    Report {
        observations,
        findings,
        interrupted,
    }
}
