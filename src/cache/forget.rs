//! Removes all records of a mailbox. The mail is not touched.

use super::{AccountId, Cache, Error, Statements};

/// The rows of an account, table by table; tables that refer to others come first.
const ROWS: [&str; 15] = [
    "DELETE FROM staged WHERE message IN (SELECT id FROM messages WHERE account = ?1)",
    "DELETE FROM extents WHERE message IN (SELECT id FROM messages WHERE account = ?1)",
    "DELETE FROM lost WHERE message IN (SELECT id FROM messages WHERE account = ?1)",
    "DELETE FROM stumps WHERE message IN (SELECT id FROM messages WHERE account = ?1)",
    "DELETE FROM messages WHERE account = ?1",
    "DELETE FROM headers_only WHERE account = ?1",
    "DELETE FROM imported WHERE account = ?1",
    "DELETE FROM breakers WHERE account = ?1",
    "DELETE FROM capabilities WHERE account = ?1",
    "DELETE FROM guards WHERE account = ?1",
    "DELETE FROM runs WHERE account = ?1",
    "DELETE FROM verified_parts WHERE account = ?1",
    "DELETE FROM losses WHERE account = ?1",
    "DELETE FROM verifications WHERE account = ?1",
    "DELETE FROM accounts WHERE id = ?1",
];

impl Cache {
    /// Removes all records of an account. The caller must hold the account's lock.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; nothing was removed then.
    pub(crate) fn forget(&mut self, account: AccountId) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for rows in ROWS {
            transaction.execute_cached(rows, [account])?;
        }
        transaction.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every table that a migration creates is emptied, or allows to remove an account.
    #[test]
    fn no_table_keeps_a_row_of_a_forgotten_account() {
        let mut cache = Cache::blank().unwrap();
        let one = |cache: &Cache, query: &str| -> i64 {
            let get = |row: &rusqlite::Row<'_>| row.get(0);
            cache.connection.query_one(query, [], get).unwrap()
        };
        let tables: Vec<String> = {
            let query = "SELECT name FROM sqlite_master WHERE type = 'table'
                 AND name NOT LIKE 'sqlite_%'";
            let mut query = cache.connection.prepare(query).unwrap();
            let names = query.query_map([], |row| row.get(0)).unwrap();
            names.collect::<Result<_, _>>().unwrap()
        };
        for account in [1, 2] {
            fill(&cache, account);
        }
        for table in &tables {
            let rows = one(&cache, &format!("SELECT count(*) FROM {table}"));
            assert_eq!(rows, 2, "the test puts no row into {table}");
        }
        cache
            .connection
            .pragma_update(None, "foreign_keys", true)
            .unwrap();
        cache.forget(AccountId::of(1)).unwrap();
        for table in &tables {
            let rows = one(&cache, &format!("SELECT count(*) FROM {table}"));
            assert_eq!(rows, 1, "{table}");
        }
        assert_eq!(one(&cache, "SELECT id FROM accounts"), 2);
        assert_eq!(one(&cache, "SELECT account FROM messages"), 2);
    }

    /// One row for an account in each table.
    fn fill(cache: &Cache, account: i64) {
        let rows = format!(
            "INSERT INTO accounts (id, key, host, user, name, store, tag, created_at)
                 VALUES ({account}, '{account}', 'h', 'u', 'n', 's', '{account}', 0);
             INSERT INTO messages (id, account, unique_id, name, octets, sha256, header_sha256,
                     bare_line_ends, line_endings, stored_at)
                 VALUES ({account}, {account}, x'41', 'f', 1, zeroblob(32), zeroblob(32), 0, 'lf',
                     0);
             INSERT INTO staged VALUES ({account});
             INSERT INTO extents (message, start, length, sha256)
                 VALUES ({account}, 0, 1, zeroblob(32));
             INSERT INTO lost VALUES ({account});
             INSERT INTO stumps VALUES ({account}, 'f{account}', zeroblob(32));
             INSERT INTO headers_only (account, unique_id, listed_octets, seen_at)
                 VALUES ({account}, x'42', 1, 0);
             INSERT INTO imported VALUES ({account}, x'43', 1, 0, 0, NULL);
             INSERT INTO breakers VALUES ({account}, x'44', 0);
             INSERT INTO capabilities (account, lines, seen_at) VALUES ({account}, '', 0);
             INSERT INTO guards (account) VALUES ({account});
             INSERT INTO runs (account, started_at, finished_at, exit, retrieved, octets, deleted,
                     skipped, failed)
                 VALUES ({account}, 0, 0, 0, 0, 0, 0, 0, 0);
             INSERT INTO verified_parts VALUES ({account}, 1);
             INSERT INTO losses (account, gap, missing, told, counted_at)
                 VALUES ({account}, 0, 0, 0, 0);
             INSERT INTO verifications (account, started_at, finished_at, exit, parts, messages,
                     compared, missing, damaged, altered, unrecorded, unfinished, differing,
                     repaired)
                 VALUES ({account}, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);"
        );
        cache.connection.execute_batch(&rows).unwrap();
    }
}
