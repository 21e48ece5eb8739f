//! What is on the server, message by message, without changing anything: what `popsync list`
//! shows.
//!
//! Nothing is recorded, marked or deleted. What a message says of itself comes from its file
//! where it is stored here, else from TOP n 0; a server without TOP leaves it out.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::decide::{self, brakes, nameless};
use super::headers::{self, Header};
use super::visit::{self, Past, Premises, Purpose, Visit};
use super::{Error, Request, quit};
use crate::account::{Identity, Retention};
use crate::cache::{Absent, Cache, Held, Lock, Snapshot};
use crate::envelope::Envelope;
use crate::maildrop::Maildrop;
use crate::policy::{Action, Decision, Memory, Reason};
use crate::pop3::MessageNumber;
use crate::session::{self, Session};
use crate::store::locate;

/// How much of a file is read for its header.
const HEADER: u64 = 256 << 10;

const DAY: i64 = 24 * 60 * 60;

/// What is on the server.
#[derive(Debug)]
pub struct Survey {
    /// The messages, in the order of their numbers; or, where no server was asked, in that in
    /// which they were stored.
    pub entries: Vec<Entry>,
    /// Whether it came to its end: where not, the entries say what was seen until then.
    pub result: Result<(), Error>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in this session; none where no server was asked.
    pub number: Option<MessageNumber>,
    /// Its unique-id as sent.
    pub unique_id: Vec<u8>,
    /// Its size: by the scan listing, else as it was retrieved.
    pub octets: Option<u64>,
    /// What became of it here.
    pub state: State,
    /// What the next sync would do with it; none where no server was asked.
    pub decision: Option<Decision>,
    /// Whether a person asked for all of it, where its header alone is here.
    pub marked: bool,
    /// Whether it is stored, and may not have come whole.
    pub is_doubtful: bool,
    /// When it was stored, in seconds since 1970.
    pub stored_at: Option<i64>,
    /// When it is to leave the server; none where it is not.
    pub leaves_at: Option<i64>,
    /// What it says of itself.
    pub envelope: Envelope,
}

/// Where an account's syncs left what they know.
#[derive(Debug, Clone, Copy)]
pub struct Remains<'a> {
    /// The folder that holds the cache.
    pub state_dir: &'a Path,
    /// What the cache remembers the account by.
    pub identity: &'a Identity,
    /// The store, where it is a Maildir.
    pub maildir: Option<&'a Path>,
    /// When messages leave the server, where that is known.
    pub retention: Option<Retention>,
}

/// What became of a message here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is not stored.
    New,
    /// It is not stored, but for its header.
    HeadersOnly,
    /// It is not stored: another program had it.
    Imported,
    /// It is stored.
    Stored,
    /// It is stored, and the next sync deletes it on the server.
    ToBeRemoved,
}

/// Looks at the server of an account. Waits for nobody: where a sync of the account is at work,
/// that is the error.
pub async fn survey(request: &Request<'_>) -> Survey {
    let mut entries = Vec::new();
    let result = look(request, &mut entries).await;
    Survey { entries, result }
}

/// What the last sync left behind, without asking the server.
///
/// # Errors
/// Those of the cache.
pub fn survey_local(past: &Remains<'_>, now: i64) -> Result<Vec<Entry>, Error> {
    let Some(cache) = Cache::open_read_only(past.state_dir)? else {
        return Ok(Vec::new());
    };
    let Some(row) = cache.find_account(past.identity)? else {
        return Ok(Vec::new());
    };
    let held = cache.held(row.id)?;
    let envelopes = stored_envelopes(past.maildir, &held);
    let large = cache.header_rows(row.id)?;
    let stored = held.into_iter().map(|message| {
        let leaves_at = past
            .retention
            .and_then(|retention| leaves_at(retention, message.stored_at));
        Entry {
            number: None,
            octets: Some(message.octets),
            state: match leaves_at {
                Some(time) if time <= now => State::ToBeRemoved,
                _ => State::Stored,
            },
            decision: None,
            marked: false,
            is_doubtful: message.is_doubtful,
            stored_at: Some(message.stored_at),
            leaves_at,
            envelope: envelopes
                .get(message.name.as_str())
                .cloned()
                .unwrap_or_default(),
            unique_id: message.unique_id,
        }
    });
    let large = large.into_iter().map(|message| Entry {
        number: None,
        octets: Some(message.listed_octets),
        state: State::HeadersOnly,
        decision: None,
        marked: message.marked,
        is_doubtful: false,
        stored_at: None,
        leaves_at: None,
        envelope: message
            .header
            .as_deref()
            .map(Envelope::parse)
            .unwrap_or_default(),
        unique_id: message.unique_id,
    });
    Ok(stored.chain(large).collect())
}

async fn look(request: &Request<'_>, entries: &mut Vec<Entry>) -> Result<(), Error> {
    let stop = request.stop.clone();
    let premises = Premises::enter(request, Purpose::Look).await?;
    let known = Known::read(request, premises).await?;
    let password = visit::password(request, &stop).await?;
    let visit = Visit::begin(request, &stop, &password, &known.past).await?;
    let sizing = visit.with_sizes(request, &stop, &password, &known.past);
    let visit = sizing.await?;
    let (mut session, maildrop) = (visit.session, visit.builder.finish());
    if let Some(refusal) = visit.nameless {
        let looking = nameless::look(&mut session, &maildrop, &known.recorded, true);
        let seen = stop.unless_stopped(looking).await??;
        quit::leave(session).await;
        let seen = seen.ok_or(session::Error::Refused(refusal))?;
        let plan = nameless::plan(request, &maildrop, (0, 0), &seen);
        let said = maildrop.iter().zip(plan.decisions).zip(seen.envelopes);
        entries.extend(said.map(|((message, decision), envelope)| Entry {
            number: Some(message.number),
            unique_id: Vec::new(),
            octets: message.octets,
            state: state(decision, false),
            decision: Some(decision),
            marked: false,
            is_doubtful: false,
            stored_at: None,
            leaves_at: None,
            envelope,
        }));
        return Ok(());
    }
    let plan = decide::draft(request, &maildrop, &known.snapshot);
    decide::warn_of_contradictions(request, &maildrop);
    let decided = maildrop.iter().zip(plan.decisions);
    entries.extend(decided.map(|(message, decision)| {
        let remembered = known.snapshot.recall(message.unique_id);
        let stored_at = remembered
            .filter(|remembered| remembered.held)
            .map(|remembered| remembered.stored_at);
        let header = known.snapshot.recall_header(message.unique_id);
        let state = match state(decision, stored_at.is_some()) {
            State::New if header.is_some() => State::HeadersOnly,
            state => state,
        };
        Entry {
            number: Some(message.number),
            unique_id: message.unique_id.to_vec(),
            octets: message.octets,
            state,
            decision: Some(decision),
            marked: state == State::HeadersOnly && header.is_some_and(|header| header.marked),
            is_doubtful: remembered.is_some_and(|remembered| remembered.is_doubtful),
            stored_at,
            leaves_at: stored_at
                .filter(|_| matches!(state, State::Stored | State::ToBeRemoved))
                .and_then(|stored_at| leaves_at(request.account.retention, stored_at)),
            envelope: match message.copies {
                1 => known.envelope(message.unique_id),
                // Which of them the file is, the unique-id does not tell.
                _ => Envelope::default(),
            },
        }
    }));
    let asking = envelopes(&mut session, &maildrop, entries);
    stop.unless_stopped(asking).await??;
    quit::leave(session).await;
    Ok(())
}

fn state(decision: Decision, stored: bool) -> State {
    match decision.action {
        Action::Delete => State::ToBeRemoved,
        Action::Keep if decision.reason == Reason::Imported => State::Imported,
        Action::Keep => State::Stored,
        Action::Skip if stored => State::Stored,
        Action::RetrieveThenDeleteIfKnown => State::ToBeRemoved,
        Action::Retrieve | Action::RetrieveThenDelete if stored => State::Stored,
        Action::Headers | Action::Retrieve | Action::RetrieveThenDelete | Action::Skip => {
            State::New
        }
    }
}

/// When a message that is stored leaves the server.
fn leaves_at(retention: Retention, stored_at: i64) -> Option<i64> {
    match retention {
        Retention {
            leave_on_server: false,
            ..
        } => Some(stored_at),
        Retention {
            remove_after_days: Some(days),
            ..
        } => Some(stored_at.saturating_add(i64::from(days) * DAY)),
        _ => None,
    }
}

/// Asks for the headers of those that say nothing yet.
async fn envelopes(
    session: &mut Session,
    maildrop: &Maildrop,
    entries: &mut [Entry],
) -> Result<(), Error> {
    let silent = entries.iter().zip(maildrop.iter()).enumerate();
    let silent = silent.filter(|(_, (entry, _))| entry.envelope == Envelope::default());
    let (places, asked): (Vec<_>, Vec<_>) = silent
        .map(|(place, (_, message))| (place, headers::Asked::from(message)))
        .unzip();
    headers::pull(session, &asked, |index, header| {
        if let Header::Is(header) = header {
            entries[places[index]].envelope = Envelope::parse(header);
        }
    })
    .await?;
    Ok(())
}

/// What is known before the server is asked.
struct Known {
    /// A second session would stand in the way of the first: POP3 locks the maildrop.
    _lock: Option<Lock>,
    snapshot: Snapshot,
    past: Past,
    /// For servers without unique-ids.
    recorded: Vec<Absent>,
    envelopes: HashMap<Vec<u8>, Envelope>,
}

impl Known {
    /// Reads the cache and the headers of stored messages. Before the dialling, since a server
    /// waits for nobody who reads ten thousand files.
    async fn read(request: &Request<'_>, premises: Premises) -> Result<Self, Error> {
        let account = request.account.clone();
        let store = super::closed_store(&account.store);
        let Premises {
            lock,
            mut ledger,
            past,
            ..
        } = premises;
        let reading = ledger.with(move |cache, id| {
            let held = cache.held(id)?;
            let mut by_name = stored_envelopes(account.store.maildir(), &held);
            let named = held.into_iter().filter_map(|message| {
                Some((message.unique_id, by_name.remove(message.name.as_str())?))
            });
            let large = cache.header_rows(id)?.into_iter();
            let large =
                large.filter_map(|row| Some((row.unique_id, Envelope::parse(&row.header?))));
            let envelopes = named.chain(large).collect();
            let mut snapshot = cache.snapshot(id)?;
            if account.retention.remove_when_deleted_locally {
                brakes::place(cache, id, &decide::Inspection::at(&*store), &mut snapshot)?;
            }
            let recorded = cache.recorded(id)?;
            Ok::<_, Error>((envelopes, snapshot, recorded))
        });
        let (envelopes, snapshot, recorded) = reading.await?;
        Ok(Self {
            _lock: lock,
            envelopes,
            snapshot,
            past,
            recorded,
        })
    }

    fn envelope(&self, unique_id: &[u8]) -> Envelope {
        self.envelopes.get(unique_id).cloned().unwrap_or_default()
    }
}

/// What stored messages say of themselves, by the names of their files.
fn stored_envelopes(maildir: Option<&Path>, held: &[Held]) -> HashMap<String, Envelope> {
    let Some(maildir) = maildir else {
        return HashMap::new();
    };
    locate(maildir, held.iter().map(|message| &message.name))
        .into_iter()
        .filter_map(|(name, path)| {
            let mut start = Vec::new();
            // What cannot be read, the server is asked for.
            File::open(path)
                .ok()?
                .take(HEADER)
                .read_to_end(&mut start)
                .ok()?;
            Some((name, Envelope::parse(&start)))
        })
        .collect()
}
