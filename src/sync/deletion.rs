//! Deleting on the server: step 6.

use std::time::Duration;

use tokio::time::timeout;

use super::{Event, Reporter};
use crate::maildrop::Maildrop;
use crate::session::{self, Session};

/// How long a server may take over a QUIT that changes nothing.
const FAREWELL: Duration = Duration::from_secs(3);

/// What became of the deletions.
pub(super) struct Deleted {
    /// The places in the maildrop whose deletion the server accepted.
    pub(super) places: Vec<usize>,
    /// How many it did not accept.
    pub(super) failed: u64,
}

/// Deletes the messages in these places of the maildrop, and ends the session, which is what
/// makes it happen. The caller answers for their being safe.
pub(super) async fn delete(
    session: &mut Session,
    maildrop: &Maildrop,
    places: &[usize],
    reporter: &dyn Reporter,
) -> Result<Deleted, session::Error> {
    let messages: Vec<_> = places
        .iter()
        .filter_map(|&place| maildrop.get(place))
        .collect();
    let numbers: Vec<_> = messages.iter().map(|message| message.number).collect();
    let mut accepted = Vec::with_capacity(places.len());
    let mut failed = 0;
    session
        .dele(&numbers, |index, answer| match answer {
            Ok(()) => accepted.push(places[index]),
            Err(refusal) => {
                failed += 1;
                reporter.report(Event::MessageFailed {
                    number: messages[index].number.as_u32(),
                    unique_id: messages[index].unique_id,
                    reason: &refusal.to_string(),
                });
            }
        })
        .await?;
    match session.quit().await {
        Ok(()) => reporter.report(Event::Deleted {
            messages: accepted.len() as u64,
        }),
        // RFC 1939 §6: the server removed some, or none. XPOP3:V0006: which ones, the next
        // listing tells, and they are asked for again.
        Err(session::Error::Refused(refusal)) => {
            failed += accepted.len() as u64;
            accepted.clear();
            let message = format!("{refusal}; what is still there is deleted next time");
            reporter.report(Event::Warning { message: &message });
        }
        Err(error) => return Err(error),
    }
    Ok(Deleted {
        places: accepted,
        failed,
    })
}

/// Ends a session in which nothing was deleted. Nothing depends on the answer, so nobody waits
/// for it.
pub(super) async fn leave(session: Session) {
    match timeout(FAREWELL, session.leave()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the server did not take leave"),
        Err(_) => tracing::debug!("the server did not take leave in time"),
    }
}
