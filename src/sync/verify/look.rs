//! Compares a Maildir with the records: every recorded message is searched for as in a sync, and
//! all other files are reported.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::super::likeness::{self, Reading};
use super::super::{Error, Request, closed_store};
use super::known::Known;
use super::local::{self, Content, Reader};
use super::readers::Readers;
use super::{Condition, Finding, Looked, Part, Tally, Wrong};
use crate::cache::{Digest, Stored};
use crate::store::{Filed, Forms, Viewer, census};

/// This many messages are compared before their findings are told.
const BLOCK: usize = 256;

/// The files of a message, and how each compares with its record.
type Compared = Vec<(PathBuf, io::Result<Content>)>;

/// Compares the whole Maildir.
pub(super) fn maildir(
    request: &Request<'_>,
    root: &Path,
    known: &Known,
    part: Part,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<Looked, Error> {
    let files = census(root);
    let by_name = by_name(&files);
    let mut readers = Readers::new();
    let mut looked = Looked::default();
    let mut absent = Vec::new();
    let progress = known.progress(request, part);
    let mut present = Vec::new();
    for (place, stored) in known.stored.iter().enumerate() {
        let files = files_of(&by_name, stored.name.as_str());
        if files.is_empty() {
            absent.push(place);
        } else if part.holds(stored.key) {
            present.push((place, files));
        } else {
            tally.unread += 1;
        }
    }
    for block in present.chunks(BLOCK) {
        let compared = readers.each(block, |reader, &(place, files)| {
            if request.stop.asked().is_some() {
                return Compared::new();
            }
            let stored = &known.stored[place];
            let compared = compare(reader, stored, files);
            progress.done(stored.octets);
            compared
        });
        if let Some(signal) = request.stop.asked() {
            return Err(signal.into());
        }
        for (&(place, _), compared) in block.iter().zip(compared) {
            let stored = &known.stored[place];
            settle(root, (stored, place), compared, &mut looked, tally, tell);
        }
    }
    drop(progress);
    let names = names(known);
    let mut strangers = Strangers::default();
    let is_stranger = |file: &Filed| is_stranger(known, &names, file);
    if (part.is_all() || !absent.is_empty()) && files.iter().any(is_stranger) {
        strangers = Strangers::read(request, known, &files, &absent)?;
    }
    for place in absent {
        match strangers.filed.remove(&place) {
            Some((base, is_whole)) => {
                let stored = &known.stored[place];
                let path = files_of(&by_name, &base).first().map(|file| file.path());
                let (count, condition) = match is_whole {
                    true => (&mut tally.filed, Condition::Filed),
                    false => (&mut tally.altered, Condition::Altered),
                };
                *count += 1;
                tally.intact += u64::from(is_whole);
                tell(found(stored, path.as_deref(), condition));
            }
            None => looked.missing(known, place, tally, tell),
        }
    }
    if part.is_all() {
        let foreign = files.iter().filter(|file| is_stranger(file));
        others(known, foreign, &strangers, tally, tell);
    }
    Ok(looked)
}

/// All files, in order of the parts of their names that stay. Files of one name are in
/// the order in which they were found.
fn by_name(files: &[Filed]) -> Vec<&Filed> {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by_key(|file| file.base());
    files
}

fn files_of<'p, 'a>(by_name: &'p [&'a Filed], name: &str) -> &'p [&'a Filed] {
    let start = by_name.partition_point(|file| file.base() < name);
    let files = &by_name[start..];
    &files[..files.partition_point(|file| file.base() == name)]
}

/// The names of the stored messages.
fn names(known: &Known) -> HashSet<&str> {
    let stored = known.stored.iter();
    stored.map(|stored| stored.name.as_str()).collect()
}

/// The files of the recorded messages, by index, under their own names or others.
pub(in crate::sync) fn files(
    request: &Request<'_>,
    root: &Path,
    known: &Known,
) -> Result<HashMap<usize, PathBuf>, Error> {
    let files = census(root);
    let mut by_name: HashMap<&str, &Filed> = HashMap::new();
    for file in &files {
        by_name.entry(file.base()).or_insert(file);
    }
    let mut found = HashMap::new();
    let mut absent = Vec::new();
    for (place, stored) in known.stored.iter().enumerate() {
        match by_name.get(stored.name.as_str()) {
            Some(file) => {
                found.insert(place, file.path());
            }
            None => absent.push(place),
        }
    }
    if !absent.is_empty() {
        let strangers = Strangers::read(request, known, &files, &absent)?;
        let filed = strangers.filed.into_iter();
        found.extend(filed.filter_map(|(place, (base, _))| {
            let file = by_name.get(base.as_str())?;
            Some((place, file.path()))
        }));
    }
    Ok(found)
}

/// Compares the files of one message.
fn compare(reader: &mut Reader, stored: &Stored, files: &[&Filed]) -> Compared {
    let compare = |file: &&Filed| {
        let path = file.path();
        let content = local::compare(reader, &path, stored);
        (path, content)
    };
    files.iter().map(compare).collect()
}

/// Counts a recorded message whose file is there, perhaps more than once.
fn settle(
    root: &Path,
    (stored, place): (&Stored, usize),
    mut compared: Compared,
    looked: &mut Looked,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) {
    // If one of several copies is intact, the message is.
    compared.sort_by_key(|(_, content)| !matches!(content, Ok(Content::Intact)));
    let mut compared = compared.into_iter();
    let Some((path, content)) = compared.next() else {
        return;
    };
    for (copy, _) in compared {
        tally.duplicates += 1;
        tell(found(stored, Some(&copy), Condition::Duplicate));
    }
    let condition = match content {
        Ok(Content::Intact) => {
            tally.intact += 1;
            if !is_own_folder(root, &path) {
                tally.moved += 1;
                tell(found(stored, Some(&path), Condition::Moved));
            }
            return;
        }
        Ok(Content::Possible(digest)) => {
            tally.unproven += 1;
            looked.proved.push((stored.key, digest));
            return;
        }
        Ok(Content::Compressed) => {
            tally.unproven += 1;
            tell(found(stored, Some(&path), Condition::Compressed));
            return;
        }
        Ok(Content::Damaged) => Condition::Damaged,
        // It was moved since the folder was read.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            tally.unread += 1;
            return;
        }
        Err(_) => Condition::Unreadable,
    };
    tally.damaged += 1;
    tell(found(stored, Some(&path), condition));
    looked.wrong.push(Wrong {
        place,
        path: Some(path),
    });
}

/// Files without a record.
fn others<'f>(
    known: &Known,
    files: impl Iterator<Item = &'f Filed>,
    strangers: &Strangers,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) {
    for file in files {
        let base = file.base();
        let stored = strangers
            .copies
            .get(base)
            .map(|place| &known.stored[*place]);
        if strangers.taken.contains(base) {
            continue;
        }
        let condition = match (stored, file.tag()) {
            (Some(_), _) => Condition::Duplicate,
            (None, Some(_)) if !file.is_beside => Condition::Unrecorded,
            _ if file.is_beside || !is_message(&file.path()) => continue,
            _ => Condition::Foreign,
        };
        match condition {
            Condition::Duplicate => tally.duplicates += 1,
            Condition::Unrecorded => tally.unrecorded += 1,
            _ => tally.foreign += 1,
        }
        tell(Finding {
            unique_id: stored.map(|stored| stored.unique_id.as_slice()),
            name: base,
            path: Some(&file.path()),
            at: None,
            kept: None,
            condition,
        });
    }
}

/// True if it may be this account's, though nothing of this name is recorded.
fn is_stranger(known: &Known, names: &HashSet<&str>, file: &Filed) -> bool {
    let is_others = file.tag().is_some_and(|tag| known.other_tags.contains(tag));
    let base = file.base();
    !is_others && !names.contains(base) && !known.recorded.contains(base)
}

fn is_own_folder(root: &Path, path: &Path) -> bool {
    path.parent()
        .is_some_and(|folder| folder == root.join("cur") || folder == root.join("new"))
}

/// True if it is in a folder where mail programs keep messages.
fn is_message(path: &Path) -> bool {
    path.parent()
        .is_some_and(|folder| folder.ends_with("cur") || folder.ends_with("new"))
}

/// A finding of a recorded message.
pub(in crate::sync) fn found<'a>(
    stored: &'a Stored,
    path: Option<&'a Path>,
    condition: Condition,
) -> Finding<'a> {
    Finding {
        unique_id: Some(&stored.unique_id),
        name: stored.name.as_str(),
        path,
        at: None,
        kept: None,
        condition,
    }
}

/// The messages in files without a record.
#[derive(Default)]
struct Strangers {
    /// The files of absent messages, by index of the message, with true if every octet proves it.
    filed: HashMap<usize, (String, bool)>,
    /// The same files.
    taken: HashSet<String>,
    /// Files that are one more copy of a message, with the index of that.
    copies: HashMap<String, usize>,
}

impl Strangers {
    fn read(
        request: &Request<'_>,
        known: &Known,
        files: &[Filed],
        absent: &[usize],
    ) -> Result<Self, Error> {
        let names = names(known);
        let others: HashSet<&str> = files
            .iter()
            .filter(|file| !is_stranger(known, &names, file))
            .map(Filed::base)
            .collect();
        let mut proofs: HashMap<Digest, Vec<usize>> = HashMap::new();
        for (place, stored) in known.stored.iter().enumerate() {
            proofs
                .entry(stored.proof().unwrap_or(stored.sha256))
                .or_default()
                .push(place);
        }
        let mut headers: HashMap<Digest, Vec<usize>> = HashMap::new();
        for &place in absent {
            headers
                .entry(known.stored[place].header_sha256)
                .or_default()
                .push(place);
        }
        let mut meeting = Meeting {
            absent,
            proofs,
            headers,
            strangers: Self::default(),
            alike: Vec::new(),
            forms: Forms::of_file(likeness::is_added),
            reading: Reading::default(),
        };
        let store = closed_store(&request.account.store);
        let is_known = |name: &str| {
            others.contains(name) || names.contains(name) || known.recorded.contains(name)
        };
        store.strangers(&is_known, &mut meeting)?;
        Ok(meeting.settle())
    }
}

/// Reads one message after another, and finds out which one it is.
struct Meeting<'a> {
    absent: &'a [usize],
    /// The indexes of the messages with this digest.
    proofs: HashMap<Digest, Vec<usize>>,
    /// The indexes of absent messages with this header.
    headers: HashMap<Digest, Vec<usize>>,
    strangers: Strangers,
    /// Files with the headers of absent messages, and the indexes of these.
    alike: Vec<(String, usize)>,
    forms: Forms,
    reading: Reading,
}

impl Meeting<'_> {
    fn settle(mut self) -> Strangers {
        for (base, place) in self.alike {
            let is_free = !self.strangers.filed.contains_key(&place);
            if is_free && self.strangers.taken.insert(base.clone()) {
                self.strangers.filed.insert(place, (base, false));
            }
        }
        self.strangers
    }
}

impl Viewer for Meeting<'_> {
    fn content(&mut self, octets: &[u8]) -> bool {
        self.forms.take(octets);
        self.reading.take(octets);
        true
    }

    fn end(&mut self, name: &str) {
        let forms = std::mem::replace(&mut self.forms, Forms::of_file(likeness::is_added));
        let header = std::mem::take(&mut self.reading).header();
        if header.is_stub {
            return;
        }
        let mut digests = forms.finish().into_iter();
        let places = digests.find_map(|proof| self.proofs.get(&proof.digest));
        if let Some(places) = places {
            let Strangers {
                filed,
                taken,
                copies,
            } = &mut self.strangers;
            let is_absent = |place: &usize| self.absent.binary_search(place).is_ok();
            let free = places
                .iter()
                .find(|place| is_absent(place) && !filed.contains_key(place));
            if let Some(&place) = free {
                filed.insert(place, (name.to_owned(), true));
                taken.insert(name.to_owned());
            } else if let Some(&place) = places.first() {
                copies.insert(name.to_owned(), place);
            }
            return;
        }
        let alike = [header.as_sent, header.without_added].into_iter().flatten();
        let mut alike = alike
            .filter_map(|header| self.headers.get(&header))
            .flatten();
        if let Some(&place) = alike.next() {
            self.alike.push((name.to_owned(), place));
        }
    }

    fn abandon(&mut self) {
        self.forms = Forms::of_file(likeness::is_added);
        self.reading = Reading::default();
    }
}

impl Looked {
    /// Reports a message that is nowhere.
    pub(super) fn missing(
        &mut self,
        known: &Known,
        place: usize,
        tally: &mut Tally,
        tell: &mut (dyn FnMut(Finding<'_>) + Send),
    ) {
        let stored = &known.stored[place];
        if stored.absence_accepted {
            tally.accepted += 1;
            return;
        }
        tally.missing += 1;
        tell(found(stored, None, Condition::Missing));
        self.wrong.push(Wrong { place, path: None });
    }
}
