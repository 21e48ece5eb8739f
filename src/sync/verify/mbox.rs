//! Compares an mbox with the records of its messages.
//!
//! A message that is in its place, octet for octet, is intact. One that is not is compared without
//! the fields in which mail programs keep their records: if that gives the digest of the sent
//! message, it is intact too, wherever it is.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::super::likeness;
use super::super::{Error, Request};
use super::known::Known;
use super::{Condition, Finding, Looked, Part, Tally, Wrong};
use crate::cache::Digest;
use crate::store::mbox::{Marks, Seen};
use crate::store::{Extent, Fields, Mbox, Trim};

/// Compares the whole mbox.
pub(super) fn mbox(
    request: &Request<'_>,
    path: &Path,
    known: &Known,
    part: Part,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<Looked, Error> {
    let mut places = Vec::new();
    let mut extents: Vec<Extent> = Vec::new();
    let mut looked = Looked::default();
    for (place, stored) in known.stored.iter().enumerate() {
        match known.extents.get(&stored.key) {
            _ if !part.holds(stored.key) => tally.unread += 1,
            Some(extent) => {
                places.push(place);
                extents.push(*extent);
            }
            // It was stored when the account had another store.
            None => looked.missing(known, place, tally, tell),
        }
    }
    let progress = known.progress(request, part);
    let mut on_compared = |extent: &Extent| progress.done(extent.length);
    let is_all = part.is_all();
    let checked = Mbox::check(path, &extents, is_all, likeness::is_added, &mut on_compared)?;
    drop(progress);
    let path_of = || path.to_owned();
    let checked = match checked {
        Some(checked) if checked.is_changing => {
            return Err(Error::StoreChanges { path: path_of() });
        }
        Some(checked) => checked,
        None if known.stored.is_empty() => return Ok(looked),
        None => {
            return Err(Error::StoreMissing {
                kind: "mbox",
                path: path_of(),
            });
        }
    };
    if let Some(signal) = request.stop.asked() {
        return Err(signal.into());
    }
    let mut sorting = Sorting {
        known,
        others: checked.others,
        taken: HashSet::new(),
    };
    let mut absent = Vec::new();
    for (place, is_whole) in places.into_iter().zip(checked.whole) {
        match is_whole {
            true => tally.intact += 1,
            false => absent.push(place),
        }
    }
    let absent = sorting.intact(absent, tally);
    sorting.changed(path, absent, &mut looked, tally, tell);
    if part.is_all() {
        sorting.rest(path, tally, tell);
    }
    Ok(looked)
}

/// A part of an mbox that is a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Piece {
    pub(in crate::sync) start: u64,
    pub(in crate::sync) length: u64,
    /// The parts of it that a mail program added.
    pub(in crate::sync) trim: Trim,
}

/// The places of the recorded messages, by index.
pub(in crate::sync) fn parts(path: &Path, known: &Known) -> Result<HashMap<usize, Piece>, Error> {
    let stored = known.stored.iter().enumerate();
    let (places, extents): (Vec<usize>, Vec<Extent>) = stored
        .filter_map(|(place, stored)| Some((place, *known.extents.get(&stored.key)?)))
        .unzip();
    let mut found = HashMap::new();
    let Some(checked) = Mbox::check(path, &extents, false, likeness::is_added, &mut |_| {})? else {
        return Ok(found);
    };
    let mut by_digest: HashMap<Digest, (&Seen, Trim)> = HashMap::new();
    for seen in &checked.others {
        for proof in &seen.forms {
            by_digest.entry(proof.digest).or_insert((seen, proof.trim));
        }
    }
    for ((place, extent), is_whole) in places.into_iter().zip(extents).zip(checked.whole) {
        let stored = &known.stored[place];
        let proof = stored.proof().unwrap_or(stored.sha256);
        let piece = match (is_whole, by_digest.get(&proof)) {
            // The blank line after it does not belong to the message.
            (true, _) => Piece {
                start: extent.start,
                length: extent.length,
                trim: Trim {
                    fields: Fields::None,
                    end: 1,
                },
            },
            (false, Some((seen, trim))) => Piece {
                start: seen.start,
                length: seen.length,
                trim: *trim,
            },
            (false, None) => continue,
        };
        found.insert(place, piece);
    }
    Ok(found)
}

/// Identifies the messages that are in other places.
struct Sorting<'a> {
    known: &'a Known,
    others: Vec<Seen>,
    /// Those of them that are a recorded message.
    taken: HashSet<usize>,
}

impl Sorting<'_> {
    /// Counts those that a digest proves. Returns the others.
    fn intact(&mut self, absent: Vec<usize>, tally: &mut Tally) -> Vec<usize> {
        let mut by_form: HashMap<Digest, Vec<usize>> = HashMap::new();
        for (at, seen) in self.others.iter().enumerate() {
            let digests = seen.forms.iter().map(|form| form.digest);
            for digest in digests.collect::<HashSet<_>>() {
                by_form.entry(digest).or_default().push(at);
            }
        }
        let mut left = Vec::new();
        for place in absent {
            let stored = &self.known.stored[place];
            let proof = stored.proof().unwrap_or(stored.sha256);
            let found = by_form.get(&proof).into_iter().flatten();
            match found.copied().find(|at| !self.taken.contains(at)) {
                Some(at) => {
                    self.taken.insert(at);
                    tally.intact += 1;
                }
                None => left.push(place),
            }
        }
        left
    }

    /// Reports which of the others are changed, and which are missing.
    fn changed(
        &mut self,
        path: &Path,
        absent: Vec<usize>,
        looked: &mut Looked,
        tally: &mut Tally,
        tell: &mut (dyn FnMut(Finding<'_>) + Send),
    ) {
        let known = self.known;
        for place in absent {
            let stored = &known.stored[place];
            let Some(extent) = known.extents.get(&stored.key) else {
                continue;
            };
            let Some(at) = self.likeliest(extent) else {
                looked.missing(known, place, tally, tell);
                continue;
            };
            self.taken.insert(at);
            let seen = &self.others[at];
            if stored.proof().is_none() && seen.marks == extent.marks {
                tally.unproven += 1;
                continue;
            }
            tally.damaged += 1;
            tell(Finding {
                unique_id: Some(&stored.unique_id),
                name: stored.name.as_str(),
                path: Some(path),
                at: Some(seen.start),
                kept: None,
                condition: Condition::Damaged,
            });
            looked.wrong.push(Wrong {
                place,
                path: Some(path.to_owned()),
            });
        }
    }

    /// The message that has most in common with the recorded one.
    fn likeliest(&self, extent: &Extent) -> Option<usize> {
        let likeness = |seen: &Seen| {
            let Marks { body, message_id } = seen.marks;
            let body = body.is_some() && body == extent.marks.body;
            let message_id = message_id.is_some() && message_id == extent.marks.message_id;
            2 * u8::from(body) + 2 * u8::from(message_id) + u8::from(seen.start == extent.start)
        };
        let others = self.others.iter().enumerate();
        let free = others.filter(|(at, _)| !self.taken.contains(at));
        let alike = free.map(|(at, seen)| (likeness(seen), at));
        let (_, at) = alike.filter(|(likeness, _)| *likeness > 0).max()?;
        Some(at)
    }

    /// Reports every part that is no recorded message, or one more copy of one.
    fn rest(&self, path: &Path, tally: &mut Tally, tell: &mut (dyn FnMut(Finding<'_>) + Send)) {
        let stored = self.known.stored.iter();
        let proofs: HashMap<Digest, &[u8]> = stored
            .map(|stored| {
                let proof = stored.proof().unwrap_or(stored.sha256);
                (proof, stored.unique_id.as_slice())
            })
            .collect();
        for (at, seen) in self.others.iter().enumerate() {
            if self.taken.contains(&at) {
                continue;
            }
            let copy_of = seen.forms.iter().find_map(|form| proofs.get(&form.digest));
            let (count, condition) = match copy_of {
                Some(_) => (&mut tally.duplicates, Condition::Duplicate),
                None => (&mut tally.foreign, Condition::Foreign),
            };
            *count += 1;
            tell(Finding {
                unique_id: copy_of.copied(),
                name: "",
                path: Some(path),
                at: Some(seen.start),
                kept: None,
                condition,
            });
        }
    }
}
