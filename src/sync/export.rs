//! Exports stored messages for other programs: `popsync export`.
//!
//! Each message is read twice: first for its date and digest, then to write it. So the order, the
//! names and the manifest depend only on the messages, and the same messages give the same archive.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::progress::Progress;
use super::verify::known::Known;
use super::verify::look::{self, found};
use super::verify::mbox::{self, Piece};
use super::visit::Purpose;
use super::{Condition, Error, Finding, Reporter, Request, Stop, likeness};
use crate::account::{LineEndings, StoreSettings};
use crate::cache::{Digest, Stored};
use crate::envelope::Envelope;
use crate::store::archive::{self, Expand, Form, Item};
use crate::store::mbox::Extract;
use crate::store::{Name, Text, locate};

/// The maximum that is read of a message for its header.
const HEADER: usize = 256 << 10;

/// The size of a read.
const READ_AT_ONCE: usize = 256 << 10;

/// The messages to export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selection {
    /// Written at this second or later.
    pub since: Option<i64>,
    /// Written before this second.
    pub before: Option<i64>,
    /// With this text in the author, ignoring case.
    pub from: Option<String>,
    /// With this text in the subject, ignoring case.
    pub subject: Option<String>,
}

/// The messages of an account that are to be exported.
#[derive(Debug)]
pub(crate) struct Holdings {
    account: String,
    store: StoreSettings,
    mbox: Option<Arc<File>>,
    messages: Vec<Held>,
    /// The numbers of messages.
    pub counts: Counts,
}

/// Messages, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Messages to be written.
    pub messages: u64,
    /// Their octets as sent.
    pub octets: u64,
    /// Messages not selected.
    pub left_out: u64,
    /// Messages not in the store.
    pub missing: u64,
    /// Messages that differ from what was stored. They are written as they are.
    pub damaged: u64,
}

#[derive(Debug)]
struct Held {
    item: Item,
    name: Name,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Part(Piece),
}

impl Selection {
    fn takes(&self, date: i64, envelope: &Envelope) -> bool {
        let has = |text: &Option<String>, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| {
                let text = text.as_deref().unwrap_or_default().to_lowercase();
                text.contains(&wanted.to_lowercase())
            })
        };
        self.since.is_none_or(|since| date >= since)
            && self.before.is_none_or(|before| date < before)
            && has(&envelope.from, &self.from)
            && has(&envelope.subject, &self.subject)
    }
}

/// Reads the messages to export of an account. Calls `tell` for those that are missing or damaged.
///
/// # Errors
/// Those of the state and of the store; a signal.
pub(crate) async fn holdings(
    request: &Request<'_>,
    selection: &Selection,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<Holdings, Error> {
    let known = Known::read(request, Purpose::Rehearse).await?;
    known.has_store(request)?;
    let store = request.account.store.clone();
    let mut holdings = Holdings {
        account: request.account.name.clone(),
        mbox: match &store {
            StoreSettings::Mbox { path, .. } => Extract::open(path)?,
            _ => None,
        },
        store,
        messages: Vec::new(),
        counts: Counts::default(),
    };
    let sources = sources(request, &known)?;
    let octets = known.stored.iter().map(|stored| stored.octets).sum();
    let progress = Progress::begin(request.reporter, "reading", sources.len() as u64, octets);
    for (place, source) in sources.into_iter().enumerate() {
        if let Some(signal) = request.stop.asked() {
            return Err(signal.into());
        }
        let stored = &known.stored[place];
        match source {
            Some(source) => holdings.take(stored, source, selection, tell),
            None if stored.absence_accepted => {}
            None => {
                holdings.counts.missing += 1;
                tell(found(stored, None, Condition::Missing));
            }
        }
        progress.done(stored.octets);
    }
    drop(progress);
    holdings.order();
    Ok(holdings)
}

/// The place of each message.
fn sources(request: &Request<'_>, known: &Known) -> Result<Vec<Option<Source>>, Error> {
    let places = 0..known.stored.len();
    Ok(match &request.account.store {
        StoreSettings::Maildir { path, .. } => {
            let mut files = look::files(request, path, known)?;
            places
                .map(|place| files.remove(&place).map(Source::File))
                .collect()
        }
        StoreSettings::Mbox { path, .. } => {
            let mut parts = mbox::parts(path, known)?;
            places
                .map(|place| parts.remove(&place).map(Source::Part))
                .collect()
        }
        StoreSettings::Exec { .. } => return Err(Error::NotLookedAt),
    })
}

/// Writes an archive of these accounts, in their order.
///
/// # Errors
/// Those of the target and of the stores; a signal. The unfinished archive keeps its name
/// `.partial`.
pub(crate) fn write(
    holdings: &[Holdings],
    to: &Path,
    form: Form,
    reporter: &dyn Reporter,
    stop: &Stop,
) -> Result<(), Error> {
    let mut archive = archive::begin(to, form, holdings.len() > 1)?;
    let messages = holdings.iter().map(|account| account.counts.messages);
    let octets = holdings.iter().map(|account| account.counts.octets);
    let progress = Progress::begin(reporter, "writing", messages.sum(), octets.sum());
    for account in holdings {
        archive.begin(&account.account)?;
        for held in &account.messages {
            if let Some(signal) = stop.asked() {
                return Err(signal.into());
            }
            let mut text = account
                .open(&held.name, &held.source)
                .map_err(unreadable(to))?;
            archive.add(&held.item, &mut text)?;
            progress.done(held.item.octets);
        }
    }
    drop(progress);
    Ok(archive.finish()?)
}

fn unreadable(to: &Path) -> impl Fn(io::Error) -> Error {
    move |error| {
        crate::store::Error::Io {
            doing: "exporting to",
            path: to.to_owned(),
            source: error,
        }
        .into()
    }
}

impl Holdings {
    /// Reads a message once, for its date and digest.
    fn take(
        &mut self,
        stored: &Stored,
        source: Source,
        selection: &Selection,
        tell: &mut (dyn FnMut(Finding<'_>) + Send),
    ) {
        let path = match &source {
            Source::File(path) => Some(path.clone()),
            Source::Part(_) => None,
        };
        let has_lf = stored.line_ends.stored == LineEndings::Lf;
        let seen = self
            .open(&stored.name, &source)
            .and_then(|text| see(text, has_lf));
        let Ok(seen) = seen else {
            self.counts.missing += 1;
            tell(found(stored, path.as_deref(), Condition::Unreadable));
            return;
        };
        let envelope = Envelope::parse(&seen.header);
        let date = envelope.date.unwrap_or(stored.stored_at);
        if !selection.takes(date, &envelope) {
            self.counts.left_out += 1;
            return;
        }
        if stored.proof().is_some_and(|proof| proof != seen.sha256) {
            self.counts.damaged += 1;
            tell(found(stored, path.as_deref(), Condition::Damaged));
        }
        self.counts.messages += 1;
        self.counts.octets += seen.octets;
        self.messages.push(Held {
            item: Item {
                date,
                sha256: seen.sha256,
                octets: seen.octets,
                has_lf,
                flags: path.as_deref().map(flags).unwrap_or_default(),
                twins: 0,
            },
            name: stored.name.clone(),
            source,
        });
    }

    /// Sorts them by date, and numbers equal ones.
    fn order(&mut self) {
        self.messages.sort_by(|a, b| {
            (a.item.date, a.item.sha256, &a.item.flags).cmp(&(
                b.item.date,
                b.item.sha256,
                &b.item.flags,
            ))
        });
        let mut before: Option<(i64, Digest, u64)> = None;
        for Held { item, .. } in &mut self.messages {
            item.twins = match before {
                Some((date, sha256, twins)) if (date, sha256) == (item.date, item.sha256) => {
                    twins + 1
                }
                _ => 0,
            };
            before = Some((item.date, item.sha256, item.twins));
        }
    }

    /// Opens a message as it was stored.
    fn open(&self, name: &Name, source: &Source) -> io::Result<Box<dyn Read>> {
        let piece = match source {
            Source::File(path) => {
                let text = match Text::open(path) {
                    // A mail program has moved or flagged it meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        let root = self.store.maildir().ok_or(error)?;
                        let found = locate(root, [name]).remove(name.as_str());
                        Text::open(&found.ok_or(io::ErrorKind::NotFound)?)?
                    }
                    text => text?,
                };
                return Ok(Box::new(text));
            }
            Source::Part(piece) => piece,
        };
        let mbox = self.mbox.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let Piece {
            start,
            length,
            trim,
        } = *piece;
        let mbox = Arc::clone(mbox);
        Ok(Box::new(Extract::of(
            mbox,
            start,
            length,
            trim,
            likeness::is_added,
        )))
    }
}

/// The facts from a first reading.
struct Seen {
    /// With CRLF for every LF.
    sha256: Digest,
    octets: u64,
    header: Vec<u8>,
}

fn see(text: impl Read, has_lf: bool) -> io::Result<Seen> {
    let mut text = Expand::new(text, has_lf);
    let mut sha256 = Sha256::new();
    let (mut octets, mut header) = (0, Vec::new());
    let mut piece = vec![0; READ_AT_ONCE];
    loop {
        let read = match text.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => &piece[..read],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sha256.update(read);
        octets += read.len() as u64;
        let room = HEADER.saturating_sub(header.len());
        header.extend_from_slice(&read[..read.len().min(room)]);
    }
    Ok(Seen {
        sha256: sha256.finalize().into(),
        octets,
        header,
    })
}

/// The flags in the name of a file, letters only, in their order.
fn flags(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let info = name.rsplit_once("2,").map_or("", |(_, info)| info);
    let flags = info.chars().take_while(char::is_ascii_alphabetic);
    // `Z` means that the file is compressed; the copy is not.
    let mut flags: Vec<char> = flags.filter(|flag| *flag != 'Z').collect();
    flags.sort_unstable();
    flags.into_iter().collect()
}
