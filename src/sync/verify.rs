//! Compares the records with the store, and, if asked for, with the server: `popsync verify`.
//!
//! Nothing in the store is changed without `repair`. With it, missing or damaged messages are
//! retrieved again and put in their places, if the server still has them; damaged files are kept
//! aside. A digest proves that it is the same message. A message with another digest is not stored.
//!
//! Some facts are recorded: digests of stored forms that older versions did not record; with
//! `accept_deletions`, that missing messages are meant to be missing; which part of the messages
//! was read; and the result. If the state cannot be written, as on a read-only copy, a warning says
//! that the result is not recorded, and the verification is as good.

use std::num::NonZeroU64;
use std::path::PathBuf;

use super::visit::{self, Purpose, Visit};
use super::{Error, Request, Warning, decide, quit};
use crate::account::StoreSettings;
use crate::cache::{Digest, MessageKey, PastVerification};
use crate::causes::chain;

pub(super) mod known;
pub(super) mod local;
pub(super) mod look;
pub(super) mod mbox;
mod mend;
mod readers;
mod remote;
mod tally;

pub use tally::{Condition, Finding, Scope, Tally, Verification};

use known::Known;
use mend::Mender;
use tally::Part;

/// A message to be retrieved again.
#[derive(Debug)]
struct Wrong {
    /// Its index among the stored ones.
    place: usize,
    /// Its damaged file. None if it is missing.
    path: Option<PathBuf>,
}

/// The result of comparing the store.
#[derive(Debug, Default)]
struct Looked {
    wrong: Vec<Wrong>,
    /// Digests of stored forms that were not recorded.
    proved: Vec<(MessageKey, Digest)>,
}

/// Verifies one account, and calls `tell` for each problem or oddity.
pub async fn verify(
    request: &Request<'_>,
    scope: Scope,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Verification {
    let started_at = (request.clock)();
    let mut tally = Tally::default();
    let known = match begin(request, scope).await {
        Ok(known) => known,
        Err(error) => {
            let result = Err(error);
            return Verification { tally, result };
        }
    };
    let result = check(request, scope, &known, &mut tally, tell).await;
    let verification = Verification { tally, result };
    keep(request, scope, &known, started_at, &verification);
    verification
}

/// Reads the records. With `repair`, messages that a run left when it was cut short are first put in
/// their places, as a sync does.
async fn begin(request: &Request<'_>, scope: Scope) -> Result<Known, Error> {
    let known = Known::read(request, Purpose::Look).await?;
    match scope.repair && known.unfinished > 0 {
        true => known.recover(request),
        false => Ok(known),
    }
}

async fn check(
    request: &Request<'_>,
    scope: Scope,
    known: &Known,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<(), Error> {
    let stop = request.stop.clone();
    tally.messages = known.stored.len() as u64;
    tally.unfinished = known.unfinished;
    known.has_store(request)?;
    let mut looked = look(request, scope, known, tally, tell)?;
    remember(request, known, &looked);
    if scope.accept_deletions {
        accept(request, known, &mut looked, tally, tell)?;
    }
    let wrong = looked.wrong;
    if scope.server || scope.deep || scope.repair && !wrong.is_empty() {
        let password = visit::password(request, &stop).await?;
        let visit = Visit::begin(request, &stop, &password, &known.past).await?;
        // Without unique-ids the server's messages cannot be compared with the records.
        let (mut session, maildrop) = visit.named().await?;
        decide::warn_of_contradictions(request, &maildrop);
        tally.on_server = Some(maildrop.len() as u64);
        tally.new = known.unknown(request.state_dir, &maildrop)?;
        if scope.deep {
            let stored = &known.stored;
            let comparing = remote::compare(request, &mut session, &maildrop, stored, tally, tell);
            stop.unless_stopped(comparing).await??;
        }
        if scope.repair && !wrong.is_empty() {
            let mender = Mender::open(request, known, &wrong)?;
            let stored = &known.stored;
            let repairing =
                remote::repair(&mut session, &maildrop, stored, &wrong, mender, tally, tell);
            stop.unless_stopped(repairing).await??;
        }
        quit::leave(session).await;
    }
    remember_missing(request, known, tally);
    if scope.parts.is_some() {
        known.record(request.state_dir, |cache, row| {
            Ok(cache.verified_part(row.id)?)
        })?;
    }
    Ok(())
}

/// Reads the local copies.
fn look(
    request: &Request<'_>,
    scope: Scope,
    known: &Known,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<Looked, Error> {
    let part = Part::new(scope.parts, known.parts_read);
    match &request.account.store {
        StoreSettings::Maildir { path, .. } => {
            look::maildir(request, path, known, part, tally, tell)
        }
        StoreSettings::Mbox { path, .. } => mbox::mbox(request, path, known, part, tally, tell),
        StoreSettings::Exec { .. } => Err(Error::NotLookedAt),
    }
}

/// Records the digests of stored forms that are read for the first time. If that fails, the next
/// verification reads them as new.
fn remember(request: &Request<'_>, known: &Known, looked: &Looked) {
    if looked.proved.is_empty() {
        return;
    }
    let proved = &looked.proved;
    if let Err(error) = known.record(request.state_dir, |cache, _| Ok(cache.prove(proved)?)) {
        request.warn(Warning::DigestsUnrecorded {
            messages: proved.len(),
            error: &error,
        });
    }
}

/// Records the result.
fn keep(
    request: &Request<'_>,
    scope: Scope,
    known: &Known,
    started_at: i64,
    verification: &Verification,
) {
    let Verification { tally, result } = verification;
    let row = PastVerification {
        started_at,
        finished_at: (request.clock)(),
        exit: verification.exit().code(),
        parts: scope.parts.map_or(1, NonZeroU64::get),
        messages: tally.messages,
        compared: tally.compared(),
        missing: tally.missing,
        damaged: tally.damaged,
        altered: tally.altered,
        unrecorded: tally.unrecorded,
        unfinished: tally.unfinished,
        differing: tally.differing,
        repaired: tally.repaired,
        error: result.as_ref().err().map(|error| chain(error)),
    };
    let kept = known.record(request.state_dir, |cache, account| {
        Ok(cache.record_verification(account.id, &row)?)
    });
    if let Err(error) = kept {
        request.warn(Warning::VerificationUnrecorded { error: &error });
    }
}

/// Updates the number of missing messages for `popsync status`, if a run has counted them.
fn remember_missing(request: &Request<'_>, known: &Known, tally: &Tally) {
    if known.loss.is_none() {
        return;
    }
    let missing = tally.missing.saturating_sub(tally.repaired);
    // If that cannot be recorded, the next run still counts.
    let _ = known.record(request.state_dir, |cache, row| {
        Ok(cache.verified_missing(row.id, missing)?)
    });
}

/// Records that missing messages are meant to be missing.
fn accept(
    request: &Request<'_>,
    known: &Known,
    looked: &mut Looked,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<(), Error> {
    let is_missing = |wrong: &Wrong| wrong.path.is_none();
    let missing = looked.wrong.iter().filter(|wrong| is_missing(wrong));
    let missing: Vec<usize> = missing.map(|wrong| wrong.place).collect();
    let keys: Vec<MessageKey> = missing
        .iter()
        .map(|&place| known.stored[place].key)
        .collect();
    known.record(request.state_dir, |cache, _| {
        Ok(cache.accept_absence(&keys)?)
    })?;
    looked.wrong.retain(|wrong| !is_missing(wrong));
    tally.missing -= missing.len() as u64;
    tally.accepted += missing.len() as u64;
    for place in missing {
        tell(look::found(&known.stored[place], None, Condition::Accepted));
    }
    Ok(())
}
