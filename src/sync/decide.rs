//! Step 4: the action for each message of a maildrop. A sync and a dry run both use this, and
//! nothing changes the decisions afterwards.
//!
//! [`decide`] gathers the evidence that [`crate::policy`] decides by. Evidence costs round trips
//! and reads of the store, so it is gathered only for the messages whose deletion depends on it: a
//! first draft of the plan shows what would be deleted if no evidence objected, and only that is
//! checked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::broke::{Broke, Untoppable};
use super::filed::Filed;
use super::headers::{self, Known};
use super::ledger::Ledger;
use super::likeness::Likeness;
use super::transfer::Exactness;
use super::{Error, Request, Stop, Warning};
use crate::cache::{Digest, Renamed, Shown, Snapshot};
use crate::maildrop::{Maildrop, Message, Place};
use crate::policy::{
    self, Action, Brake, Circumstances, Counting, Evidence, HeaderSeen, Memory, Plan, Reason,
    Rules, StoreState, Trouble, Whereabouts,
};
use crate::session::Session;
use crate::store::Readers;

pub(super) mod brakes;
mod counting;
mod inspection;
pub(super) mod lost_state;
mod moved_files;
pub(super) mod nameless;
pub(super) mod renamed;
mod tell;

pub(super) use brakes::Brakes;
pub(super) use counting::spread;
pub(super) use inspection::{Found, Gone, Inspection};
pub(super) use tell::{report, skipped, warn_of_contradictions};

use moved_files::MovedFile;
use renamed::Pair;

/// The inputs of a decision.
pub(super) struct Basis<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) stop: &'a Stop,
    pub(super) ledger: &'a mut Ledger,
    /// The store, only for looks.
    pub(super) store: Arc<dyn Readers>,
    pub(super) brakes: &'a mut Brakes,
    pub(super) trouble: &'a Trouble,
    pub(super) untoppable: &'a Untoppable,
    /// The messages and octets that earlier sessions of the run have retrieved.
    pub(super) taken: (u64, u64),
}

/// The plan, and the facts found on the way to it.
pub(super) struct Decided {
    pub(super) plan: Plan,
    /// The recorded messages, with the facts that were found.
    pub(super) snapshot: Snapshot,
    /// The listing compared with the messages recorded before.
    pub(super) shown: Shown,
    pub(super) findings: Findings,
    /// The look at the store, if there was one.
    pub(super) inspection: Option<Inspection>,
    /// True if a wrong clock mattered for the plan.
    pub(super) is_clock_doubted: bool,
}

impl Decided {
    /// The unique-ids of the listed messages that are taken for the recorded ones.
    pub(super) fn taken_for_the_same<'m>(&self, maildrop: &'m Maildrop) -> HashSet<&'m [u8]> {
        let messages = maildrop.iter().zip(&self.plan.decisions);
        // A message that is put off is not checked.
        let taken = messages.filter(|(_, decision)| {
            let is_open = decision.reason == Reason::UniqueIdAmbiguous;
            decision.action != Action::Skip && !(is_open && decision.action.retrieves())
        });
        taken.map(|(message, _)| message.unique_id).collect()
    }
}

/// The facts that are to be recorded.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) renamed: Vec<Renamed>,
    pub(super) moved: Vec<MovedFile>,
    /// The new sizes that a listing gives known messages.
    pub(super) sizes: Vec<(Vec<u8>, u64)>,
}

/// Decides. Writes nothing, neither here nor on the server.
///
/// # Errors
/// Those of the cache and of the connection, with the message at which it broke.
pub(super) async fn decide(
    mut basis: Basis<'_>,
    session: &mut Session,
    maildrop: &Maildrop,
    shown: Shown,
    mut snapshot: Snapshot,
    mut inspection: Option<Inspection>,
) -> Result<Decided, Broke> {
    let mut findings = Findings::default();
    let pairs = renamed::recognise(&mut basis, session, maildrop, &snapshot, &shown).await?;
    tell_renamed(&basis, &shown, &pairs);
    for Pair { before, renamed } in pairs {
        snapshot.rename(&before, &renamed.unique_id, renamed.listed_octets);
        findings.renamed.push(renamed);
    }
    let counting = counting::counting(&mut basis, session, maildrop, &snapshot).await?;
    findings.sizes = sizes(maildrop, &snapshot, counting);
    let mut evidence = Evidence {
        counting,
        trouble: basis.trouble.clone(),
        ..Evidence::default()
    };
    let mut circumstances = basis
        .brakes
        .circumstances(basis.request, maildrop, StoreState::Holds);
    let clock = policy::clock(circumstances.now, circumstances.trusted_at);
    let back = back(maildrop, &snapshot);
    if !back.is_empty() {
        basis.add_sizes_of_missing(&mut snapshot).await?;
    }
    evidence.headers = compare_headers(&mut basis, session, maildrop, &snapshot, back).await?;
    let mut draft = plan(&basis, maildrop, &snapshot, &evidence, &circumstances);
    if draft.deleted().next().is_some() {
        // The store is read only if the draft deletes anything: that takes longer the larger the
        // store is.
        if inspection.is_none() {
            inspection = Some(basis.inspect(&mut snapshot).await?);
            draft = plan(&basis, maildrop, &snapshot, &evidence, &circumstances);
        }
        let (mut moved, headers) =
            look_into(&mut basis, session, maildrop, &snapshot, &draft).await?;
        moved_files::apart(&mut moved);
        for moved in &moved {
            let whereabouts = match moved.name {
                Some(_) => Whereabouts::InStore,
                None => Whereabouts::Unclear,
            };
            snapshot.set_whereabouts(&moved.unique_id, whereabouts);
        }
        findings.moved = moved;
        evidence.headers.extend(headers);
        if let Some(inspection) = &mut inspection {
            circumstances.store = basis.store_state(inspection).await?;
        }
        // From here on a message without proof stays, and the brakes apply.
        evidence.is_complete = true;
        draft = plan(&basis, maildrop, &snapshot, &evidence, &circumstances);
    } else {
        // The draft deletes nothing of earlier runs, so no evidence is missing.
        draft = draft.braked(&circumstances);
    }
    let plan = draft;
    if let Some(inspection) = &inspection {
        tell::worry(&mut basis, inspection);
    }
    basis.brakes.learn(maildrop, &plan);
    // Messages stored while the clock is wrong must not get their age from it later.
    let is_back = matches!(clock, Some(Brake::ClockBack { .. }));
    let is_clock_doubted = (is_back && !basis.request.allow.mass_delete)
        || (clock.is_some() && !plan.brakes.is_empty());
    Ok(Decided {
        plan,
        snapshot,
        shown,
        findings,
        inspection,
        is_clock_doubted,
    })
}

fn plan(
    basis: &Basis<'_>,
    maildrop: &Maildrop,
    snapshot: &Snapshot,
    evidence: &Evidence,
    circumstances: &Circumstances,
) -> Plan {
    let account = basis.request.account;
    let rules = Rules {
        retention: account.retention,
        limits: account.limits,
        taken: basis.taken,
        circumstances,
    };
    policy::plan(maildrop, snapshot, evidence, rules)
}

/// Checks the deletions of a draft: if a missing file has another name, and if the server's headers
/// are the recorded ones.
async fn look_into(
    basis: &mut Basis<'_>,
    session: &mut Session,
    maildrop: &Maildrop,
    snapshot: &Snapshot,
    draft: &Plan,
) -> Result<(Vec<MovedFile>, HashMap<Place, HeaderSeen>), Broke> {
    let missed = moved_files::missed(maildrop, snapshot, draft.deleted());
    let (mut moved, mut filed) = (Vec::new(), Filed::default());
    if !missed.is_empty() {
        let search = moved_files::search(basis, snapshot, &missed).await?;
        (moved, filed) = (search.moved, search.filed);
        // If not everything could be searched, it is not certain that a person deleted any of them.
        if let Some(doubt) = search.doubt {
            tell::worry(basis, &doubt);
            let unclear = missed.iter().map(|(_, unique_id)| MovedFile {
                unique_id: unique_id.clone(),
                name: None,
                is_whole: false,
            });
            let is_found = |unclear: &MovedFile| {
                let mut found = moved.iter();
                found.any(|found| found.unique_id == unclear.unique_id)
            };
            let unclear: Vec<MovedFile> = unclear.filter(|unclear| !is_found(unclear)).collect();
            moved.extend(unclear);
        }
    }
    // A message that is kept in any case needs no header.
    let is_asked = |place: &Place| draft.at(*place).action == Action::Delete;
    let is_found = |place: Place| {
        let message = maildrop.get(place);
        message.is_some_and(|message| {
            moved
                .iter()
                .any(|found| found.unique_id == message.unique_id)
        })
    };
    let mut places: Vec<Place> = draft
        .deleted()
        .filter(|place| is_asked(place) || is_found(*place))
        .collect();
    let still: Vec<(Place, Vec<u8>)> = missed
        .into_iter()
        .filter(|(place, _)| draft.at(*place).action.deletes_known() && !is_found(*place))
        .collect();
    places.extend(still.iter().map(|(place, _)| *place));
    places.sort_unstable();
    places.dedup();
    let recorded = basis.recorded_headers(maildrop, snapshot, &places).await?;
    let has_missed = !still.is_empty();
    let read = |octets: &[u8]| {
        let likeness = has_missed.then(|| Likeness::of_sent(octets));
        (Known::of(octets), likeness)
    };
    let asking = headers::of(session, maildrop, &places, basis.untoppable, read);
    let headers = basis.stop.unless_stopped(asking).await??;
    let mut seen = HashMap::with_capacity(places.len());
    let mut shown: HashMap<Place, Option<Likeness>> = HashMap::new();
    for ((&place, recorded), header) in places.iter().zip(&recorded).zip(headers) {
        let what = match header {
            None => {
                shown.insert(place, None);
                HeaderSeen::Withheld
            }
            Some((header, likeness)) if recorded.contains(&header.sha256) => {
                shown.insert(place, likeness);
                HeaderSeen::Recorded
            }
            Some(_) => HeaderSeen::Another,
        };
        seen.insert(place, what);
    }
    let by_header = moved_files::search_by_header(&filed, &moved, still, &shown);
    moved.extend(by_header);
    Ok((moved, seen))
}

/// The places of the messages whose unique-ids were missing from a listing, and are back.
fn back(maildrop: &Maildrop, snapshot: &Snapshot) -> Vec<Place> {
    if !snapshot.misses_any() {
        return Vec::new();
    }
    let back = maildrop.places().filter(|(_, message)| {
        let known = snapshot.recall(message.unique_id);
        known.is_some_and(|known| known.gone.is_some() && message.copies == 1)
    });
    back.map(|(place, _)| place).collect()
}

/// Compares the server's headers of these messages with the recorded ones.
async fn compare_headers(
    basis: &mut Basis<'_>,
    session: &mut Session,
    maildrop: &Maildrop,
    snapshot: &Snapshot,
    places: Vec<Place>,
) -> Result<HashMap<Place, HeaderSeen>, Broke> {
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let recorded = basis.recorded_headers(maildrop, snapshot, &places).await?;
    let asking = headers::of(
        session,
        maildrop,
        &places,
        basis.untoppable,
        headers::digest,
    );
    let headers = basis.stop.unless_stopped(asking).await??;
    let seen = places.into_iter().zip(recorded).zip(headers);
    let seen = seen.map(|((place, recorded), header)| {
        let what = match header {
            None => HeaderSeen::Withheld,
            Some(header) if recorded.contains(&header) => HeaderSeen::Recorded,
            Some(_) => HeaderSeen::Another,
        };
        (place, what)
    });
    Ok(seen.collect())
}

/// The sizes of known messages that are new in the listing: those counted in another way than
/// before, and those without a recorded size.
fn sizes(maildrop: &Maildrop, snapshot: &Snapshot, counting: Counting) -> Vec<(Vec<u8>, u64)> {
    let mut places = match counting {
        Counting::AsRecorded => Vec::new(),
        Counting::Otherwise => policy::resized(maildrop, snapshot).0,
    };
    places.extend(policy::unsized_before(maildrop, snapshot));
    let sizes = places.into_iter().filter_map(|place| {
        let message = maildrop.get(place)?;
        Some((message.unique_id.to_vec(), message.octets?))
    });
    sizes.collect()
}

fn tell_renamed(basis: &Basis<'_>, shown: &Shown, pairs: &[Pair]) {
    // A server that shows another part of the mailbox has not renamed messages.
    if pairs.is_empty() {
        return;
    }
    basis.request.warn(Warning::Renamed {
        known: pairs.len(),
        unknown: shown.unknown(),
    });
}

impl Basis<'_> {
    /// Looks at the store, and adds the places of the messages.
    async fn inspect(&mut self, snapshot: &mut Snapshot) -> Result<Inspection, Error> {
        let store = Arc::clone(&self.store);
        let mut placed = std::mem::take(snapshot);
        let looking = self.ledger.with(move |cache, account| {
            let inspection = Inspection::at(&*store);
            brakes::place(cache, account, &inspection, &mut placed)?;
            Ok::<_, crate::cache::Error>((inspection, placed))
        });
        let (inspection, placed) = looking.await?;
        *snapshot = placed;
        Ok(inspection)
    }

    /// True if sessions break at this message: it is left out of a sample.
    fn breaks(&self, message: Message<'_>) -> bool {
        self.trouble.breaks.contains(message.unique_id)
    }

    /// The state of the store, from a look at it.
    async fn store_state(&mut self, inspection: &mut Inspection) -> Result<StoreState, Error> {
        let taken = std::mem::replace(inspection, Inspection::Impossible);
        let mut brakes = self.brakes.clone();
        let allow = self.request.allow;
        let looking = self.ledger.with(move |cache, account| {
            let state = brakes.store_state(cache, account, &taken, allow)?;
            Ok::<_, crate::cache::Error>((state, brakes, taken))
        });
        let (state, brakes, taken) = looking.await?;
        *inspection = taken;
        *self.brakes = brakes;
        Ok(state)
    }

    /// Adds the sizes of missing messages without a listed size: a server that counts would have
    /// listed the size of the message itself.
    async fn add_sizes_of_missing(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let reading = self.ledger.with(|cache, account| {
            let exactness = Exactness::from(cache.sizes_so_far(account)?);
            match exactness.is_proved() {
                true => cache.missing_without_sizes(account),
                false => Ok(Vec::new()),
            }
        });
        for (unique_id, octets) in reading.await? {
            snapshot.set_size_of_missing(&unique_id, octets);
        }
        Ok(())
    }

    /// The recorded headers of the messages in these places.
    async fn recorded_headers(
        &mut self,
        maildrop: &Maildrop,
        snapshot: &Snapshot,
        places: &[Place],
    ) -> Result<Vec<Vec<Digest>>, Error> {
        let listed = places.iter().filter_map(|&place| maildrop.get(place));
        let ids: Vec<Vec<u8>> = listed
            .map(|message| snapshot.recorded_id(message.unique_id).to_vec())
            .collect();
        let reading = self.ledger.with(move |cache, account| {
            let recorded = ids.iter().map(|id| cache.headers(account, id));
            recorded.collect::<Result<Vec<_>, _>>()
        });
        reading.await
    }
}

/// The recorded messages, and a look at the store if the policy follows deletions made here. If they
/// are many, it goes on while this thread lists the maildrop.
///
/// # Errors
/// Those of the cache.
pub(super) async fn recall(
    request: &Request<'_>,
    ledger: &mut Ledger,
    brakes: &Brakes,
    store: &Arc<dyn Readers>,
) -> Result<(Snapshot, Option<Inspection>), Error> {
    let retention = request.account.retention;
    let store = retention
        .remove_when_deleted_locally
        .then(|| Arc::clone(store));
    let brakes = brakes.clone();
    let reading = ledger.on(ledger.amount().thread(), move |cache, account| {
        let mut snapshot = brakes.snapshot(cache, account)?;
        let inspection = store.map(|store| Inspection::at(&*store));
        if let Some(inspection) = &inspection {
            brakes::place(cache, account, inspection, &mut snapshot)?;
        }
        Ok::<_, crate::cache::Error>((snapshot, inspection))
    });
    reading.await
}

/// The draft of a plan for a command that only looks at the server. It uses no evidence beyond the
/// listing.
pub(super) fn draft(request: &Request<'_>, maildrop: &Maildrop, memory: &impl Memory) -> Plan {
    let circumstances = Brakes::new().circumstances(request, maildrop, StoreState::Holds);
    let rules = Rules {
        retention: request.account.retention,
        limits: request.account.limits,
        taken: (0, 0),
        circumstances: &circumstances,
    };
    policy::plan(maildrop, memory, &Evidence::default(), rules)
}
