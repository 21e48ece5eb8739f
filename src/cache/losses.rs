//! Table `losses`: how many messages a store lacks, as far as runs have noticed.

use rusqlite::params;

use super::{AccountId, Cache, Error};
use super::{Statements, messages::column};

/// The last count of the files of an account's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Loss {
    /// The number by which the files were fewer than the recorded messages.
    pub gap: u64,
    /// The number of messages that were nowhere in the store, under any name.
    pub missing: u64,
    /// The number that was already reported.
    pub told: u64,
    /// The time of the count, in seconds since 1970.
    pub counted_at: i64,
}

impl Cache {
    /// The last count, if there was one.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn loss(&self, account: AccountId) -> Result<Option<Loss>, Error> {
        let loss = self.row(
            "SELECT gap, missing, told, counted_at FROM losses WHERE account = ?1",
            [account],
            |row| {
                let count = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
                Ok(Loss {
                    gap: count(0)?,
                    missing: count(1)?,
                    told: count(2)?,
                    counted_at: row.get(3)?,
                })
            },
        )?;
        Ok(loss)
    }

    /// Records a count.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn set_loss(&mut self, account: AccountId, loss: Loss) -> Result<(), Error> {
        self.connection.execute_cached(
            "INSERT OR REPLACE INTO losses (account, gap, missing, told, counted_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                account,
                column(loss.gap),
                column(loss.missing),
                column(loss.told),
                loss.counted_at
            ],
        )?;
        Ok(())
    }

    /// Records the number of messages that a verification found missing. The next run counts anew.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn verified_missing(
        &mut self,
        account: AccountId,
        missing: u64,
    ) -> Result<(), Error> {
        let before = self.loss(account)?.unwrap_or_default();
        self.set_loss(
            account,
            Loss {
                gap: 0,
                missing,
                told: before.told.min(missing),
                counted_at: 0,
            },
        )
    }

    /// True if more messages than this number are recorded.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn records_more_than(
        &self,
        account: AccountId,
        messages: u64,
    ) -> Result<bool, Error> {
        let query = "SELECT EXISTS
             (SELECT 1 FROM messages WHERE account = ?1 LIMIT 1 OFFSET ?2)";
        Ok(self
            .connection
            .query_row_cached(query, params![account, column(messages)], |row| row.get(0))?)
    }

    /// The number of messages that should be in the store.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn count_expected(&self, account: AccountId) -> Result<u64, Error> {
        // Both counts need an index alone.
        let query = "SELECT (SELECT count(*) FROM messages WHERE account = ?1)
             - (SELECT count(*) FROM messages WHERE account = ?1 AND absence_accepted = 1)
             - (SELECT count(*) FROM staged CROSS JOIN messages
                    ON messages.id = staged.message WHERE account = ?1)";
        let count: i64 = self
            .connection
            .query_row_cached(query, [account], |row| row.get(0))?;
        Ok(count.max(0).cast_unsigned())
    }

    /// The tag of an account.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn tag(&self, account: AccountId) -> Result<String, Error> {
        let query = "SELECT tag FROM accounts WHERE id = ?1";
        Ok(self
            .connection
            .query_row_cached(query, [account], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_as_far_as_needed() {
        let cache = Cache::blank().unwrap();
        let rows = "INSERT INTO accounts (id, key, host, user, name, store, tag, created_at)
                 VALUES (1, '1', 'h', 'u', 'n', 's', '1', 0), (2, '2', 'h', 'v', 'n', 's', '2', 0);
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 12)
             INSERT INTO messages (account, unique_id, name, octets, sha256, header_sha256,
                     bare_line_ends, line_endings, stored_at)
                 SELECT 1, CAST(n AS BLOB), n, 1, zeroblob(32), zeroblob(32), 0, 'lf', 0
                     FROM numbers;";
        cache.connection.execute_batch(rows).unwrap();
        for (account, messages, expected) in [(1, 11, true), (1, 12, false), (2, 0, false)] {
            let account = AccountId::of(account);
            let more = cache.records_more_than(account, messages).unwrap();
            assert_eq!(more, expected, "{messages}");
        }
    }
}
