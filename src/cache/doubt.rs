//! Column `doubt` of table `messages`: messages that may not have come whole.

use rusqlite::params;
use rusqlite::types::{ToSql, ToSqlOutput};

use super::{AccountId, Cache, Error, MessageKey};

/// This many of the newest messages show if a server's sizes are exact.
const LATEST: u32 = 64;

/// The reason why a message may not have come whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoubtReason {
    /// Client and server got out of step later in the session in which it came.
    Session,
    /// It is shorter than the server had announced.
    Short,
}

impl DoubtReason {
    /// The text in the cache.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Short => "short",
        }
    }
}

impl ToSql for DoubtReason {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

/// The numbers of messages that have the size LIST gave, and that have another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sizes {
    /// Messages with exactly the listed size.
    pub exact: u64,
    /// Messages with another size.
    pub inexact: u64,
}

impl Cache {
    /// Records that client and server got out of step: none of these messages is surely whole.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn doubt(
        &mut self,
        messages: &[MessageKey],
        doubt: DoubtReason,
    ) -> Result<(), Error> {
        self.set_doubt(messages, Some(doubt))
    }

    /// Records that these messages are whole: the same octets came twice.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn settle_doubt(&mut self, messages: &[MessageKey]) -> Result<(), Error> {
        self.set_doubt(messages, None)
    }

    fn set_doubt(
        &mut self,
        messages: &[MessageKey],
        doubt: Option<DoubtReason>,
    ) -> Result<(), Error> {
        if messages.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        {
            let mut update =
                transaction.prepare_cached("UPDATE messages SET doubt = ?2 WHERE id = ?1")?;
            for key in messages {
                update.execute(params![key, doubt])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The exactness of this server's sizes for the messages that were stored last.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn sizes_so_far(&self, account: AccountId) -> Result<Sizes, Error> {
        let newest = self.newest_message(account)?;
        // By key: the index of the account's messages has all of them.
        let mut query = self.connection.prepare_cached(
            "SELECT listed_octets = octets FROM messages NOT INDEXED
             WHERE account = ?1 AND id > ?2 AND id <= ?3
                 AND listed_octets IS NOT NULL AND doubt IS NULL",
        )?;
        let since = newest.as_i64() - i64::from(LATEST);
        let rows = query.query_map(params![account, since, newest], |row| row.get::<_, bool>(0))?;
        let mut sizes = Sizes::default();
        for is_exact in rows {
            if is_exact? {
                sizes.exact += 1;
            } else {
                sizes.inexact += 1;
            }
        }
        Ok(sizes)
    }

    /// The unique-ids that the last listing lacked and that never had a listed size, with the
    /// octets of each message as sent.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn missing_without_sizes(
        &self,
        account: AccountId,
    ) -> Result<Vec<(Vec<u8>, u64)>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT unique_id, octets FROM messages
             WHERE account = ?1 AND missing_since IS NOT NULL AND listed_octets IS NULL
                   AND copies = 1",
        )?;
        let rows = query.query_map([account], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
