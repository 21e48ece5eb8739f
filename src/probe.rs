//! Checks a server against the statements of \[MS-STANOPOP3\] and \[MS-STANXPOP3\] about servers.
//!
//! [`run`] visits the server once and only reads: there is no DELE, and RETR only if asked for. The
//! octets are noted in `observations` as sent, beside the tolerant reader. Afterwards `checks`,
//! which are pure functions, judge them. Nothing here touches state or store.

use std::sync::Arc;
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};

use crate::account::Account;
use crate::auth::secrets::Secrets;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stop::Signal;

mod checks;
mod error;
mod message;
mod observations;
mod recorder;
mod rows;
mod unique_ids;
mod visit;

pub use checks::{Finding, Verdict};
pub(crate) use error::Error;
pub(crate) use message::{Sample, Transfer};
pub(crate) use observations::{Flight, Observations, Reply, Stage, Step};
pub(crate) use rows::{Rows, ScanRows, Sightings};
pub(crate) use unique_ids::{IdForm, UniqueIdRows};

use recorder::Recorder;

/// The result of a visit.
#[derive(Debug)]
pub struct Report {
    /// Everything that was seen.
    pub(crate) observations: Observations,
    /// The verdicts, statement by statement.
    pub findings: Vec<Finding>,
    /// The signal that stopped it before its end.
    pub interrupted: Option<Signal>,
}

impl Report {
    /// The failure that ended the visit, or that would have ended a sync.
    pub fn error(&self) -> Option<&impl Failure> {
        self.observations.error.as_ref()
    }

    /// The status that a sync would end with.
    pub fn exit(&self) -> Exit {
        match (self.interrupted, &self.observations.error) {
            (Some(signal), _) => signal.exit(),
            (None, Some(error)) => error.exit(),
            (None, None) => Exit::Success,
        }
    }
}

/// Visits the account's server, at most until `stop`. `deep` also retrieves a few messages.
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
