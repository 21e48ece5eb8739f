//! Table `runs`.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{AccountId, Cache, Error, Statements};
use crate::account::{Identity, Outage};
use crate::exit::Exit;

/// The number of runs that are kept for an account.
const KEPT: i64 = 10_000;

/// A run that is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    /// The time when it began, in seconds since 1970.
    pub started_at: i64,
    /// If it is the second attempt of a run, the time when the first began. Both are one record.
    pub first_at: Option<i64>,
    /// The time when it ended.
    pub finished_at: i64,
    /// Its status.
    pub exit: Exit,
    /// Messages retrieved and stored.
    pub retrieved: u64,
    /// Their octets as sent.
    pub octets: u64,
    /// Messages whose deletion the server accepted.
    pub deleted: u64,
    /// Messages left aside by a limit.
    pub skipped: u64,
    /// Messages that could not be retrieved or deleted.
    pub failed: u64,
    /// Messages on the server. None if the maildrop was not listed.
    pub on_server: Option<u64>,
    /// True if all staged messages are where readers look. False if a batch failed.
    pub all_published: bool,
    /// True if the clock was not trusted.
    pub clock_doubted: bool,
    /// The error, if it failed.
    pub error: Option<&'a str>,
}

/// A run as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastRun {
    /// The name of its account.
    pub account: String,
    /// The time when it began, in seconds since 1970.
    pub started_at: i64,
    /// The time when it ended.
    pub finished_at: i64,
    /// Its exit status.
    pub exit: u8,
    /// Messages retrieved and stored.
    pub retrieved: u64,
    /// Their octets as sent.
    pub octets: u64,
    /// Messages whose deletion the server accepted.
    pub deleted: u64,
    /// Messages left aside by a limit.
    pub skipped: u64,
    /// Messages that could not be retrieved or deleted.
    pub failed: u64,
    /// Messages on the server. None if the maildrop was not listed.
    pub on_server: Option<u64>,
    /// The error, if it failed.
    pub error: Option<String>,
}

impl Cache {
    /// The last runs of these accounts, the newest first, at most `most` of them.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn history(
        &self,
        accounts: &[AccountId],
        most: usize,
    ) -> Result<Vec<PastRun>, Error> {
        let wanted: HashSet<AccountId> = accounts.iter().copied().collect();
        let mut query = self.connection.prepare_cached(
            "SELECT a.name, r.started_at, r.finished_at, r.exit, r.retrieved, r.octets, r.deleted,
                    r.skipped, r.failed, r.on_server, r.error, r.account
             FROM runs r JOIN accounts a ON a.id = r.account ORDER BY r.id DESC",
        )?;
        let mut rows = query.query([])?;
        let mut runs = Vec::new();
        while runs.len() < most
            && let Some(row) = rows.next()?
        {
            if !wanted.contains(&row.get(11)?) {
                continue;
            }
            runs.push(past_run(row)?);
        }
        Ok(runs)
    }

    /// Shows every recorded run of an account, the newest first, and keeps none of them.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    #[cfg(feature = "cli")]
    pub(crate) fn each_run(
        &self,
        account: AccountId,
        show: &mut dyn FnMut(PastRun),
    ) -> Result<(), Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT a.name, r.started_at, r.finished_at, r.exit, r.retrieved, r.octets, r.deleted,
                    r.skipped, r.failed, r.on_server, r.error
             FROM runs r JOIN accounts a ON a.id = r.account WHERE r.account = ?1
             ORDER BY r.id DESC",
        )?;
        let mut rows = query.query([account])?;
        while let Some(row) = rows.next()? {
            show(past_run(row)?);
        }
        Ok(())
    }

    /// The current series of runs that failed because the server could not be reached or had no
    /// time. None if the last run did not fail in this way. Runs that a signal ended are ignored.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn outage(&self, account: AccountId) -> Result<Option<Outage>, Error> {
        let (since, runs): (Option<i64>, i64) = self.connection.query_row_cached(
            "SELECT min(started_at), count(*) FROM runs
             WHERE account = ?1 AND exit IN (?2, ?3) AND id > coalesce(
                 (SELECT max(id) FROM runs WHERE account = ?1 AND exit NOT IN (?2, ?3)
                      AND exit < 128), 0)",
            params![
                account,
                Exit::Unavailable.code(),
                Exit::TemporaryFailure.code()
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let runs = runs.cast_unsigned();
        Ok(since.map(|since| Outage { since, runs }))
    }

    /// The accounts whose last run did all that it was to do.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    #[cfg(feature = "cli")]
    pub(crate) fn succeeded_last(&self) -> Result<HashSet<Identity>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT key, host, user FROM accounts
             WHERE (SELECT exit FROM runs WHERE account = accounts.id ORDER BY id DESC LIMIT 1) = 0",
        )?;
        let rows = query.query_map([], identity)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The accounts with messages that were recorded and perhaps not stored: a run is at work on them, or
    /// was cut short.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    #[cfg(feature = "cli")]
    pub(crate) fn in_the_midst(&self) -> Result<HashSet<Identity>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT key, host, user FROM accounts
             WHERE id IN (SELECT account FROM messages WHERE id IN (SELECT message FROM staged))",
        )?;
        let rows = query.query_map([], identity)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records the run, and does step 6 of the store's order for the last batch if that is
    /// published. If it is not, the next run recovers the staged messages. The record of a first
    /// attempt becomes a part of that of the second.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn finish_run(&mut self, account: AccountId, run: Run<'_>) -> Result<(), Error> {
        self.in_one(|cache| {
            if run.all_published {
                super::messages::clear_staged(&cache.connection, account)?;
            }
            let run = match run.first_at {
                Some(first_at) => run.behind(&cache.connection, account, first_at)?,
                None => run,
            };
            cache.connection.execute_cached(
                "INSERT INTO runs (account, started_at, finished_at, exit, retrieved, octets, deleted,
                     skipped, failed, on_server, error, clock_doubted)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                params![
                    account,
                    run.started_at,
                    run.finished_at,
                    run.exit.code(),
                    run.retrieved.cast_signed(),
                    run.octets.cast_signed(),
                    run.deleted.cast_signed(),
                    run.skipped.cast_signed(),
                    run.failed.cast_signed(),
                    run.on_server.map(u64::cast_signed),
                    run.error,
                    run.clock_doubted,
                ],
            )?;
            cache.connection.execute_cached(
                "DELETE FROM runs WHERE account = ?1 AND id <=
                     (SELECT id FROM runs WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                params![account, KEPT],
            )?;
            Ok(())
        })
    }
}

impl Run<'_> {
    /// The same with what the first attempt did. Takes away the record of that, unless another run has
    /// been recorded since.
    fn behind(
        self,
        connection: &Connection,
        account: AccountId,
        first_at: i64,
    ) -> rusqlite::Result<Self> {
        let count = |row: &Row<'_>, column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let first = connection.query_row_cached(
            "SELECT id, started_at, retrieved, octets, deleted, on_server FROM runs
             WHERE account = ?1 ORDER BY id DESC LIMIT 1",
            [account],
            |row| {
                let on_server = row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned);
                let joined = Self {
                    started_at: row.get(1)?,
                    retrieved: self.retrieved + count(row, 2)?,
                    octets: self.octets + count(row, 3)?,
                    deleted: self.deleted + count(row, 4)?,
                    on_server: self.on_server.or(on_server),
                    ..self
                };
                Ok((row.get::<_, i64>(0)?, joined))
            },
        );
        match first.optional()? {
            Some((id, joined)) if joined.started_at == first_at => {
                connection.execute_cached("DELETE FROM runs WHERE id = ?1", [id])?;
                Ok(joined)
            }
            _ => Ok(self),
        }
    }
}

/// The identity in the first columns of a row.
#[cfg(feature = "cli")]
fn identity(row: &Row<'_>) -> rusqlite::Result<Identity> {
    Ok(Identity {
        key: row.get(0)?,
        host: row.get(1)?,
        user: row.get(2)?,
    })
}

/// The run in the first columns of a row.
fn past_run(row: &Row<'_>) -> rusqlite::Result<PastRun> {
    let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(PastRun {
        account: row.get(0)?,
        started_at: row.get(1)?,
        finished_at: row.get(2)?,
        exit: row.get(3)?,
        retrieved: count(4)?,
        octets: count(5)?,
        deleted: count(6)?,
        skipped: count(7)?,
        failed: count(8)?,
        on_server: row.get::<_, Option<i64>>(9)?.map(i64::cast_unsigned),
        error: row.get(10)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache with one account.
    fn with_account() -> (Cache, AccountId) {
        let cache = Cache::blank().unwrap();
        let query = "INSERT INTO accounts (id, key, host, user, name, store, tag, created_at)
             VALUES (1, 'k', 'h', 'u', 'n', 's', 't', 0)";
        cache.connection.execute(query, []).unwrap();
        (cache, AccountId::of(1))
    }

    fn run(exit: Exit, started_at: i64, first_at: Option<i64>) -> Run<'static> {
        Run {
            started_at,
            first_at,
            finished_at: started_at + 5,
            exit,
            retrieved: 0,
            octets: 0,
            deleted: 0,
            skipped: 0,
            failed: 0,
            on_server: None,
            all_published: false,
            clock_doubted: false,
            error: None,
        }
    }

    #[test]
    fn two_attempts_are_one_record_unless_another_run_came_between() {
        let (mut cache, account) = with_account();
        let first = Run {
            retrieved: 3,
            octets: 300,
            deleted: 1,
            on_server: Some(9),
            ..run(Exit::TemporaryFailure, 100, None)
        };
        let second = Run {
            retrieved: 2,
            octets: 20,
            ..run(Exit::Success, 160, Some(100))
        };
        cache.finish_run(account, first).unwrap();
        cache.finish_run(account, second).unwrap();
        let runs = cache.history(&[account], 9).unwrap();
        assert_eq!(runs.len(), 1);
        let both = &runs[0];
        assert_eq!(
            (both.started_at, both.finished_at, both.exit),
            (100, 165, 0)
        );
        assert_eq!((both.retrieved, both.octets, both.deleted), (5, 320, 1));
        assert_eq!(both.on_server, Some(9));
        // One that fails twice counts once.
        for first_at in [None, Some(200)] {
            let started_at = if first_at.is_none() { 200 } else { 260 };
            let failed = run(Exit::TemporaryFailure, started_at, first_at);
            cache.finish_run(account, failed).unwrap();
        }
        let outage = cache.outage(account).unwrap().unwrap();
        assert_eq!((outage.since, outage.runs), (200, 1));
        // The run of another process.
        let other = run(Exit::Success, 300, None);
        cache.finish_run(account, other).unwrap();
        let late = run(Exit::Success, 310, Some(200));
        cache.finish_run(account, late).unwrap();
        assert_eq!(cache.history(&[account], 9).unwrap().len(), 4);
    }

    #[test]
    fn an_outage_begins_behind_the_last_run_that_was_none() {
        let (mut cache, account) = with_account();
        let mut time = 0;
        let mut after = |exit: Exit| {
            time += 900;
            cache.finish_run(account, run(exit, time, None)).unwrap();
            let outage = cache.outage(account).unwrap();
            outage.map(|outage| (outage.since, outage.runs))
        };
        for (exit, expected) in [
            (Exit::Unavailable, Some((900, 1))),
            (Exit::TemporaryFailure, Some((900, 2))),
            // A signal says nothing about the server.
            (Exit::Terminated, Some((900, 2))),
            (Exit::Unavailable, Some((900, 3))),
            (Exit::Success, None),
            (Exit::TemporaryFailure, Some((5_400, 1))),
            (Exit::NoPermission, None),
            (Exit::Unavailable, Some((7_200, 1))),
            (Exit::Partial, None),
        ] {
            assert_eq!(after(exit), expected, "{exit:?}");
        }
    }
}
