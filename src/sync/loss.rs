//! Notices messages that are gone from the store without a person's statement that they were
//! deleted. It runs after a sync, and costs reading the names in the Maildir's folders.
//!
//! Deleting mail with a mail program has the same effect, so a few missing messages are only
//! counted, for `popsync status`. Many at once are reported once, and again when their number has
//! doubled.

use std::collections::HashSet;
use std::path::Path;

use super::filed::Filed;
use super::ledger::Ledger;
use super::{Error, Request, Warning, closed_store};
use crate::account::StoreSettings;
use crate::cache::{AccountId, Cache, Loss, Stored};
use crate::store::{Maildir, census};

/// Fewer missing messages are not reported.
const FEW: u64 = 10;

/// A smaller part of all messages than one in this many is not reported.
const SMALL_PART: u64 = 100;

/// A larger store is counted only once a day, a smaller one after each run: to read 100,000 names
/// takes a tenth of a second, as long as the rest of a run without new mail.
const LARGE: u64 = 10_000;

/// The time for which a difference that is not worth a closer look is left alone.
const DAY: i64 = 24 * 60 * 60;

/// Counts the missing messages, and reports them if they are many. `stored_now` is the number of
/// those that this run has stored. If the store cannot be read, the
/// runs that need it report that.
pub(super) async fn notice(ledger: &mut Ledger, request: &Request<'_>, stored_now: u64) {
    let StoreSettings::Maildir { path, .. } = &request.account.store else {
        // To count the messages of an mbox, all of it must be read.
        return;
    };
    if request.account.retention.remove_when_deleted_locally {
        // This policy follows local deletions, and has brakes of its own.
        return;
    }
    let (store, path) = (request.account.store.clone(), path.clone());
    let now = (request.clock)();
    let counting = ledger.with(move |cache, account| {
        cache.at_the_end(|cache| count(cache, account, &store, &path, stored_now, now))
    });
    match counting.await {
        Ok(Some((missing, stored))) => request.warn(Warning::MessagesMissing {
            messages: missing,
            stored,
            store: &request.account.store,
        }),
        Ok(None) => {}
        Err(error) => request.warn(Warning::MissingUncounted { error: &error }),
    }
}

/// The number of missing messages and of all, if the user is to be told.
fn count(
    cache: &mut Cache,
    account: AccountId,
    store: &StoreSettings,
    path: &Path,
    stored_now: u64,
    now: i64,
) -> Result<Option<(u64, u64)>, Error> {
    if !Maildir::is_there(path)? {
        return Ok(None);
    }
    let before = cache.loss(account)?.unwrap_or_default();
    let is_old = !(0..DAY).contains(&now.saturating_sub(before.counted_at));
    let is_large = cache.records_more_than(account, LARGE)?;
    if is_large && !is_old {
        return Ok(None);
    }
    let held = cache.count_expected(account)?;
    let gap = match held <= stored_now && before == Loss::default() {
        // This run has stored all of them.
        true => 0,
        false => held.saturating_sub(Maildir::count_of(path, &cache.tag(account)?)),
    };
    let is_much = |messages: u64| messages >= FEW && messages >= held / SMALL_PART;
    if gap == before.gap || !(is_much(gap.abs_diff(before.gap)) || is_old) {
        if is_large {
            let counted_at = now;
            cache.set_loss(
                account,
                Loss {
                    counted_at,
                    ..before
                },
            )?;
        }
        return Ok(None);
    }
    let missing = match gap {
        0 => 0,
        _ => missing(cache, account, store, path)?,
    };
    let is_told = is_much(missing) && missing >= before.told.saturating_mul(2);
    let told = match is_told {
        true => missing,
        // A message that was put back can be lost again.
        false => before.told.min(missing),
    };
    cache.set_loss(
        account,
        Loss {
            gap,
            missing,
            told,
            counted_at: now,
        },
    )?;
    Ok(is_told.then_some((missing, held)))
}

/// The number of messages that are nowhere in the store, under any name.
fn missing(
    cache: &Cache,
    account: AccountId,
    store: &StoreSettings,
    path: &Path,
) -> Result<u64, Error> {
    let files = census(path);
    let names: HashSet<&str> = files.iter().map(|file| file.base()).collect();
    // Messages of the time when the account had an mbox were never here.
    let elsewhere: HashSet<i64> = cache
        .extents(account)?
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    let absent: Vec<Stored> = cache
        .stored(account)?
        .into_iter()
        .filter(|stored| !stored.absence_accepted && !names.contains(stored.name.as_str()))
        .filter(|stored| !elsewhere.contains(&stored.key.as_i64()))
        .collect();
    if absent.is_empty() {
        return Ok(0);
    }
    let filed = Filed::read(&*closed_store(store), &cache.recorded_names(account)?)?;
    let is_missing = |stored: &&Stored| {
        filed
            .recorded(&stored.header_sha256, &stored.sha256)
            .is_none()
    };
    Ok(absent.iter().filter(is_missing).count() as u64)
}
