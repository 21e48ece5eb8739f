//! The cache of one account, on threads that may block.

use tokio::task::spawn_blocking;

use super::{Error, Stop};
use crate::cache::{AccountId, Cache};

/// The records of one account. One job at a time has them.
#[derive(Debug)]
pub(super) struct Ledger {
    account: AccountId,
    stop: Stop,
    /// None while a job on another thread has it.
    cache: Option<Cache>,
}

impl Ledger {
    pub(super) fn new(cache: Cache, account: AccountId, stop: Stop) -> Self {
        Self {
            account,
            stop,
            cache: Some(cache),
        }
    }

    /// The key of the account.
    pub(super) fn account(&self) -> AccountId {
        self.account
    }

    /// Runs work with the cache on a thread that may block.
    pub(super) async fn with<T, E>(
        &mut self,
        act: impl FnOnce(&mut Cache, AccountId) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        E: Into<Error> + Send + 'static,
    {
        let mut cache = self.lend()?;
        let account = self.account;
        let stop = self.stop.clone();
        let acting = spawn_blocking(move || {
            let result = stop.within(|| act(&mut cache, account));
            (cache, result)
        });
        let (cache, result) = acting.await.map_err(Error::panicked)?;
        self.cache = Some(cache);
        result.map_err(|error| error.into().or_stopped(&self.stop))
    }

    /// Lends the cache to a longer job, which returns it by [`Self::give_back`].
    pub(super) fn lend(&mut self) -> Result<Cache, Error> {
        self.cache.take().ok_or_else(|| Error::Panicked {
            message: "the state was lost with an earlier failure".to_owned(),
        })
    }

    pub(super) fn give_back(&mut self, cache: Cache) {
        self.cache = Some(cache);
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if let Some(cache) = self.cache.take() {
            cache.give_back();
        }
    }
}
