//! The cache of one account, for work that may block.

use super::{Error, Stop};
use crate::blocking::{self, Panicked};
use crate::cache::{AccountId, Cache};

/// The number of messages that are recorded, or were listed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    /// None is recorded.
    Nothing,
    /// Work with all of them takes no time worth mentioning.
    Few,
    Many,
}

/// The records of one account. One job at a time has them.
#[derive(Debug)]
pub(super) struct Ledger {
    account: AccountId,
    stop: Stop,
    amount: Amount,
    /// None while a job on another thread has it.
    cache: Option<Cache>,
}

impl Ledger {
    pub(super) fn new(cache: Cache, account: AccountId, stop: Stop, amount: Amount) -> Self {
        Self {
            account,
            stop,
            amount,
            cache: Some(cache),
        }
    }

    /// The key of the account.
    pub(super) fn account(&self) -> AccountId {
        self.account
    }

    /// Runs work with the cache, on this thread if it serves the account alone.
    pub(super) async fn with<T, E>(
        &mut self,
        act: impl FnOnce(&mut Cache, AccountId) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        E: Into<Error> + Send + 'static,
    {
        let acting = self.job(act)?;
        self.take_back(blocking::run(acting).await)
    }

    pub(super) fn amount(&self) -> Amount {
        self.amount
    }

    /// As [`Self::with`], but if that may take long, on another thread: this one goes on meanwhile.
    pub(super) async fn meanwhile<T, E>(
        &mut self,
        act: impl FnOnce(&mut Cache, AccountId) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        E: Into<Error> + Send + 'static,
    {
        match self.amount {
            Amount::Nothing | Amount::Few => self.with(act).await,
            Amount::Many => self.aside(act).await,
        }
    }

    /// Runs work with the cache on another thread, even if the account is small.
    pub(super) async fn aside<T, E>(
        &mut self,
        act: impl FnOnce(&mut Cache, AccountId) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        E: Into<Error> + Send + 'static,
    {
        let acting = self.job(act)?;
        self.take_back(blocking::aside(acting).await)
    }

    fn job<T, E, F: FnOnce(&mut Cache, AccountId) -> Result<T, E>>(
        &mut self,
        act: F,
    ) -> Result<impl FnOnce() -> (Cache, Result<T, E>) + use<T, E, F>, Error> {
        let mut cache = self.lend()?;
        let account = self.account;
        let stop = self.stop.clone();
        Ok(move || {
            let result = stop.within(|| act(&mut cache, account));
            (cache, result)
        })
    }

    fn take_back<T, E: Into<Error>>(
        &mut self,
        done: Result<(Cache, Result<T, E>), Panicked>,
    ) -> Result<T, Error> {
        let (cache, result) = done?;
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
