//! Marks everything now on the server as already downloaded: `popsync import --seed`. It is one
//! session that only reads: STAT, UIDL, QUIT.

use super::visit::{self, Premises, Purpose, Visit};
use super::{Error, Request, decide, quit};
use crate::cache::{Had, Taken};
use crate::maildrop::Maildrop;

/// Records every message that the server lists as already downloaded. Retrieves, stores and deletes
/// nothing now, and none of these messages is retrieved or deleted later.
///
/// # Errors
/// Those of a sync. Nothing is recorded then.
pub(crate) async fn seed(request: &Request<'_>) -> Result<Taken, Error> {
    let stop = request.stop.clone();
    let now = (request.clock)();
    let mut premises = Premises::enter(request, Purpose::Record).await?;
    let past = premises.past.without_sizes();
    let password = visit::password(request, &stop).await?;
    let visit = Visit::begin(request, &stop, &password, &past).await?;
    // Without unique-ids the messages could not be recognised later.
    let (session, maildrop) = visit.named().await?;
    decide::warn_of_contradictions(request, &maildrop);
    quit::leave(session).await;
    let had = had(&maildrop);
    premises
        .ledger
        .with(move |cache, account| {
            cache.take_over(account, had.into_iter().map(Ok::<_, Error>), now)
        })
        .await
}

/// The messages that can be recognised later.
fn had(maildrop: &Maildrop) -> Vec<Had> {
    let named = maildrop
        .iter()
        .filter(|message| !message.unique_id.is_empty());
    let mut had: Vec<Had> = named
        .map(|message| Had {
            unique_id: message.unique_id.to_vec(),
            copies: message.copies,
            without_slashes: false,
        })
        .collect();
    // One row stands for all messages that share a unique-id.
    had.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
    had.dedup();
    had
}
