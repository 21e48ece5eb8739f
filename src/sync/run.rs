//! The run of one account: its steps, session by session.
//!
//! One message must not stop the others. Where a session breaks at a message, the run remembers
//! that, goes on with the others in a new session, and takes it last, in a session of its own.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::broke::Untoppable;
use super::decide::Brakes;
use super::header_index::HeaderIndex;
use super::ledger::Ledger;
use super::record::Breakers;
use super::visit::{self, Past, Premises, Purpose};
use super::{Error, Request, Stop, Summary, Warning, leftovers, loss, record};
use crate::account::Outage;
use crate::auth;
use crate::cache::Lock;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::maildrop::Maildrop;
use crate::policy::Trouble;
use crate::store::Store;

mod leave;
mod nameless;
mod open;
mod rounds;
mod session;

/// How many sessions a run may take with a server that ends them before their time.
const MAX_SESSIONS: usize = 12;

/// How many sessions in a row may bring nothing.
const MAX_GAINLESS: usize = 3;

/// How many messages at which sessions break are tried in vain in one run, each in a session of its
/// own.
const MAX_TRIALS: usize = 4;

/// A run in progress.
pub(super) struct Run<'a> {
    request: &'a Request<'a>,
    stop: Stop,
    /// Keeps other runs away from the account, and knows that this one has not ended yet.
    lock: Option<Lock>,
    ledger: Ledger,
    store: Arc<dyn Store>,
    past: Past,
    /// Mail in a store of which nothing is recorded, until it is known whose it is.
    header_index: Option<HeaderIndex>,
    /// What the brakes on deletion know.
    brakes: Brakes,
    trouble: Trouble,
    untoppable: Untoppable,
    /// When messages at which sessions of earlier runs broke were last tried.
    tried_at: HashMap<Vec<u8>, i64>,
    /// Messages at which sessions broke, and that were tried again in vain.
    given_up: HashSet<Vec<u8>>,
    /// A session went out of step: from then on it is to show at which message.
    is_one_by_one: bool,
    /// The server did not take several connections at the same time well.
    is_best_alone: bool,
    /// Why the last of them could not be had.
    last_break: Option<Error>,
    /// The maildrop of the session that is going on, or was last.
    listed: Option<Arc<Maildrop>>,
    /// How much of this run is to be recorded.
    pub(super) tally: record::Tally,
}

impl<'a> Run<'a> {
    /// Step 1: locks the account and takes up what a crash left.
    pub(super) async fn prepare(request: &'a Request<'a>, now: i64) -> Result<Self, Error> {
        let Premises {
            mut lock,
            mut ledger,
            row,
            past,
        } = Premises::enter(request, Purpose::Record).await?;
        if let Some(lock) = &mut lock {
            lock.begin_run();
        }
        let row = row.ok_or_else(|| Error::Panicked {
            message: "an account was not recorded".to_owned(),
        })?;
        let opened = open::open(request, &mut ledger, row, now).await?;
        opened.warn(request);
        Ok(Self {
            request,
            stop: request.stop.clone(),
            lock,
            ledger,
            store: opened.store,
            past,
            header_index: opened.header_index,
            brakes: opened.brakes,
            trouble: Trouble {
                breaks: opened.tried_at.keys().cloned().collect(),
                ..Trouble::default()
            },
            tried_at: opened.tried_at,
            untoppable: Untoppable::default(),
            given_up: HashSet::new(),
            is_one_by_one: false,
            is_best_alone: false,
            last_break: None,
            listed: None,
            tally: record::Tally::default(),
        })
    }

    /// The time between two logins that the server asked for at the last one of this run.
    pub(super) fn login_delay(&self) -> Option<Duration> {
        self.past.login_delay()
    }

    /// Steps 2 to 6, in as many sessions as the account allows.
    pub(super) async fn steps(&mut self, summary: &mut Summary) -> Result<(), Error> {
        // Still step 1, and before the dialling.
        let password = visit::password(self.request, &self.stop).await?;
        let mut result = self.sessions(&password, summary).await;
        if self.tally.is_too_large && result.is_ok() {
            result = Err(Error::TooLarge);
        }
        if matches!(&result, Err(Error::Session(error)) if error.exit() == Exit::NoPermission) {
            auth::refused(self.request.account, &password).await;
        }
        result
    }

    /// The same with the password.
    async fn sessions(
        &mut self,
        password: &SecretString,
        summary: &mut Summary,
    ) -> Result<(), Error> {
        let request = self.request;
        let limits = request.account.limits;
        let most = limits.sessions.map_or(1, NonZeroU64::get);
        // Some servers show a part of the mailbox at a time, and the next one when that was had.
        for number in 1..=most {
            let (before, listings) = (summary.retrieved, self.tally.listings);
            match self.rounds(password, summary).await {
                // Nobody promised another session, and what was had is safe.
                Err(error)
                    if number > 1
                        && listings == self.tally.listings
                        && error.exit() == Exit::TemporaryFailure =>
                {
                    request.warn(Warning::NoFurtherSession { error: &error });
                    return Ok(());
                }
                result => result?,
            }
            let left = limits.left(summary.retrieved, summary.octets);
            if summary.retrieved == before || left.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Step 7. Gives the outage that this run was a part of, where its failure may pass by itself.
    pub(super) async fn record(
        mut self,
        started_at: i64,
        summary: &Summary,
        result: &Result<(), Error>,
    ) -> Result<Option<Outage>, Error> {
        let breaks = Breakers {
            all: std::mem::take(&mut self.trouble.breaks),
            tried: std::mem::take(&mut self.tally.tried),
        };
        // As long as it is not known whose mail the store holds, the account stays a new one, and
        // the next run asks again.
        let brakes = self.header_index.is_none().then(|| self.brakes.clone());
        let recorded = record::run(
            &mut self.ledger,
            self.request,
            &self.tally,
            brakes,
            breaks,
            started_at,
            summary,
            result,
        );
        recorded.await?;
        if let Some(lock) = &mut self.lock {
            lock.end_run();
        }
        if self.tally.all_published {
            leftovers::clear(&mut self.ledger, self.request, &self.store).await;
        }
        if result.is_ok() {
            loss::notice(&mut self.ledger, self.request, summary.retrieved).await;
        }
        match result {
            Err(error) if super::is_outage(error.exit()) => {
                self.ledger
                    .with(|cache, account| cache.outage(account))
                    .await
            }
            _ => Ok(None),
        }
    }
}
