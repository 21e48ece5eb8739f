//! Everything that is on the server now counts as had: what `popsync import --seed` does. One
//! session, which only reads: STAT, UIDL, QUIT.

use tokio::task::spawn_blocking;

use super::listing::{self, Past};
use super::planning;
use super::{Error, Request, Stop, deletion};
use crate::auth::source;
use crate::cache::{Cache, Had, Lock, Taken};
use crate::maildrop::Maildrop;
use crate::session;

/// Records every message that the server lists as had. Nothing is retrieved, stored or deleted,
/// and none of these messages is retrieved or deleted later.
///
/// # Errors
/// Those of a sync. Then nothing is recorded.
pub async fn seed(request: &Request<'_>) -> Result<Taken, Error> {
    let stop = Stop(request.stop.clone());
    let state_dir = request.state_dir.to_owned();
    let account = request.account.clone();
    let now = (request.clock)();
    let preparing = spawn_blocking(move || {
        let lock = Lock::acquire(&state_dir, &account.identity)?;
        let mut cache = Cache::open(&state_dir)?;
        let row = cache.account(&account, now)?;
        let past = Past::read(&cache, row.id)?.without_sizes();
        Ok::<_, Error>((lock, cache, row, past))
    });
    let (_lock, mut cache, row, past) = preparing.await.map_err(Error::panicked)??;
    let asking = source::password(request.account, request.prompt);
    let password = stop.unless_stopped(asking).await??;
    let opening = listing::open(request, &password, &past);
    let opened = stop.unless_stopped(opening).await??;
    let maildrop = opened.builder.finish();
    planning::warn(request, &maildrop);
    deletion::leave(opened.session).await;
    // Nothing that was had could be known again.
    if let Some(refusal) = opened.nameless {
        return Err(session::Error::Refused(refusal).into());
    }
    let had = had(&maildrop);
    let recording =
        spawn_blocking(move || cache.take_over(row.id, had.into_iter().map(Ok::<_, Error>), now));
    recording.await.map_err(Error::panicked)?
}

/// The messages that can be known again.
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
    // One row tells of all that share a unique-id.
    had.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
    had.dedup();
    had
}
