//! A mailbox without records, and a store that already has mail: perhaps the state was lost, or has
//! the mailbox under another name, or another program fetched the mail. In a Maildir the names of
//! popsync's own files show it; other mail is recognised by its headers.

use crate::account::{Account, StoreSettings};
use crate::cache::{AccountRow, Cache, Snapshot};
use crate::maildrop::{Maildrop, Place};
use crate::session::Session;
use crate::store::names_by_tag;
use crate::sync::broke::{Broke, Untoppable};
use crate::sync::header_index::HeaderIndex;
use crate::sync::headers;
use crate::sync::likeness::Likeness;
use crate::sync::{Allow, Error, Stop, quit};

/// The number of messages whose headers are compared with those of the store.
const SAMPLE: usize = 1_000;

/// Refuses to begin anew in a Maildir with messages of this mailbox: the state was lost, or has the
/// account under another name, and every message would be downloaded twice.
///
/// # Errors
/// [`Error::StateLost`], and those of the cache.
pub(in crate::sync) fn refuse_known_maildir(
    cache: &Cache,
    row: Option<&AccountRow>,
    account: &Account,
) -> Result<(), Error> {
    let Some(path) = account.store.maildir() else {
        return Ok(());
    };
    if let Some(row) = row
        && !cache.is_blank(row.id)?
    {
        return Ok(());
    }
    let ours = names_by_tag(path);
    // A new account's Maildir is nearly always empty, and there may be thousands of other mailboxes.
    if ours.is_empty() {
        return Ok(());
    }
    let others = cache.tags_of_other_mailboxes(&account.identity)?;
    let messages = ours
        .into_iter()
        .filter(|(tag, _)| !others.contains(tag))
        .map(|(_, names)| names.len())
        .sum();
    if messages == 0 {
        return Ok(());
    }
    let path = path.to_owned();
    Err(Error::StateLost { messages, path })
}

/// The headers in a store into which nothing was ever stored for this account, even if another
/// program's list was imported. None if a person accepts that.
///
/// # Errors
/// Those of the cache and of the store.
pub(in crate::sync) fn header_index(
    cache: &Cache,
    row: Option<&AccountRow>,
    account: &Account,
    allow: Allow,
) -> Result<Option<HeaderIndex>, Error> {
    let is_blank = match row {
        Some(row) => cache.is_blank(row.id)? || cache.is_imported_only(row.id)?,
        None => true,
    };
    if allow.store_as_is || !is_blank {
        return Ok(None);
    }
    let header_index = HeaderIndex::read(&account.store)?;
    Ok((!header_index.is_empty()).then_some(header_index))
}

/// Still step 3: refuses to store messages whose headers the store already has. If the connection
/// breaks, the index is unchanged.
///
/// # Errors
/// [`Error::Familiar`], and those of the connection.
pub(in crate::sync) async fn refuse_known_store(
    session: &mut Session,
    stop: &Stop,
    maildrop: &Maildrop,
    snapshot: &Snapshot,
    account: &Account,
    header_index: &mut HeaderIndex,
    untoppable: &Untoppable,
) -> Result<(), Broke> {
    // Another program's list shows what is new, unless none of its messages is listed.
    if !snapshot.is_empty() && snapshot.imported_in_vain(maildrop).is_none() {
        return Ok(());
    }
    let step = maildrop.len().div_ceil(SAMPLE).max(1);
    let places = (0..maildrop.len()).step_by(step);
    let places: Vec<Place> = places.map(Place::behind).collect();
    let asking = headers::of(session, maildrop, &places, untoppable, Likeness::of_sent);
    let headers = stop.unless_stopped(asking).await??;
    let found = headers
        .iter()
        .flatten()
        .filter(|header| header_index.take(header).is_some());
    let messages = found.count();
    match (messages, &account.store) {
        (1.., StoreSettings::Maildir { path, .. } | StoreSettings::Mbox { path, .. }) => {
            let path = path.clone();
            quit::say(session).await;
            Err(Error::Familiar { messages, path }.into())
        }
        _ => Ok(()),
    }
}
