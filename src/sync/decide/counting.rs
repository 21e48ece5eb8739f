//! Known messages with other sizes in the listing than before: either the server has given their
//! unique-ids to other mail (`OPOP3:C0040`), or it counts in another way (`XPOP3:N5`).
//!
//! If a few sizes differ, these messages may be others. If most differ, a sample decides: its
//! content is that of the recorded messages, or it is not. The number of differences alone proves
//! nothing.

use super::Basis;
use crate::cache::{Digest, Snapshot};
use crate::maildrop::{Maildrop, Message};
use crate::policy::{self, Counting};
use crate::session::{Session, Wanted};
use crate::sync::broke::Broke;
use crate::sync::transfer::sample;

/// Up to this many are checked one by one, which costs hardly more than a sample.
const FEW: usize = 10;

/// The number of messages in a sample.
const SAMPLE: usize = 5;

/// The way in which this listing counts sizes.
pub(super) async fn counting(
    basis: &mut Basis<'_>,
    session: &mut Session,
    maildrop: &Maildrop,
    snapshot: &Snapshot,
) -> Result<Counting, Broke> {
    let (resized, same) = policy::resized(maildrop, snapshot);
    if resized.len() <= FEW.max(same) {
        return Ok(Counting::AsRecorded);
    }
    let messages: Vec<Message<'_>> = resized
        .iter()
        .filter_map(|&place| maildrop.get(place))
        .filter(|&message| !basis.breaks(message))
        .collect();
    let sample = spread(&messages);
    let recorded = recorded(basis, &sample).await?;
    agree(basis, session, &sample, &recorded).await
}

/// Retrieves a sample, and compares its content with the record of each message.
pub(super) async fn agree(
    basis: &mut Basis<'_>,
    session: &mut Session,
    sample: &[Message<'_>],
    recorded: &[Vec<Digest>],
) -> Result<Counting, Broke> {
    let wanted: Vec<Wanted> = sample.iter().map(|&message| message.into()).collect();
    let retrieving = sample::digests(session, &wanted);
    let digests = match basis.stop.unless_stopped(retrieving).await? {
        Ok(digests) => digests,
        Err((error, at)) => {
            let at = sample.get(at).map(|message| message.unique_id.to_vec());
            return Err(Broke::at_retr(error, at.into_iter().collect()));
        }
    };
    let all_same = digests
        .iter()
        .zip(recorded)
        .all(|(digest, recorded)| digest.is_some_and(|digest| recorded.contains(&digest)));
    Ok(if all_same && !sample.is_empty() {
        Counting::Otherwise
    } else {
        Counting::AsRecorded
    })
}

/// A few of these, spread from first to last, the smaller of each two neighbours.
pub(in crate::sync) fn spread<'m>(messages: &[Message<'m>]) -> Vec<Message<'m>> {
    let step = messages.len().div_ceil(SAMPLE).max(1);
    let parts = messages.chunks(step);
    parts
        .filter_map(|part| part.iter().min_by_key(|message| message.octets))
        .copied()
        .collect()
}

/// The recorded contents for the unique-ids of these messages.
async fn recorded(
    basis: &mut Basis<'_>,
    sample: &[Message<'_>],
) -> Result<Vec<Vec<Digest>>, Broke> {
    let unique_ids: Vec<Vec<u8>> = sample
        .iter()
        .map(|message| message.unique_id.to_vec())
        .collect();
    let reading = basis.ledger.with(move |cache, account| {
        let contents = unique_ids
            .iter()
            .map(|unique_id| cache.contents(account, unique_id));
        contents.collect::<Result<Vec<_>, _>>()
    });
    Ok(reading.await?)
}
