//! Table `capabilities`.

use rusqlite::{OptionalExtension, params};

use super::{AccountId, Cache, Error};
use crate::pop3::Capabilities;

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
}
