//! Table `losses`: how many messages a store lacks, as far as runs have noticed.

use rusqlite::{OptionalExtension, params};

use super::messages::column;
use super::{AccountId, Cache, Error};

/// What the last count of an account's store gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loss {
    /// How many fewer files there were than messages recorded.
    pub gap: u64,
    /// How many messages were in the store under no name.
    pub missing: u64,
    /// Of how many a person was told.
    pub told: u64,
    /// When it was counted, in seconds since 1970.
    pub counted_at: i64,
}

impl Cache {
    /// The last count; none where there was none.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn loss(&self, account: AccountId) -> Result<Option<Loss>, Error> {
        let loss = self
            .connection
            .query_row(
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
            )
            .optional()?;
        Ok(loss)
    }

    /// Records a count.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn set_loss(&mut self, account: AccountId, loss: Loss) -> Result<(), Error> {
        self.connection.execute(
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

    /// Records what a verification has found missing. The next run counts anew.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn verified_missing(&mut self, account: AccountId, missing: u64) -> Result<(), Error> {
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

    /// How many messages should be in the store.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn count_expected(&self, account: AccountId) -> Result<u64, Error> {
        // Both counts need an index alone.
        let query = "SELECT (SELECT count(*) FROM messages WHERE account = ?1)
             - (SELECT count(*) FROM messages WHERE account = ?1 AND absence_accepted = 1)
             - (SELECT count(*) FROM staged CROSS JOIN messages
                    ON messages.id = staged.message WHERE account = ?1)";
        let count: i64 = self
            .connection
            .query_one(query, [account], |row| row.get(0))?;
        Ok(count.max(0).cast_unsigned())
    }

    /// The tag of an account.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn tag(&self, account: AccountId) -> Result<String, Error> {
        let query = "SELECT tag FROM accounts WHERE id = ?1";
        Ok(self
            .connection
            .query_one(query, [account], |row| row.get(0))?)
    }
}
