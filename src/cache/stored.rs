//! The stored messages one by one, with all that proves them; and whether the file that says so
//! is sound.

use std::collections::HashSet;

use super::{AccountId, Cache, Digest, Error, LineEnds};
use crate::account::{Identity, LineEndings};
use crate::store::Name;

/// How many of SQLite's findings are told.
const TOLD: u32 = 3;

/// A stored message and what is recorded of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its unique-id as sent.
    pub unique_id: Vec<u8>,
    /// Its file.
    pub name: Name,
    /// Its size as sent, un-stuffed.
    pub octets: u64,
    /// Digest of the same.
    pub sha256: Digest,
    /// How it was stored.
    pub line_ends: LineEnds,
    /// Whether the last listing showed it.
    pub listed: bool,
}

impl Cache {
    /// The stored messages, in the order in which they were stored.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn stored(&self, account: AccountId) -> Result<Vec<Stored>, Error> {
        let mut query = self.connection.prepare(
            "SELECT unique_id, name, octets, sha256, bare_line_ends, line_endings,
                    missing_since IS NULL
             FROM messages WHERE account = ?1 AND id NOT IN (SELECT message FROM staged)
             ORDER BY id",
        )?;
        let rows = query.query_map([account], |row| {
            let line_endings: String = row.get(5)?;
            Ok(Stored {
                unique_id: row.get(0)?,
                name: Name(row.get(1)?),
                octets: row.get::<_, i64>(2)?.cast_unsigned(),
                sha256: row.get(3)?,
                line_ends: LineEnds {
                    stored: if line_endings == "crlf" {
                        LineEndings::Crlf
                    } else {
                        LineEndings::Lf
                    },
                    bare: row.get(4)?,
                },
                listed: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The names of all files that an account has, or had.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn file_names(&self, account: AccountId) -> Result<HashSet<String>, Error> {
        let mut query = self.connection.prepare(
            "SELECT name FROM messages WHERE account = ?1
             UNION ALL
             SELECT stub FROM headers_only WHERE account = ?1 AND stub IS NOT NULL",
        )?;
        let names = query.query_map([account], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// The tags of all accounts.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn tags(&self) -> Result<HashSet<String>, Error> {
        let mut query = self.connection.prepare("SELECT tag FROM accounts")?;
        let tags = query.query_map([], |row| row.get(0))?;
        Ok(tags.collect::<Result<_, _>>()?)
    }

    /// The tags of all accounts but those of this mailbox: of another user, or at another server.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn tags_of_other_mailboxes(&self, identity: &Identity) -> Result<HashSet<String>, Error> {
        let mut query = self
            .connection
            .prepare("SELECT tag FROM accounts WHERE host <> ?1 OR user <> ?2")?;
        let tags = query.query_map([&identity.host, &identity.user], |row| row.get(0))?;
        Ok(tags.collect::<Result<_, _>>()?)
    }

    /// Reads the whole file, and tells whether it contradicts itself.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it does; [`Error::Sqlite`] where it cannot even be read.
    pub fn check(&self) -> Result<(), Error> {
        let mut query = self
            .connection
            .prepare(&format!("PRAGMA integrity_check({TOLD})"))?;
        let findings = query.query_map([], |row| row.get(0))?;
        let findings = findings.collect::<Result<Vec<String>, _>>()?;
        if findings == ["ok"] {
            return Ok(());
        }
        Err(Error::Damaged {
            findings: findings.join("; "),
        })
    }
}
