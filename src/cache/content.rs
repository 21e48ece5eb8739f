//! Finds stored messages by their content.

use rusqlite::params;

use super::{AccountId, Cache, Digest, Error, MessageKey};
use crate::store::Name;

/// A message that was retrieved, to be looked for among the recorded ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content<'a> {
    /// The unique-id in the listing; empty if the server has none.
    pub unique_id: &'a [u8],
    /// Digest of its octets as sent.
    pub sha256: &'a Digest,
}

/// A recorded message of the same content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its key.
    pub key: MessageKey,
    /// Its file.
    pub name: Name,
    /// The unique-id that it is recorded under.
    pub unique_id: Vec<u8>,
    /// True if the last listing showed this unique-id, and it belongs to this message without
    /// doubt.
    pub is_listed: bool,
    /// True if only an equal header links the message to this unique-id.
    pub is_assumed: bool,
    /// True if it is recorded under the unique-id of the retrieved message.
    pub is_same_id: bool,
    /// True if its file was lost with a restored store, and nobody deleted it.
    pub is_lost: bool,
}

impl Cache {
    /// The recorded messages of the same content, those under the same unique-id first.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn with_content(
        &self,
        account: AccountId,
        content: Content<'_>,
    ) -> Result<Vec<Known>, Error> {
        self.index_contents()?;
        let mut query = self.connection.prepare_cached(
            "SELECT id, name, unique_id = ?3 AS same, id IN (SELECT message FROM lost),
                 unique_id, missing_since IS NULL AND copies > 0, assumed
             FROM messages
             WHERE substr(sha256, 1, 8) = substr(?2, 1, 8) AND sha256 = ?2 AND account = ?1
             ORDER BY same DESC, id DESC",
        )?;
        let key = params![account, content.sha256, content.unique_id];
        let known = query.query_map(key, |row| {
            Ok(Known {
                key: row.get(0)?,
                name: Name(row.get(1)?),
                is_same_id: row.get(2)?,
                is_lost: row.get(3)?,
                unique_id: row.get(4)?,
                is_listed: row.get(5)?,
                is_assumed: row.get(6)?,
            })
        })?;
        Ok(known.collect::<Result<_, _>>()?)
    }

    /// Makes the index that finds messages by their content, unless it is there. It is not made
    /// before the first run that needs it: digests come in no order, and each message of a large
    /// first sync would change another page of it.
    fn index_contents(&self) -> Result<(), Error> {
        let query = "SELECT 1 FROM sqlite_schema WHERE name = 'messages_by_content'";
        if self.row(query, [], |_| Ok(()))?.is_some() {
            return Ok(());
        }
        // Where only the state may be written, SQLite finds no place for a file to sort in.
        self.connection
            .pragma_update(None, "temp_store", "MEMORY")?;
        let index = "CREATE INDEX IF NOT EXISTS messages_by_content
             ON messages (substr(sha256, 1, 8))";
        let made = self.connection.execute(index, []);
        self.connection
            .pragma_update(None, "temp_store", "DEFAULT")?;
        made?;
        Ok(())
    }

    /// The contents of the messages with this unique-id.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn contents(
        &self,
        account: AccountId,
        unique_id: &[u8],
    ) -> Result<Vec<Digest>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT sha256 FROM messages WHERE account = ?1 AND unique_id = ?2")?;
        let contents = query.query_map(params![account, unique_id], |row| row.get(0))?;
        Ok(contents.collect::<Result<_, _>>()?)
    }

    /// The digests of the headers and of the contents of the messages with this unique-id.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn digests(
        &self,
        account: AccountId,
        unique_id: &[u8],
    ) -> Result<Vec<(Digest, Digest)>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT header_sha256, sha256 FROM messages WHERE account = ?1 AND unique_id = ?2",
        )?;
        let digests = query.query_map(params![account, unique_id], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(digests.collect::<Result<_, _>>()?)
    }

    /// True if any message is recorded that [`Self::with_content`] could find for a new unique-id.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn has_unlisted(&self, account: AccountId) -> Result<bool, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT 1 FROM messages
             WHERE account = ?1 AND (missing_since IS NOT NULL OR copies = 0)",
        )?;
        Ok(query.exists([account])?)
    }

    /// The message with this unique-id and its file, if exactly one is recorded and it may not have
    /// come whole.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn doubtful(
        &self,
        account: AccountId,
        unique_id: &[u8],
    ) -> Result<Option<(MessageKey, Name)>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, name, doubt IS NOT NULL FROM messages
             WHERE account = ?1 AND unique_id = ?2",
        )?;
        let rows = query.query_map(params![account, unique_id], |row| {
            Ok((row.get(0)?, Name(row.get(1)?), row.get::<_, bool>(2)?))
        })?;
        let mut rows: Vec<(MessageKey, Name, bool)> = rows.collect::<Result<_, _>>()?;
        Ok(match (rows.pop(), rows.is_empty()) {
            (Some((key, name, true)), true) => Some((key, name)),
            _ => None,
        })
    }
}
