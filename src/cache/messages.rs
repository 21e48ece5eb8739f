//! Tables `messages` and `staged`.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Cache, Error, Snapshot, extents};
use crate::account::LineEndings;
use crate::policy::{Remembered, Whereabouts};
use crate::store::{Extent, Name, Record, Recovered};

/// Kibibytes of pages that SQLite keeps while all messages are read once, in order.
const PAGES_TO_SCAN: u32 = 128;

/// Kibibytes of pages that SQLite keeps otherwise: a batch changes as many pages of the index as
/// it has messages.
const PAGES_TO_WRITE: u32 = 2048;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// How a message was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineEnds {
    /// What became of its CRLFs.
    pub stored: LineEndings,
    /// Whether it holds a bare CR or LF.
    pub bare: bool,
}

/// A message that is durable, and about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// Its unique-id as sent; empty where the server has none, and it is in doubt then.
    pub unique_id: Vec<u8>,
    /// Its file.
    pub name: Name,
    /// Its size as sent, un-stuffed.
    pub octets: u64,
    /// Digest of the same.
    pub sha256: Digest,
    /// Digest of its header, without the empty line behind it.
    pub header_sha256: Digest,
    /// Its size by the scan listing.
    pub listed_octets: Option<u64>,
    /// How it was stored.
    pub line_ends: LineEnds,
    /// Its place, where the store is one file.
    pub extent: Option<Extent>,
}

/// A stored message that the server does not list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Its key.
    pub id: i64,
    /// Its size as sent, un-stuffed.
    pub octets: u64,
    /// Its size by the scan listing when it was retrieved.
    pub listed_octets: Option<u64>,
    /// Digest of its header, without the empty line behind it.
    pub header_sha256: Digest,
    /// Digest of all of it.
    pub sha256: Digest,
}

/// A stored message under its new unique-id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// Its key.
    pub id: i64,
    /// The unique-id that it has now.
    pub unique_id: Vec<u8>,
    /// Its size by the scan listing now.
    pub listed_octets: Option<u64>,
}

impl Cache {
    /// Steps 3 and 6 of the store's order: records these messages as staged, and those staged
    /// before as stored.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; then nothing was recorded, as far as can be known.
    pub fn stage(&mut self, account: i64, batch: &[Staged], now: i64) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        clear_staged(&transaction, account)?;
        {
            let mut staged =
                transaction.prepare_cached("INSERT INTO staged (message) VALUES (?1)")?;
            for row in batch {
                let id = insert(&transaction, account, row, now)?;
                staged.execute([id])?;
                if let Some(extent) = &row.extent {
                    extents::put(&transaction, id, extent)?;
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Records messages that are stored already, though no run has recorded them.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; then nothing was recorded, as far as can be known.
    pub fn adopt(&mut self, account: i64, messages: &[Staged], now: i64) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for message in messages {
            insert(&transaction, account, message, now)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Step 6: whatever is staged is stored.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn clear_staged(&mut self, account: i64) -> Result<(), Error> {
        clear_staged(&self.connection, account)
    }

    /// The messages that an interrupted run left staged.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn staged(&self, account: i64) -> Result<Vec<Record>, Error> {
        let mut query = self.connection.prepare(
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

    /// Records what a store found after a crash: forgets the messages that are lost, and notes
    /// the places of those that are to be published again. These stay staged, the others become
    /// stored.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn recovered(&mut self, account: i64, recovered: &Recovered) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        let find = |name: &Name| {
            let mut find = transaction.prepare_cached(
                "SELECT id FROM staged CROSS JOIN messages ON messages.id = staged.message
                 WHERE account = ?1 AND name = ?2",
            )?;
            find.query_row(params![account, name.as_str()], |row| row.get::<_, i64>(0))
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
                "DELETE FROM staged WHERE message = ?1",
                "DELETE FROM extents WHERE message = ?1",
                "DELETE FROM messages WHERE id = ?1",
            ] {
                transaction.execute(delete, [message])?;
            }
        }
        clear_staged(&transaction, account)?;
        for (message, extent) in again {
            extents::put(&transaction, message, &extent)?;
            transaction.execute("INSERT INTO staged (message) VALUES (?1)", [message])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Everything that a plan needs to know of the stored messages.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn snapshot(&self, account: i64) -> Result<Snapshot, Error> {
        self.page_cache(PAGES_TO_SCAN)?;
        let snapshot = self.read_snapshot(account);
        self.page_cache(PAGES_TO_WRITE)?;
        snapshot
    }

    fn read_snapshot(&self, account: i64) -> Result<Snapshot, Error> {
        // All of it is in the index, the key too.
        let mut query = self.connection.prepare(
            "SELECT unique_id, stored_at, copies, deletion_asked_at IS NOT NULL,
                    missing_since IS NOT NULL, listed_octets,
                    coalesce(id > (SELECT deleting_after FROM guards WHERE account = ?1), 0)
             FROM messages WHERE account = ?1 ORDER BY unique_id",
        )?;
        let mut rows = query.query([account])?;
        // About as many as were listed last, where mail is left on the server.
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
                whereabouts: Whereabouts::Stored,
            };
            snapshot.push(unique_id, remembered);
        }
        snapshot.headers = self.header_memory(account)?;
        self.read_imported(account, &mut snapshot)?;
        let mut query = self.connection.prepare(
            "SELECT unique_id FROM lost JOIN messages ON messages.id = lost.message
             WHERE account = ?1",
        )?;
        let mut rows = query.query([account])?;
        while let Some(row) = rows.next()? {
            let unique_id = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            snapshot.set_whereabouts(unique_id, Whereabouts::Lost);
        }
        Ok(snapshot)
    }

    /// The messages that are stored, were not deleted on the server, and that no unique-id of
    /// the listing names: where a server has renamed its messages, those are the old ones.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn absent(
        &self,
        account: i64,
        is_listed: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Absent>, Error> {
        let mut query = self.connection.prepare(
            "SELECT id, unique_id, octets, listed_octets, header_sha256, sha256 FROM messages
             WHERE account = ?1 AND deletion_asked_at IS NULL",
        )?;
        let mut rows = query.query([account])?;
        let mut absent = Vec::new();
        while let Some(row) = rows.next()? {
            if !is_listed(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?) {
                absent.push(Absent {
                    id: row.get(0)?,
                    octets: row.get::<_, i64>(2)?.cast_unsigned(),
                    listed_octets: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                    header_sha256: row.get(4)?,
                    sha256: row.get(5)?,
                });
            }
        }
        Ok(absent)
    }

    /// The messages of which it is in doubt whether their unique-id is theirs: key and content.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn in_doubt(&self, account: i64) -> Result<Vec<(i64, Digest)>, Error> {
        let mut query = self
            .connection
            .prepare("SELECT id, sha256 FROM messages WHERE account = ?1 AND copies = 0")?;
        let rows = query.query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The messages with these unique-ids: content and key.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn contents<'a>(
        &self,
        account: i64,
        unique_ids: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Vec<(Digest, i64)>, Error> {
        let mut query = self
            .connection
            .prepare("SELECT sha256, id FROM messages WHERE account = ?1 AND unique_id = ?2")?;
        let mut contents = Vec::new();
        for unique_id in unique_ids {
            let rows = query.query_map(params![account, unique_id], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            for row in rows {
                contents.push(row?);
            }
        }
        Ok(contents)
    }

    /// Records the sizes that a listing gives these messages now.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn resized(&mut self, account: i64, messages: &[(Vec<u8>, u64)]) -> Result<(), Error> {
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
    pub fn headers(&self, account: i64, unique_id: &[u8]) -> Result<Vec<Digest>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT header_sha256 FROM messages WHERE account = ?1 AND unique_id = ?2",
        )?;
        let rows = query.query_map(params![account, unique_id], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records that messages go by other unique-ids now.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn rename(&mut self, renamed: &[Renamed]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        {
            let mut update = transaction.prepare_cached(
                "UPDATE messages SET unique_id = ?2, listed_octets = ?3, copies = 1,
                     missing_since = NULL
                 WHERE id = ?1",
            )?;
            for message in renamed {
                let listed = message.listed_octets.map(column);
                update.execute(params![message.id, message.unique_id, listed])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Whether a message with this unique-id and this content is recorded.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn holds(&self, account: i64, unique_id: &[u8], sha256: &Digest) -> Result<bool, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT 1 FROM messages WHERE account = ?1 AND unique_id = ?2 AND sha256 = ?3",
        )?;
        Ok(query.exists(params![account, unique_id, sha256])?)
    }

    /// Records that all messages which share this unique-id are accounted for, and how many
    /// they were; none puts it in doubt whether it is theirs.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn copies_accounted_for(
        &mut self,
        account: i64,
        unique_id: &[u8],
        copies: u32,
    ) -> Result<(), Error> {
        self.connection.execute(
            "UPDATE messages SET copies = ?3 WHERE account = ?1 AND unique_id = ?2",
            params![account, unique_id, copies],
        )?;
        Ok(())
    }

    /// Records that the server accepted to delete the messages with these unique-ids.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn deletion_asked<'a>(
        &mut self,
        account: i64,
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

    /// Records which messages have vanished from the listing, and which are there again.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn listed<'a>(
        &mut self,
        account: i64,
        vanished: impl Iterator<Item = &'a [u8]>,
        back: impl Iterator<Item = &'a [u8]>,
        now: i64,
    ) -> Result<(), Error> {
        let update = "UPDATE messages SET missing_since = ?3 WHERE account = ?1 AND unique_id = ?2";
        self.for_each_id(update, account, vanished, Some(now))?;
        self.for_each_id(update, account, back, None)
    }

    fn page_cache(&self, kibibytes: u32) -> Result<(), Error> {
        // A negative number means kibibytes, a positive one pages.
        let size = -i64::from(kibibytes);
        self.connection.pragma_update(None, "cache_size", size)?;
        Ok(())
    }

    fn for_each_id<'a>(
        &mut self,
        update: &str,
        account: i64,
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

/// Records a message, and gives its key.
fn insert(connection: &Connection, account: i64, row: &Staged, now: i64) -> Result<i64, Error> {
    let mut message = connection.prepare_cached(
        "INSERT INTO messages (account, unique_id, name, octets, sha256, header_sha256,
             listed_octets, bare_line_ends, line_endings, stored_at, copies)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, length(?2) > 0)",
    )?;
    let line_endings = match row.line_ends.stored {
        LineEndings::Lf => "lf",
        LineEndings::Crlf => "crlf",
    };
    Ok(message.insert(params![
        account,
        row.unique_id,
        row.name.as_str(),
        column(row.octets),
        row.sha256,
        row.header_sha256,
        row.listed_octets.map(column),
        row.line_ends.bare,
        line_endings,
        now
    ])?)
}

/// `CROSS JOIN` makes SQLite begin with the few that are staged, not with all messages.
pub(super) fn clear_staged(connection: &Connection, account: i64) -> Result<(), Error> {
    connection.execute(
        "DELETE FROM staged WHERE message IN
             (SELECT staged.message FROM staged CROSS JOIN messages
                  ON messages.id = staged.message
              WHERE account = ?1)",
        [account],
    )?;
    Ok(())
}

/// SQLite's integers are signed; no message is that large.
fn column(octets: u64) -> i64 {
    i64::try_from(octets).unwrap_or(i64::MAX)
}
