//! Lists the messages on the server, without changing anything: `popsync list`.
//!
//! Nothing is recorded, marked or deleted. The envelope of a message comes from its file if it is
//! stored here, otherwise from TOP n 0. A server without TOP leaves it empty.

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

/// The maximum that is read of a file for its header.
const HEADER: u64 = 256 << 10;

const DAY: i64 = 24 * 60 * 60;

/// The messages on the server.
#[derive(Debug)]
pub(crate) struct Survey {
    /// The messages, in the order of their numbers. If no server was asked, in the order in which
    /// they were stored.
    pub entries: Vec<Entry>,
    /// An error if it was not complete; the entries are those found until then.
    pub result: Result<(), Error>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number in this session. None if no server was asked.
    pub number: Option<MessageNumber>,
    /// Its unique-id as sent.
    pub unique_id: Vec<u8>,
    /// Its size in the scan listing, otherwise that of the retrieved message.
    pub octets: Option<u64>,
    /// Its state here.
    pub state: State,
    /// The decision of the next sync. None if no server was asked.
    pub decision: Option<Decision>,
    /// True if only its header is here, and a person asked for the whole message.
    pub marked: bool,
    /// True if it is stored, and may not have come whole.
    pub is_doubtful: bool,
    /// The time when it was stored, in seconds since 1970.
    pub stored_at: Option<i64>,
    /// The time when it leaves the server. None if it stays.
    pub leaves_at: Option<i64>,
    /// The date, author and subject in its header.
    pub envelope: Envelope,
}

/// The state that an account's syncs have left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remains<'a> {
    /// The folder that holds the cache.
    pub state_dir: &'a Path,
    /// The key under which the cache records the account.
    pub identity: &'a Identity,
    /// The store, if it is a Maildir.
    pub maildir: Option<&'a Path>,
    /// The rules by which messages leave the server, if they are known.
    pub retention: Option<Retention>,
}

/// The state of a message here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is not stored.
    New,
    /// Only its header is stored.
    HeadersOnly,
    /// It is not stored: another program downloaded it.
    Imported,
    /// It is stored.
    Stored,
    /// It is stored, and the next sync deletes it on the server.
    ToBeRemoved,
}

/// Lists the messages on the server of an account. Does not wait for a sync of the account that is
/// running: that is an error.
pub(crate) async fn survey(request: &Request<'_>) -> Survey {
    let mut entries = Vec::new();
    let result = look(request, &mut entries).await;
    Survey { entries, result }
}

/// Lists the state after the last sync, without asking the server.
///
/// # Errors
/// Those of the cache.
pub(crate) fn survey_local(past: &Remains<'_>, now: i64) -> Result<Vec<Entry>, Error> {
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
                // The unique-id does not show which of them the file is.
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

/// The time when a stored message leaves the server.
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

/// Asks for the headers of the messages without an envelope.
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

/// The facts that are known before the server is asked.
struct Known {
    /// A second session would block the first: POP3 locks the maildrop.
    _lock: Option<Lock>,
    snapshot: Snapshot,
    past: Past,
    /// For servers without unique-ids.
    recorded: Vec<Absent>,
    envelopes: HashMap<Vec<u8>, Envelope>,
}

impl Known {
    /// Reads the cache and the headers of stored messages. This comes before the connection, since
    /// a server does not wait while ten thousand files are read.
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

/// The envelopes of stored messages, by the names of their files.
fn stored_envelopes(maildir: Option<&Path>, held: &[Held]) -> HashMap<String, Envelope> {
    let Some(maildir) = maildir else {
        return HashMap::new();
    };
    locate(maildir, held.iter().map(|message| &message.name))
        .into_iter()
        .filter_map(|(name, path)| {
            let mut start = Vec::new();
            // If a file cannot be read, the server is asked for the header.
            File::open(path)
                .ok()?
                .take(HEADER)
                .read_to_end(&mut start)
                .ok()?;
            Some((name, Envelope::parse(&start)))
        })
        .collect()
}
