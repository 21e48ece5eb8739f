//! The records of a run, apart from the messages themselves.

use std::collections::{HashMap, HashSet};

use super::decide::{Brakes, Decided};
use super::ledger::Ledger;
use super::transfer::{Landed, Landing, Order, Retrieved};
use super::{Error, Request, Summary};
use crate::cache::{self, Cache, DoubtReason, MessageKey, Run};
use crate::causes::chain;
use crate::exit::Exit;
use crate::failure;
use crate::maildrop::{Maildrop, Place};
use crate::pop3::Capabilities;

/// The counts and facts that a run collects for its record.
#[derive(Debug)]
pub(super) struct Tally {
    /// The time when the first attempt began, if this is the second.
    pub(super) first_at: Option<i64>,
    /// The number of listings.
    pub(super) listings: u64,
    /// The largest number of messages in a listing.
    pub(super) most_listed: u64,
    /// True if a wrong clock mattered for the plan.
    pub(super) clock_doubted: bool,
    /// True if no batch has failed: all staged messages are where readers look.
    pub(super) all_published: bool,
    /// True if a message would be larger than a file may be.
    pub(super) is_too_large: bool,
    /// The server's capabilities, as far as this run knows them.
    pub(super) capabilities: Capabilities,
    /// True if a session broke at LIST. None if LIST was not sent.
    pub(super) list_broke: Option<bool>,
    /// Messages at which sessions break, and that are in the last listing.
    pub(super) listed_breakers: HashSet<Vec<u8>>,
    /// Those that this run asked for one by one.
    pub(super) tried: HashSet<Vec<u8>>,
    /// Their numbers in the last session.
    pub(super) numbers: HashMap<Vec<u8>, u32>,
}

/// Messages at which sessions break.
pub(super) struct Breakers {
    pub(super) all: HashSet<Vec<u8>>,
    /// Those that this run asked for one by one.
    pub(super) tried: HashSet<Vec<u8>>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            first_at: None,
            listings: 0,
            most_listed: 0,
            clock_doubted: false,
            all_published: true,
            is_too_large: false,
            capabilities: Capabilities::default(),
            list_broke: None,
            listed_breakers: HashSet::new(),
            tried: HashSet::new(),
            numbers: HashMap::new(),
        }
    }
}

/// Records the facts found for a decision, and the messages that vanished from the listing. Both
/// come before any retrieval: a message under another name is looked for among those that vanished.
pub(super) async fn findings(
    ledger: &mut Ledger,
    request: &Request<'_>,
    maildrop: &Maildrop,
    decided: &Decided,
) -> Result<(), Error> {
    let findings = &decided.findings;
    let (vanished, back) = decided.snapshot.changes(&decided.shown);
    // A message that is back under an old name counts as back only after a check.
    let back: Vec<Vec<u8>> = match back.is_empty() {
        true => Vec::new(),
        false => {
            let taken = decided.taken_for_the_same(maildrop);
            let back = back.into_iter().filter(|id| taken.contains(id));
            back.map(<[u8]>::to_vec).collect()
        }
    };
    let vanished: Vec<Vec<u8>> = vanished.into_iter().map(<[u8]>::to_vec).collect();
    let has_headers = decided.snapshot.has_headers();
    let nothing = vanished.is_empty()
        && back.is_empty()
        && findings.renamed.is_empty()
        && findings.moved.is_empty()
        && findings.sizes.is_empty();
    if nothing && !has_headers {
        return Ok(());
    }
    let (renamed, moved, sizes) = (
        findings.renamed.clone(),
        findings.moved.clone(),
        findings.sizes.clone(),
    );
    let listed: HashSet<Vec<u8>> = match has_headers {
        true => maildrop
            .iter()
            .map(|message| message.unique_id.to_vec())
            .collect(),
        false => HashSet::new(),
    };
    let now = (request.clock)();
    let record = move |cache: &mut Cache, account| {
        cache.vanished(account, ids(&vanished), now)?;
        cache.rename(&renamed)?;
        cache.back(account, ids(&back))?;
        cache.resized(account, &sizes)?;
        for found in &moved {
            if let Some(name) = &found.name {
                cache.moved_file(account, &found.unique_id, name)?;
            }
        }
        if has_headers {
            cache.headers_listed(account, |id| listed.contains(id), now)?;
        }
        Ok::<_, cache::Error>(())
    };
    let recording =
        ledger.with(move |cache, account| cache.in_order(|cache| record(cache, account)));
    recording.await
}

/// Records which unique-ids are accounted for by retrieved messages, and the sizes of these.
pub(super) async fn landings(
    ledger: &mut Ledger,
    order: &Order,
    retrieved: &Retrieved,
) -> Result<(), Error> {
    let safe = || {
        retrieved
            .landings
            .iter()
            .filter(|landing| !matches!(landing.landed, Landed::Unclear))
            .map(|landing| landing.slot)
    };
    let is_doubtful = retrieved.is_out_of_step || order.is_contradicted();
    let accounted_for: Vec<(Vec<u8>, u32)> = if is_doubtful {
        safe()
            .map(|slot| (order.message(slot).unique_id.to_vec(), 0))
            .collect()
    } else {
        order.accounted_for(safe()).collect()
    };
    let sizes: Vec<(Vec<u8>, u64)> = safe()
        .filter(|&slot| order.is_recorded(slot))
        .filter_map(|slot| {
            let message = order.message(slot);
            Some((message.unique_id.to_vec(), message.octets?))
        })
        .collect();
    // Any other message under the unique-id no longer has a name.
    let superseded: Vec<(Vec<u8>, MessageKey)> = retrieved
        .landings
        .iter()
        .filter(|landing| !matches!(landing.landed, Landed::Unclear))
        .filter(|landing| order.is_recorded(landing.slot))
        .filter_map(|landing| {
            let message = order.message(landing.slot);
            (message.copies == 1).then(|| (message.unique_id.to_vec(), landing.key))
        })
        .collect();
    if accounted_for.is_empty() && sizes.is_empty() && superseded.is_empty() {
        return Ok(());
    }
    let mut landed: HashMap<Vec<u8>, Vec<MessageKey>> = HashMap::new();
    for landing in retrieved
        .landings
        .iter()
        .filter(|one| order.is_recorded(one.slot))
    {
        let unique_id = order.message(landing.slot).unique_id.to_vec();
        landed.entry(unique_id).or_default().push(landing.key);
    }
    let record = move |cache: &mut Cache, account| {
        if !is_doubtful {
            cache.superseded(account, &superseded)?;
        }
        for (unique_id, copies) in accounted_for {
            let landed = landed.get(&unique_id).map_or(&[][..], Vec::as_slice);
            cache.copies_accounted_for(account, &unique_id, copies, landed)?;
        }
        cache.resized(account, &sizes)
    };
    let recording =
        ledger.with(move |cache, account| cache.in_order(|cache| record(cache, account)));
    recording.await
}

/// Records that all of these messages may be incomplete: client and server got out of step in their
/// session.
pub(super) async fn doubt(ledger: &mut Ledger, landings: &[Landing]) -> Result<(), Error> {
    let keys = keys(landings.iter());
    ledger
        .with(move |cache, _| cache.doubt(&keys, DoubtReason::Session))
        .await
}

/// Records that doubtful messages are complete: the same octets came again, in a session that
/// stayed in step.
pub(super) async fn settle(
    ledger: &mut Ledger,
    order: &Order,
    landings: &[Landing],
) -> Result<(), Error> {
    let settled = landings.iter().filter(|landing| {
        order.is_doubtful(landing.slot)
            && landing.doubt.is_none()
            && !matches!(landing.landed, Landed::Stored(_))
    });
    let keys = keys(settled);
    ledger.with(move |cache, _| cache.settle_doubt(&keys)).await
}

fn keys<'l>(landings: impl Iterator<Item = &'l Landing>) -> Vec<MessageKey> {
    let keys = landings.map(|landing| landing.key);
    keys.filter(|&key| key != MessageKey::NONE).collect()
}

/// Records that the server accepted to delete the messages in these places.
pub(super) async fn asked(
    ledger: &mut Ledger,
    request: &Request<'_>,
    maildrop: &Maildrop,
    places: &[Place],
) -> Result<(), Error> {
    let listed = places.iter().filter_map(|&place| maildrop.get(place));
    let unique_ids: Vec<Vec<u8>> = listed.map(|message| message.unique_id.to_vec()).collect();
    let now = (request.clock)();
    ledger
        .with(move |cache, account| cache.deletion_asked(account, ids(&unique_ids), now))
        .await
}

fn ids(unique_ids: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    unique_ids.iter().map(Vec::as_slice)
}

/// Step 7.
#[expect(clippy::too_many_arguments, reason = "all that a run's record holds")]
pub(super) async fn run(
    ledger: &mut Ledger,
    request: &Request<'_>,
    tally: &Tally,
    brakes: Option<Brakes>,
    breaks: Breakers,
    started_at: i64,
    summary: &Summary,
    result: &Result<(), Error>,
) -> Result<(), Error> {
    let exit = failure::status(result, summary.undone());
    let error = result.as_ref().err().map(|error| chain(error));
    let finished_at = (request.clock)();
    let on_server = (tally.listings > 0).then_some(summary.on_server);
    let (summary, all_published) = (*summary, tally.all_published);
    let (clock_doubted, first_at) = (tally.clock_doubted, tally.first_at);
    let (capabilities, list_broke) = (tally.capabilities.clone(), tally.list_broke);
    let record = move |cache: &mut Cache, account| {
        cache.remember_capabilities(account, &capabilities, finished_at)?;
        if let Some(broke) = list_broke {
            cache.remember_list(account, broke, finished_at)?;
        }
        if on_server.is_some() {
            if let Some(mut brakes) = brakes {
                brakes.remember(cache, account)?;
            }
            cache.set_breakers(account, &breaks.all, &breaks.tried, finished_at)?;
        }
        cache.finish_run(
            account,
            Run {
                started_at,
                first_at,
                finished_at,
                exit,
                retrieved: summary.retrieved,
                octets: summary.octets,
                deleted: summary.deleted,
                skipped: summary.skipped,
                failed: summary.failed,
                on_server,
                all_published,
                clock_doubted,
                error: error.as_deref(),
            },
        )
    };
    let recording = ledger.with(move |cache, account| {
        cache.at_the_end(|cache| cache.in_one(|cache| record(cache, account)))
    });
    recording.await
}

/// The record of a run that failed in its first step.
pub(super) fn unbegun(now: i64, exit: Exit, text: &str) -> Run<'_> {
    Run {
        started_at: now,
        first_at: None,
        finished_at: now,
        exit,
        retrieved: 0,
        octets: 0,
        deleted: 0,
        skipped: 0,
        failed: 0,
        on_server: None,
        // Messages that a crash left staged stay staged.
        all_published: false,
        // Nothing else was checked.
        clock_doubted: true,
        error: Some(text),
    }
}
