//! Table `imported`: messages that another program had downloaded.

use std::collections::HashSet;

use rusqlite::params;

use super::{AccountId, Cache, Error, MessageKey, Snapshot, Staged};
use super::{Statements, messages::insert};

/// A message that another program had downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Had {
    /// Its unique-id.
    pub unique_id: Vec<u8>,
    /// The number of messages in the listing that have it.
    pub copies: u32,
    /// True if every `/` in it was written as `-`.
    pub without_slashes: bool,
}

/// The result of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Messages that were not known before.
    pub new: u64,
    /// Messages that are stored, or were imported before.
    pub known: u64,
    /// The new ones that stay on the server whatever the settings say: no copy of them is proved to
    /// be in the store.
    pub stay: u64,
}

impl Cache {
    /// Records all of these messages as already downloaded, or none if one of them is an error.
    ///
    /// # Errors
    /// [`Error::Sqlite`], and the first error among the messages.
    pub(crate) fn take_over<E: From<Error>>(
        &mut self,
        account: AccountId,
        messages: impl Iterator<Item = Result<Had, E>>,
        now: i64,
    ) -> Result<Taken, E> {
        let mut taken = Taken::default();
        let transaction = self.connection.transaction().map_err(Error::from)?;
        {
            let insert = "INSERT INTO imported
                     (account, unique_id, copies, without_slashes, imported_at)
                 SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS
                     (SELECT 1 FROM messages WHERE account = ?1 AND unique_id = ?2)
                 ON CONFLICT DO NOTHING";
            let mut insert = transaction.prepare_cached(insert).map_err(Error::from)?;
            for message in messages {
                let Had {
                    unique_id,
                    copies,
                    without_slashes,
                } = message?;
                let added = insert
                    .execute(params![account, unique_id, copies, without_slashes, now])
                    .map_err(Error::from)?;
                if added == 0 {
                    taken.known += 1;
                } else {
                    taken.new += 1;
                    taken.stay += 1;
                }
            }
        }
        // Even an empty list counts: a person has said what was downloaded. If messages are
        // recorded and no run is, they were found again in the store, and the record stays that no
        // run stored them.
        transaction
            .execute_cached(
                "INSERT INTO guards (account) SELECT ?1
                 WHERE NOT EXISTS (SELECT 1 FROM messages WHERE account = ?1)
                 ON CONFLICT DO NOTHING",
                [account],
            )
            .map_err(Error::from)?;
        transaction.commit().map_err(Error::from)?;
        Ok(taken)
    }

    /// The imported messages whose copies were not looked for since then.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn unsought(
        &self,
        account: AccountId,
        since: i64,
    ) -> Result<HashSet<Vec<u8>>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT unique_id FROM imported
             WHERE account = ?1 AND copies = 1 AND coalesce(sought_at < ?2, 1)",
        )?;
        let ids = query.query_map(params![account, since], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// The files of all messages that any account has, or had.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn files_of_all(&self) -> Result<HashSet<String>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT name FROM messages")?;
        let names = query.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Records imported messages whose copies were found as stored, in place of their import, and
    /// when the copies of the others were looked for: all of it, or nothing. Each has the unique-id
    /// under which it was imported. Returns the key of the last one.
    ///
    /// No run stored them, so a policy of deleting at once has not announced their deletion either:
    /// the brakes count it.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn found_imported(
        &mut self,
        account: AccountId,
        found: &[(Vec<u8>, Staged)],
        missed: &[Vec<u8>],
        now: i64,
    ) -> Result<Option<MessageKey>, Error> {
        let transaction = self.connection.transaction()?;
        let mut last = None;
        {
            let mut forget = transaction
                .prepare_cached("DELETE FROM imported WHERE account = ?1 AND unique_id = ?2")?;
            for (imported, message) in found {
                forget.execute(params![account, imported])?;
                last = Some(insert(&transaction, account, message, now)?);
            }
            let mut note = transaction.prepare_cached(
                "UPDATE imported SET sought_at = ?3 WHERE account = ?1 AND unique_id = ?2",
            )?;
            for imported in missed {
                note.execute(params![account, imported, now])?;
            }
        }
        if let Some(last) = last {
            transaction.execute_cached(
                "UPDATE guards SET deleting_after = ?2
                 WHERE account = ?1 AND deleting_after IS NOT NULL",
                params![account, last],
            )?;
        }
        transaction.commit()?;
        Ok(last)
    }

    /// Adds the imported messages to the stored ones.
    pub(super) fn read_imported(&self, account: AccountId, to: &mut Snapshot) -> Result<(), Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT unique_id, copies, without_slashes, imported_at FROM imported
             WHERE account = ?1",
        )?;
        let mut rows = query.query([account])?;
        while let Some(row) = rows.next()? {
            let unique_id = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            to.push_imported(unique_id, row.get(1)?, row.get(2)?, row.get(3)?);
        }
        Ok(())
    }
}
