//! Table `breakers`: messages at which the server breaks the session.

use std::collections::{HashMap, HashSet};

use rusqlite::params;

use super::{AccountId, Cache, Error, Statements};

impl Cache {
    /// The unique-ids of the messages at which sessions of earlier runs broke, with the time when
    /// each was last asked for by itself, in seconds since 1970; 0 if it was not.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn breakers(&self, account: AccountId) -> Result<HashMap<Vec<u8>, i64>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT unique_id, seen_at FROM breakers WHERE account = ?1")?;
        let breakers = query.query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(breakers.collect::<Result<_, _>>()?)
    }

    /// Replaces the record of the messages at which sessions break. `tried` were asked for by
    /// themselves at `now`.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn set_breakers(
        &mut self,
        account: AccountId,
        unique_ids: &HashSet<Vec<u8>>,
        tried: &HashSet<Vec<u8>>,
        now: i64,
    ) -> Result<(), Error> {
        let before = self.breakers(account)?;
        let is_same = before.len() == unique_ids.len()
            && unique_ids.iter().all(|id| before.contains_key(id))
            && tried.is_disjoint(unique_ids);
        if is_same {
            return Ok(());
        }
        self.in_one(|cache| {
            cache
                .connection
                .execute_cached("DELETE FROM breakers WHERE account = ?1", [account])?;
            for unique_id in unique_ids {
                let tried_at = match tried.contains(unique_id) {
                    true => now,
                    false => before.get(unique_id).copied().unwrap_or(0),
                };
                cache.connection.execute_cached(
                    "INSERT INTO breakers (account, unique_id, seen_at) VALUES (?1, ?2, ?3)",
                    params![account, unique_id, tried_at],
                )?;
            }
            Ok(())
        })
    }
}
