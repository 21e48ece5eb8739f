//! Table `capabilities`: the server's capabilities, and if it breaks the session at LIST.

use rusqlite::{OptionalExtension, params};

use super::{AccountId, Cache, Error, Statements};
use crate::pop3::Capabilities;

/// After this many runs in a row in which the session broke at LIST, it is no coincidence.
const LIST_BREAKS: u32 = 2;

/// The time for which sizes are then not asked for.
const WITHOUT_SIZES: i64 = 7 * 24 * 60 * 60;

impl Cache {
    /// The capabilities that the server had the last time.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn capabilities(&self, account: AccountId) -> Result<Option<Capabilities>, Error> {
        let lines: Option<String> = self
            .connection
            .query_row_cached(
                "SELECT lines FROM capabilities WHERE account = ?1",
                [account],
                |row| row.get(0),
            )
            .optional()?;
        Ok(lines.map(|lines| lines.lines().collect()))
    }

    /// Records the server's capabilities.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn remember_capabilities(
        &mut self,
        account: AccountId,
        capabilities: &Capabilities,
        now: i64,
    ) -> Result<(), Error> {
        self.connection.execute_cached(
            "INSERT INTO capabilities (account, lines, seen_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (account) DO UPDATE SET lines = excluded.lines, seen_at = excluded.seen_at
             WHERE lines <> excluded.lines",
            params![account, capabilities.lines().join("\n"), now],
        )?;
        Ok(())
    }

    /// True if the server is known to break the session at LIST.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn breaks_at_list(&self, account: AccountId, now: i64) -> Result<bool, Error> {
        let query = "SELECT EXISTS (SELECT 1 FROM capabilities
             WHERE account = ?1 AND list_breaks >= ?2 AND abs(?3 - list_broke_at) < ?4)";
        let row = params![account, LIST_BREAKS, now, WITHOUT_SIZES];
        Ok(self
            .connection
            .query_row_cached(query, row, |row| row.get(0))?)
    }

    /// Records if the session of a run broke at LIST. Record the capabilities first.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn remember_list(
        &mut self,
        account: AccountId,
        broke: bool,
        now: i64,
    ) -> Result<(), Error> {
        let update = match broke {
            true => {
                "UPDATE capabilities SET list_breaks = list_breaks + 1, list_broke_at = ?2
                 WHERE account = ?1"
            }
            false => {
                "UPDATE capabilities SET list_breaks = 0, list_broke_at = ?2
                 WHERE account = ?1 AND list_breaks > 0"
            }
        };
        self.connection
            .execute_cached(update, params![account, now])?;
        Ok(())
    }
}
