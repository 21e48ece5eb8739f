//! Table `capabilities`.

use rusqlite::params;

use super::{Cache, Error};
use crate::pop3::Capabilities;

impl Cache {
    /// Remembers what the server can do.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn remember_capabilities(
        &mut self,
        account: i64,
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
