//! The copies of imported messages: `remove-imported`.
//!
//! An import says that another program downloaded a message. It does not say where the copy is, or
//! that there is one. So the message stays on the server, until a file of the Maildir proves to be
//! its copy: then it is recorded as stored, in place of the import, and the next run decides on it
//! as on any other.
//!
//! The proof: the message is retrieved once more, and the file has all of it. Its body is the
//! same, octet for octet, and every field of its header is there; the other program may have added
//! fields, and moved some. A fence after the message shows that it had come to its end. Each message
//! needs a file of its own, and none that is recorded already.

use std::collections::HashSet;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::broke::{Broke, Untoppable};
use super::decide::Brakes;
use super::delete;
use super::header_index::HeaderIndex;
use super::headers;
use super::ledger::Ledger;
use super::likeness::{self, Likeness};
use super::sent_form;
use super::transfer::{Arrived, Exactness, allowed, sample};
use super::{Error, Request, Stop};
use crate::account::LineEndings;
use crate::cache::{Digest, LineEnds, Snapshot, Staged, Takes};
use crate::maildrop::{Maildrop, Message, Place};
use crate::policy::{Memory, Trouble};
use crate::session::{Session, Wanted};
use crate::store::{Maildir, Name, locate};

/// A copy that was not found is looked for again after this many seconds: the headers of all such
/// messages are asked for then.
const SEEK_AGAIN: i64 = 24 * 60 * 60;

/// The number of messages that are compared and recorded together.
const AT_ONCE: usize = 256;

/// The longest header of a file that is compared.
const MAX_HEADER: usize = 1 << 20;

/// The most fields that a header may have to be compared.
const MAX_FIELDS: usize = 2_000;

/// The inputs of a search.
pub(super) struct Search<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) stop: &'a Stop,
    pub(super) ledger: &'a mut Ledger,
    pub(super) brakes: &'a mut Brakes,
    pub(super) trouble: &'a Trouble,
    pub(super) untoppable: &'a Untoppable,
}

/// The header of a message, as TOP showed it.
#[derive(Debug, Clone)]
struct Shown {
    likeness: Likeness,
    /// The digest of the message so far.
    begun: Sha256,
    /// The digests of its fields, sorted. None if there are too many.
    fields: Option<Vec<Digest>>,
}

/// An imported message, and the file that may be its copy.
struct Pair<'m> {
    message: Message<'m>,
    shown: Shown,
    name: Name,
}

/// A pair and the message as it was retrieved.
struct Retrieved {
    /// As it was imported.
    imported: Vec<u8>,
    unique_id: Vec<u8>,
    listed_octets: Option<u64>,
    shown: Shown,
    name: Name,
    arrived: Arrived,
}

impl Search<'_> {
    /// Looks for the copies of the listed messages that were imported, and records those that it
    /// finds as stored. Stores and deletes nothing.
    ///
    /// # Errors
    /// Those of the cache, the store and the connection. What was found before is recorded.
    pub(super) async fn run(
        mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
    ) -> Result<(), Broke> {
        let retention = &self.request.account.retention;
        if !retention.remove_imported || !retention.removes() {
            return Ok(());
        }
        let since = (self.request.clock)() - SEEK_AGAIN;
        let unsought = self
            .ledger
            .with(move |cache, account| cache.unsought(account, since))
            .await?;
        let places: Vec<(Place, Vec<u8>)> = maildrop
            .places()
            .filter(|(_, message)| self.is_sought(*message, snapshot))
            .filter_map(|(place, message)| Some((place, imported_id(message, &unsought)?)))
            .collect();
        if places.is_empty() {
            return Ok(());
        }
        let store = self.request.account.store.clone();
        let reading = self.ledger.with(move |cache, _| {
            let mut files = HeaderIndex::read(&store)?;
            files.take_files(&cache.files_of_all()?);
            Ok::<_, Error>(files)
        });
        let mut files = reading.await?;
        let (mut found, mut sought) = (0, 0);
        for places in places.chunks(AT_ONCE) {
            sought += places.len();
            match self.part(session, maildrop, places, &mut files).await? {
                Some(stored) => found += stored,
                None => break,
            }
        }
        tracing::info!("{found} of {sought} imported messages were found in the store");
        Ok(())
    }

    fn is_sought(&self, message: Message<'_>, snapshot: &Snapshot) -> bool {
        let known = snapshot.recall(message.unique_id);
        message.copies == 1
            && known.is_some_and(|known| !known.held && known.copies == 1)
            && !self.untoppable.has(message.unique_id)
            && !self.trouble.breaks.contains(message.unique_id)
    }

    /// The same for some of them. Returns the number of those found, or nothing if the fence
    /// failed.
    async fn part(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        places: &[(Place, Vec<u8>)],
        files: &mut HeaderIndex,
    ) -> Result<Option<usize>, Broke> {
        let asked: Vec<Place> = places.iter().map(|(place, _)| *place).collect();
        let asking = headers::of(session, maildrop, &asked, self.untoppable, Shown::of);
        let shown = self.stop.unless_stopped(asking).await??;
        let (mut pairs, mut missed) = (Vec::new(), Vec::new());
        for ((place, imported), shown) in places.iter().zip(shown) {
            let pair = maildrop
                .get(*place)
                .zip(shown)
                .and_then(|(message, shown)| {
                    let name = files.take(&shown.likeness)?.name?;
                    Some(Pair {
                        message,
                        shown,
                        name,
                    })
                });
            match pair {
                Some(pair) => pairs.push((pair, imported.clone())),
                None => missed.push(imported.clone()),
            }
        }
        let Some((retrieved, refused)) = self.retrieve(session, maildrop, pairs).await? else {
            return Ok(None);
        };
        missed.extend(refused);
        self.compare(retrieved, missed)
            .await
            .map(Some)
            .map_err(Broke::from)
    }

    /// Retrieves the messages once more. Also gives the imported ids of those that the server
    /// refuses. None if they may not be whole.
    async fn retrieve(
        &mut self,
        session: &mut Session,
        maildrop: &Maildrop,
        pairs: Vec<(Pair<'_>, Vec<u8>)>,
    ) -> Result<Option<(Vec<Retrieved>, Vec<Vec<u8>>)>, Broke> {
        if pairs.is_empty() {
            return Ok(Some(Default::default()));
        }
        let wanted: Vec<Wanted> = pairs.iter().map(|(pair, _)| pair.message.into()).collect();
        let most = pairs.iter().map(|(pair, _)| allowed(pair.message.octets));
        let most = most.max().unwrap_or_default();
        let retrieving = sample::arrivals(session, &wanted, most);
        let arrived = match self.stop.unless_stopped(retrieving).await? {
            Ok(arrived) => arrived,
            // A message that nobody wants here must not stop the others: the next session does
            // without it, as without headers that break one.
            Err((error, at)) => {
                let at = pairs
                    .get(at)
                    .map(|(pair, _)| pair.message.unique_id.to_vec());
                return Err(Broke::at_top(error, at));
            }
        };
        let fencing = delete::fence(session, maildrop);
        if self.stop.unless_stopped(fencing).await??.is_none() {
            return Ok(None);
        }
        let (mut retrieved, mut refused) = (Vec::with_capacity(pairs.len()), Vec::new());
        for ((pair, imported), arrived) in pairs.into_iter().zip(arrived) {
            match arrived {
                Some(arrived) => retrieved.push(Retrieved {
                    imported,
                    unique_id: pair.message.unique_id.to_vec(),
                    listed_octets: pair.message.octets,
                    shown: pair.shown,
                    name: pair.name,
                    arrived,
                }),
                None => refused.push(imported),
            }
        }
        Ok(Some((retrieved, refused)))
    }

    /// Compares the messages with the files, and records the result. Returns the number of those
    /// found.
    async fn compare(
        &mut self,
        retrieved: Vec<Retrieved>,
        mut missed: Vec<Vec<u8>>,
    ) -> Result<usize, Error> {
        let store = self.request.account.store.clone();
        let now = (self.request.clock)();
        let (found, last) = self
            .ledger
            .with(move |cache, account| {
                let exactness = Exactness::from(cache.sizes_so_far(account)?);
                let names = retrieved.iter().map(|one| &one.name);
                let paths = store.maildir().map(|path| locate(path, names));
                let paths = paths.unwrap_or_default();
                let mut found = Vec::new();
                for one in retrieved {
                    let path = paths.get(one.name.as_str());
                    let copy = path.and_then(|path| one.copy(path, store.line_endings()));
                    match copy.filter(|_| !(exactness.is_proved() && one.is_short())) {
                        Some(copy) => found.push((one.imported.clone(), one.stored(copy))),
                        None => missed.push(one.imported),
                    }
                }
                if let Some(maildir) = store.maildir().filter(|_| !found.is_empty()) {
                    Maildir::sync_foreign(maildir)?;
                }
                let last = cache.found_imported(account, &found, &missed, now)?;
                Ok::<_, Error>((found.len(), last))
            })
            .await?;
        if let Some(last) = last {
            self.brakes.learn_found(last);
        }
        Ok(found)
    }
}

/// The id under which a message was imported, if that is among these.
fn imported_id(message: Message<'_>, ids: &HashSet<Vec<u8>>) -> Option<Vec<u8>> {
    if let Some(id) = ids.get(message.unique_id) {
        return Some(id.clone());
    }
    // Some programs write every `/` as `-`.
    let dashed = message.unique_id.iter();
    let dashed: Vec<u8> = dashed
        .map(|&octet| if octet == b'/' { b'-' } else { octet })
        .collect();
    ids.get(&dashed).cloned()
}

impl Shown {
    fn of(header: &[u8]) -> Self {
        let mut fields = likeness::fields(header);
        fields.sort_unstable();
        Self {
            likeness: Likeness::of_sent(header),
            begun: Sha256::new_with_prefix(header),
            fields: Some(fields).filter(|fields| fields.len() <= MAX_FIELDS),
        }
    }
}

/// A file that is the copy of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copied {
    /// Digest of all of it, as sent.
    whole: Digest,
    line_endings: LineEndings,
}

impl Retrieved {
    /// True if it came shorter than the server had announced.
    fn is_short(&self) -> bool {
        self.listed_octets
            .is_some_and(|listed| self.arrived.octets < listed)
    }

    /// The file at this path, if it has all of the message.
    fn copy(&self, path: &Path, line_endings: LineEndings) -> Option<Copied> {
        let wanted = self.shown.fields.as_ref()?;
        let mut header = Vec::new();
        let mut in_body = false;
        let mut line_begun = false;
        let mut whole = Sha256::new();
        let mut message = self.shown.begun.clone();
        sent_form::read(path, line_endings, |sent| {
            whole.update(sent);
            let mut rest = sent;
            while !in_body && !rest.is_empty() {
                let end = memchr::memchr(b'\n', rest);
                let (line, behind) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
                let room = MAX_HEADER.saturating_sub(header.len());
                header.extend_from_slice(&line[..line.len().min(room)]);
                line_begun |= line.iter().any(|octet| !b"\r\n".contains(octet));
                if end.is_some() {
                    in_body = !std::mem::take(&mut line_begun);
                }
                rest = behind;
            }
            message.update(rest);
        })?;
        let mut has = likeness::fields(&header);
        has.sort_unstable();
        let is_same = Digest::from(message.finalize()) == self.arrived.sha256;
        (is_same && includes(&has, wanted)).then(|| Copied {
            whole: whole.finalize().into(),
            line_endings,
        })
    }

    /// The record of its copy.
    fn stored(self, copy: Copied) -> Staged {
        Staged {
            unique_id: self.unique_id,
            name: self.name,
            octets: self.arrived.octets,
            sha256: self.arrived.sha256,
            stored_sha256: (copy.whole != self.arrived.sha256).then_some(copy.whole),
            header_sha256: self.arrived.header_sha256,
            listed_octets: self.listed_octets,
            line_ends: LineEnds {
                stored: copy.line_endings,
                bare: self.arrived.line_ends.bare,
            },
            extent: None,
            doubt: None,
            takes: Takes::New,
        }
    }
}

/// True if all of `wanted` are in `has`, as often. Both are sorted.
fn includes(has: &[Digest], wanted: &[Digest]) -> bool {
    let mut has = has.iter();
    wanted.iter().all(|one| has.any(|other| other == one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_counts_as_often_as_it_is_there() {
        let digests = |numbers: &[u8]| numbers.iter().map(|&n| [n; 32]).collect::<Vec<Digest>>();
        for (has, wanted, expected) in [
            (&[][..], &[][..], true),
            (&[1, 2, 3], &[1, 3], true),
            (&[1, 1, 2], &[1, 1], true),
            (&[1, 2], &[1, 1], false),
            (&[1, 2], &[3], false),
            (&[2], &[1, 2], false),
        ] {
            assert_eq!(
                includes(&digests(has), &digests(wanted)),
                expected,
                "{has:?} {wanted:?}"
            );
        }
    }
}
