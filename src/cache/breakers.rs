//! Table `breakers`: messages at which the server breaks the session.

use std::collections::HashSet;

use rusqlite::params;

use super::{AccountId, Cache, Error};

impl Cache {
    /// The unique-ids of the messages at which sessions of earlier runs broke.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn breakers(&self, account: AccountId) -> Result<HashSet<Vec<u8>>, Error> {
        let mut query = self
            .connection
            .prepare("SELECT unique_id FROM breakers WHERE account = ?1")?;
        let ids = query.query_map([account], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Records at which messages sessions break now, in place of those before.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn set_breakers(
        &mut self,
        account: AccountId,
        unique_ids: &HashSet<Vec<u8>>,
        now: i64,
    ) -> Result<(), Error> {
        if self.breakers(account)? == *unique_ids {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM breakers WHERE account = ?1", [account])?;
        for unique_id in unique_ids {
            transaction.execute(
                "INSERT INTO breakers (account, unique_id, seen_at) VALUES (?1, ?2, ?3)",
                params![account, unique_id, now],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }
}
