//! An account that is not tried, since others of the same run have found nobody at its server.

use std::path::Path;

use super::{Error, Outcome, Summary, record};
use crate::account::{Account, Outage};
use crate::blocking;
use crate::cache::{Cache, Lock};
use crate::failure::Failure;

/// The outcome for an account that is not tried, since others have found nobody at its server. It is
/// recorded as a run that failed, unless it is a rehearsal. `now` is the time in seconds since 1970.
pub(crate) async fn untried(
    account: &Account,
    state_dir: &Path,
    dry_run: bool,
    now: i64,
) -> Outcome {
    let error = Error::Untried {
        server: account.server.clone(),
    };
    let mut outage = None;
    if !dry_run {
        let (account, state_dir) = (account.clone(), state_dir.to_owned());
        let text = error.to_string();
        let exit = error.exit();
        let recording = move || -> Result<Option<Outage>, Error> {
            let _lock = Lock::acquire(&state_dir, &account.identity)?;
            let mut cache = Cache::open_or_kept(&state_dir)?;
            let id = cache.at_the_end(|cache| {
                let id = cache.account(&account, now)?.id;
                cache.finish_run(id, record::unbegun(now, exit, &text))?;
                Ok::<_, Error>(id)
            })?;
            let outage = cache.outage(id)?;
            cache.give_back();
            Ok(outage)
        };
        // If it cannot be recorded, another run is at work on it, or every account fails.
        if let Ok(Ok(found)) = blocking::aside(recording).await {
            outage = found;
        }
    }
    Outcome {
        summary: Summary::default(),
        result: Err(error),
        outage,
        started_at: now,
        login_delay: None,
    }
}
