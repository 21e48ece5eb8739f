//! One visit to a mailbox, up to where its maildrop is listed: what a sync, a dry run, a list, a
//! verification and the imports have in common.
//!
//! 1. Lock the account, and open what is remembered of it: [`Premises::enter`].
//! 2. Get the password, before the dialling: [`password`]. Exchange closes a session that does not
//!    log in within a minute (`XPOP3:V0002`).
//! 3. Connect, log in and list: [`Visit::begin`].

use std::path::Path;

use secrecy::SecretString;
use tokio::task::spawn_blocking;

use super::ledger::Ledger;
use super::{Error, Request, Stop, quit};
use crate::account::Identity;
use crate::cache::{AccountId, AccountRow, Cache, Lock, Recorded, SameAsError, Shown, Snapshot};
use crate::maildrop::{self, Maildrop};
use crate::session::{self, Refusal, Session};

mod listing;
mod patience;

pub(super) use listing::Past;

/// What is remembered of an account, opened.
pub(super) struct Premises {
    /// Keeps other runs away; none where nobody needs to be kept away.
    pub(super) lock: Option<Lock>,
    pub(super) ledger: Ledger,
    /// None where nothing was ever recorded of the account.
    pub(super) row: Option<AccountRow>,
    pub(super) past: Past,
}

/// What somebody means to do with the premises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Look, and keep runs away meanwhile: POP3 locks the maildrop.
    Look,
    /// Record.
    Record,
    /// Look, also while a run is at work.
    Rehearse,
}

impl Premises {
    /// Locks and opens. Waits for nobody.
    ///
    /// # Errors
    /// Those of the cache: another run is at work, or nothing can be read.
    pub(super) async fn enter(request: &Request<'_>, purpose: Purpose) -> Result<Self, Error> {
        let state_dir = request.state_dir.to_owned();
        let account = request.account.clone();
        let same_as = request.same_as.map(str::to_owned);
        let now = (request.clock)();
        let stop = request.stop.clone();
        let heard = stop.clone();
        let enter = move || {
            let identity = &account.identity;
            let (lock, cache, row) = match purpose {
                Purpose::Record => {
                    let lock = Lock::acquire(&state_dir, identity)?;
                    let mut cache = Cache::open(&state_dir)?;
                    if let Some(named) = same_as {
                        take_over(&mut cache, &state_dir, &named, identity)?;
                    }
                    let row = cache.account(&account, now)?;
                    (Some(lock), cache, Some(row))
                }
                Purpose::Look | Purpose::Rehearse => {
                    let lock = match purpose {
                        Purpose::Look => Lock::acquire_existing(&state_dir, identity)?,
                        _ => None,
                    };
                    let cache = match Cache::open_read_only(&state_dir)? {
                        Some(cache) => cache,
                        None => Cache::blank()?,
                    };
                    let row = cache.find_account(identity)?;
                    (lock, cache, row)
                }
            };
            let id = row.as_ref().map_or(AccountId::NONE, |row| row.id);
            let past = Past::read(&cache, id, now)?;
            Ok::<_, Error>(Self {
                lock,
                ledger: Ledger::new(cache, id, stop),
                row,
                past,
            })
        };
        let entering = spawn_blocking(move || heard.within(enter));
        let entered = entering.await.map_err(Error::panicked)?;
        entered.map_err(|error: Error| error.or_stopped(&request.stop))
    }
}

/// Lets a mailbox take over what is remembered of it under another name, where it has not done so
/// before; gives that. `own` is locked.
///
/// # Errors
/// Those of [`Cache::named`]; a run is at work on the other one.
pub(super) fn take_over(
    cache: &mut Cache,
    state_dir: &Path,
    named: &str,
    own: &Identity,
) -> Result<Option<Recorded>, SameAsError> {
    let Some(other) = cache.named(named, own)? else {
        return Ok(None);
    };
    let _lock = Lock::acquire(state_dir, &other.identity)?;
    cache.take_name(other.id, own)?;
    Ok(Some(other))
}

/// The account's password.
///
/// # Errors
/// Those of its source; those of the connection that comes before a person is asked;
/// [`Error::Interrupted`].
pub(super) async fn password(request: &Request<'_>, stop: &Stop) -> Result<SecretString, Error> {
    let asking = session::password(request.account, request.prompt);
    stop.unless_stopped(asking).await?
}

/// A session whose maildrop is listed.
pub(super) struct Visit {
    pub(super) session: Session,
    pub(super) builder: maildrop::Builder,
    /// The server's refusal of UIDL, where it does not have that.
    pub(super) nameless: Option<Refusal>,
    /// True if an earlier session broke at LIST; none where LIST was not asked for.
    list_broke: Option<bool>,
}

/// A session, and all that it lists.
pub(super) struct Listed {
    pub(super) session: Session,
    pub(super) maildrop: Maildrop,
    /// The listing compared with the messages that are remembered.
    pub(super) shown: Shown,
    /// What the server said to UIDL, where it does not have that.
    pub(super) nameless: Option<Refusal>,
    /// True if an earlier session broke at LIST; none where LIST was not asked for.
    pub(super) list_broke: Option<bool>,
}

impl Visit {
    /// Connects, logs in, and lists. Sizes are among what is listed where that costs no wait of
    /// its own, or next to nothing.
    ///
    /// # Errors
    /// Those of the session; [`Error::Interrupted`].
    pub(super) async fn begin(
        request: &Request<'_>,
        stop: &Stop,
        password: &SecretString,
        past: &Past,
    ) -> Result<Self, Error> {
        let opening = listing::open(request, password, past);
        Ok(stop.unless_stopped(opening).await??)
    }

    /// Adds the sizes, whether they are of use or not; none where the server breaks at LIST.
    ///
    /// # Errors
    /// Those of [`Self::begin`].
    pub(super) async fn with_sizes(
        self,
        request: &Request<'_>,
        stop: &Stop,
        password: &SecretString,
        past: &Past,
    ) -> Result<Self, Error> {
        let scanning = listing::scanned(self, request, password, past);
        Ok(stop.unless_stopped(scanning).await??)
    }

    /// The rest of step 3: sizes, where they are of use.
    ///
    /// # Errors
    /// Those of [`Self::begin`].
    pub(super) async fn complete(
        self,
        request: &Request<'_>,
        stop: &Stop,
        password: &SecretString,
        snapshot: &Snapshot,
        past: &Past,
    ) -> Result<Listed, Error> {
        let completing = listing::complete(self, request, password, snapshot, past);
        Ok(stop.unless_stopped(completing).await??)
    }

    /// The session and its maildrop.
    ///
    /// # Errors
    /// The server's refusal of UIDL: nothing can be told apart then. The session is ended.
    pub(super) async fn named(self) -> Result<(Session, Maildrop), Error> {
        if let Some(refusal) = self.nameless {
            quit::leave(self.session).await;
            return Err(session::Error::Refused(refusal).into());
        }
        Ok((self.session, self.builder.finish()))
    }
}
