//! Tables `messages` and `staged`.

use rusqlite::{Connection, OptionalExtension, params};

use super::{AccountId, Cache, DoubtReason, Error, MessageKey, Snapshot, Statements, extents};
use crate::account::LineEndings;
use crate::policy::{Remembered, Whereabouts};
use crate::store::{Extent, Name, Record, Recovered};

/// Kibibytes of pages that SQLite keeps while all messages are read once, in order.
const PAGES_TO_SCAN: u32 = 128;

/// So many messages are read without that limit: their part of the index has about as many pages.
const FEW: u64 = 1024;

/// Kibibytes of pages that SQLite keeps otherwise: a batch changes as many pages of the index as
/// it has messages.
const PAGES_TO_WRITE: u32 = 2048;

/// A SHA-256 digest.
pub(crate) type Digest = [u8; 32];

/// The line ends of a message, as stored and as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineEnds {
    /// The form in which its CRLFs were stored.
    pub stored: LineEndings,
    /// True if it has a bare CR or LF.
    pub bare: bool,
}

/// A message that is durable, and about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// Its unique-id as sent. Empty if the server has none; then nothing ties the message to a
    /// name.
    pub unique_id: Vec<u8>,
    /// Its file.
    pub name: Name,
    /// Its size as sent, un-stuffed.
    pub octets: u64,
    /// Digest of these octets.
    pub sha256: Digest,
    /// Digest of the stored form with CRLF for every LF, if that differs from what was sent.
    pub stored_sha256: Option<Digest>,
    /// Digest of its header, without the empty line after it.
    pub header_sha256: Digest,
    /// Its size in the scan listing.
    pub listed_octets: Option<u64>,
    /// Its line ends.
    pub line_ends: LineEnds,
    /// Its place, if the store is one file.
    pub extent: Option<Extent>,
    /// The reason why it may not have come whole.
    pub doubt: Option<DoubtReason>,
    /// The record that it gets.
    pub takes: Takes,
}

/// The record that a message gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Takes {
    /// A new one.
    #[default]
    New,
    /// A new one, while others are recorded under its unique-id. Until the session shows which
    /// message the unique-id belongs to, that is in doubt.
    Beside,
    /// That of the same message, whose file is gone.
    Lost(MessageKey),
    /// That of an earlier, incomplete copy of the message. Its file is a stump.
    Stump(MessageKey),
}

impl Cache {
    /// Steps 3 and 6 of the store's order: records these messages as staged, and those staged
    /// before as stored. Returns their keys.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; as far as can be known, nothing was recorded then.
    pub fn stage(
        &mut self,
        account: AccountId,
        batch: &[Staged],
        now: i64,
    ) -> Result<Vec<MessageKey>, Error> {
        // Step 6 of the batch before goes into the same transaction, because each commit waits for
        // the disk.
        self.in_one(|cache| stage(&cache.connection, account, batch, now))
    }

    /// Records messages that are stored already, but not recorded by any run.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; as far as can be known, nothing was recorded then.
    pub(crate) fn adopt(
        &mut self,
        account: AccountId,
        messages: &[Staged],
        now: i64,
    ) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for message in messages {
            insert(&transaction, account, message, now)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Step 6: records all staged messages as stored.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn clear_staged(&mut self, account: AccountId) -> Result<(), Error> {
        clear_staged(&self.connection, account)
    }

    /// The messages that an interrupted run left staged.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn staged(&self, account: AccountId) -> Result<Vec<Record>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT name, start, length, extents.sha256, body, message_id
             FROM staged CROSS JOIN messages ON messages.id = staged.message
                  LEFT JOIN extents ON extents.message = messages.id
             WHERE account = ?1",
        )?;
        let records = query.query_map([account], |row| {
            Ok(Record {
                name: Name(row.get(0)?),
                extent: extents::read(row, 1)?,
            })
        })?;
        Ok(records.collect::<Result<_, _>>()?)
    }

    /// Records the result of a store's recovery: removes the records of lost messages, and notes
    /// the places of those to be published again. These stay staged, the others become stored.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn recovered(
        &mut self,
        account: AccountId,
        recovered: &Recovered,
    ) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        let find = |name: &Name| {
            let mut find = transaction.prepare_cached(
                "SELECT id FROM staged CROSS JOIN messages ON messages.id = staged.message
                 WHERE account = ?1 AND name = ?2",
            )?;
            find.query_row(params![account, name.as_str()], |row| {
                row.get::<_, MessageKey>(0)
            })
            .optional()
        };
        let mut again = Vec::with_capacity(recovered.again.len());
        for record in &recovered.again {
            if let (Some(message), Some(extent)) = (find(&record.name)?, record.extent) {
                again.push((message, extent));
            }
        }
        for name in &recovered.lost {
            let message = find(name)?;
            for delete in [
                "DELETE FROM stumps WHERE message = ?1",
                "DELETE FROM staged WHERE message = ?1",
                "DELETE FROM extents WHERE message = ?1",
                "DELETE FROM messages WHERE id = ?1",
            ] {
                transaction.execute_cached(delete, [message])?;
            }
        }
        clear_staged(&transaction, account)?;
        for (message, extent) in again {
            extents::put(&transaction, message, &extent)?;
            transaction.execute_cached("INSERT INTO staged (message) VALUES (?1)", [message])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// All facts about the stored messages that a plan needs.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn snapshot(&self, account: AccountId) -> Result<Snapshot, Error> {
        // To forget the pages of a small mailbox costs more than to keep them.
        if !self.records_more_than(account, FEW)? {
            return self.read_snapshot(account);
        }
        self.page_cache(PAGES_TO_SCAN)?;
        let snapshot = self.read_snapshot(account);
        self.page_cache(PAGES_TO_WRITE)?;
        snapshot
    }

    fn read_snapshot(&self, account: AccountId) -> Result<Snapshot, Error> {
        // The index has all of it, the key too.
        let mut query = self.connection.prepare_cached(
            "SELECT unique_id, stored_at, copies, deletion_asked_at IS NOT NULL,
                    missing_since IS NOT NULL, listed_octets,
                    coalesce(id > (SELECT deleting_after FROM guards WHERE account = ?1), 0),
                    assumed, doubt IS NOT NULL
             FROM messages WHERE account = ?1 ORDER BY unique_id",
        )?;
        let mut rows = query.query([account])?;
        // About as many as were listed last, if mail is left on the server.
        let expected = self.listed_last(account)?.unwrap_or(0);
        let mut snapshot = Snapshot::expecting(expected);
        while let Some(row) = rows.next()? {
            let unique_id = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            let gone = row.get::<_, bool>(4)?;
            let listed: Option<i64> = row.get(5)?;
            let remembered = Remembered {
                stored_at: row.get(1)?,
                copies: row.get(2)?,
                deletion_asked: row.get(3)?,
                held: true,
                octets: listed.map(i64::cast_unsigned),
                gone: gone.then_some(listed.map(i64::cast_unsigned)),
                to_go: row.get(6)?,
                is_assumed: row.get(7)?,
                is_doubtful: row.get(8)?,
                whereabouts: Whereabouts::Unseen,
            };
            snapshot.push(unique_id, remembered);
        }
        snapshot.headers = self.header_memory(account)?;
        self.read_imported(account, &mut snapshot)?;
        let mut query = self.connection.prepare_cached(
            "SELECT unique_id FROM lost CROSS JOIN messages ON messages.id = lost.message
             WHERE account = ?1",
        )?;
        let mut rows = query.query([account])?;
        while let Some(row) = rows.next()? {
            let unique_id = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            snapshot.set_whereabouts(unique_id, Whereabouts::Lost);
        }
        Ok(snapshot)
    }

    fn page_cache(&self, kibibytes: u32) -> Result<(), Error> {
        // A negative number means kibibytes, a positive one pages.
        let size = -i64::from(kibibytes);
        self.connection.pragma_update(None, "cache_size", size)?;
        Ok(())
    }
}

/// Steps 3 and 6, within a transaction.
fn stage(
    connection: &Connection,
    account: AccountId,
    batch: &[Staged],
    now: i64,
) -> Result<Vec<MessageKey>, Error> {
    clear_staged(connection, account)?;
    let mut keys = Vec::with_capacity(batch.len());
    let mut staged = connection.prepare_cached("INSERT INTO staged (message) VALUES (?1)")?;
    for row in batch {
        let id = match row.takes {
            Takes::New | Takes::Beside => insert(connection, account, row, now)?,
            Takes::Lost(key) => replace(connection, key, row, now)?,
            // The file of the incomplete copy stays in the store until step 7 removes it.
            Takes::Stump(key) => {
                connection.execute_cached(
                    "INSERT OR REPLACE INTO stumps (message, name, sha256)
                     SELECT id, name, sha256 FROM messages WHERE id = ?1",
                    [key],
                )?;
                replace(connection, key, row, now)?
            }
        };
        keys.push(id);
        staged.execute([id])?;
        if let Some(extent) = &row.extent {
            extents::put(connection, id, extent)?;
        }
    }
    Ok(keys)
}

/// Records a message. Returns its key.
pub(super) fn insert(
    connection: &Connection,
    account: AccountId,
    row: &Staged,
    now: i64,
) -> Result<MessageKey, Error> {
    let mut message = connection.prepare_cached(
        "INSERT INTO messages (account, unique_id, name, octets, sha256, header_sha256,
             listed_octets, bare_line_ends, line_endings, stored_at, copies, doubt, stored_sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, length(?2) > 0 AND ?12, ?11, ?13)",
    )?;
    let key = message.insert(params![
        account,
        row.unique_id,
        row.name.as_str(),
        column(row.octets),
        row.sha256,
        row.header_sha256,
        row.listed_octets.map(column),
        row.line_ends.bare,
        line_endings(row.line_ends.stored),
        now,
        row.doubt,
        row.takes != Takes::Beside,
        row.stored_sha256
    ])?;
    Ok(MessageKey::new(key))
}

/// Records a message in place of another. Returns the key.
fn replace(
    connection: &Connection,
    key: MessageKey,
    row: &Staged,
    now: i64,
) -> Result<MessageKey, Error> {
    let mut message = connection.prepare_cached(
        "UPDATE messages SET unique_id = ?2, name = ?3, octets = ?4, sha256 = ?5,
             header_sha256 = ?6, listed_octets = coalesce(?7, listed_octets), bare_line_ends = ?8, line_endings = ?9,
             stored_at = ?10, copies = length(?2) > 0, doubt = ?11, assumed = 0,
             missing_since = NULL, deletion_asked_at = NULL, stored_sha256 = ?12,
             absence_accepted = 0
         WHERE id = ?1",
    )?;
    message.execute(params![
        key,
        row.unique_id,
        row.name.as_str(),
        column(row.octets),
        row.sha256,
        row.header_sha256,
        row.listed_octets.map(column),
        row.line_ends.bare,
        line_endings(row.line_ends.stored),
        now,
        row.doubt,
        row.stored_sha256
    ])?;
    // Its place was that of the missing file.
    connection.execute_cached("DELETE FROM extents WHERE message = ?1", [key])?;
    Ok(key)
}

fn line_endings(stored: LineEndings) -> &'static str {
    match stored {
        LineEndings::Lf => "lf",
        LineEndings::Crlf => "crlf",
    }
}

/// `CROSS JOIN` makes SQLite begin with the few staged messages, not with all messages.
pub(super) fn clear_staged(connection: &Connection, account: AccountId) -> Result<(), Error> {
    connection.execute_cached(
        "DELETE FROM staged WHERE message IN
             (SELECT staged.message FROM staged CROSS JOIN messages
                  ON messages.id = staged.message
              WHERE account = ?1)",
        [account],
    )?;
    Ok(())
}

/// SQLite's integers are signed; no message is that large.
pub(super) fn column(octets: u64) -> i64 {
    i64::try_from(octets).unwrap_or(i64::MAX)
}
