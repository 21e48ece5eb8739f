//! What is recorded, held against what is there: in the store, and, where asked for, on the
//! server. What `popsync verify` does.
//!
//! Nothing is changed, but with `repair`: then what is missing or damaged is retrieved again and
//! put in its place, as long as the server has it. The records do not change for that, since it
//! is the same message: its digest proves it. A message whose digest is another one is not put
//! anywhere.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::visit::{self, Past, Premises, Purpose, Visit};
use super::{Error, Request, decide, quit};
use crate::cache::{AccountRow, Lock, Snapshot, Stored};
use crate::exit::Exit;
use crate::maildrop::Maildrop;
use crate::policy::Memory;
use crate::store::{Maildir, locate, names_by_tag};

pub(super) mod local;
mod remote;

use local::Content;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scope {
    /// Compare with the server's list.
    pub server: bool,
    /// Download what is stored and on the server, and compare.
    pub deep: bool,
    /// Get again what is missing or damaged.
    pub repair: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Verification {
    /// What was found, as far as it came.
    pub tally: Tally,
    /// Whether it came to its end.
    pub result: Result<(), Error>,
}

/// Messages, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Recorded.
    pub messages: u64,
    /// Stored as they were sent.
    pub intact: u64,
    /// Stored, with bare line ends: their content cannot be proven from the stored form.
    pub unproven: u64,
    /// In no folder of the store.
    pub missing: u64,
    /// Stored, and not as they were sent.
    pub damaged: u64,
    /// Of the missing and the damaged, put in their places again.
    pub repaired: u64,
    /// In the store, put there by popsync, and not recorded.
    pub unrecorded: u64,
    /// Downloaded, and not what is recorded under their unique-ids.
    pub differing: u64,
    /// On the server; none where it was not asked.
    pub on_server: Option<u64>,
    /// Of these, neither stored nor known otherwise.
    pub new: u64,
}

/// One message that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding<'a> {
    /// Its unique-id.
    pub unique_id: &'a [u8],
    /// The name that is recorded for it.
    pub name: &'a str,
    /// Its file, where there is one.
    pub path: Option<&'a Path>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its file is not what was stored.
    Damaged,
    /// What the server has under its unique-id is another message.
    Differs,
    /// It has no file.
    Missing,
    /// It was missing or damaged, and is in its place again.
    Repaired,
    /// Its file cannot be read.
    Unreadable,
}

impl Verification {
    /// The status for the shell.
    pub fn exit(&self) -> Exit {
        match &self.result {
            Err(error) => error.exit(),
            Ok(()) if self.tally.is_good() => Exit::Success,
            Ok(()) => Exit::Partial,
        }
    }
}

impl Tally {
    fn is_good(&self) -> bool {
        self.missing + self.damaged == self.repaired && self.differing == 0 && self.unrecorded == 0
    }
}

/// A message to be retrieved again.
#[derive(Debug)]
struct Wrong {
    /// Its place among the stored ones.
    place: usize,
    /// Its damaged file.
    path: Option<PathBuf>,
}

/// Verifies one account, and gives `tell` what is wrong.
pub async fn verify(
    request: &Request<'_>,
    scope: Scope,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Verification {
    let mut tally = Tally::default();
    let result = check(request, scope, &mut tally, tell).await;
    Verification { tally, result }
}

async fn check(
    request: &Request<'_>,
    scope: Scope,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<(), Error> {
    let stop = request.stop.clone();
    let known = Known::read(request).await?;
    tally.messages = known.stored.len() as u64;
    tally.unrecorded = known.unrecorded;
    let wrong = look(request, &known, tally, tell).await?;
    if !(scope.server || scope.deep || scope.repair && !wrong.is_empty()) {
        return Ok(());
    }
    let password = visit::password(request, &stop).await?;
    let visit = Visit::begin(request, &stop, &password, &known.past).await?;
    // Without unique-ids nothing there can be compared with what is here.
    let (mut session, maildrop) = visit.named().await?;
    decide::warn_of_contradictions(request, &maildrop);
    tally.on_server = Some(maildrop.len() as u64);
    tally.new = known.unknown(&maildrop);
    if scope.deep {
        let comparing = remote::compare(&mut session, &maildrop, &known.stored, tally, tell);
        stop.unless_stopped(comparing).await??;
    }
    if scope.repair && !wrong.is_empty() {
        let store = known.open_store(request)?;
        let repairing = remote::repair(
            &mut session,
            &maildrop,
            &known.stored,
            &wrong,
            store,
            tally,
            tell,
        );
        stop.unless_stopped(repairing).await??;
    }
    quit::leave(session).await;
    Ok(())
}

/// Reads all local copies. Gives those that are not as they should be.
async fn look(
    request: &Request<'_>,
    known: &Known,
    tally: &mut Tally,
    tell: &mut (dyn FnMut(Finding<'_>) + Send),
) -> Result<Vec<Wrong>, Error> {
    let mut wrong = Vec::new();
    for (place, stored) in known.stored.iter().enumerate() {
        if let Some(signal) = request.stop.asked() {
            return Err(signal.into());
        }
        let path = known.paths.get(stored.name.as_str());
        let compared = path.map(|path| local::compare(path, stored));
        let fault = match compared {
            Some(Ok(Content::Intact)) => {
                tally.intact += 1;
                continue;
            }
            Some(Ok(Content::Possible)) => {
                tally.unproven += 1;
                continue;
            }
            Some(Ok(Content::Damaged)) => Fault::Damaged,
            Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => Fault::Unreadable,
            None | Some(Err(_)) => Fault::Missing,
        };
        match fault {
            Fault::Missing => tally.missing += 1,
            _ => tally.damaged += 1,
        }
        let path = path.filter(|_| fault != Fault::Missing);
        tell(Finding {
            unique_id: &stored.unique_id,
            name: stored.name.as_str(),
            path: path.map(PathBuf::as_path),
            fault,
        });
        wrong.push(Wrong {
            place,
            path: path.cloned(),
        });
    }
    Ok(wrong)
}

/// What is known before anything is compared.
struct Known {
    /// Keeps runs away; none where there was no run yet.
    _lock: Option<Lock>,
    row: Option<AccountRow>,
    stored: Vec<Stored>,
    /// Where the stored messages are, by their names.
    paths: HashMap<String, PathBuf>,
    /// All that is known of the mailbox.
    snapshot: Snapshot,
    /// Messages in the store that popsync stored and that are not recorded.
    unrecorded: u64,
    past: Past,
}

impl Known {
    async fn read(request: &Request<'_>) -> Result<Self, Error> {
        let account = request.account.clone();
        let Premises {
            lock,
            mut ledger,
            row,
            past,
        } = Premises::enter(request, Purpose::Look).await?;
        let reading = ledger.with(move |cache, id| {
            let Some(maildir) = account.store.maildir() else {
                return Err(Error::NotMaildir);
            };
            cache.check()?;
            let mut other_tags = cache.tags()?;
            if let Some(row) = &row {
                other_tags.remove(&row.tag);
            }
            let recorded = cache.file_names(id)?;
            let mut known = Self {
                _lock: lock,
                row,
                stored: cache.stored(id)?,
                paths: HashMap::new(),
                snapshot: cache.snapshot(id)?,
                unrecorded: 0,
                past,
            };
            if !known.stored.is_empty() && !Maildir::is_there(maildir)? {
                // A volume that is not mounted, perhaps: nothing is missing then.
                return Err(Error::StoreMissing {
                    path: maildir.to_owned(),
                });
            }
            let names = known.stored.iter().map(|stored| &stored.name);
            known.paths = locate(maildir, names);
            let ours = names_by_tag(maildir).into_iter();
            let ours = ours.filter(|(tag, _)| !other_tags.contains(tag));
            let ours = ours.flat_map(|(_, names)| names);
            known.unrecorded = ours.filter(|name| !recorded.contains(name)).count() as u64;
            Ok(known)
        });
        reading.await
    }

    /// How many messages of the listing nothing is known of.
    fn unknown(&self, maildrop: &Maildrop) -> u64 {
        let unknown = maildrop.iter().filter(|message| {
            self.snapshot.recall(message.unique_id).is_none()
                && self.snapshot.recall_header(message.unique_id).is_none()
        });
        unknown.count() as u64
    }

    fn open_store(&self, request: &Request<'_>) -> Result<Maildir, Error> {
        match (request.account.store.maildir(), &self.row) {
            (Some(path), Some(row)) => Ok(Maildir::open(path, &row.tag)?),
            _ => Err(Error::NotMaildir),
        }
    }
}
