//! The stored messages one by one, with all digests that prove them, and a check of the cache file.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, params};

use super::{AccountId, Cache, Digest, Error, LineEnds, MessageKey, Statements};
use crate::account::{Identity, LineEndings};
use crate::store::Name;

/// At most this many of SQLite's findings are reported.
const MAX_FAULTS: u32 = 3;

/// A stored message and the records of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Its key.
    pub key: MessageKey,
    /// Its unique-id as sent.
    pub unique_id: Vec<u8>,
    /// Its file.
    pub name: Name,
    /// Its size as sent, un-stuffed.
    pub octets: u64,
    /// Digest of these octets.
    pub sha256: Digest,
    /// Digest of the stored form with CRLF for every LF, if that differs from what was sent and is
    /// known.
    pub stored_sha256: Option<Digest>,
    /// Its line ends.
    pub line_ends: LineEnds,
    /// True if the last listing showed it.
    pub listed: bool,
    /// Digest of its header as sent, without the empty line after it.
    pub header_sha256: Digest,
    /// The time when it was stored, in seconds since 1970.
    pub stored_at: i64,
    /// True if a person has accepted that it is not in the store.
    pub absence_accepted: bool,
}

impl Stored {
    /// The digest that the stored form must have, with CRLF for every LF if it was stored with LF.
    /// None if no digest proves it.
    pub(crate) fn proof(&self) -> Option<Digest> {
        let is_sent = self.line_ends.stored == LineEndings::Crlf || !self.line_ends.bare;
        match self.stored_sha256 {
            None if is_sent => Some(self.sha256),
            digest => digest,
        }
    }
}

impl Cache {
    /// The stored messages, in the order in which they were stored.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn stored(&self, account: AccountId) -> Result<Vec<Stored>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT unique_id, name, octets, sha256, bare_line_ends, line_endings,
                    missing_since IS NULL, id, stored_sha256,
                    header_sha256, absence_accepted, stored_at
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
                key: row.get(7)?,
                stored_sha256: row.get(8)?,
                header_sha256: row.get(9)?,
                absence_accepted: row.get(10)?,
                stored_at: row.get(11)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records the digests of stored forms that are read for the first time.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn prove(&mut self, digests: &[(MessageKey, Digest)]) -> Result<(), Error> {
        if digests.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        {
            let mut prove = transaction.prepare_cached(
                "UPDATE messages SET stored_sha256 = ?2 WHERE id = ?1 AND stored_sha256 IS NULL",
            )?;
            for (key, digest) in digests {
                prove.execute(params![key, digest])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Records that a person accepts that these messages are not in the store.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn accept_absence(&mut self, messages: &[MessageKey]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        {
            let mut accept = transaction
                .prepare_cached("UPDATE messages SET absence_accepted = 1 WHERE id = ?1")?;
            for key in messages {
                accept.execute([key])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The number of verifications that have read only a part of an account's messages.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn verified_parts(&self, account: AccountId) -> Result<u64, Error> {
        let parts: Option<i64> = self
            .connection
            .query_row_cached(
                "SELECT parts FROM verified_parts WHERE account = ?1",
                [account],
                |row| row.get(0),
            )
            .optional()?;
        Ok(parts.unwrap_or(0).cast_unsigned())
    }

    /// Records that one more has ended.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn verified_part(&mut self, account: AccountId) -> Result<(), Error> {
        self.connection.execute_cached(
            "INSERT INTO verified_parts (account, parts) VALUES (?1, 1)
             ON CONFLICT (account) DO UPDATE SET parts = parts + 1",
            [account],
        )?;
        Ok(())
    }

    /// The names of files that an account has, or may have, beside those of stored messages.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub(crate) fn further_names(&self, account: AccountId) -> Result<HashSet<String>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT name FROM staged CROSS JOIN messages ON messages.id = staged.message
                 WHERE account = ?1
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
        let mut query = self.connection.prepare_cached("SELECT tag FROM accounts")?;
        let tags = query.query_map([], |row| row.get(0))?;
        Ok(tags.collect::<Result<_, _>>()?)
    }

    /// The tags of all accounts except those of this mailbox: of another user, or on another
    /// server.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn tags_of_other_mailboxes(&self, identity: &Identity) -> Result<HashSet<String>, Error> {
        let mut query = self
            .connection
            .prepare_cached("SELECT tag FROM accounts WHERE host <> ?1 OR user <> ?2")?;
        let tags = query.query_map([&identity.host, &identity.user], |row| row.get(0))?;
        Ok(tags.collect::<Result<_, _>>()?)
    }

    /// Reads the whole file and checks it for contradictions.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it has any; [`Error::Sqlite`] if it cannot even be read.
    pub fn check(&self) -> Result<(), Error> {
        let mut query = self
            .connection
            .prepare(&format!("PRAGMA integrity_check({MAX_FAULTS})"))?;
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
