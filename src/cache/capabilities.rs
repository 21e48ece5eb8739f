//! Table `capabilities`: what the server can do, and whether it survives LIST.

use rusqlite::{OptionalExtension, params};

use super::{AccountId, Cache, Error};
use crate::pop3::Capabilities;

/// So many runs in a row in which the session broke at LIST are no coincidence.
const LIST_BREAKS: u32 = 2;

/// How long sizes are not asked for then.
const WITHOUT_SIZES: i64 = 7 * 24 * 60 * 60;

impl Cache {
    /// What the server could do the last time.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn capabilities(&self, account: AccountId) -> Result<Option<Capabilities>, Error> {
        let lines: Option<String> = self
            .connection
            .query_row(
                "SELECT lines FROM capabilities WHERE account = ?1",
                [account],
                |row| row.get(0),
            )
            .optional()?;
        Ok(lines.map(|lines| lines.lines().collect()))
    }

    /// Remembers what the server can do.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn remember_capabilities(
        &mut self,
        account: AccountId,
        capabilities: &Capabilities,
        now: i64,
    ) -> Result<(), Error> {
        self.connection.execute(
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
    pub fn breaks_at_list(&self, account: AccountId, now: i64) -> Result<bool, Error> {
        let query = "SELECT EXISTS (SELECT 1 FROM capabilities
             WHERE account = ?1 AND list_breaks >= ?2 AND abs(?3 - list_broke_at) < ?4)";
        let row = params![account, LIST_BREAKS, now, WITHOUT_SIZES];
        Ok(self.connection.query_one(query, row, |row| row.get(0))?)
    }

    /// Remembers how a run fared that asked for LIST: whether the session broke at it. What
    /// the server can do is to be remembered first.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn remember_list(
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
        self.connection.execute(update, params![account, now])?;
        Ok(())
    }
}
