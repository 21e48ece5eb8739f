//! The cache of one account, for work that may block.

use super::{Error, Stop};
use crate::blocking;
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

/// The thread on which work with the cache is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thread {
    /// This one, if it serves the account alone: for what is soon done, or waited for in any case.
    Own,
    /// Another one: this one serves the connection, or hears a signal, meanwhile.
    Other,
}

impl Amount {
    /// The thread for work with all messages, while this one could do something else.
    pub(super) fn thread(self) -> Thread {
        match self {
            Self::Nothing | Self::Few => Thread::Own,
            Self::Many => Thread::Other,
        }
    }
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

    pub(super) fn amount(&self) -> Amount {
        self.amount
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
        self.on(Thread::Own, act).await
    }

    /// The same on this thread, or on another one.
    pub(super) async fn on<T, E>(
        &mut self,
        thread: Thread,
        act: impl FnOnce(&mut Cache, AccountId) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        E: Into<Error> + Send + 'static,
    {
        let mut cache = self.lend()?;
        let account = self.account;
        let stop = self.stop.clone();
        let acting = move || {
            let result = stop.within(|| act(&mut cache, account));
            (cache, result)
        };
        let (cache, result) = match thread {
            Thread::Own => blocking::run(acting).await?,
            Thread::Other => blocking::aside(acting).await?,
        };
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
