//! Table `extents`: the places of messages in a store that is one file.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{AccountId, Cache, Error, MessageKey, Statements};
use crate::store::Extent;
use crate::store::mbox::Marks;

impl Cache {
    /// The place of the message that was stored last, if the store is one file.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn last_extent(&self, account: AccountId) -> Result<Option<Extent>, Error> {
        let extent = self
            .connection
            .query_row_cached(
                "SELECT start, length, extents.sha256, body, message_id
                 FROM extents CROSS JOIN messages ON messages.id = extents.message
                 WHERE account = ?1 ORDER BY extents.message DESC LIMIT 1",
                [account],
                |row| read(row, 0),
            )
            .optional()?;
        Ok(extent.flatten())
    }

    /// The places of all messages that are stored in one file, with their keys, in order of these.
    /// Messages that an interrupted run left staged are left out: they may not be there.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn extents(&self, account: AccountId) -> Result<Vec<(i64, Extent)>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT messages.id, start, length, extents.sha256, body, message_id
             FROM extents CROSS JOIN messages ON messages.id = extents.message
             WHERE account = ?1 AND messages.id NOT IN (SELECT message FROM staged)
             ORDER BY extents.message",
        )?;
        let mut rows = query.query([account])?;
        let mut extents = Vec::new();
        while let Some(row) = rows.next()? {
            if let Some(extent) = read(row, 1)? {
                extents.push((row.get(0)?, extent));
            }
        }
        Ok(extents)
    }
}

/// Records the place of a message, and replaces any other.
pub(super) fn put(
    connection: &Connection,
    message: MessageKey,
    extent: &Extent,
) -> Result<(), Error> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO extents (message, start, length, sha256, body, message_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    put.execute(params![
        message,
        extent.start.cast_signed(),
        extent.length.cast_signed(),
        extent.sha256,
        extent.marks.body,
        extent.marks.message_id,
    ])?;
    Ok(())
}

/// The place in the columns from `first` on. None if they are null.
pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Extent>> {
    let Some(start) = row.get::<_, Option<i64>>(first)? else {
        return Ok(None);
    };
    Ok(Some(Extent {
        start: start.cast_unsigned(),
        length: row.get::<_, i64>(first + 1)?.cast_unsigned(),
        sha256: row.get(first + 2)?,
        marks: Marks {
            body: row.get(first + 3)?,
            message_id: row.get(first + 4)?,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::LineEndings;
    use crate::cache::{LineEnds, Staged, Takes};
    use crate::store::Name;

    fn staged(number: u64, extent: Option<Extent>) -> Staged {
        Staged {
            unique_id: number.to_string().into_bytes(),
            name: Name(format!("{number}.a")),
            octets: 100,
            sha256: [1; 32],
            stored_sha256: None,
            header_sha256: [2; 32],
            listed_octets: None,
            line_ends: LineEnds {
                stored: LineEndings::Lf,
                bare: false,
            },
            extent,
            doubt: None,
            takes: Takes::New,
        }
    }

    #[test]
    fn places_come_in_order_of_their_keys_and_without_what_is_only_staged() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = Cache::open(folder.path()).unwrap();
        let put = "INSERT INTO accounts (id, key, host, user, name, store, tag, created_at)
             VALUES (?1, ?1, 'h', 'u', 'n', 's', ?1, 0)";
        for account in [1, 2] {
            cache.connection.execute(put, [account]).unwrap();
        }
        let extent = |start: u64| Extent {
            start,
            length: 120,
            sha256: [7; 32],
            marks: Marks {
                body: Some([8; 32]),
                message_id: None,
            },
        };
        // The second batch has an older place: the file was cut in between.
        cache
            .stage(AccountId::of(1), &[staged(1, Some(extent(240)))], 0)
            .unwrap();
        cache
            .stage(AccountId::of(2), &[staged(2, Some(extent(0)))], 0)
            .unwrap();
        let batch = [staged(3, Some(extent(0))), staged(4, None)];
        cache.stage(AccountId::of(1), &batch, 0).unwrap();
        assert_eq!(cache.extents(AccountId::of(1)).unwrap(), [(1, extent(240))]);
        cache.clear_staged(AccountId::of(1)).unwrap();
        assert_eq!(
            cache.extents(AccountId::of(1)).unwrap(),
            [(1, extent(240)), (3, extent(0))]
        );
        assert_eq!(cache.extents(AccountId::of(3)).unwrap(), []);
    }
}
