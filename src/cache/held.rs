//! The stored messages one by one, for lists.

use super::{Absent, AccountId, Cache, Error};
use crate::store::Name;

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// Its unique-id as sent.
    pub unique_id: Vec<u8>,
    /// Its file.
    pub name: Name,
    /// Its size as sent, un-stuffed.
    pub octets: u64,
    /// The time when it was stored, in seconds since 1970.
    pub stored_at: i64,
    /// True if the server was asked to delete it.
    pub deletion_asked: bool,
    /// True if it may not have come whole.
    pub is_doubtful: bool,
}

impl Cache {
    /// The stored messages that the server listed last, in the order in which they were stored.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn held(&self, account: AccountId) -> Result<Vec<Held>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT unique_id, name, octets, stored_at, deletion_asked_at IS NOT NULL,
                    doubt IS NOT NULL
             FROM messages WHERE account = ?1 AND missing_since IS NULL ORDER BY id",
        )?;
        let rows = query.query_map([account], |row| {
            Ok(Held {
                unique_id: row.get(0)?,
                name: Name(row.get(1)?),
                octets: row.get::<_, i64>(2)?.cast_unsigned(),
                stored_at: row.get(3)?,
                deletion_asked: row.get(4)?,
                is_doubtful: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All stored messages, with the facts by which a renamed one is recognised.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn recorded(&self, account: AccountId) -> Result<Vec<Absent>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, octets, listed_octets, header_sha256, sha256, unique_id FROM messages
             WHERE account = ?1 ORDER BY id",
        )?;
        let rows = query.query_map([account], |row| {
            Ok(Absent {
                key: row.get(0)?,
                unique_id: row.get(5)?,
                octets: row.get::<_, i64>(1)?.cast_unsigned(),
                listed_octets: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
                header_sha256: row.get(3)?,
                sha256: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
