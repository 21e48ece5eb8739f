//! Table `extents`: where messages are in a store that is one file.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Cache, Error};
use crate::store::Extent;
use crate::store::mbox::Marks;

impl Cache {
    /// The place of the message that was stored last, where the store is one file.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn last_extent(&self, account: i64) -> Result<Option<Extent>, Error> {
        let extent = self
            .connection
            .query_row(
                "SELECT start, length, extents.sha256, body, message_id
                 FROM extents CROSS JOIN messages ON messages.id = extents.message
                 WHERE account = ?1 ORDER BY extents.message DESC LIMIT 1",
                [account],
                |row| read(row, 0),
            )
            .optional()?;
        Ok(extent.flatten())
    }
}

/// Records the place of a message, in place of any other.
pub(super) fn put(connection: &Connection, message: i64, extent: &Extent) -> Result<(), Error> {
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

/// The place in the columns from `first` on; none where they are null.
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
