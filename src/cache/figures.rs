//! The facts that a report counts, message by message. None of them is kept in memory.

use super::{AccountId, Cache, Error};

/// The facts about one stored message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figure {
    /// The time when it was stored, in seconds since 1970.
    pub(crate) stored_at: i64,
    /// Its size as sent.
    pub(crate) octets: u64,
    /// True if the last listing showed it.
    pub(crate) is_listed: bool,
    /// True if a recorded digest proves its stored form.
    pub(crate) is_provable: bool,
    /// True if a person has accepted that it is not in the store.
    pub(crate) absence_accepted: bool,
}

impl Cache {
    /// Shows every stored message of an account.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn each_figure(
        &self,
        account: AccountId,
        show: &mut dyn FnMut(Figure),
    ) -> Result<(), Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT stored_at, octets, missing_since IS NULL,
                 bare_line_ends = 0 OR line_endings = 'crlf' OR stored_sha256 IS NOT NULL,
                 absence_accepted
             FROM messages WHERE account = ?1",
        )?;
        let mut rows = query.query([account])?;
        while let Some(row) = rows.next()? {
            show(Figure {
                stored_at: row.get(0)?,
                octets: row.get::<_, i64>(1)?.cast_unsigned(),
                is_listed: row.get(2)?,
                is_provable: row.get(3)?,
                absence_accepted: row.get(4)?,
            });
        }
        Ok(())
    }
}
