//! Marks messages that are both on the server and in the store as already downloaded: `popsync
//! import --from-store`. It is one session that only reads: STAT, UIDL, LIST, TOP, QUIT, and a few
//! RETR if most sizes differ from those of the files.
//!
//! A file of a Maildir that surely is the server's message is recorded as stored, and the account's
//! retention applies to it from now on. Any other message is only recorded as downloaded.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::decide::{self, renamed};
use super::header_index::HeaderIndex;
use super::headers::{self, Header};
use super::likeness::Likeness;
use super::transfer::{Arrival, Arrived, sample};
use super::visit::{self, Premises, Purpose, Visit};
use super::{Error, Request, Warning, quit, sent_form};
use crate::account::{Account, LineEndings, StoreSettings};
use crate::cache::{Digest, DoubtReason, Had, LineEnds, Staged, Taken, Takes};
use crate::maildrop::{Maildrop, Message, Place};
use crate::session::{Session, Wanted};
use crate::store::{Maildir, Name, locate, names_by_tag};

/// Files with this ending are popsync's, with the content that the server sent.
const OURS: &str = ".popsync";

/// Records every message of the server that the store has. Retrieves, stores and deletes nothing.
///
/// # Errors
/// Those of a sync, and [`Error::NoHeaders`]. Nothing is recorded then.
pub async fn from_store(request: &Request<'_>) -> Result<Taken, Error> {
    let stop = request.stop.clone();
    if matches!(request.account.store, StoreSettings::Exec { .. }) {
        return Err(Error::NotLookedAt);
    }
    let account = request.account.clone();
    let now = (request.clock)();
    let Premises {
        lock: _lock,
        mut ledger,
        past,
        ..
    } = Premises::enter(request, Purpose::Record).await?;
    // Before the connection: a server does not wait while a large store is read.
    let reading = ledger.with(move |cache, id| {
        Ok::<_, Error>((cache.snapshot(id)?, HeaderIndex::read(&account.store)?))
    });
    let (snapshot, mut header_index) = reading.await?;
    let password = visit::password(request, &stop).await?;
    let visit = Visit::begin(request, &stop, &password, &past).await?;
    let sizing = visit.with_sizes(request, &stop, &password, &past);
    let visit = sizing.await?;
    // Without unique-ids the messages could not be recognised later.
    let (mut session, maildrop) = visit.named().await?;
    decide::warn_of_contradictions(request, &maildrop);
    let unknown = renamed::unknown(&maildrop, &snapshot);
    let asking = headers_of(&mut session, &maildrop, &unknown);
    let headers = stop.unless_stopped(asking).await??;
    let found: Vec<(Message<'_>, Option<Digest>, Option<Name>)> = unknown
        .iter()
        .zip(&headers)
        .filter_map(|(&place, header)| {
            let (message, header) = (maildrop.get(place)?, header.as_ref()?);
            Some((message, header.as_sent, header_index.take(header)?.same))
        })
        .collect();
    if found.is_empty() && !unknown.is_empty() {
        request.warn(Warning::NoneInStore {
            messages: unknown.len(),
            store: &request.account.store,
        });
    }
    let had = had(&found);
    let mut stored = stored(request.account, &found);
    let doubting = doubt_other_sizes(&mut session, &maildrop, &mut stored);
    stop.unless_stopped(doubting).await??;
    quit::leave(session).await;
    let unlisted = unlisted(request.account, &stored);
    let known = (maildrop.len() - unknown.len()) as u64;
    let was_compared = !maildrop.is_empty();
    let new = stored.len() as u64;
    let maildir = request.account.store.maildir().map(Path::to_owned);
    let recording = ledger.with(move |cache, id| {
        if let Some(maildir) = maildir.filter(|_| !stored.is_empty() || !unlisted.is_empty()) {
            Maildir::sync_foreign(&maildir)?;
        }
        cache.adopt(id, &stored, now)?;
        cache.adopt(id, &unlisted, now)?;
        // If nothing is listed, the import has not answered the question; the next sync must ask
        // again.
        if !was_compared {
            return Ok(Taken::default());
        }
        cache.take_over(id, had.into_iter().map(Ok::<_, Error>), now)
    });
    // A message that is recorded as stored is not imported too.
    let taken = recording.await?;
    Ok(Taken {
        new: taken.new + new,
        known,
        stay: taken.stay,
    })
}

/// The marks of these messages' headers, if the server sends them.
async fn headers_of(
    session: &mut Session,
    maildrop: &Maildrop,
    places: &[Place],
) -> Result<Vec<Option<Likeness>>, Error> {
    let messages = places.iter().filter_map(|&place| maildrop.get(place));
    let asked: Vec<headers::Asked> = messages.map(headers::Asked::from).collect();
    let mut all = Vec::with_capacity(asked.len());
    let has_top = headers::pull(session, &asked, |_, header| {
        all.push(match header {
            Header::Is(octets) => Some(Likeness::of_sent(octets)),
            Header::Refused(_) | Header::Unusable => None,
        });
    })
    .await?;
    if !has_top || (!all.is_empty() && all.iter().all(Option::is_none)) {
        return Err(Error::NoHeaders);
    }
    Ok(all)
}

/// The unique-ids whose messages were all found.
fn had(found: &[(Message<'_>, Option<Digest>, Option<Name>)]) -> Vec<Had> {
    let mut counts: HashMap<&[u8], (u32, u32)> = HashMap::new();
    for (message, ..) in found {
        let count = counts
            .entry(message.unique_id)
            .or_insert((0, message.copies));
        count.0 += 1;
    }
    let complete = counts.into_iter().filter(|(_, (count, all))| count == all);
    complete
        .map(|(unique_id, (_, copies))| Had {
            unique_id: unique_id.to_vec(),
            copies,
            without_slashes: false,
        })
        .collect()
}

/// The found messages whose files have the content that the server would send.
fn stored(account: &Account, found: &[(Message<'_>, Option<Digest>, Option<Name>)]) -> Vec<Staged> {
    let Some(maildir) = account.store.maildir() else {
        return Vec::new();
    };
    let line_endings = account.store.line_endings();
    let names = found.iter().filter_map(|(.., name)| name.as_ref());
    let paths = locate(maildir, names);
    let rows = found.iter().filter_map(|(message, header, name)| {
        let (name, header) = (name.as_ref()?, (*header)?);
        let Arrived { octets, sha256, .. } = as_sent(paths.get(name.as_str())?, line_endings)?;
        let is_sure = message.copies == 1
            && (message.octets == Some(octets) || name.as_str().ends_with(OURS));
        is_sure.then(|| Staged {
            unique_id: message.unique_id.to_vec(),
            name: name.clone(),
            octets,
            sha256,
            stored_sha256: None,
            header_sha256: header,
            listed_octets: message.octets,
            line_ends: LineEnds {
                stored: line_endings,
                bare: false,
            },
            extent: None,
            doubt: None,
            takes: Takes::New,
        })
    });
    rows.collect()
}

/// popsync's own files that match no message of the server, if their original content can be
/// restored from them. If the message appears later under another name, its content is known.
fn unlisted(account: &Account, stored: &[Staged]) -> Vec<Staged> {
    let Some(maildir) = account.store.maildir() else {
        return Vec::new();
    };
    let line_endings = account.store.line_endings();
    let known: HashSet<&str> = stored.iter().map(|row| row.name.as_str()).collect();
    let ours = names_by_tag(maildir).into_values().flatten();
    let names: Vec<Name> = ours
        .filter(|name| !known.contains(name.as_str()))
        .map(Name)
        .collect();
    let paths = locate(maildir, names.iter());
    let rows = names.into_iter().filter_map(|name| {
        let arrived = as_sent(paths.get(name.as_str())?, line_endings)?;
        Some(Staged {
            unique_id: Vec::new(),
            name,
            octets: arrived.octets,
            sha256: arrived.sha256,
            stored_sha256: None,
            header_sha256: arrived.header_sha256,
            listed_octets: None,
            line_ends: LineEnds {
                stored: line_endings,
                bare: false,
            },
            extent: None,
            doubt: None,
            takes: Takes::New,
        })
    });
    rows.collect()
}

/// Up to this many messages are cheap to retrieve again.
const FEW: usize = 3;

/// Rejects matches whose sizes differ from the server's: an equal header does not prove an equal
/// message. If most differ, a sample shows if the server only estimates sizes.
async fn doubt_other_sizes(
    session: &mut Session,
    maildrop: &Maildrop,
    rows: &mut [Staged],
) -> Result<(), Error> {
    let is_other = |row: &Staged| row.listed_octets.is_some_and(|listed| listed != row.octets);
    let others: Vec<&Staged> = rows.iter().filter(|row| is_other(row)).collect();
    let exact = rows
        .iter()
        .filter(|row| row.listed_octets == Some(row.octets));
    if exact.count() < others.len() && others.len() > FEW {
        let contents: HashMap<&[u8], Digest> = others
            .iter()
            .map(|row| (row.unique_id.as_slice(), row.sha256))
            .collect();
        let messages: Vec<Message<'_>> = maildrop
            .iter()
            .filter(|message| contents.contains_key(message.unique_id))
            .collect();
        let sample = decide::spread(&messages);
        let wanted: Vec<Wanted> = sample.iter().map(|&message| message.into()).collect();
        let digests = sample::digests(session, &wanted)
            .await
            .map_err(|(error, _)| error)?;
        let mut pairs = sample.iter().zip(digests);
        if pairs.all(|(message, digest)| digest == contents.get(message.unique_id).copied()) {
            return Ok(());
        }
    }
    for row in rows.iter_mut().filter(|row| is_other(row)) {
        row.doubt = Some(DoubtReason::Short);
    }
    Ok(())
}

/// Size and digest of a file as it was sent. None if that cannot be told.
fn as_sent(path: &Path, stored: LineEndings) -> Option<Arrived> {
    let mut arrival = Arrival::new(LineEndings::Crlf);
    let mut out = Vec::new();
    sent_form::read(path, stored, |sent| {
        out.clear();
        arrival.take(sent, &mut out);
    })?;
    out.clear();
    Some(arrival.finish(&mut out))
}
