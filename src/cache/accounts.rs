//! Table `accounts`.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{AccountId, Cache, Error, Statements};
use crate::account::{Account, Identity};

/// An account in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its key in the other tables.
    pub id: AccountId,
    /// Marks its files in the store: letters and digits that no other account ever has.
    pub tag: String,
}

impl Cache {
    /// Finds the account.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn find_account(&self, identity: &Identity) -> Result<Option<AccountRow>, Error> {
        let found = self
            .connection
            .query_row_cached(
                "SELECT id, tag FROM accounts WHERE key = ?1 AND host = ?2 AND user = ?3",
                params![identity.key, identity.host, identity.user],
                account_row,
            )
            .optional()?;
        Ok(found)
    }

    /// The names of all accounts. Unlike [`Self::overview`] it counts no messages.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn account_names(&self) -> Result<Vec<(AccountId, String)>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT id, name FROM accounts ORDER BY name, id")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// True if nothing is recorded of the mailbox: no run has begun for it, and nothing was
    /// imported.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn is_blank(&self, account: AccountId) -> Result<bool, Error> {
        let is_known = self.connection.query_row_cached(
            "SELECT EXISTS (SELECT 1 FROM messages WHERE account = ?1)
                 OR EXISTS (SELECT 1 FROM imported WHERE account = ?1)
                 OR EXISTS (SELECT 1 FROM guards WHERE account = ?1)",
            [account],
            |row| row.get::<_, bool>(0),
        )?;
        Ok(!is_known)
    }

    /// True if no message is stored for the mailbox, but another program's list was imported.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn is_imported_only(&self, account: AccountId) -> Result<bool, Error> {
        let is_so = self.connection.query_row_cached(
            "SELECT EXISTS (SELECT 1 FROM imported WHERE account = ?1)
                AND NOT EXISTS (SELECT 1 FROM messages WHERE account = ?1)",
            [account],
            |row| row.get(0),
        )?;
        Ok(is_so)
    }

    /// Finds the account, or creates it. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn account(&mut self, account: &Account, now: i64) -> Result<AccountRow, Error> {
        let identity = &account.identity;
        let store = account.store.to_string();
        if let Some(row) = self.find_account(identity)? {
            // Nearly always the row is already the same, and nothing is written. But a state that nobody
            // can write now, since another program holds it, is noticed here, before the dialling.
            self.connection.execute_cached(
                "UPDATE accounts SET name = ?2, store = ?3
                 WHERE id = ?1 AND (name <> ?2 OR store <> ?3)",
                params![row.id, account.name, store],
            )?;
            return Ok(row);
        }
        // An explicit commit: a statement that returns a row does not report that its own commit
        // failed.
        self.in_one(|cache| {
            // 64 random bits of SQLite's own: no two state folders share a tag either.
            let row = cache.connection.query_row_cached(
                "INSERT INTO accounts (key, host, user, name, store, tag, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, lower(hex(randomblob(8))), ?6)
                 RETURNING id, tag",
                params![
                    identity.key,
                    identity.host,
                    identity.user,
                    account.name,
                    store,
                    now
                ],
                account_row,
            )?;
            Ok(row)
        })
    }
}

/// Removes a mailbox that has no records except runs that stored nothing.
pub(super) fn forget_blank(connection: &Connection, account: AccountId) -> rusqlite::Result<()> {
    for delete in [
        "DELETE FROM runs WHERE account = ?1",
        "DELETE FROM capabilities WHERE account = ?1",
        "DELETE FROM breakers WHERE account = ?1",
        "DELETE FROM headers_only WHERE account = ?1",
        "DELETE FROM verified_parts WHERE account = ?1",
        "DELETE FROM losses WHERE account = ?1",
        "DELETE FROM verifications WHERE account = ?1",
        "DELETE FROM accounts WHERE id = ?1",
    ] {
        connection.execute_cached(delete, [account])?;
    }
    Ok(())
}

fn account_row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: row.get(0)?,
        tag: row.get(1)?,
    })
}
