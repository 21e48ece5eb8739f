//! Table `stumps`: files of messages that did not come whole. The whole messages replace them.

use rusqlite::params;

use super::{AccountId, Cache, Digest, Error, Statements};
use crate::store::Name;

/// The file of a message that did not come whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stump {
    /// The file.
    pub name: Name,
    /// Digest of the octets that the file was stored from.
    pub sha256: Digest,
    /// The file of the whole message.
    pub whole: Name,
}

impl Cache {
    /// The stumps whose whole messages are where readers look.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn stumps(&self, account: AccountId) -> Result<Vec<Stump>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT s.name, s.sha256, m.name FROM stumps s CROSS JOIN messages m ON m.id = s.message
             WHERE m.account = ?1 AND m.id NOT IN (SELECT message FROM staged)",
        )?;
        let stumps = query.query_map([account], |row| {
            Ok(Stump {
                name: Name(row.get(0)?),
                sha256: row.get(1)?,
                whole: Name(row.get(2)?),
            })
        })?;
        Ok(stumps.collect::<Result<_, _>>()?)
    }

    /// Removes the records of stumps that are gone, or that a person has changed.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn forget_stumps(&mut self, stumps: &[Stump]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for stump in stumps {
            let name = stump.name.as_str();
            transaction.execute_cached("DELETE FROM stumps WHERE name = ?1", params![name])?;
        }
        transaction.commit()?;
        Ok(())
    }
}
