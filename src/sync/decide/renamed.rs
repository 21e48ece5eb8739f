//! A server that has renamed its messages: the same mailbox under new unique-ids.
//!
//! After a move to another server every unique-id is unknown, and a client that relies on them
//! would retrieve and store every message again. So if most known messages are gone at once and
//! unknown ones have come, the headers of the unknown ones are compared with the recorded ones. A
//! message with an equal header and a recorded size is probably the same: enough not to retrieve it
//! again, but never enough to delete it. The others are retrieved, and stored unless their content
//! already is.

use std::collections::{HashMap, HashSet};

use super::{Basis, counting};
use crate::cache::{Absent, Digest, Renamed, Shown, Snapshot};
use crate::maildrop::{Maildrop, Message, Place};
use crate::policy::{Counting, Memory};
use crate::session::Session;
use crate::sync::broke::Broke;
use crate::sync::headers::{self, Known};

/// The places of the messages without records.
pub(in crate::sync) fn unknown(maildrop: &Maildrop, memory: &impl Memory) -> Vec<Place> {
    let unknown = maildrop.places().filter(|(_, message)| {
        !message.unique_id.is_empty()
            && memory.recall(message.unique_id).is_none()
            && memory.recall_header(message.unique_id).is_none()
    });
    unknown.map(|(place, _)| place).collect()
}

/// A recorded message, and the listed one that it probably is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sync) struct Pair {
    /// Its old unique-id.
    pub(in crate::sync) before: Vec<u8>,
    pub(in crate::sync) renamed: Renamed,
}

/// If the server seems to have renamed its messages, finds the known ones.
///
/// # Errors
/// Those of the connection. A server without TOP is no error: then no message is recognised.
pub(super) async fn recognise(
    basis: &mut Basis<'_>,
    session: &mut Session,
    maildrop: &Maildrop,
    snapshot: &Snapshot,
    shown: &Shown,
) -> Result<Vec<Pair>, Broke> {
    if !snapshot.looks_renamed(shown) {
        return Ok(Vec::new());
    }
    let listed: HashSet<Vec<u8>> = maildrop
        .iter()
        .map(|message| message.unique_id.to_vec())
        .collect();
    let absent = basis
        .ledger
        .with(move |cache, account| cache.absent(account, |id| listed.contains(id)))
        .await?;
    let unknown = unknown(maildrop, snapshot);
    let asking = headers::of(session, maildrop, &unknown, basis.untoppable, Known::of);
    let headers = basis.stop.unless_stopped(asking).await??;
    let messages: Vec<Message<'_>> = unknown
        .iter()
        .filter_map(|&place| maildrop.get(place))
        .collect();
    let mut pairs = pairs(&messages, &headers, &absent);
    let others = pairs.iter().filter(|pair| !pair.has_size).count();
    if others > 0 {
        // The new server may count sizes in another way; a sample shows it. If it does not, another
        // size means another message, whatever its header.
        let counting = if others * 2 > pairs.len() {
            sample(basis, session, &messages, &pairs, &absent).await?
        } else {
            Counting::AsRecorded
        };
        pairs.retain(|pair| pair.has_size || counting == Counting::Otherwise);
    }
    let pairs = pairs.into_iter().map(|pair| {
        let (message, absent) = (&messages[pair.index], &absent[pair.absent]);
        Pair {
            before: absent.unique_id.clone(),
            renamed: Renamed {
                key: absent.key,
                unique_id: message.unique_id.to_vec(),
                listed_octets: message.octets,
                assumed: true,
            },
        }
    });
    Ok(pairs.collect())
}

/// True if sizes are counted in another way than before, by the content of a few messages that have
/// the headers of recorded ones.
async fn sample(
    basis: &mut Basis<'_>,
    session: &mut Session,
    messages: &[Message<'_>],
    pairs: &[Match],
    absent: &[Absent],
) -> Result<Counting, Broke> {
    let resized: Vec<&Match> = pairs
        .iter()
        .filter(|pair| !pair.has_size && !basis.breaks(messages[pair.index]))
        .collect();
    let contents: HashMap<&[u8], Digest> = resized
        .iter()
        .map(|pair| (messages[pair.index].unique_id, absent[pair.absent].sha256))
        .collect();
    let resized: Vec<Message<'_>> = resized.iter().map(|pair| messages[pair.index]).collect();
    let sample = counting::spread(&resized);
    let recorded: Vec<Vec<Digest>> = sample
        .iter()
        .map(|message| {
            contents
                .get(message.unique_id)
                .copied()
                .into_iter()
                .collect()
        })
        .collect();
    counting::agree(basis, session, &sample, &recorded).await
}

/// A message and a recorded one with the same header, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) index: usize,
    pub(super) absent: usize,
    /// True if its size is the recorded one.
    pub(super) has_size: bool,
}

/// Pairs each message with one recorded message of the same header, each used once.
pub(super) fn pairs(
    messages: &[Message<'_>],
    headers: &[Option<Known>],
    absent: &[Absent],
) -> Vec<Match> {
    let mut by_header: HashMap<Digest, Vec<usize>> = HashMap::new();
    for (place, message) in absent.iter().enumerate() {
        by_header
            .entry(message.header_sha256)
            .or_default()
            .push(place);
    }
    let empty = headers::digest(b"");
    let mut pairs = Vec::new();
    for (index, (message, header)) in messages.iter().zip(headers).enumerate() {
        // An empty header belongs to any message without one.
        let Some(header) = header.as_ref().filter(|header| header.sha256 != empty) else {
            continue;
        };
        let Some(candidates) = by_header.get_mut(&header.sha256) else {
            continue;
        };
        let same_size = |&place: &usize| {
            let absent = &absent[place];
            message.octets.is_some_and(|octets| {
                octets == absent.octets || Some(octets) == absent.listed_octets
            })
        };
        // If sizes differ or are unknown, only a header that no other message can have is evidence.
        let is_unique = header.message_id.is_some() && candidates.len() == 1;
        let found = candidates
            .iter()
            .position(same_size)
            .map(|at| (at, true))
            .or_else(|| is_unique.then_some((0, false)));
        if let Some((at, has_size)) = found {
            pairs.push(Match {
                index,
                absent: candidates.swap_remove(at),
                has_size,
            });
        }
    }
    pairs
}
