//! Compares stored messages with listings: unique-ids that vanish, come back and change.

use rusqlite::params;

use super::{AccountId, Cache, Digest, Error, MessageKey};
use super::{Statements, messages::column};

/// A stored message that the server does not list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Absent {
    /// Its key.
    pub key: MessageKey,
    /// Its old unique-id.
    pub unique_id: Vec<u8>,
    /// Its size as sent, un-stuffed.
    pub octets: u64,
    /// Its size in the scan listing when it was retrieved.
    pub listed_octets: Option<u64>,
    /// Digest of its header, without the empty line after it.
    pub header_sha256: Digest,
    /// Digest of the whole message.
    pub sha256: Digest,
}

/// A stored message under its new unique-id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renamed {
    /// Its key.
    pub key: MessageKey,
    /// Its new unique-id.
    pub unique_id: Vec<u8>,
    /// Its size in the current scan listing.
    pub listed_octets: Option<u64>,
    /// True if only an equal header links the message to the unique-id.
    pub assumed: bool,
}

impl Cache {
    /// The messages that are stored, were not deleted on the server, and whose unique-id the
    /// listing lacks. If a server has renamed its messages, these are the old names.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn absent(
        &self,
        account: AccountId,
        is_listed: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Absent>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, unique_id, octets, listed_octets, header_sha256, sha256 FROM messages
             WHERE account = ?1 AND deletion_asked_at IS NULL",
        )?;
        let mut rows = query.query([account])?;
        let mut absent = Vec::new();
        while let Some(row) = rows.next()? {
            if !is_listed(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?) {
                absent.push(Absent {
                    key: row.get(0)?,
                    unique_id: row.get(1)?,
                    octets: row.get::<_, i64>(2)?.cast_unsigned(),
                    listed_octets: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                    header_sha256: row.get(4)?,
                    sha256: row.get(5)?,
                });
            }
        }
        Ok(absent)
    }

    /// Records the new sizes that a listing gives these messages.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn resized(
        &mut self,
        account: AccountId,
        messages: &[(Vec<u8>, u64)],
    ) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        {
            let mut update = transaction.prepare_cached(
                "UPDATE messages SET listed_octets = ?3 WHERE account = ?1 AND unique_id = ?2",
            )?;
            for (unique_id, octets) in messages {
                update.execute(params![account, unique_id, column(*octets)])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Digests of the headers of the messages with this unique-id.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn headers(
        &self,
        account: AccountId,
        unique_id: &[u8],
    ) -> Result<Vec<Digest>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT header_sha256 FROM messages WHERE account = ?1 AND unique_id = ?2",
        )?;
        let rows = query.query_map(params![account, unique_id], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records the new unique-ids of messages.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn rename(&mut self, renamed: &[Renamed]) -> Result<(), Error> {
        if renamed.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        {
            let mut update = transaction.prepare_cached(
                "UPDATE messages SET unique_id = ?2, listed_octets = ?3, copies = 1, assumed = ?4,
                     missing_since = NULL, deletion_asked_at = NULL
                 WHERE id = ?1",
            )?;
            for message in renamed {
                let listed = message.listed_octets.map(column);
                update.execute(params![
                    message.key,
                    message.unique_id,
                    listed,
                    message.assumed
                ])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Records that all messages with this unique-id are accounted for, and their number. A number
    /// of none records that the unique-id may not be theirs. `landed` are the ones that were
    /// retrieved: others, from a session that got out of step, may be any message.
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn copies_accounted_for(
        &mut self,
        account: AccountId,
        unique_id: &[u8],
        copies: u32,
        landed: &[MessageKey],
    ) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        transaction.execute_cached(
            "UPDATE messages SET copies = ?3 WHERE account = ?1 AND unique_id = ?2
                 AND (?3 = 0 OR doubt IS NOT 'session')",
            params![account, unique_id, copies],
        )?;
        for key in landed {
            transaction.execute_cached(
                "UPDATE messages SET copies = ?3 WHERE account = ?1 AND unique_id = ?2 AND id = ?4",
                params![account, unique_id, copies, key],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Records that the server accepted to delete the messages with these unique-ids.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn deletion_asked<'a>(
        &mut self,
        account: AccountId,
        unique_ids: impl Iterator<Item = &'a [u8]>,
        now: i64,
    ) -> Result<(), Error> {
        self.for_each_id(
            "UPDATE messages SET deletion_asked_at = ?3 WHERE account = ?1 AND unique_id = ?2",
            account,
            unique_ids,
            Some(now),
        )
    }

    /// Records which messages have vanished from the listing.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn vanished<'a>(
        &mut self,
        account: AccountId,
        unique_ids: impl Iterator<Item = &'a [u8]>,
        now: i64,
    ) -> Result<(), Error> {
        let update = "UPDATE messages SET missing_since = ?3 WHERE account = ?1 AND unique_id = ?2";
        self.for_each_id(update, account, unique_ids, Some(now))
    }

    /// Records which messages the listing shows again. From now on it is only assumed that each is
    /// the one that had vanished.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn back<'a>(
        &mut self,
        account: AccountId,
        unique_ids: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), Error> {
        let update = "UPDATE messages SET missing_since = ?3, assumed = 1
             WHERE account = ?1 AND unique_id = ?2";
        self.for_each_id(update, account, unique_ids, None)
    }

    /// Records that other messages, those with these keys, have these unique-ids now. The older
    /// messages no longer have a unique-id, and are found by their content only.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn superseded(
        &mut self,
        account: AccountId,
        by: &[(Vec<u8>, MessageKey)],
    ) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        {
            let mut update = transaction.prepare_cached(
                "UPDATE messages SET unique_id = x'', copies = 0
                 WHERE account = ?1 AND unique_id = ?2 AND id <> ?3",
            )?;
            for (unique_id, key) in by {
                update.execute(params![account, unique_id, key])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Records that these messages were retrieved under the unique-ids that they have here, so that
    /// these are no longer an assumption.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn proved(&mut self, messages: &[MessageKey]) -> Result<(), Error> {
        if messages.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        {
            let mut update = transaction.prepare_cached(
                "UPDATE messages SET assumed = 0, missing_since = NULL WHERE id = ?1",
            )?;
            for key in messages {
                update.execute([key])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn for_each_id<'a>(
        &mut self,
        update: &str,
        account: AccountId,
        unique_ids: impl Iterator<Item = &'a [u8]>,
        value: Option<i64>,
    ) -> Result<(), Error> {
        let mut unique_ids = unique_ids.peekable();
        if unique_ids.peek().is_none() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        {
            let mut update = transaction.prepare_cached(update)?;
            for unique_id in unique_ids {
                update.execute(params![account, unique_id, value])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
