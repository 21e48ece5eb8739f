//! One visit to a mailbox, up to the listing of its maildrop: the common part of a sync, a dry run,
//! a list, a verification and the imports.
//!
//! 1. Lock the account, and open its records: [`Premises::enter`].
//! 2. Get the password, before the dialling: [`password`]. Exchange closes a session that does not
//!    log in within a minute (`XPOP3:V0002`).
//! 3. Connect, log in and list: [`Visit::begin`].

use std::path::Path;

use secrecy::SecretString;

use super::ledger::{Amount, Ledger};
use super::{Error, Request, Stop, quit};
use crate::account::Identity;
use crate::blocking;
use crate::cache::{AccountId, AccountRow, Cache, Lock, Recorded, SameAsError, Shown, Snapshot};
use crate::maildrop::{self, Maildrop};
use crate::session::{self, Refusal, Session};

mod listing;
mod patience;

pub(super) use listing::Past;

use listing::FEW;

/// The records of an account, opened.
pub(super) struct Premises {
    /// Keeps other runs away. None if that is not necessary.
    pub(super) lock: Option<Lock>,
    pub(super) ledger: Ledger,
    /// None if nothing was ever recorded of the account.
    pub(super) row: Option<AccountRow>,
    pub(super) past: Past,
}

/// The purpose of opening the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Read, and keep runs away meanwhile: POP3 locks the maildrop.
    Look,
    /// Write records.
    Record,
    /// Read, even while a run is active.
    Rehearse,
}

impl Premises {
    /// Locks and opens. Never waits.
    ///
    /// # Errors
    /// Those of the cache: another run is active, or nothing can be read.
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
                    let mut cache = Cache::open_or_kept(&state_dir)?;
                    if let Some(named) = same_as {
                        take_over(&mut cache, &state_dir, &named, identity)?;
                    }
                    let row = cache.in_order(|cache| cache.account(&account, now))?;
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
            let amount = match past.is_small() && !cache.records_more_than(id, FEW)? {
                true if cache.records_more_than(id, 0)? => Amount::Few,
                true => Amount::Nothing,
                false => Amount::Many,
            };
            Ok::<_, Error>(Self {
                lock,
                ledger: Ledger::new(cache, id, stop, amount),
                row,
                past,
            })
        };
        // To open a cache may mean to migrate it, which takes its time.
        let entered = match Cache::is_kept() {
            true => blocking::run(move || heard.within(enter)).await?,
            false => blocking::aside(move || heard.within(enter)).await?,
        };
        entered.map_err(|error: Error| error.or_stopped(&request.stop))
    }
}

/// Lets a mailbox take over the records of another name, unless it has already done so. Returns the
/// name's records. `own` is locked.
///
/// # Errors
/// Those of [`Cache::named`]; a run is active on the other one.
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
/// Those of its source; those of the connection that is tested before a person is asked;
/// [`Error::Interrupted`].
pub(super) async fn password(request: &Request<'_>, stop: &Stop) -> Result<SecretString, Error> {
    let asking = session::password(request.account, request.prompt);
    stop.unless_stopped(asking).await?
}

/// A session whose maildrop is listed.
pub(super) struct Visit {
    pub(super) session: Session,
    pub(super) builder: maildrop::Builder,
    /// The server's refusal of UIDL, if it does not have that.
    pub(super) nameless: Option<Refusal>,
    /// True if an earlier session broke at LIST. None if LIST was not sent.
    list_broke: Option<bool>,
}

/// A session with its complete listing.
pub(super) struct Listed {
    pub(super) session: Session,
    pub(super) maildrop: Maildrop,
    /// The listing compared with the recorded messages.
    pub(super) shown: Shown,
    /// The server's refusal of UIDL, if it does not have that.
    pub(super) nameless: Option<Refusal>,
    /// True if an earlier session broke at LIST. None if LIST was not sent.
    pub(super) list_broke: Option<bool>,
}

impl Visit {
    /// Connects, logs in, and lists. The listing has sizes if they cost no extra wait, or almost
    /// none.
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

    /// Adds the sizes, whether they are needed or not. None if the server breaks at LIST.
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

    /// The rest of step 3: sizes, if they are needed.
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
    /// The server's refusal of UIDL: messages cannot be identified then. The session is ended.
    pub(super) async fn named(self) -> Result<(Session, Maildrop), Error> {
        if let Some(refusal) = self.nameless {
            quit::leave(self.session).await;
            return Err(session::Error::Refused(refusal).into());
        }
        Ok((self.session, self.builder.finish()))
    }
}
