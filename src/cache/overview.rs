//! The facts that `status` shows, from local state alone.

use rusqlite::{Row, params};

use super::{AccountId, Cache, Error, PastVerification};
use crate::account::Identity;
use crate::exit::Exit;

/// The recorded facts about one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountOverview {
    /// Its key in the other tables.
    pub id: AccountId,
    /// Its name in the configuration, or `user@host`.
    pub name: String,
    /// The key under which it is recorded.
    pub key: String,
    /// Host.
    pub host: String,
    /// User.
    pub user: String,
    /// Where its messages are stored.
    pub store: String,
    /// Messages stored.
    pub messages: u64,
    /// Their octets as sent.
    pub octets: u64,
    /// The number of these that were stored in the last 30 days.
    pub recent_messages: u64,
    /// Their octets.
    pub recent_octets: u64,
    /// Messages that the server was asked to delete and still listed last.
    pub deletions_pending: u64,
    /// The time when the oldest message that the server still lists was stored, in seconds since
    /// 1970.
    pub oldest_on_server: Option<i64>,
    /// The number of stored messages that the server listed last.
    pub stored_on_server: u64,
    /// The number of these that may not have come whole.
    pub doubtful: u64,
    /// The number that the store lacks, as far as runs have noticed.
    pub missing: u64,
    /// Messages of which only the header was retrieved, and which the server listed last.
    pub headers_only: u64,
    /// The number of these that the next sync retrieves whole.
    pub marked: u64,
    /// The last run.
    pub last_run: Option<LastRun>,
    /// The end of the last successful run.
    pub last_success_at: Option<i64>,
    /// The end of the last run that was not cut short, even if it could not retrieve or delete some
    /// messages.
    pub last_complete_at: Option<i64>,
    /// The last verification.
    pub last_verification: Option<PastVerification>,
    /// The end of the last verification that left nothing wrong.
    pub last_verified_at: Option<i64>,
}

impl AccountOverview {
    /// An account without any records.
    pub(crate) fn blank(name: &str, identity: &Identity, store: String) -> Self {
        Self {
            id: AccountId::NONE,
            name: name.to_owned(),
            key: identity.key.clone(),
            host: identity.host.clone(),
            user: identity.user.clone(),
            store,
            messages: 0,
            octets: 0,
            recent_messages: 0,
            recent_octets: 0,
            deletions_pending: 0,
            oldest_on_server: None,
            stored_on_server: 0,
            doubtful: 0,
            missing: 0,
            headers_only: 0,
            marked: 0,
            last_run: None,
            last_success_at: None,
            last_complete_at: None,
            last_verification: None,
            last_verified_at: None,
        }
    }

    /// The identity under which it is recorded.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            key: self.key.clone(),
            host: self.host.clone(),
            user: self.user.clone(),
        }
    }
}

/// The last run of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastRun {
    /// The time when it ended, in seconds since 1970.
    pub finished_at: i64,
    /// Its exit status.
    pub exit: u8,
    /// Messages retrieved.
    pub retrieved: u64,
    /// Messages deleted on the server.
    pub deleted: u64,
    /// Messages that could not be retrieved or deleted.
    pub failed: u64,
    /// Messages on the server. None if it was not reached.
    pub on_server: Option<u64>,
    /// The error, if it failed.
    pub error: Option<String>,
}

impl Cache {
    /// Every account, by name. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn overview(&self, now: i64) -> Result<Vec<AccountOverview>, Error> {
        const RECENT: i64 = 30 * 24 * 60 * 60;
        let mut query = self.connection.prepare_cached(
            "SELECT a.id, a.name, a.key, a.host, a.user, a.store,
                    count(m.id), coalesce(sum(m.octets), 0),
                    count(m.id) FILTER (WHERE m.stored_at > ?1),
                    coalesce(sum(m.octets) FILTER (WHERE m.stored_at > ?1), 0),
                    count(m.id) FILTER
                        (WHERE m.deletion_asked_at IS NOT NULL AND m.missing_since IS NULL),
                    min(m.stored_at) FILTER (WHERE m.missing_since IS NULL),
                    count(m.id) FILTER (WHERE m.missing_since IS NULL),
                    count(m.id) FILTER
                        (WHERE m.doubt IS NOT NULL AND m.missing_since IS NULL)
             FROM accounts a LEFT JOIN messages m ON m.account = a.id
             GROUP BY a.id ORDER BY a.name, a.id",
        )?;
        let rows = query.query_map([now - RECENT], |row| {
            Ok(AccountOverview {
                id: row.get(0)?,
                name: row.get(1)?,
                key: row.get(2)?,
                host: row.get(3)?,
                user: row.get(4)?,
                store: row.get(5)?,
                messages: count(row, 6)?,
                octets: count(row, 7)?,
                recent_messages: count(row, 8)?,
                recent_octets: count(row, 9)?,
                deletions_pending: count(row, 10)?,
                oldest_on_server: row.get(11)?,
                stored_on_server: count(row, 12)?,
                doubtful: count(row, 13)?,
                missing: 0,
                headers_only: 0,
                marked: 0,
                last_run: None,
                last_success_at: None,
                last_complete_at: None,
                last_verification: None,
                last_verified_at: None,
            })
        })?;
        let mut overviews = Vec::new();
        for row in rows {
            let mut overview = row?;
            (overview.headers_only, overview.marked) = self.count_headers(overview.id)?;
            overview.missing = self.loss(overview.id)?.map_or(0, |loss| loss.missing);
            overview.last_run = self.last_run(overview.id)?;
            overview.last_verification = self.last_verification(overview.id)?;
            overview.last_verified_at = self.last_good_verification(overview.id)?;
            let last = overview.last_run.as_ref();
            overview.last_success_at =
                self.last_end(overview.id, last, [Exit::Success, Exit::Success])?;
            overview.last_complete_at =
                self.last_end(overview.id, last, [Exit::Success, Exit::Partial])?;
            overviews.push(overview);
        }
        Ok(overviews)
    }

    /// The number of messages in the last listing, if there was one.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn listed_last(&self, account: AccountId) -> Result<Option<u64>, Error> {
        let messages = self.row(
            "SELECT on_server FROM runs WHERE account = ?1 AND on_server IS NOT NULL
             ORDER BY id DESC LIMIT 1",
            [account],
            |row| count(row, 0),
        )?;
        Ok(messages)
    }

    /// The number of messages in the last listing that were stored at `time` or before.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn listed_and_stored_by(&self, account: AccountId, time: i64) -> Result<u64, Error> {
        let messages = self.row(
            "SELECT count(*) FROM messages
             WHERE account = ?1 AND missing_since IS NULL AND stored_at <= ?2",
            params![account, time],
            |row| count(row, 0),
        )?;
        Ok(messages.unwrap_or_default())
    }

    /// The end of the newest run that ended with one of these statuses, which are good ones. `last` is the
    /// newest of all, and nearly always the one.
    fn last_end(
        &self,
        account: AccountId,
        last: Option<&LastRun>,
        exits: [Exit; 2],
    ) -> Result<Option<i64>, Error> {
        let Some(last) = last else {
            return Ok(None);
        };
        let exits = exits.map(Exit::code);
        if exits.contains(&last.exit) {
            return Ok(Some(last.finished_at));
        }
        let end = self.row(
            "SELECT finished_at FROM runs INDEXED BY runs_good
             WHERE account = ?1 AND exit <= 1 AND exit IN (?2, ?3) ORDER BY id DESC LIMIT 1",
            params![account, exits[0], exits[1]],
            |row| row.get(0),
        )?;
        Ok(end)
    }

    fn last_run(&self, account: AccountId) -> Result<Option<LastRun>, Error> {
        let run = self.row(
            "SELECT finished_at, exit, retrieved, deleted, on_server, error, failed
             FROM runs WHERE account = ?1 ORDER BY id DESC LIMIT 1",
            params![account],
            |row| {
                Ok(LastRun {
                    finished_at: row.get(0)?,
                    exit: row.get(1)?,
                    retrieved: count(row, 2)?,
                    deleted: count(row, 3)?,
                    on_server: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
                    error: row.get(5)?,
                    failed: count(row, 6)?,
                })
            },
        )?;
        Ok(run)
    }
}

/// A count. SQLite has only signed integers.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}
