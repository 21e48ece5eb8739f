//! Messages whose files are gone: decides if a person deleted each, or a mail program renamed it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Basis, Inspection};
use crate::cache::Snapshot;
use crate::maildrop::{Maildrop, Place};
use crate::policy::{Memory, Whereabouts};
use crate::store::{Inventory, Name};
use crate::sync::Error;
use crate::sync::filed::{By, Filed};
use crate::sync::likeness::Likeness;

/// A message that a mail program filed under a new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sync) struct MovedFile {
    pub(in crate::sync) unique_id: Vec<u8>,
    /// Its new file. None if a file may be the message, but this is not certain.
    pub(in crate::sync) name: Option<Name>,
    /// True if every octet of the file is the message's.
    pub(in crate::sync) is_whole: bool,
}

/// Assigns no file to two messages, unless it has every octet of both: with equal headers it is one
/// of them, and nobody can tell which.
pub(super) fn apart(moved: &mut [MovedFile]) {
    let mut claims: HashMap<Name, usize> = HashMap::new();
    for name in moved.iter().filter_map(|one| one.name.as_ref()) {
        *claims.entry(name.clone()).or_default() += 1;
    }
    for one in moved.iter_mut().filter(|one| !one.is_whole) {
        one.name = one.name.take().filter(|name| claims[name] == 1);
    }
}

/// The messages in these places whose files are gone.
pub(super) fn missed(
    maildrop: &Maildrop,
    snapshot: &Snapshot,
    places: impl Iterator<Item = Place>,
) -> Vec<(Place, Vec<u8>)> {
    let missed = places.filter_map(|place| {
        let message = maildrop.get(place)?;
        let known = snapshot.recall(message.unique_id)?;
        let is_missed = known.whereabouts == Whereabouts::Deleted;
        is_missed.then(|| (place, message.unique_id.to_vec()))
    });
    missed.collect()
}

/// The result of the search among the files of the store that have no record.
pub(super) struct Search {
    pub(super) filed: Filed,
    pub(super) moved: Vec<MovedFile>,
    /// The reason why any message may be there under another name, if there is one.
    pub(super) doubt: Option<Inspection>,
}

/// Searches for these messages by their recorded headers and contents.
pub(super) async fn search(
    basis: &mut Basis<'_>,
    snapshot: &Snapshot,
    missed: &[(Place, Vec<u8>)],
) -> Result<Search, Error> {
    let store = Arc::clone(&basis.store);
    let missed: Vec<(Vec<u8>, Vec<u8>)> = missed
        .iter()
        .map(|(_, id)| (id.clone(), snapshot.recorded_id(id).to_vec()))
        .collect();
    basis
        .ledger
        .with(move |cache, account| {
            let recorded = cache.recorded_names(account)?;
            let filed = match Filed::read(&*store, &recorded) {
                Ok(filed) => filed,
                Err(error) => {
                    return Ok(Search {
                        filed: Filed::default(),
                        moved: Vec::new(),
                        doubt: Some(Inspection::Failed(error)),
                    });
                }
            };
            let mut moved = Vec::new();
            for (unique_id, recorded_id) in missed {
                let digests = cache.digests(account, &recorded_id)?;
                let mut files = digests
                    .iter()
                    .filter_map(|(header, whole)| filed.recorded(header, whole));
                if let Some(file) = files.next() {
                    moved.push(MovedFile {
                        unique_id,
                        name: Some(file.name.clone()),
                        is_whole: file.by == By::Whole,
                    });
                }
            }
            let doubt = filed.gap().cloned().map(|gap| {
                let mut seen = Inventory::default();
                seen.note_gap(gap);
                Inspection::Taken(seen)
            });
            Ok::<_, crate::cache::Error>(Search {
                filed,
                moved,
                doubt,
            })
        })
        .await
}

/// Searches for the messages that are still missed by the headers that the server sends. A header
/// is none if the server does not send it. `found` are the messages found before, with their files.
pub(super) fn search_by_header(
    filed: &Filed,
    found: &[MovedFile],
    missed: Vec<(Place, Vec<u8>)>,
    headers: &HashMap<Place, Option<Likeness>>,
) -> Vec<MovedFile> {
    let taken: HashSet<&Name> = found.iter().filter_map(|one| one.name.as_ref()).collect();
    let has_free = filed.names().iter().any(|name| !taken.contains(name));
    let found = missed.into_iter().filter_map(|(place, unique_id)| {
        let header = headers.get(&place)?.as_ref();
        // A message whose header is not distinctive could be any of the files, and so could one
        // whose header is unknown.
        let Some(header) = header.filter(|header| header.is_telling()) else {
            return has_free.then_some(MovedFile {
                unique_id,
                name: None,
                is_whole: false,
            });
        };
        let file = filed.like(header)?;
        // A file that only may be the message is not its copy.
        let name = (file.by > By::Origin).then(|| file.name.clone());
        Some(MovedFile {
            unique_id,
            name,
            is_whole: false,
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(unique_id: &str, name: &str, is_whole: bool) -> MovedFile {
        MovedFile {
            unique_id: unique_id.into(),
            name: Some(Name(name.to_owned())),
            is_whole,
        }
    }

    #[test]
    fn a_file_stands_for_one_message_unless_it_is_all_of_both() {
        let mut found = [
            moved("a", "by header", false),
            moved("b", "by header", false),
            moved("c", "alone", false),
            moved("d", "whole", true),
            moved("e", "whole", true),
            moved("f", "mixed", true),
            moved("g", "mixed", false),
        ];
        apart(&mut found);
        let kept: Vec<bool> = found.iter().map(|one| one.name.is_some()).collect();
        assert_eq!(kept, [false, false, true, true, true, true, false]);
    }
}
