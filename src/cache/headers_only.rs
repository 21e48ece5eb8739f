//! Table `headers_only`: messages of which only the header was retrieved.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::{AccountId, Cache, Digest, Error, Statements};
use crate::policy::HeaderOnly;
use crate::pop3::MessageNumber;
use crate::store::Name;

/// The rows whose messages are not stored whole, as a condition on `h`. A staged one may still turn
/// out to be nowhere.
const NOT_WHOLE: &str = "NOT EXISTS (SELECT 1 FROM messages m
     WHERE m.account = h.account AND m.unique_id = h.unique_id
         AND m.id NOT IN (SELECT message FROM staged))";

/// A message whose header is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LargeMessage {
    /// Its unique-id as sent.
    pub unique_id: Vec<u8>,
    /// Its size in the scan listing.
    pub listed_octets: u64,
    /// Its header from TOP, and the digest of that without the empty line after it.
    pub header: Option<(Vec<u8>, Digest)>,
}

/// A message of which only the header was retrieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderRow {
    /// Its key.
    pub id: i64,
    /// Its unique-id as sent.
    pub unique_id: Vec<u8>,
    /// Its size in the scan listing.
    pub listed_octets: u64,
    /// Its header from TOP.
    pub header: Option<Vec<u8>>,
    /// True if a person asked for the whole message.
    pub marked: bool,
}

/// A message that is now stored whole. Before, only its header was here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    /// The key of the header's row.
    pub id: i64,
    /// The stub that stood for it.
    pub stub: Option<Name>,
    /// Its own file.
    pub message: Option<Name>,
}

/// The result of marking a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marked {
    /// The message was found, and has the mark now.
    Done,
    /// The message is stored whole already.
    Stored,
    /// No message has this unique-id.
    Unknown,
}

impl Cache {
    /// Records headers. If the header is already known and no listing shows its unique-id any more,
    /// its row gets the new unique-id: the server has renamed the message.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn record_headers(
        &mut self,
        account: AccountId,
        messages: &[LargeMessage],
        now: i64,
    ) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        {
            let mut find_renamed = transaction.prepare_cached(
                "SELECT id FROM headers_only WHERE account = ?1 AND header_sha256 = ?2
                     AND missing_since IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM headers_only
                         WHERE account = ?1 AND unique_id = ?3)
                 LIMIT 1",
            )?;
            let mut rename = transaction.prepare_cached(
                "UPDATE headers_only SET unique_id = ?2, listed_octets = ?3,
                     missing_since = NULL WHERE id = ?1",
            )?;
            // Another message has come under the unique-id. Its stub, if any, belongs to the old
            // message.
            let mut put = transaction.prepare_cached(
                "INSERT INTO headers_only
                     (account, unique_id, listed_octets, header, header_sha256, seen_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (account, unique_id) DO UPDATE SET
                     listed_octets = excluded.listed_octets, header = excluded.header,
                     header_sha256 = excluded.header_sha256, seen_at = excluded.seen_at,
                     missing_since = NULL",
            )?;
            for message in messages {
                let unique_id = &message.unique_id;
                let octets = i64::try_from(message.listed_octets).unwrap_or(i64::MAX);
                let (header, digest) = message
                    .header
                    .as_ref()
                    .map(|(header, digest)| (header, digest))
                    .unzip();
                let renamed: Option<i64> = find_renamed
                    .query_row(params![account, digest, unique_id], |row| row.get(0))
                    .optional()?;
                match renamed {
                    Some(id) => rename.execute(params![id, unique_id, octets])?,
                    None => {
                        put.execute(params![account, unique_id, octets, header, digest, now])?
                    }
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The facts that a plan needs about these messages, by unique-id.
    pub(super) fn header_memory(
        &self,
        account: AccountId,
    ) -> Result<HashMap<Vec<u8>, HeaderOnly>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT unique_id, listed_octets, marked_at IS NOT NULL FROM headers_only
             WHERE account = ?1",
        )?;
        let rows = query.query_map([account], |row| {
            let known = HeaderOnly {
                octets: row.get::<_, i64>(1)?.cast_unsigned(),
                marked: row.get(2)?,
            };
            Ok((row.get(0)?, known))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The messages of which only the header was retrieved, if the last listing had them.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn header_rows(&self, account: AccountId) -> Result<Vec<HeaderRow>, Error> {
        self.rows(account, "missing_since IS NULL")
    }

    /// Those of them that have no stub in the store, and never had one.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn without_stub(&self, account: AccountId) -> Result<Vec<HeaderRow>, Error> {
        self.rows(
            account,
            "missing_since IS NULL AND stub IS NULL AND header IS NOT NULL AND marked_at IS NULL",
        )
    }

    fn rows(&self, account: AccountId, which: &str) -> Result<Vec<HeaderRow>, Error> {
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT id, unique_id, listed_octets, header, marked_at IS NOT NULL
             FROM headers_only h WHERE account = ?1 AND {which} AND {NOT_WHOLE} ORDER BY id"
        ))?;
        let rows = query.query_map([account], |row| {
            Ok(HeaderRow {
                id: row.get(0)?,
                unique_id: row.get(1)?,
                listed_octets: row.get::<_, i64>(2)?.cast_unsigned(),
                header: row.get(3)?,
                marked: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records which of them a listing shows.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn headers_listed(
        &mut self,
        account: AccountId,
        is_listed: impl Fn(&[u8]) -> bool,
        now: i64,
    ) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        {
            let mut query = transaction.prepare_cached(
                "SELECT id, unique_id, missing_since IS NOT NULL FROM headers_only
                 WHERE account = ?1",
            )?;
            let rows =
                query.query_map([account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let rows: Vec<(i64, Vec<u8>, bool)> = rows.collect::<Result<_, _>>()?;
            for (id, unique_id, was_missing) in rows {
                let is_missing = !is_listed(&unique_id);
                if is_missing != was_missing {
                    transaction.execute_cached(
                        "UPDATE headers_only SET missing_since = ?2 WHERE id = ?1",
                        params![id, is_missing.then_some(now)],
                    )?;
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Records under which numbers a person sees these messages. Numbers that were seen before count
    /// no more.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn numbers_shown<'i>(
        &mut self,
        account: AccountId,
        shown: impl Iterator<Item = (MessageNumber, &'i [u8])>,
    ) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        transaction.execute_cached(
            "UPDATE headers_only SET shown_number = NULL
             WHERE account = ?1 AND shown_number IS NOT NULL",
            [account],
        )?;
        for (number, unique_id) in shown {
            transaction.execute_cached(
                "UPDATE headers_only SET shown_number = ?3 WHERE account = ?1 AND unique_id = ?2",
                params![account, unique_id, number.as_u32()],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The unique-id of the message that a person saw under this number.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn shown_under(&self, account: AccountId, number: u32) -> Result<Option<Vec<u8>>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT unique_id FROM headers_only WHERE account = ?1 AND shown_number = ?2",
        )?;
        let found = query.query_row(params![account, number], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// True if a message with this unique-id was stored, whole or by its header.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn knows(&self, account: AccountId, unique_id: &[u8]) -> Result<bool, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM messages WHERE account = ?1 AND unique_id = ?2)
                 OR EXISTS (SELECT 1 FROM headers_only WHERE account = ?1 AND unique_id = ?2)",
        )?;
        Ok(query.query_row(params![account, unique_id], |row| row.get(0))?)
    }

    /// Records that the messages with these unique-ids are to be retrieved whole, or no longer, if
    /// `marked_at` is none. If one of them is unknown, nothing is recorded.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn mark(
        &mut self,
        account: AccountId,
        unique_ids: &[Vec<u8>],
        marked_at: Option<i64>,
    ) -> Result<Vec<Marked>, Error> {
        let transaction = self.connection.transaction()?;
        let mut found = Vec::with_capacity(unique_ids.len());
        for unique_id in unique_ids {
            found.push(mark_one(&transaction, account, unique_id, marked_at)?);
        }
        if !found.contains(&Marked::Unknown) {
            transaction.commit()?;
        }
        Ok(found)
    }

    /// Step 3 for stubs: records their files, which are durable and not yet shown.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn stage_stubs(&mut self, stubs: &[(i64, Name)]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for (id, name) in stubs {
            transaction.execute_cached(
                "UPDATE headers_only SET stub = ?2, stub_staged = 1 WHERE id = ?1",
                params![id, name.as_str()],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The stubs that an interrupted run left staged.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn staged_stubs(&self, account: AccountId) -> Result<Vec<Name>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT stub FROM headers_only WHERE account = ?1 AND stub_staged = 1",
        )?;
        let names = query.query_map([account], |row| row.get(0).map(Name))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Step 6 for stubs: the staged ones are now where readers look, except the lost ones, which
    /// are to be made again.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn settle_stubs(&mut self, account: AccountId, lost: &[Name]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for name in lost {
            transaction.execute_cached(
                "UPDATE headers_only SET stub = NULL
                 WHERE account = ?1 AND stub_staged = 1 AND stub = ?2",
                params![account, name.as_str()],
            )?;
        }
        transaction.execute_cached(
            "UPDATE headers_only SET stub_staged = 0 WHERE account = ?1 AND stub_staged = 1",
            [account],
        )?;
        transaction.commit()?;
        Ok(())
    }

    /// The rows whose messages are stored whole by now.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn whole_by_now(&self, account: AccountId) -> Result<Vec<Whole>, Error> {
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT id, stub,
                 (SELECT name FROM messages m
                  WHERE m.account = h.account AND m.unique_id = h.unique_id AND m.name <> ''
                      AND m.id NOT IN (SELECT message FROM staged)
                  ORDER BY m.id DESC LIMIT 1)
             FROM headers_only h WHERE account = ?1 AND NOT ({NOT_WHOLE})"
        ))?;
        let rows = query.query_map([account], |row| {
            Ok(Whole {
                id: row.get(0)?,
                stub: row.get::<_, Option<String>>(1)?.map(Name),
                message: row.get::<_, Option<String>>(2)?.map(Name),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The header of a message from TOP.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn header_of(&self, id: i64) -> Result<Option<Vec<u8>>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT header FROM headers_only WHERE id = ?1")?;
        let header = query.query_row([id], |row| row.get(0)).optional()?;
        Ok(header.flatten())
    }

    /// Removes rows whose messages are stored whole, and whose stubs are gone.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn forget_headers(&mut self, ids: &[i64]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for id in ids {
            transaction.execute_cached("DELETE FROM headers_only WHERE id = ?1", [id])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The numbers of an account's messages of which only the header was retrieved, and of those
    /// that are marked.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(super) fn count_headers(&self, account: AccountId) -> Result<(u64, u64), Error> {
        let counts = self.row(
            &format!(
                "SELECT count(*), count(marked_at) FROM headers_only h
                 WHERE account = ?1 AND missing_since IS NULL AND {NOT_WHOLE}"
            ),
            [account],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )?;
        let (all, marked) = counts.unwrap_or_default();
        Ok((all.cast_unsigned(), marked.cast_unsigned()))
    }
}

fn mark_one(
    connection: &Connection,
    account: AccountId,
    unique_id: &[u8],
    marked_at: Option<i64>,
) -> Result<Marked, Error> {
    let is_stored = connection
        .prepare_cached("SELECT 1 FROM messages WHERE account = ?1 AND unique_id = ?2")?
        .exists(params![account, unique_id])?;
    if is_stored {
        return Ok(Marked::Stored);
    }
    let changed = connection.execute_cached(
        "UPDATE headers_only SET marked_at = ?3 WHERE account = ?1 AND unique_id = ?2",
        params![account, unique_id, marked_at],
    )?;
    Ok(if changed > 0 {
        Marked::Done
    } else {
        Marked::Unknown
    })
}
